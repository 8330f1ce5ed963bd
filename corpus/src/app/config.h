/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: a table of named values, kept as a log of records in flash. */
#ifndef FEN_CONFIG_H
#define FEN_CONFIG_H

#include "drivers/nor.h"

enum setting {
    SET_TEMP_TARGET,
    SET_TEMP_NIGHT,
    SET_TEMP_HYSTERESIS,
    SET_HUMIDITY_MAX,
    SET_DEFICIT_TARGET,
    SET_SOIL_LOW,
    SET_SOIL_HIGH,
    SET_PUMP_SECONDS,
    SET_PUMP_REST,
    SET_FAN_MIN,
    SET_FAN_KP,
    SET_FAN_KI,
    SET_FAN_KD,
    SET_LIGHT_DOSE,
    SET_LAMP_START,
    SET_LAMP_END,
    SET_SAMPLE_PERIOD,
    SET_REPORT_PERIOD,
    SET_ALARM_TEMP_HIGH,
    SET_ALARM_TEMP_LOW,
    SET_ALARM_DELAY,
    SET_LATITUDE,
    SET_LONGITUDE,
    SET_ZONE,
    SET_MODBUS_ADDRESS,
    SET_BEEP,
#if FEN_RELEASE >= 120
    SET_VIBRATION_LIMIT,
    SET_FAN_BLADES,
#endif
    SET_COUNT
};

struct setting_info {
    const char *name, *unit, *help;
    int32_t low, high, initial;
    uint8_t decimals;
};

extern const struct setting_info config_info[SET_COUNT];

int config_open(struct nor *n, uint32_t at, uint32_t sectors);
int32_t config_get(enum setting s);
int config_set(enum setting s, int32_t value);
int config_find(const char *name);
int config_reset(void);
void config_usage(uint32_t *used, uint32_t *size, uint32_t *generation);

#endif
