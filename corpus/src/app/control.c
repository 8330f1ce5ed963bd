/* SPDX-License-Identifier: Apache-2.0 */
/* Heater with hysteresis, fan by PID on the vapour pressure deficit, lamps, watering. */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "board/board.h"
#include "lib/calendar.h"
#include "lib/fixed.h"
#include "lib/pid.h"
#include "lib/tables.h"

#define FAN_CHANNEL  0
#define LAMP_CHANNEL 1
#define RAMP_STEP    25
#define DRY_TRIES    3

static struct pid fan_pid;
static struct ema fan_smooth = {0, 2, false};
static uint16_t lamp_level;

void control_init(void)
{
    pid_init(&fan_pid, config_get(SET_FAN_KP) * 65536 / 1000, config_get(SET_FAN_KI) * 65536 / 1000,
             config_get(SET_FAN_KD) * 65536 / 1000, 0, 1000);
    fan_smooth.primed = false;
}

static uint32_t local_minutes(void)
{
    const struct zone *zone = &calendar_zones[config_get(SET_ZONE)];
    uint32_t now = calendar_now();
    return (now + (uint32_t)calendar_offset(zone, now)) / 60 % 1440;
}

static bool is_night(void)
{
    uint32_t now = calendar_now(), rise, set;
    float latitude = (float)config_get(SET_LATITUDE) / 100.0f;
    float longitude = (float)config_get(SET_LONGITUDE) / 100.0f;
    if (!calendar_sun(now / 86400, latitude, longitude, &rise, &set))
        return latitude > 0 ? now / 86400 % 365 > 265 || now / 86400 % 365 < 80 : false;
    return now < rise || now > set;
}

static void control_heater(void)
{
    int32_t target = config_get(node.night ? SET_TEMP_NIGHT : SET_TEMP_TARGET);
    int32_t gap = target - node.air.temperature, band = config_get(SET_TEMP_HYSTERESIS);
    bool on = gap > band || (node.heater && gap > -band);
    if (!node.air_valid)
        on = false;
    if (on != node.heater)
        log_add(LOG_INFO, on ? MSG_HEATER_ON : MSG_HEATER_OFF, node.air.temperature, target);
    node.heater = on;
    gpio_write(PIN_HEATER, on);
}

static int32_t fan_demand(void)
{
    /* Too humid or too hot: full speed. Otherwise hold the deficit; a low deficit asks for air. */
    if (node.air.humidity > config_get(SET_HUMIDITY_MAX))
        return 1000;
    if (node.air.temperature > config_get(SET_ALARM_TEMP_HIGH) - 300)
        return 1000;
    return pid_step(&fan_pid, config_get(SET_DEFICIT_TARGET) - node.air.deficit, 0);
}

static void control_fan(void)
{
    int32_t want = node.air_valid ? fan_demand() : config_get(SET_FAN_MIN);
    int32_t slow = config_get(SET_FAN_MIN);
    if (want < slow)
        want = want < slow / 2 ? 0 : slow;
    want = ema_add(&fan_smooth, want);
    node.fan = (uint16_t)fixed_clamp(want, node.fan - RAMP_STEP, node.fan + RAMP_STEP);
    pwm_set(FAN_CHANNEL, node.fan);
    gpio_write(PIN_FAN_ENABLE, node.fan > 0);
}

static bool lamps_wanted(void)
{
    uint32_t minute = local_minutes();
    uint32_t start = (uint32_t)config_get(SET_LAMP_START), end = (uint32_t)config_get(SET_LAMP_END);
    bool hours = start <= end ? minute >= start && minute < end : minute >= start || minute < end;
    if (!hours || node.light.dose >= (uint32_t)config_get(SET_LIGHT_DOSE))
        return false;
    /* Lit below 180 umol, off again above 260. */
    return !node.sun_valid || node.sun.flux < (node.lamps ? 260u : 180u);
}

static void control_lamps(void)
{
    bool on = lamps_wanted();
    if (on != node.lamps)
        log_add(LOG_INFO, on ? MSG_LAMP_ON : MSG_LAMP_OFF, (int32_t)node.light.dose,
                config_get(SET_LIGHT_DOSE));
    node.lamps = on;
    if (on && lamp_level < 255)
        lamp_level++;
    else if (!on && lamp_level > 0)
        lamp_level--;
    pwm_set(LAMP_CHANNEL, gamma_table[lamp_level]);
}

void control_water(unsigned index, bool on, uint32_t now)
{
    struct zone_state *z = &node.zones[index];
    if (on == z->pumping)
        return;
    z->pumping = on;
    if (on) {
        z->pump_started = now;
        z->moisture_before = z->moisture;
        log_add(LOG_INFO, MSG_PUMP_ON, (int32_t)index, z->moisture);
    } else {
        uint32_t seconds = (now - z->pump_started) / 1000;
        z->pump_ended = now;
        z->pump_total += seconds;
        log_add(LOG_INFO, MSG_PUMP_OFF, (int32_t)index, (int32_t)seconds);
    }
    bool any = false;
    for (unsigned i = 0; i < SOIL_PROBES; i++)
        any |= node.zones[i].pumping;
    pwm_set(2 + (index & 1), on ? 1000 : 0);
    gpio_write(PIN_PUMP, any);
}

/* After a rest the soil must have become wetter; three runs without effect stop the zone. */
static bool check_effect(unsigned index)
{
    struct zone_state *z = &node.zones[index];
    if (!z->pump_total)
        return true;
    if (z->moisture > z->moisture_before + 50) {
        z->failures = 0;
        return true;
    }
    if (z->failures < DRY_TRIES && ++z->failures == DRY_TRIES)
        log_add(LOG_ERROR, MSG_PUMP_DRY, (int32_t)index, z->moisture);
    return z->failures < DRY_TRIES;
}

static void control_zone(unsigned index, uint32_t now)
{
    struct zone_state *z = &node.zones[index];
    uint32_t longest = (uint32_t)config_get(SET_PUMP_SECONDS) * 1000;
    uint32_t rest = (uint32_t)config_get(SET_PUMP_REST) * 1000;
    if (z->pumping) {
        if (now - z->pump_started >= longest || z->moisture > config_get(SET_SOIL_HIGH))
            control_water(index, false, now);
        return;
    }
    bool rested = !z->pump_total || now - z->pump_ended >= rest;
    if (rested && z->moisture < config_get(SET_SOIL_LOW) && check_effect(index))
        control_water(index, true, now);
}

void control_run(void *ctx, uint32_t now)
{
    (void)ctx;
    node.night = is_night();
    control_heater();
    control_fan();
    control_lamps();
    for (unsigned i = 0; i < SOIL_PROBES; i++)
        control_zone(i, now);
}
