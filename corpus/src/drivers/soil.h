/* SPDX-License-Identifier: Apache-2.0 */
/* Soil probes and thermistors on an eight-channel SPI converter. */
#ifndef FEN_SOIL_H
#define FEN_SOIL_H

#include "lib/filter.h"

#define SOIL_PROBES 4u

struct soil_probe {
    uint16_t dry, wet; /* raw readings in air and in water */
    struct median moisture_median, temperature_median;
    struct ema smooth;
};

int soil_convert(unsigned channel);
void soil_init(struct soil_probe *p, uint16_t dry, uint16_t wet);
int32_t soil_moisture(struct soil_probe *p, int raw, int32_t temperature); /* 0.01 % */
int32_t soil_temperature(struct soil_probe *p, int raw);                   /* centidegrees */

#endif
