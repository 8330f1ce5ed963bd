/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/climate.h"

#include "lib/crc.h"
#include "lib/fixed.h"
#include "lib/tables.h"

#include <math.h>
#include <string.h>

enum {
    REG_ID = 0x00,
    REG_STATUS = 0x01,
    REG_CONTROL = 0x02,
    REG_CALIBRATION = 0x10,
    REG_DATA = 0x30,
    CLIMATE_ID = 0x5c,
    STATUS_BUSY = 0x80,
    CONTROL_ONCE = 0x25,
    READY_TRIES = 50,
};

int32_t climate_vapour(int32_t temperature)
{
    int32_t t = fixed_clamp(temperature, -2000, 5999) + 2000;
    int32_t i = t / 100, f = t % 100;
    return vapour_table[i] + (vapour_table[i + 1] - vapour_table[i]) * f / 100;
}

int climate_open(struct climate *c, const struct bus *bus, uint8_t address)
{
    uint8_t raw[26], id;
    memset(c, 0, sizeof *c);
    c->bus = bus;
    c->address = address;
    int err = bus_read_registers(bus, address, REG_ID, &id, 1);
    if (err)
        return err;
    if (id != CLIMATE_ID)
        return FEN_ERR_MISSING;
    err = bus_read_registers(bus, address, REG_CALIBRATION, raw, 25);
    if (err)
        return err;
    if (crc8(raw, 24) != raw[24])
        return FEN_ERR_CRC;
    for (unsigned i = 0; i < 12; i++)
        c->cal[i] = (int16_t)(raw[2 * i] | raw[2 * i + 1] << 8);
    c->ready = true;
    return FEN_OK;
}

static int measure(struct climate *c, uint8_t raw[9])
{
    uint8_t status = STATUS_BUSY;
    int err = bus_write_register(c->bus, c->address, REG_CONTROL, CONTROL_ONCE);
    for (int i = 0; !err && i < READY_TRIES && status & STATUS_BUSY; i++)
        err = bus_read_registers(c->bus, c->address, REG_STATUS, &status, 1);
    if (err)
        return err;
    if (status & STATUS_BUSY)
        return FEN_ERR_TIMEOUT;
    err = bus_read_registers(c->bus, c->address, REG_DATA, raw, 9);
    return err ? err : crc8(raw, 8) == raw[8] ? FEN_OK : FEN_ERR_CRC;
}

static int32_t true_temperature(const struct climate *c, int32_t raw)
{
    int64_t x = raw - (int32_t)(uint16_t)c->cal[0] * 16;
    int64_t linear = x * c->cal[1] >> 14;
    int64_t square = (x * x >> 20) * c->cal[2] >> 12;
    return (int32_t)(linear + square) + c->cal[3];
}

static int32_t true_humidity(const struct climate *c, int32_t raw, int32_t temperature)
{
    int32_t h = (int32_t)((int64_t)raw * c->cal[4] >> 15) + c->cal[5];
    h += (int32_t)((int64_t)(temperature - 2500) * h >> 16) * c->cal[6] / 64;
    return fixed_clamp(h, 0, 10000);
}

static int32_t true_pressure(const struct climate *c, int32_t raw, int32_t temperature)
{
    int64_t p = (int64_t)raw * (uint16_t)c->cal[7] >> 13;
    int64_t offset = (int64_t)c->cal[8] * temperature / 128;
    int64_t curve = (int64_t)c->cal[9] * temperature / 256 * temperature >> 12;
    return (int32_t)(p + offset + curve + c->cal[10] * 8);
}

static int32_t dew_point(int32_t temperature, int32_t humidity)
{
    double t = temperature / 100.0, h = (humidity < 100 ? 100 : humidity) / 10000.0;
    double g = log(h) + 17.62 * t / (243.12 + t);
    return (int32_t)lround(24312.0 * g / (17.62 - g));
}

int climate_read(struct climate *c, struct climate_reading *r)
{
    uint8_t raw[9];
    if (!c->ready)
        return FEN_ERR_STATE;
    int err = measure(c, raw);
    if (err) {
        c->errors++;
        return err;
    }
    int32_t t = raw[0] << 12 | raw[1] << 4 | raw[2] >> 4;
    int32_t p = (raw[2] & 15) << 16 | raw[3] << 8 | raw[4];
    int32_t h = raw[5] << 8 | raw[6];
    r->temperature = true_temperature(c, t);
    r->humidity = true_humidity(c, h, r->temperature);
    r->pressure = true_pressure(c, p, r->temperature);
    r->dew_point = dew_point(r->temperature, r->humidity);
    int32_t full = climate_vapour(r->temperature);
    r->deficit = full - (int32_t)((int64_t)full * r->humidity / 10000);
    return FEN_OK;
}
