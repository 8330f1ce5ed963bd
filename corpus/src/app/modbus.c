/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus RTU station: coils, input registers from a table, holding registers = settings. */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "board/board.h"
#include "kernel/sched.h"
#include "lib/crc.h"

#include <string.h>

enum { EX_FUNCTION = 1, EX_ADDRESS = 2, EX_VALUE = 3, EX_FAILURE = 4 };

struct answer {
    uint8_t *buf;
    size_t len, size;
};

typedef int32_t reader(unsigned arg);

struct input_register {
    reader *read;
    uint8_t arg;
};

static int32_t read_air(unsigned arg)
{
    const int32_t values[] = {node.air.temperature, node.air.humidity, node.air.pressure / 10,
                              node.air.dew_point, node.air.deficit};
    return values[arg];
}

static int32_t read_sun(unsigned arg)
{
    return arg == 0   ? (int32_t)node.sun.lux / 10
           : arg == 1 ? (int32_t)node.sun.flux
           : arg == 2 ? node.sun.red_permille
                      : node.sun.blue_permille;
}

static int32_t read_moisture(unsigned arg)
{
    return node.zones[arg].moisture;
}

static int32_t read_soil_temperature(unsigned arg)
{
    return node.zones[arg].temperature;
}

static int32_t read_pump(unsigned arg)
{
    return (int32_t)(node.zones[arg].pump_total & 0xffff);
}

static int32_t read_alarm(unsigned arg)
{
    return alarm_active((enum alarm_kind)arg);
}

static int32_t read_pwm(unsigned arg)
{
    return pwm_get(arg);
}

static int32_t read_uptime(unsigned arg)
{
    uint32_t minutes = board_millis() / 60000;
    return (int32_t)(arg ? minutes >> 16 : minutes & 0xffff);
}

static int32_t read_load(unsigned arg)
{
    (void)arg;
    return (int32_t)sched_load();
}

static int32_t read_version(unsigned arg)
{
    return FEN_RELEASE / (arg == 0 ? 100 : arg == 1 ? 10 : 1) % 10;
}

#if FEN_RELEASE >= 120
static int32_t read_vibration(unsigned arg)
{
    const struct vibration_report *r = vibration_last();
    return arg == 0 ? r->rms : r->peak_hz[arg - 1];
}
#endif

static const struct input_register inputs[] = {
    {read_air, 0},
    {read_air, 1},
    {read_air, 2},
    {read_air, 3},
    {read_air, 4},
    {read_sun, 0},
    {read_sun, 1},
    {read_sun, 2},
    {read_sun, 3},
    {read_moisture, 0},
    {read_moisture, 1},
    {read_moisture, 2},
    {read_moisture, 3},
    {read_soil_temperature, 0},
    {read_soil_temperature, 1},
    {read_soil_temperature, 2},
    {read_soil_temperature, 3},
    {read_pump, 0},
    {read_pump, 1},
    {read_pump, 2},
    {read_pump, 3},
    {read_alarm, 0},
    {read_alarm, 1},
    {read_alarm, 2},
    {read_alarm, 3},
    {read_alarm, 4},
    {read_alarm, 5},
    {read_pwm, 0},
    {read_pwm, 1},
    {read_pwm, 2},
    {read_pwm, 3},
    {read_uptime, 0},
    {read_uptime, 1},
    {read_load, 0},
    {read_version, 0},
    {read_version, 1},
    {read_version, 2},
#if FEN_RELEASE >= 120
    {read_alarm, 6},
    {read_vibration, 0},
    {read_vibration, 1},
    {read_vibration, 2},
    {read_vibration, 3},
#endif
};

static void put8(struct answer *a, unsigned v)
{
    if (a->len < a->size)
        a->buf[a->len++] = (uint8_t)v;
}

