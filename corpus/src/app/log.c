/* SPDX-License-Identifier: Apache-2.0 */
#include "app/log.h"

#include "lib/calendar.h"

#include <stdio.h>

#define LOG_LEN 64u

static struct log_entry entries[LOG_LEN];
static unsigned written;
static enum log_level echo_level = LOG_WARN;

static const char *const level_names[] = {"debug", "info", "warn", "ERROR"};

static const char *const formats[MSG_COUNT] = {
    [MSG_BOOT] = "started, reset cause %ld, %ld settings",
    [MSG_SENSOR_LOST] = "sensor %ld does not answer (error %ld)",
    [MSG_SENSOR_FOUND] = "sensor %ld answers again after %ld failures",
    [MSG_ALARM_ON] = "alarm %ld raised, value %ld",
    [MSG_ALARM_OFF] = "alarm %ld cleared, value %ld",
    [MSG_PUMP_ON] = "pump on in zone %ld, soil at %ld",
    [MSG_PUMP_OFF] = "pump off in zone %ld after %ld s",
    [MSG_PUMP_DRY] = "zone %ld does not get wetter: tank empty or pipe blocked? soil at %ld",
    [MSG_HEATER_ON] = "heater on at %ld, target %ld",
    [MSG_HEATER_OFF] = "heater off at %ld, target %ld",
    [MSG_LAMP_ON] = "lamps on, light so far %ld of %ld mmol",
    [MSG_LAMP_OFF] = "lamps off, light so far %ld of %ld mmol",
    [MSG_SETTING] = "setting %ld is now %ld",
    [MSG_STORE_ERROR] = "settings could not be stored (error %ld, sector %ld)",
    [MSG_MODBUS_ERROR] = "modbus: function %ld refused with %ld",
    [MSG_TIME_SET] = "clock set, moved by %ld s from %ld",
    [MSG_DAY] = "new day %ld, yesterday's light %ld mmol",
    [MSG_SELFTEST] = "self test: %ld passed, %ld failed",
#if FEN_RELEASE >= 120
    [MSG_VIBRATION] = "fan vibration %ld, limit %ld (0.01 mm/s)",
    [MSG_BEARING] = "fan bearing: band %ld at %ld times its baseline",
#endif
};

void log_add(enum log_level level, enum log_message message, int32_t a, int32_t b)
{
    struct log_entry *e = &entries[written++ % LOG_LEN];
    *e = (struct log_entry){calendar_now(), a, b, (uint8_t)message, (uint8_t)level};
    if (level >= echo_level)
        log_print(e);
}

unsigned log_count(void)
{
    return written < LOG_LEN ? written : LOG_LEN;
}

bool log_get(unsigned back, struct log_entry *e)
{
    if (back >= log_count())
        return false;
    *e = entries[(written - 1 - back) % LOG_LEN];
    return true;
}

void log_print(const struct log_entry *e)
{
    char when[32];
    printf("%s %-5s ", calendar_format(e->time, when, sizeof when), level_names[e->level]);
    printf(formats[e->message], (long)e->a, (long)e->b);
    putchar('\n');
}

void log_echo(enum log_level level)
{
    echo_level = level;
}
