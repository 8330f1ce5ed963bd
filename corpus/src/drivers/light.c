/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/light.h"

#include <string.h>

enum {
    REG_ENABLE = 0x80,
    REG_GAIN = 0x8f,
    REG_CHIP = 0x92,
    REG_CHANNELS = 0x94,
    LIGHT_CHIP = 0x44
};

struct gain_step {
    uint8_t code, multiple;
    uint16_t low, high; /* leave this step below or above */
};

static const struct gain_step gains[] = {
    {0, 1, 1200, 65535},
    {1, 4, 3000, 56000},
    {2, 16, 3500, 54000},
    {3, 64, 0, 52000},
};

/* Response of the channels clear, red, green, blue; per thousand, by light source. */
static const int16_t lux_weight[4] = {132, -318, 1284, -405};
static const int16_t flux_weight[4] = {21, 164, 158, 181};

int light_open(struct light *l, const struct bus *bus, uint8_t address)
{
    uint8_t chip;
    memset(l, 0, sizeof *l);
    l->bus = bus;
    l->address = address;
    int err = bus_read_registers(bus, address, REG_CHIP, &chip, 1);
    if (err)
        return err;
    if (chip != LIGHT_CHIP)
        return FEN_ERR_MISSING;
    err = bus_write_register(bus, address, REG_ENABLE, 3);
    return err ? err : bus_write_register(bus, address, REG_GAIN, gains[0].code);
}

static uint32_t weigh(const uint16_t channel[4], const int16_t weight[4], uint32_t divide)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < 4; i++)
        sum += (int64_t)channel[i] * weight[i];
    return sum < 0 ? 0 : (uint32_t)(sum / divide);
}

static int adjust_gain(struct light *l, uint16_t clear)
{
    const struct gain_step *g = &gains[l->gain];
    if (clear < g->low && l->gain + 1u < FEN_COUNT(gains))
        l->gain++;
    else if (clear > g->high && l->gain > 0)
        l->gain--;
    else
        return FEN_OK;
    return bus_write_register(l->bus, l->address, REG_GAIN, gains[l->gain].code);
}

int light_read(struct light *l, struct light_reading *r)
{
    uint8_t raw[8];
    uint16_t channel[4];
    int err = bus_read_registers(l->bus, l->address, REG_CHANNELS, raw, sizeof raw);
    if (err)
        return err;
    for (unsigned i = 0; i < 4; i++)
        channel[i] = (uint16_t)(raw[2 * i] | raw[2 * i + 1] << 8);
    uint32_t multiple = gains[l->gain].multiple;
    uint32_t colour = (uint32_t)channel[1] + channel[2] + channel[3];
    r->lux = weigh(channel, lux_weight, 100 * multiple);
    r->flux = weigh(channel, flux_weight, 2500 * multiple);
    r->red_permille = (uint16_t)(colour ? channel[1] * 1000u / colour : 0);
    r->blue_permille = (uint16_t)(colour ? channel[3] * 1000u / colour : 0);
    r->clipped = channel[0] == 0xffff;
    return adjust_gain(l, channel[0]);
}

void light_collect(struct light *l, const struct light_reading *r, uint32_t seconds)
{
    l->dose_part += r->flux * seconds;
    l->dose += l->dose_part / 1000;
    l->dose_part %= 1000;
}

void light_new_day(struct light *l)
{
    l->dose = 0;
    l->dose_part = 0;
}
