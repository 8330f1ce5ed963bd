/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms as a table-driven state machine: idle, pending, active, acknowledged, clearing. */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "board/board.h"
#include "kernel/sched.h"
#include "lib/tables.h"

#include <stdio.h>

enum state { IDLE, PENDING, ACTIVE, QUIET, CLEARING, STATES };
enum input { IN_BAD, IN_GOOD, IN_TIMEOUT, IN_ACK, INPUTS };
enum action { NO_ACTION, START_TIMER, RAISE, CLEAR, SILENCE };

struct transition {
    uint8_t next, action;
};

struct alarm {
    uint8_t state;
    uint32_t since;
};

struct alarm_rule {
    const char *name;
    bool (*bad)(void);
    int32_t (*value)(void);
    bool audible;
};

static const char *const state_names[STATES] = {"idle", "pending", "ACTIVE", "acknowledged",
                                                "clearing"};

static const struct transition machine[STATES][INPUTS] = {
    [IDLE] = {{PENDING, START_TIMER}, {IDLE, 0}, {IDLE, 0}, {IDLE, 0}},
    [PENDING] = {{PENDING, 0}, {IDLE, 0}, {ACTIVE, RAISE}, {PENDING, 0}},
    [ACTIVE] = {{ACTIVE, 0}, {CLEARING, START_TIMER}, {ACTIVE, 0}, {QUIET, SILENCE}},
    [QUIET] = {{QUIET, 0}, {CLEARING, START_TIMER}, {QUIET, 0}, {QUIET, 0}},
    [CLEARING] = {{ACTIVE, 0}, {CLEARING, 0}, {IDLE, CLEAR}, {CLEARING, SILENCE}},
};

static struct alarm alarms[ALARM_KINDS];
static uint32_t chime_pos;
static bool chiming;

static bool too_hot(void)
{
    return node.air_valid && node.air.temperature > config_get(SET_ALARM_TEMP_HIGH);
}

static bool too_cold(void)
{
    return node.air_valid && node.air.temperature < config_get(SET_ALARM_TEMP_LOW);
}

static int32_t air_temperature(void)
{
    return node.air.temperature;
}

static int32_t driest(void)
{
    int32_t low = 10000;
    for (unsigned i = 0; i < SOIL_PROBES; i++)
        low = node.zones[i].moisture < low ? node.zones[i].moisture : low;
    return low;
}

static bool too_dry(void)
{
    return driest() < config_get(SET_SOIL_LOW) / 2;
}

static int32_t blocked_zone(void)
{
    for (unsigned i = 0; i < SOIL_PROBES; i++)
        if (node.zones[i].failures >= 3)
            return (int32_t)i;
    return -1;
}

static bool tank_empty(void)
{
    return blocked_zone() >= 0;
}

static bool sensor_lost(void)
{
    return !node.air_valid || !node.sun_valid;
}

static int32_t sensor_failures(void)
{
    return (int32_t)(node.sensor_failures[0] + node.sensor_failures[1]);
}

static int32_t store_left(void)
{
    uint32_t used, size, generation;
    config_usage(&used, &size, &generation);
    return (int32_t)size - (int32_t)used;
}

static bool store_broken(void)
{
    return store_left() < 0;
}

#if FEN_RELEASE >= 120
static bool bearing_worn(void)
{
    const struct vibration_report *r = vibration_last();
    return r->rms > config_get(SET_VIBRATION_LIMIT) || (r->learned && r->worst_ratio > 4 * 65536);
}

static int32_t bearing_level(void)
{
    return vibration_last()->rms;
}
#endif

static const struct alarm_rule rules[ALARM_KINDS] = {
    [ALARM_HOT] = {"overheating", too_hot, air_temperature, true},
    [ALARM_FROST] = {"frost", too_cold, air_temperature, true},
    [ALARM_DRY] = {"drought", too_dry, driest, false},
    [ALARM_TANK] = {"water tank", tank_empty, blocked_zone, true},
    [ALARM_SENSOR] = {"sensor lost", sensor_lost, sensor_failures, false},
    [ALARM_STORE] = {"settings store", store_broken, store_left, false},
#if FEN_RELEASE >= 120
    [ALARM_BEARING] = {"fan bearing", bearing_worn, bearing_level, true},
#endif
};

static void act(enum alarm_kind kind, enum action action, uint32_t now)
{
    const struct alarm_rule *r = &rules[kind];
    switch (action) {
    case START_TIMER:
        alarms[kind].since = now;
        break;
    case RAISE:
        log_add(LOG_ERROR, MSG_ALARM_ON, (int32_t)kind, r->value());
        sched_post(EVENT_ALARM_RAISED, kind);
        chiming = r->audible && config_get(SET_BEEP) > 0;
        break;
    case CLEAR:
        log_add(LOG_INFO, MSG_ALARM_OFF, (int32_t)kind, r->value());
        sched_post(EVENT_ALARM_CLEARED, kind);
        break;
    case SILENCE:
        chiming = false;
        break;
    case NO_ACTION:
        break;
    }
}

static void feed(enum alarm_kind kind, enum input input, uint32_t now)
{
    const struct transition *t = &machine[alarms[kind].state][input];
    alarms[kind].state = t->next;
    act(kind, (enum action)t->action, now);
}

void alarm_init(void)
{
    for (unsigned i = 0; i < ALARM_KINDS; i++)
        alarms[i].state = IDLE;
}

static void sound(void)
{
    if (!chiming)
        return;
    gpio_write(PIN_BUZZER, chime_wave[chime_pos] > 128);
    pwm_set(3, (uint16_t)(chime_wave[chime_pos] * 1000u / 255u));
    chime_pos = (chime_pos + 80) % FEN_COUNT(chime_wave);
}

void alarm_run(void *ctx, uint32_t now)
{
    (void)ctx;
    uint32_t delay = (uint32_t)config_get(SET_ALARM_DELAY) * 1000;
    for (unsigned i = 0; i < ALARM_KINDS; i++) {
        feed(i, rules[i].bad() ? IN_BAD : IN_GOOD, now);
        if (now - alarms[i].since >= delay)
            feed(i, IN_TIMEOUT, now);
    }
    sound();
}

bool alarm_active(enum alarm_kind kind)
{
    return alarms[kind].state == ACTIVE || alarms[kind].state == QUIET;
}

const char *alarm_name(enum alarm_kind kind)
{
    return kind < ALARM_KINDS ? rules[kind].name : "?";
}

const char *alarm_state_name(enum alarm_kind kind)
{
    return kind < ALARM_KINDS ? state_names[alarms[kind].state] : "?";
}

void alarm_acknowledge(void)
{
    for (unsigned i = 0; i < ALARM_KINDS; i++)
        feed(i, IN_ACK, board_millis());
}
