/* SPDX-License-Identifier: Apache-2.0 */
/* Four-channel light sensor with automatic gain; light in lux and photon flux. */
#ifndef FEN_LIGHT_H
#define FEN_LIGHT_H

#include "drivers/bus.h"

struct light {
    const struct bus *bus;
    uint8_t address, gain;
    uint32_t dose; /* umol per square metre since midnight, divided by 1000 */
    uint32_t dose_part;
};

struct light_reading {
    uint32_t lux, flux; /* flux in umol per square metre and second */
    uint16_t red_permille, blue_permille;
    bool clipped;
};

int light_open(struct light *l, const struct bus *bus, uint8_t address);
int light_read(struct light *l, struct light_reading *r);
void light_collect(struct light *l, const struct light_reading *r, uint32_t seconds);
void light_new_day(struct light *l);

#endif
