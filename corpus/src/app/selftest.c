/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers for every module; sensors are replaced by models of their registers. */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "board/board.h"
#include "drivers/display.h"
#include "kernel/ring.h"
#include "lib/calendar.h"
#include "lib/cbor.h"
#include "lib/crc.h"
#include "lib/fixed.h"
#include "lib/json.h"
#include "lib/pid.h"
#include "lib/tables.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

static void check(bool ok, const char *what)
{
    if (ok) {
        passed++;
    } else {
        failed++;
        printf("selftest: %s FAILED\n", what);
    }
}

static bool near(int32_t a, int32_t b, int32_t slack)
{
    return a - b <= slack && b - a <= slack;
}

static void test_crc(void)
{
    check(crc32(0, "123456789", 9) == 0xcbf43926u, "crc32");
    check(crc16("123456789", 9) == 0x4b37, "crc16");
    check(crc8("\xbe\xef", 2) == 0x92, "crc8");
}

static void test_fixed(void)
{
    check(near(q16_sqrt(Q16(2)), Q16(1.41421), 4), "sqrt");
    check(near(q16_log2(Q16(10)), Q16(3.321928), 8), "log2");
    check(near(q16_exp2(Q16(2.5)), Q16(5.656854), 30), "exp2");
    check(near(q15_sin(0x2000), 23170, 2) && near(q15_cos(0x8000), -32767, 1), "sine");
    check(near(fixed_atan2(100, 100), 0x2000, 40) && near(fixed_atan2(0, -5), 0x8000, 4), "atan2");
    check(q16_div(1, 0) == INT32_MAX && q16_mul(Q16(300), Q16(300)) == INT32_MAX, "saturation");
}

static void test_filters(void)
{
    struct median m = {{0}, 0, 0};
    int32_t v = 0;
    for (int i = 0; i < 5; i++)
        v = median_add(&m, i == 3 ? 9999 : 10 + i);
    check(v == 12, "median");
    struct biquad b;
    biquad_lowpass(&b, 0.05f, 0.707f);
    for (int i = 0; i < 200; i++)
        v = biquad_add(&b, 10000);
    check(near(v, 10000, 60), "biquad");
    struct fir f;
    fir_init(&f, fir_fast, FEN_COUNT(fir_fast));
    for (int i = 0; i < 64; i++)
        v = fir_add(&f, 5000);
    check(near(v, 5000, 10), "fir");
    fir_init(&f, fir_slow, FEN_COUNT(fir_slow));
    for (int i = 0; i < 200; i++)
        v = fir_add(&f, i & 1 ? 8000 : -8000);
    check(near(v, 0, 40), "fir stop band");
    struct stats s = {0, 0, 0, 0, 0};
    for (int i = 1; i <= 9; i++)
        stats_add(&s, i * 100);
    check(stats_mean(&s) == 500 && stats_deviation(&s) == 258, "statistics");
}

static void test_pid(void)
{
    struct pid p;
    int32_t plant = 0;
    pid_init(&p, Q16(2), Q16(0.2), Q16(0.5), 0, 1000);
    for (int i = 0; i < 400; i++)
        plant += (pid_step(&p, 500, plant) - plant) / 8;
    check(near(plant, 500, 25), "pid settles");
#if FEN_RELEASE >= 110
    pid_init(&p, Q16(1), Q16(1), 0, 0, 100);
    for (int i = 0; i < 1000; i++)
        pid_step(&p, 1000, 0);
    check(pid_step(&p, 0, 500) == 0, "pid windup");
#endif
}

