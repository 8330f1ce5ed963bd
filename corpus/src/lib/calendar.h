/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, time zones and the sun. Times are seconds since 2000-01-01 UTC. */
#ifndef FEN_CALENDAR_H
#define FEN_CALENDAR_H

#include "fen.h"

struct date {
    uint16_t year;
    uint8_t month, day, hour, minute, second, weekday; /* weekday 0 is Monday */
};

struct zone {
    const char *name;
    int16_t minutes;
    uint8_t summer; /* 0 none, 1 European rule, 2 US rule */
};

extern const struct zone calendar_zones[];
extern const unsigned calendar_zone_count;

void calendar_set(uint32_t seconds);
uint32_t calendar_now(void);
void calendar_split(uint32_t seconds, struct date *d);
uint32_t calendar_join(const struct date *d);
bool calendar_parse(const char *s, struct date *d);
char *calendar_format(uint32_t seconds, char *buf, size_t size);
int32_t calendar_offset(const struct zone *z, uint32_t utc);
bool calendar_sun(uint32_t day, float latitude, float longitude, uint32_t *rise, uint32_t *set);

#endif
