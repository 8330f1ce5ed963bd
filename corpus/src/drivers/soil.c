/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/soil.h"

#include "board/board.h"
#include "lib/fixed.h"
#include "lib/tables.h"

#include <string.h>

int soil_convert(unsigned channel)
{
    if (channel > 7)
        return FEN_ERR_ARG;
    spi_select(SPI_ADC, true);
    spi_exchange((uint8_t)(6 | channel >> 2));
    uint8_t high = spi_exchange((uint8_t)(channel << 6));
    uint8_t low = spi_exchange(0);
    spi_select(SPI_ADC, false);
    if (high & 0x10)
        return FEN_ERR_BUS;
    return (high & 15) << 8 | low;
}

void soil_init(struct soil_probe *p, uint16_t dry, uint16_t wet)
{
    memset(p, 0, sizeof *p);
    p->dry = dry;
    p->wet = wet;
    p->smooth.shift = 3;
}

int32_t soil_moisture(struct soil_probe *p, int raw, int32_t temperature)
{
    int32_t span = (int32_t)p->dry - p->wet;
    if (span == 0)
        return 0;
    int32_t v = median_add(&p->moisture_median, raw);
    int32_t wet = (int32_t)((p->dry - v) * 10000 / span);
    /* Capacitance grows with temperature: 0.1 % per degree off 20. */
    wet -= (temperature - 2000) / 10;
    return ema_add(&p->smooth, fixed_clamp(wet, 0, 10000));
}

int32_t soil_temperature(struct soil_probe *p, int raw)
{
    int32_t code = median_add(&p->temperature_median, raw);
    return fixed_lerp(ntc_table, 256, code * 16);
}