static void test_calendar(void)
{
    struct date d;
    char buf[32];
    check(calendar_parse("2024-02-29T12:34:56", &d), "date parse");
    uint32_t t = calendar_join(&d);
    check(strcmp(calendar_format(t, buf, sizeof buf), "Thu 2024-02-29 12:34:56") == 0,
          "date format");
    calendar_parse("2025-07-01", &d);
    check(calendar_offset(&calendar_zones[3], calendar_join(&d)) == 7200, "summer time");
    calendar_parse("2025-11-03", &d);
    check(calendar_offset(&calendar_zones[18], calendar_join(&d)) == -18000, "winter time");
    uint32_t rise, set;
    calendar_parse("2025-06-21", &d);
    check(calendar_sun(calendar_join(&d) / 86400, 52.5f, 13.4f, &rise, &set), "sun rises");
    check(near((int32_t)(set - rise), 16 * 3600 + 50 * 60, 600), "longest day");
    check(!calendar_sun(calendar_join(&d) / 86400, 80.0f, 0.0f, &rise, &set), "midnight sun");
}

static void test_text(void)
{
    char line[] = "set \"site name\"  42", buf[16];
    char *words[4];
    int32_t v;
    check(text_split(line, words, 4) == 3 && strcmp(words[1], "site name") == 0, "split");
    check(text_quantity("1.5h", text_time_units, 4, &v) && v == 5400, "quantity");
    check(strcmp(text_fixed(buf, sizeof buf, -5, 2), "-0.05") == 0, "fixed");
    check(text_match("fan.*", "fan.kp") && !text_match("fan.?", "fan.kp"), "match");
    check(text_distance("statsu", "status") == 2, "distance");
}

static int count_value(void *ctx, const char *path, const char *value, bool quoted)
{
    int *sum = ctx;
    if (strcmp(path, "a.b.1") == 0 && !quoted)
        *sum += atoi(value);
    return FEN_OK;
}

static void test_formats(void)
{
    uint8_t buf[192];
    int sum = 0;
    struct cbor_writer w = {buf, sizeof buf, 0, false};
    cbor_map(&w, 1);
    cbor_text(&w, "k");
    cbor_int(&w, -70000);
    struct cbor_reader r = {buf, w.len, 0};
    struct cbor_item item;
    check(cbor_next(&r, &item) == 0 && item.kind == CBOR_MAP && item.number == 1, "cbor map");
    check(cbor_skip(&r) == 0 && cbor_next(&r, &item) == 0 && item.number == -70000, "cbor int");
    size_t len = telemetry_cbor(buf, sizeof buf);
    r = (struct cbor_reader){buf, len, 0};
    check(len && cbor_skip(&r) == 0 && r.pos == len, "report is one item");
    check(json_walk("{\"a\":{\"b\":[1,22,\"3\"]}}", count_value, &sum) == 0 && sum == 22, "json");
    check(json_walk("{\"a\":[1,2}", count_value, &sum) != 0, "json refuses");
}

/* A climate sensor as its registers. */
static uint8_t model_regs[64];

static int model_transfer(void *ctx, uint8_t address, const uint8_t *tx, size_t tx_len, uint8_t *rx,
                          size_t rx_len)
{
    (void)ctx;
    if (address != 0x76 || !tx_len)
        return FEN_ERR_MISSING;
    for (size_t i = 1; i < tx_len; i++)
        model_regs[(tx[0] + i - 1) & 63] = tx[i];
    for (size_t i = 0; i < rx_len; i++)
        rx[i] = model_regs[(tx[0] + i) & 63];
    return FEN_OK;
}

static void test_climate(void)
{
    static const struct bus bus = {model_transfer, NULL};
    static const int16_t cal[12] = {20000, 410, 35, 2500, 9800, 120, -3, 13300, -40, 5, 1200, 0};
    static const uint8_t raw[8] = {0x52, 0x00, 0x0e, 0xee, 0x00, 0x40, 0x00, 0x00};
    struct climate c;
    struct climate_reading r;
    memset(model_regs, 0, sizeof model_regs);
    check(climate_open(&c, &bus, 0x76) == FEN_ERR_MISSING, "climate id");
    model_regs[0] = 0x5c;
    check(climate_open(&c, &bus, 0x76) == FEN_ERR_CRC, "climate crc");
    memcpy(model_regs + 0x10, cal, sizeof cal);
    model_regs[0x28] = crc8(model_regs + 0x10, 24);
    check(climate_open(&c, &bus, 0x76) == FEN_OK, "climate open");
    memcpy(model_regs + 0x30, raw, 8);
    model_regs[0x38] = crc8(raw, 8);
    check(climate_read(&c, &r) == FEN_OK, "climate read");
    check(r.temperature > 2000 && r.temperature < 4000 && r.dew_point < r.temperature,
          "climate value");
    check(near(climate_vapour(2000), 2333, 6), "vapour pressure");
}

