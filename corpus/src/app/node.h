/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the node that its modules share. */
#ifndef FEN_NODE_H
#define FEN_NODE_H

#include "drivers/climate.h"
#include "drivers/light.h"
#include "drivers/soil.h"

enum alarm_kind {
    ALARM_HOT,
    ALARM_FROST,
    ALARM_DRY,
    ALARM_TANK,
    ALARM_SENSOR,
    ALARM_STORE,
#if FEN_RELEASE >= 120
    ALARM_BEARING,
#endif
    ALARM_KINDS
};

struct zone_state {
    struct soil_probe probe;
    int32_t moisture, temperature;
    uint32_t pump_started, pump_ended, pump_total;
    int32_t moisture_before;
    uint8_t failures;
    bool pumping;
};

struct node {
    struct climate climate;
    struct light light;
    struct climate_reading air;
    struct light_reading sun;
    struct zone_state zones[SOIL_PROBES];
    struct stats temperature_stats, deficit_stats;
    uint32_t samples, sensor_failures[2];
    bool air_valid, sun_valid, heater, lamps, night;
    uint16_t fan;
};

extern struct node node;

void sampler_init(void);
void sampler_run(void *ctx, uint32_t now);

void control_init(void);
void control_run(void *ctx, uint32_t now);
void control_water(unsigned zone, bool on, uint32_t now);

void alarm_init(void);
void alarm_run(void *ctx, uint32_t now);
bool alarm_active(enum alarm_kind kind);
const char *alarm_name(enum alarm_kind kind);
const char *alarm_state_name(enum alarm_kind kind);
void alarm_acknowledge(void);

size_t telemetry_cbor(uint8_t *buf, size_t size);
void telemetry_json(void (*put)(void *, char), void *ctx);
void telemetry_run(void *ctx, uint32_t now);

size_t modbus_answer(const uint8_t *request, size_t len, uint8_t *answer, size_t size);

void menu_init(void);
void menu_key(char key);
void menu_run(void *ctx, uint32_t now);

void shell_init(void);
void shell_run(void *ctx, uint32_t now);
int shell_execute(char *line);

int selftest_run(void);

#if FEN_RELEASE >= 120
struct vibration_report {
    int32_t rms; /* 0.01 mm/s */
    uint16_t peak_hz[3];
    int32_t peak_level[3];
    uint8_t worst_band;
    int32_t worst_ratio; /* Q16 against the learned baseline */
    bool learned;
};

void vibration_init(void);
void vibration_run(void *ctx, uint32_t now);
void vibration_analyse(const int16_t samples[256], struct vibration_report *r);
void vibration_relearn(void);
const struct vibration_report *vibration_last(void);
const char *vibration_band_name(unsigned band);
#endif

#endif
