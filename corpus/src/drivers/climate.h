/* SPDX-License-Identifier: Apache-2.0 */
/* Temperature, humidity and pressure sensor with calibration words. */
#ifndef FEN_CLIMATE_H
#define FEN_CLIMATE_H

#include "drivers/bus.h"

struct climate {
    const struct bus *bus;
    uint8_t address;
    int16_t cal[12];
    uint32_t errors;
    bool ready;
};

struct climate_reading {
    int32_t temperature; /* centidegrees */
    int32_t humidity;    /* 0.01 % */
    int32_t pressure;    /* pascal */
    int32_t dew_point;   /* centidegrees */
    int32_t deficit;     /* vapour pressure deficit, pascal */
};

int climate_open(struct climate *c, const struct bus *bus, uint8_t address);
int climate_read(struct climate *c, struct climate_reading *r);
int32_t climate_vapour(int32_t temperature); /* saturation pressure, pascal */

#endif