static void put16(struct answer *a, unsigned v)
{
    put8(a, v >> 8);
    put8(a, v);
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static int read_coils(const uint8_t *pdu, size_t len, struct answer *a)
{
    unsigned first = get16(pdu + 1), count = get16(pdu + 3), bits = 0;
    if (len != 5 || count < 1 || count > 8)
        return EX_VALUE;
    if (first + count > SOIL_PROBES + 2)
        return EX_ADDRESS;
    for (unsigned i = 0; i < count; i++) {
        unsigned n = first + i;
        bool on = n < SOIL_PROBES    ? node.zones[n].pumping
                  : n == SOIL_PROBES ? node.heater
                                     : node.lamps;
        bits |= (unsigned)on << i;
    }
    put8(a, 1);
    put8(a, bits);
    return 0;
}

static int write_coil(const uint8_t *pdu, size_t len, struct answer *a)
{
    unsigned n = get16(pdu + 1), value = get16(pdu + 3);
    if (len != 5 || (value != 0 && value != 0xff00))
        return EX_VALUE;
    if (n >= SOIL_PROBES)
        return EX_ADDRESS;
    control_water(n, value != 0, board_millis());
    put16(a, n);
    put16(a, value);
    return 0;
}

static int read_inputs(const uint8_t *pdu, size_t len, struct answer *a)
{
    unsigned first = get16(pdu + 1), count = get16(pdu + 3);
    if (len != 5 || count < 1 || count > 60)
        return EX_VALUE;
    if (first + count > FEN_COUNT(inputs))
        return EX_ADDRESS;
    put8(a, 2 * count);
    for (unsigned i = 0; i < count; i++)
        put16(a, (unsigned)inputs[first + i].read(inputs[first + i].arg));
    return 0;
}

static int read_holding(const uint8_t *pdu, size_t len, struct answer *a)
{
    unsigned first = get16(pdu + 1), count = get16(pdu + 3);
    if (len != 5 || count < 1 || count > 60)
        return EX_VALUE;
    if (first + count > SET_COUNT)
        return EX_ADDRESS;
    put8(a, 2 * count);
    for (unsigned i = 0; i < count; i++)
        put16(a, (unsigned)config_get(first + i));
    return 0;
}

static int write_one(unsigned n, unsigned value)
{
    int err = config_set(n, config_info[n].low < 0 ? (int16_t)value : (int32_t)value);
    return err == FEN_ERR_RANGE ? EX_VALUE : err ? EX_FAILURE : 0;
}

static int write_holding(const uint8_t *pdu, size_t len, struct answer *a)
{
    unsigned n = get16(pdu + 1), value = get16(pdu + 3);
    if (len != 5)
        return EX_VALUE;
    if (n >= SET_COUNT)
        return EX_ADDRESS;
    int err = write_one(n, value);
    put16(a, n);
    put16(a, value);
    return err;
}

static int write_many(const uint8_t *pdu, size_t len, struct answer *a)
{
    unsigned first = get16(pdu + 1), count = get16(pdu + 3);
#if FEN_RELEASE >= 110
    if (len < 6 || count < 1 || count > 60 || pdu[5] != 2 * count || len != 6 + 2 * count)
        return EX_VALUE;
#else
    if (len < 6 || count < 1 || count > 60 || pdu[5] != 2 * count)
        return EX_VALUE;
#endif
    if (first + count > SET_COUNT)
        return EX_ADDRESS;
    for (unsigned i = 0; i < count; i++) {
        int err = write_one(first + i, get16(pdu + 6 + 2 * i));
        if (err)
            return err;
    }
    put16(a, first);
    put16(a, count);
    return 0;
}

struct function {
    uint8_t code;
    int (*run)(const uint8_t *pdu, size_t len, struct answer *a);
};

static const struct function functions[] = {
    {1, read_coils}, {3, read_holding},  {4, read_inputs},
    {5, write_coil}, {6, write_holding}, {16, write_many},
};

static int dispatch(const uint8_t *pdu, size_t len, struct answer *a)
{
    for (size_t i = 0; i < FEN_COUNT(functions); i++)
        if (functions[i].code == pdu[0])
            return len < 5 ? EX_VALUE : functions[i].run(pdu, len, a);
    return EX_FUNCTION;
}

/* A whole frame in, a whole frame out; 0 when the frame is not for this station. */
size_t modbus_answer(const uint8_t *request, size_t len, uint8_t *buf, size_t size)
{
    if (len < 4 || size < 8)
        return 0;
    if (crc16(request, len - 2) != (request[len - 2] | request[len - 1] << 8))
        return 0;
    if (request[0] != config_get(SET_MODBUS_ADDRESS))
        return 0;
    struct answer a = {buf, 0, size - 2};
    put8(&a, request[0]);
    put8(&a, request[1]);
    int exception = dispatch(request + 1, len - 3, &a);
    if (exception) {
        log_add(LOG_INFO, MSG_MODBUS_ERROR, request[1], exception);
        a.len = 1;
        put8(&a, request[1] | 0x80u);
        put8(&a, (unsigned)exception);
    }
    uint16_t crc = crc16(buf, a.len);
    buf[a.len] = (uint8_t)crc;
    buf[a.len + 1] = (uint8_t)(crc >> 8);
    return a.len + 2;
}
