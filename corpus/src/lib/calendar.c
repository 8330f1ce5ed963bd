/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/calendar.h"

#include "board/board.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400u

static uint32_t base_seconds, base_millis;

static const char *const weekday_names[7] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const uint16_t month_start[13] = {0,   31,  59,  90,  120, 151, 181,
                                         212, 243, 273, 304, 334, 365};

const struct zone calendar_zones[] = {
    {"UTC", 0, 0},         {"Lisbon", 0, 1},     {"London", 0, 1},         {"Berlin", 60, 1},
    {"Madrid", 60, 1},     {"Athens", 120, 1},   {"Helsinki", 120, 1},     {"Nairobi", 180, 0},
    {"Dubai", 240, 0},     {"Karachi", 300, 0},  {"Kolkata", 330, 0},      {"Kathmandu", 345, 0},
    {"Dhaka", 360, 0},     {"Bangkok", 420, 0},  {"Singapore", 480, 0},    {"Tokyo", 540, 0},
    {"Brisbane", 600, 0},  {"Azores", -60, 1},   {"New-York", -300, 2},    {"Chicago", -360, 2},
    {"Denver", -420, 2},   {"Phoenix", -420, 0}, {"Los-Angeles", -480, 2}, {"Anchorage", -540, 2},
    {"Honolulu", -600, 0},
};
const unsigned calendar_zone_count = FEN_COUNT(calendar_zones);

static bool leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t days_before_year(unsigned year)
{
    unsigned y = year - 2000;
    return y * 365 + (y + 3) / 4 - (y > 100 ? (y - 1) / 100 : 0) + (y > 400 ? (y - 1) / 400 : 0);
}

static uint32_t days_before_month(unsigned year, unsigned month)
{
    return month_start[month - 1] + (month > 2 && leap(year));
}

void calendar_set(uint32_t seconds)
{
    base_seconds = seconds;
    base_millis = board_millis();
}

uint32_t calendar_now(void)
{
    return base_seconds + (board_millis() - base_millis) / 1000;
}

void calendar_split(uint32_t seconds, struct date *d)
{
    uint32_t day = seconds / DAY, rest = seconds % DAY;
    d->hour = (uint8_t)(rest / 3600);
    d->minute = (uint8_t)(rest / 60 % 60);
    d->second = (uint8_t)(rest % 60);
    d->weekday = (uint8_t)((day + 5) % 7);
    unsigned year = 2000 + day / 366;
    while (days_before_year(year + 1) <= day)
        year++;
    day -= days_before_year(year);
    unsigned month = 12;
    while (days_before_month(year, month) > day)
        month--;
    d->year = (uint16_t)year;
    d->month = (uint8_t)month;
    d->day = (uint8_t)(day - days_before_month(year, month) + 1);
}

uint32_t calendar_join(const struct date *d)
{
    uint32_t day = days_before_year(d->year) + days_before_month(d->year, d->month) + d->day - 1u;
    return day * DAY + d->hour * 3600u + d->minute * 60u + d->second;
}

bool calendar_parse(const char *s, struct date *d)
{
    unsigned year, month, day, hour = 0, minute = 0, second = 0;
    int got = sscanf(s, "%u-%u-%uT%u:%u:%u", &year, &month, &day, &hour, &minute, &second);
    if (got < 3 || year < 2000 || year > 2099 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *d = (struct date){(uint16_t)year,
                       (uint8_t)month,
                       (uint8_t)day,
                       (uint8_t)hour,
                       (uint8_t)minute,
                       (uint8_t)second,
                       0};
    return true;
}

char *calendar_format(uint32_t seconds, char *buf, size_t size)
{
    struct date d;
    calendar_split(seconds, &d);
    snprintf(buf, size, "%s %04u-%02u-%02u %02u:%02u:%02u", weekday_names[d.weekday], d.year,
             d.month, d.day, d.hour, d.minute, d.second);
    return buf;
}

static uint32_t nth_sunday(unsigned year, unsigned month, int nth)
{
    struct date d = {(uint16_t)year, (uint8_t)month, 1, 0, 0, 0, 0};
    uint32_t first = calendar_join(&d) / DAY;
    uint32_t sunday = first + (6 - (first + 5) % 7) % 7;
    if (nth > 0)
        return (sunday + 7u * (unsigned)(nth - 1)) * DAY;
    uint32_t next = first + month_start[month] - month_start[month - 1];
    while (sunday + 7 < next)
        sunday += 7;
    return sunday * DAY;
}

int32_t calendar_offset(const struct zone *z, uint32_t utc)
{
    struct date d;
    int32_t base = z->minutes * 60;
    calendar_split(utc, &d);
    uint32_t from = UINT32_MAX, to = 0;
    if (z->summer == 1) {
        from = nth_sunday(d.year, 3, -1) + 3600;
        to = nth_sunday(d.year, 10, -1) + 3600;
    } else if (z->summer == 2) {
        from = nth_sunday(d.year, 3, 2) + 7200 - (uint32_t)base;
        to = nth_sunday(d.year, 11, 1) + 3600 - (uint32_t)base;
    }
    return utc >= from && utc < to ? base + 3600 : base;
}

/* Sunrise equation; false in polar night and midnight sun. Good to a few minutes. */
bool calendar_sun(uint32_t day, float latitude, float longitude, uint32_t *rise, uint32_t *set)
{
    const double degree = 0.017453292519943295;
    double noon = (double)day - longitude / 360.0 + 0.5;
    double anomaly = fmod(357.5291 + 0.98560028 * (noon - 0.5), 360.0);
    double centre = 1.9148 * sin(anomaly * degree) + 0.02 * sin(2 * anomaly * degree);
    double ecliptic = fmod(anomaly + centre + 180.0 + 102.9372, 360.0);
    double declination = asin(sin(ecliptic * degree) * 0.39779);
    double transit = noon + 0.0053 * sin(anomaly * degree) - 0.0069 * sin(2 * ecliptic * degree);
    double top = sin(-0.833 * degree) - sin(latitude * degree) * sin(declination);
    double hour = top / (cos(latitude * degree) * cos(declination));
    if (hour < -1.0 || hour > 1.0)
        return false;
    double half = acos(hour) / degree / 360.0;
    *rise = (uint32_t)((transit - half) * DAY);
    *set = (uint32_t)((transit + half) * DAY);
    return true;
}
