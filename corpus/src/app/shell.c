/* SPDX-License-Identifier: Apache-2.0 */
/* The service console. */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "board/board.h"
#include "kernel/sched.h"
#include "lib/calendar.h"
#include "lib/cbor.h"
#include "lib/crc.h"
#include "lib/json.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 96u
#define MAX_WORDS    10

struct command {
    const char *name, *arguments, *help;
    int (*run)(int argc, char **argv);
    int least, most;
};

static char line[LINE_MAX_LEN];
static size_t line_len;

static void console_put(void *ctx, char c)
{
    (void)ctx;
    putchar(c);
}

static int cmd_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("fen %s on %s, %u settings, %u alarms\n", FEN_VERSION, board_name, (unsigned)SET_COUNT,
           (unsigned)ALARM_KINDS);
    return FEN_OK;
}

static int cmd_status(int argc, char **argv)
{
    (void)argc, (void)argv;
    char a[16], b[16];
    if (node.air_valid)
        printf("air    %s C, %s %%, %ld Pa, deficit %ld Pa\n",
               text_fixed(a, sizeof a, node.air.temperature, 2),
               text_fixed(b, sizeof b, node.air.humidity, 2), (long)node.air.pressure,
               (long)node.air.deficit);
    else
        printf("air    sensor does not answer\n");
    printf("light  %lu lux, %lu umol/m2/s, %lu mmol today\n", (unsigned long)node.sun.lux,
           (unsigned long)node.sun.flux, (unsigned long)node.light.dose);
    for (unsigned i = 0; i < SOIL_PROBES; i++)
        printf("zone %c %s %% wet, %s C, pump %s, %lu s in all\n", 'A' + i,
               text_fixed(a, sizeof a, node.zones[i].moisture, 2),
               text_fixed(b, sizeof b, node.zones[i].temperature, 2),
               node.zones[i].pumping ? "on" : "off", (unsigned long)node.zones[i].pump_total);
    printf("fan    %u.%u %%, heater %s, lamps %s, %s\n", node.fan / 10, node.fan % 10,
           node.heater ? "on" : "off", node.lamps ? "on" : "off", node.night ? "night" : "day");
    return FEN_OK;
}

static int cmd_tasks(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("%-10s %8s %8s %6s %6s\n", "task", "period", "runs", "late", "worst");
    for (unsigned i = 0; sched_task(i); i++) {
        const struct task *t = sched_task(i);
        printf("%-10s %8lu %8lu %6lu %6lu%s\n", t->name, (unsigned long)t->period,
               (unsigned long)t->runs, (unsigned long)t->late, (unsigned long)t->worst,
               t->paused ? " paused" : "");
    }
    unsigned load = sched_load();
    printf("load %u.%u %%\n", load / 10, load % 10);
    return FEN_OK;
}

static int cmd_pause(int argc, char **argv)
{
    (void)argc;
    struct task *t = sched_find(argv[1]);
    if (!t)
        return FEN_ERR_MISSING;
    t->paused = !t->paused;
    return FEN_OK;
}

static void show_setting(unsigned i)
{
    const struct setting_info *info = &config_info[i];
    char value[16], low[16], high[16];
    printf("%-18s %8s %-8s %s..%s  %s\n", info->name,
           text_fixed(value, sizeof value, config_get(i), info->decimals), info->unit,
           text_fixed(low, sizeof low, info->low, info->decimals),
           text_fixed(high, sizeof high, info->high, info->decimals), info->help);
}

static int cmd_get(int argc, char **argv)
{
    unsigned shown = 0;
    for (unsigned i = 0; i < SET_COUNT; i++) {
        if (argc > 1 && !text_match(argv[1], config_info[i].name))
            continue;
        show_setting(i);
        shown++;
    }
    return shown ? FEN_OK : FEN_ERR_MISSING;
}

static int cmd_set(int argc, char **argv)
{
    (void)argc;
    int s = config_find(argv[1]);
    int32_t value;
    if (s < 0)
        return s;
    const struct setting_info *info = &config_info[s];
    if (info->decimals) {
        double v = strtod(argv[2], NULL);
        for (unsigned i = 0; i < info->decimals; i++)
            v *= 10.0;
        value = (int32_t)(v < 0 ? v - 0.5 : v + 0.5);
    } else if (strcmp(info->unit, "s") == 0) {
        if (!text_quantity(argv[2], text_time_units, FEN_COUNT(text_time_units), &value))
            return FEN_ERR_ARG;
    } else if (!text_number(argv[2], &value)) {
        return FEN_ERR_ARG;
    }
    int err = config_set((enum setting)s, value);
    if (!err)
        log_add(LOG_INFO, MSG_SETTING, s, value);
    return err;
}

static int cmd_defaults(int argc, char **argv)
{
    (void)argc, (void)argv;
    return config_reset();
}

