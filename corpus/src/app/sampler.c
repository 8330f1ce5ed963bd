/* SPDX-License-Identifier: Apache-2.0 */
/* Reads every sensor, tracks which ones answer, keeps the day's statistics. */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "kernel/sched.h"
#include "lib/calendar.h"

#include <string.h>

#define CLIMATE_ADDRESS 0x76
#define LIGHT_ADDRESS   0x29
#define LOST_AFTER      3u

struct node node;

static uint32_t today;

static void track(unsigned sensor, int err, bool *valid)
{
    uint32_t *failures = &node.sensor_failures[sensor];
    if (err) {
        if (++*failures == LOST_AFTER) {
            *valid = false;
            log_add(LOG_WARN, MSG_SENSOR_LOST, (int32_t)sensor, err);
        }
        return;
    }
    if (*failures >= LOST_AFTER)
        log_add(LOG_INFO, MSG_SENSOR_FOUND, (int32_t)sensor, (int32_t)*failures);
    *failures = 0;
    *valid = true;
}

static void sample_air(void)
{
    int err = node.climate.ready ? FEN_OK : climate_open(&node.climate, &bus_wire, CLIMATE_ADDRESS);
    if (!err)
        err = climate_read(&node.climate, &node.air);
    track(0, err, &node.air_valid);
    if (err)
        return;
    stats_add(&node.temperature_stats, node.air.temperature);
    stats_add(&node.deficit_stats, node.air.deficit);
}

static void sample_light(void)
{
    int err = node.light.bus ? FEN_OK : light_open(&node.light, &bus_wire, LIGHT_ADDRESS);
    if (!err)
        err = light_read(&node.light, &node.sun);
    else
        node.light.bus = NULL;
    track(1, err, &node.sun_valid);
    if (!err)
        light_collect(&node.light, &node.sun, (uint32_t)config_get(SET_SAMPLE_PERIOD));
}

static void sample_soil(void)
{
    for (unsigned i = 0; i < SOIL_PROBES; i++) {
        struct zone_state *z = &node.zones[i];
        int heat = soil_convert(2 * i + 1), wet = soil_convert(2 * i);
        if (heat < 0 || wet < 0)
            continue;
        z->temperature = soil_temperature(&z->probe, heat);
        z->moisture = soil_moisture(&z->probe, wet, z->temperature);
    }
}

static void watch_day(void)
{
    const struct zone *zone = &calendar_zones[config_get(SET_ZONE)];
    uint32_t now = calendar_now(), day = (now + (uint32_t)calendar_offset(zone, now)) / 86400;
    if (day == today)
        return;
    if (today)
        log_add(LOG_INFO, MSG_DAY, (int32_t)day, (int32_t)node.light.dose);
    today = day;
    light_new_day(&node.light);
    memset(&node.temperature_stats, 0, sizeof node.temperature_stats);
    memset(&node.deficit_stats, 0, sizeof node.deficit_stats);
    sched_post(EVENT_DAY_CHANGED, day);
}

void sampler_init(void)
{
    static const uint16_t dry[SOIL_PROBES] = {2890, 2905, 2876, 2911};
    static const uint16_t wet[SOIL_PROBES] = {1310, 1298, 1322, 1305};
    for (unsigned i = 0; i < SOIL_PROBES; i++)
        soil_init(&node.zones[i].probe, dry[i], wet[i]);
}

void sampler_run(void *ctx, uint32_t now)
{
    (void)ctx, (void)now;
    watch_day();
    sample_air();
    sample_light();
    sample_soil();
    node.samples++;
    sched_post(EVENT_SAMPLE_READY, node.samples);
}
