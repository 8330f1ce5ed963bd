/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEN_LOG_H
#define FEN_LOG_H

#include "fen.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_message {
    MSG_BOOT,
    MSG_SENSOR_LOST,
    MSG_SENSOR_FOUND,
    MSG_ALARM_ON,
    MSG_ALARM_OFF,
    MSG_PUMP_ON,
    MSG_PUMP_OFF,
    MSG_PUMP_DRY,
    MSG_HEATER_ON,
    MSG_HEATER_OFF,
    MSG_LAMP_ON,
    MSG_LAMP_OFF,
    MSG_SETTING,
    MSG_STORE_ERROR,
    MSG_MODBUS_ERROR,
    MSG_TIME_SET,
    MSG_DAY,
    MSG_SELFTEST,
#if FEN_RELEASE >= 120
    MSG_VIBRATION,
    MSG_BEARING,
#endif
    MSG_COUNT
};

struct log_entry {
    uint32_t time;
    int32_t a, b;
    uint8_t message, level;
};

void log_add(enum log_level level, enum log_message message, int32_t a, int32_t b);
unsigned log_count(void);
bool log_get(unsigned back, struct log_entry *e); /* 0 is the newest */
void log_print(const struct log_entry *e);
void log_echo(enum log_level level);

#endif