static int cmd_time(int argc, char **argv)
{
    char buf[32];
    if (argc > 1) {
        struct date d;
        if (!calendar_parse(argv[1], &d))
            return FEN_ERR_ARG;
        uint32_t was = calendar_now(), is = calendar_join(&d);
        calendar_set(is);
        log_add(LOG_INFO, MSG_TIME_SET, (int32_t)(is - was), (int32_t)was);
    }
    uint32_t now = calendar_now(), rise, set;
    const struct zone *zone = &calendar_zones[config_get(SET_ZONE)];
    int32_t offset = calendar_offset(zone, now);
    printf("%s UTC\n", calendar_format(now, buf, sizeof buf));
    printf("%s %s\n", calendar_format(now + (uint32_t)offset, buf, sizeof buf), zone->name);
    if (calendar_sun(now / 86400, (float)config_get(SET_LATITUDE) / 100.0f,
                     (float)config_get(SET_LONGITUDE) / 100.0f, &rise, &set)) {
        printf("sunrise %s\n", calendar_format(rise + (uint32_t)offset, buf, sizeof buf));
        printf("sunset  %s\n", calendar_format(set + (uint32_t)offset, buf, sizeof buf));
    } else {
        printf("the sun does not rise or set today\n");
    }
    return FEN_OK;
}

static int cmd_zones(int argc, char **argv)
{
    (void)argc, (void)argv;
    for (unsigned i = 0; i < calendar_zone_count; i++)
        printf("%2u %-12s %+03d:%02d%s\n", i, calendar_zones[i].name,
               calendar_zones[i].minutes / 60, abs(calendar_zones[i].minutes) % 60,
               calendar_zones[i].summer ? " and summer time" : "");
    return FEN_OK;
}

static int cmd_log(int argc, char **argv)
{
    int32_t count = 10;
    struct log_entry e;
    if (argc > 1 && !text_number(argv[1], &count))
        return FEN_ERR_ARG;
    for (int32_t i = count - 1; i >= 0; i--)
        if (log_get((unsigned)i, &e))
            log_print(&e);
    return FEN_OK;
}

static int cmd_alarms(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "ack") == 0)
        alarm_acknowledge();
    for (unsigned i = 0; i < ALARM_KINDS; i++)
        printf("%-16s %s\n", alarm_name(i), alarm_state_name(i));
    return FEN_OK;
}

static int cmd_pump(int argc, char **argv)
{
    (void)argc;
    unsigned zone = (unsigned)(argv[1][0] | 32) - 'a';
    if (zone >= SOIL_PROBES)
        return FEN_ERR_ARG;
    control_water(zone, strcmp(argv[2], "on") == 0, board_millis());
    return FEN_OK;
}

static int cmd_report(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "cbor") == 0) {
        uint8_t report[192];
        size_t len = telemetry_cbor(report, sizeof report);
        struct cbor_reader r = {report, len, 0};
        text_dump(report, len, 0);
        cbor_print(&r);
    } else {
        telemetry_json(console_put, NULL);
        putchar('\n');
    }
    return FEN_OK;
}

static int import_setting(void *ctx, const char *path, const char *value, bool quoted)
{
    unsigned *count = ctx;
    int s = config_find(path);
    int32_t v;
    if (s < 0 || quoted || !text_number(value, &v))
        return FEN_OK;
    ++*count;
    return config_set((enum setting)s, v);
}

static int cmd_import(int argc, char **argv)
{
    (void)argc;
    unsigned count = 0;
    int err = json_walk(argv[1], import_setting, &count);
    printf("%u settings taken\n", count);
    return err;
}

static int cmd_peek(int argc, char **argv)
{
    int32_t address, len = 64;
    if (!text_number(argv[1], &address) || (argc > 2 && !text_number(argv[2], &len)))
        return FEN_ERR_ARG;
    text_dump((const void *)(uintptr_t)(uint32_t)address, (size_t)(len & 1023), (uint32_t)address);
    return FEN_OK;
}

static int cmd_scan(int argc, char **argv)
{
    (void)argc, (void)argv;
    uint8_t dummy;
    for (uint8_t address = 8; address < 0x78; address++)
        if (i2c_transfer(address, NULL, 0, &dummy, 1) == FEN_OK)
            printf("0x%02x answers\n", address);
    return FEN_OK;
}

static int cmd_modbus(int argc, char **argv)
{
    uint8_t request[24], answer[64];
    size_t len = 0;
    for (int i = 1; i < argc; i++)
        request[len++] = (uint8_t)strtoul(argv[i], NULL, 16);
    uint16_t crc = crc16(request, len);
    request[len++] = (uint8_t)crc;
    request[len++] = (uint8_t)(crc >> 8);
    text_dump(answer, modbus_answer(request, len, answer, sizeof answer), 0);
    return FEN_OK;
}

static int cmd_keys(int argc, char **argv)
{
    (void)argc;
    for (const char *p = argv[1]; *p; p++)
        menu_key(*p);
    return FEN_OK;
}