static void test_store(void)
{
    static uint8_t flash[1024];
    static struct nor nor;
    nor_open_ram(&nor, flash, sizeof flash, 512);
    check(config_open(&nor, 0, 2) == FEN_OK, "store open");
    for (int i = 0; i < 150; i++)
        config_set(SET_FAN_MIN, 100 + i);
    check(config_set(SET_FAN_MIN, 5000) == FEN_ERR_RANGE, "store range");
    check(config_open(&nor, 0, 2) == FEN_OK && config_get(SET_FAN_MIN) == 249, "store reopen");
    uint32_t used, size, generation;
    config_usage(&used, &size, &generation);
    check(generation >= 3 && nor.erases == generation, "store sectors turn");
    check(config_reset() == FEN_OK && config_get(SET_FAN_MIN) == 180, "store reset");
}

static void test_modbus(void)
{
    uint8_t request[8] = {17, 4, 0, 34, 0, 3, 0, 0}, answer[32];
    uint16_t crc = crc16(request, 6);
    request[6] = (uint8_t)crc;
    request[7] = (uint8_t)(crc >> 8);
    size_t len = modbus_answer(request, 8, answer, sizeof answer);
    check(len == 11 && answer[2] == 6 && answer[4] == FEN_RELEASE / 100, "modbus version");
    request[6] ^= 1;
    check(modbus_answer(request, 8, answer, sizeof answer) == 0, "modbus crc");
}

static void test_ring(void)
{
    uint8_t space[8];
    struct ring r = RING_INIT(space);
    for (uint8_t i = 0; i < 10; i++)
        ring_put(&r, i);
    check(r.lost == 2 && ring_used(&r) == 8 && ring_get(&r) == 0, "ring");
}

static void test_soil(void)
{
    struct soil_probe p;
    soil_init(&p, 2890, 1310);
    int32_t t = soil_temperature(&p, 2048), m = 0;
    for (int i = 0; i < 60; i++)
        m = soil_moisture(&p, 2100, 2000);
    check(near(t, 2500, 60) && near(m, 5000, 10), "soil");
}

#if FEN_RELEASE >= 120
static void test_vibration(void)
{
    static int16_t samples[256];
    struct vibration_report r;
    for (unsigned i = 0; i < 256; i++)
        samples[i] = (int16_t)(q15_sin((uint16_t)(i * 65536 / 16)) / 4);
    vibration_analyse(samples, &r);
    check(near(r.peak_hz[0], 100, 7), "vibration peak");
    check(near(r.rms, 8192 * 100 / 1414, 40), "vibration rms");
}
#endif

static void test_display(void)
{
    display_clear();
    uint32_t empty = display_checksum();
    display_text(0, 0, 8, 12, FEN_VERSION);
    check(display_checksum() != empty, "display");
}

int selftest_run(void)
{
    passed = failed = 0;
    test_crc();
    test_fixed();
    test_filters();
    test_pid();
    test_calendar();
    test_text();
    test_ring();
    test_store();
    test_formats();
    test_climate();
    test_soil();
    test_modbus();
#if FEN_RELEASE >= 120
    test_vibration();
#endif
    test_display();
    log_add(failed ? LOG_ERROR : LOG_INFO, MSG_SELFTEST, passed, failed);
    printf("fen %s selftest: %d passed, %d failed\n", FEN_VERSION, passed, failed);
    return failed;
}