#if FEN_RELEASE >= 120
static int cmd_vibration(int argc, char **argv)
{
    const struct vibration_report *r = vibration_last();
    if (argc > 1 && strcmp(argv[1], "relearn") == 0) {
        vibration_relearn();
        return FEN_OK;
    }
    printf("rms %ld.%02ld mm/s, limit %ld\n", (long)r->rms / 100, (long)r->rms % 100,
           (long)config_get(SET_VIBRATION_LIMIT));
    for (unsigned i = 0; i < 3; i++)
        printf("peak %u: %u Hz at %ld\n", i + 1, r->peak_hz[i], (long)r->peak_level[i]);
    if (r->learned)
        printf("worst band %s, %.2f times its baseline\n", vibration_band_name(r->worst_band),
               (double)r->worst_ratio / 65536.0);
    else
        printf("still learning how this fan sounds\n");
    return FEN_OK;
}
#endif

static int cmd_selftest(int argc, char **argv)
{
    (void)argc, (void)argv;
    return selftest_run() ? FEN_ERR_STATE : FEN_OK;
}

static int cmd_reset(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("resetting\n");
    board_reset();
    return FEN_OK;
}

static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
    {"alarms", "[ack]", "the alarms, and acknowledge them", cmd_alarms, 0, 1},
    {"defaults", "", "forget all settings", cmd_defaults, 0, 0},
    {"get", "[PATTERN]", "settings, for example: get fan.*", cmd_get, 0, 1},
    {"help", "[COMMAND]", "this list, or one command", cmd_help, 0, 1},
    {"import", "JSON", "settings from a JSON object of raw numbers", cmd_import, 1, 1},
    {"keys", "KEYS", "press keys of the front panel", cmd_keys, 1, 1},
    {"log", "[COUNT]", "the newest entries of the log", cmd_log, 0, 1},
    {"modbus", "BYTE...", "run a request as if it came over the bus", cmd_modbus, 1, 9},
    {"pause", "TASK", "stop a task, or let it go on", cmd_pause, 1, 1},
    {"peek", "ADDRESS [LENGTH]", "look at memory", cmd_peek, 1, 2},
    {"pump", "ZONE on|off", "water a zone by hand", cmd_pump, 2, 2},
    {"report", "[json|cbor]", "the telemetry report", cmd_report, 0, 1},
    {"reset", "", "start again", cmd_reset, 0, 0},
    {"scan", "", "look for parts on the I2C bus", cmd_scan, 0, 0},
    {"selftest", "", "check the software against known answers", cmd_selftest, 0, 0},
    {"set", "NAME VALUE", "change a setting", cmd_set, 2, 2},
    {"status", "", "all measurements and outputs", cmd_status, 0, 0},
    {"tasks", "", "tasks, their timing and the load", cmd_tasks, 0, 0},
    {"time", "[YYYY-MM-DDTHH:MM:SS]", "clock and sun; sets the clock (UTC)", cmd_time, 0, 1},
    {"version", "", "what runs here", cmd_version, 0, 0},
#if FEN_RELEASE >= 120
    {"vibration", "[relearn]", "what the fan sounds like", cmd_vibration, 0, 1},
#endif
    {"zones", "", "time zones", cmd_zones, 0, 0},
};

static int cmd_help(int argc, char **argv)
{
    for (size_t i = 0; i < FEN_COUNT(commands); i++)
        if (argc == 1 || strcmp(argv[1], commands[i].name) == 0)
            printf("%-9s %-22s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
    return FEN_OK;
}

static void suggest(const char *word)
{
    const char *best = NULL;
    unsigned distance = 3;
    for (size_t i = 0; i < FEN_COUNT(commands); i++) {
        unsigned d = text_distance(word, commands[i].name);
        if (d < distance) {
            distance = d;
            best = commands[i].name;
        }
    }
    if (best)
        printf("no command '%s'; did you mean '%s'?\n", word, best);
    else
        printf("no command '%s'; try help\n", word);
}

int shell_execute(char *text)
{
    char *words[MAX_WORDS];
    int argc = text_split(text, words, MAX_WORDS);
    if (argc == 0)
        return FEN_OK;
    for (size_t i = 0; i < FEN_COUNT(commands); i++) {
        const struct command *c = &commands[i];
        if (strcmp(c->name, words[0]) != 0)
            continue;
        if (argc - 1 < c->least || argc - 1 > c->most) {
            printf("usage: %s %s\n", c->name, c->arguments);
            return FEN_ERR_ARG;
        }
        int err = c->run(argc, words);
        if (err)
            printf("%s: %s\n", c->name, fen_error_text(err));
        return err;
    }
    suggest(words[0]);
    return FEN_ERR_MISSING;
}

void shell_init(void)
{
    line_len = 0;
    printf("> ");
    fflush(stdout);
}

void shell_run(void *ctx, uint32_t now)
{
    (void)ctx, (void)now;
    for (int c = uart_get(); c >= 0; c = uart_get()) {
        if (c == '\r' || c == '\n') {
            putchar('\n');
            line[line_len] = '\0';
            shell_execute(line);
            shell_init();
        } else if (c == 8 || c == 127) {
            if (line_len) {
                line_len--;
                printf("\b \b");
            }
        } else if (c >= 32 && line_len + 1 < LINE_MAX_LEN) {
            line[line_len++] = (char)c;
            putchar(c);
        }
        fflush(stdout);
    }
}
