/* SPDX-License-Identifier: Apache-2.0 */
/* One report, as CBOR for the radio and as JSON for people. */
#include "app/config.h"
#include "app/node.h"
#include "board/board.h"
#include "lib/calendar.h"
#include "lib/cbor.h"
#include "lib/crc.h"
#include "lib/json.h"

#include <stddef.h>
#include <stdio.h>

struct field {
    const char *name;
    uint16_t offset;
    uint8_t decimals, key;
};

#define FIELD(name, member, decimals, key)                                                         \
    {                                                                                              \
        name, offsetof(struct node, member), decimals, key                                         \
    }

static const struct field fields[] = {
    FIELD("temperature", air.temperature, 2, 1),
    FIELD("humidity", air.humidity, 2, 2),
    FIELD("pressure", air.pressure, 0, 3),
    FIELD("dew_point", air.dew_point, 2, 4),
    FIELD("deficit", air.deficit, 0, 5),
    FIELD("lux", sun.lux, 0, 6),
    FIELD("photon_flux", sun.flux, 0, 7),
    FIELD("light_dose", light.dose, 0, 8),
    FIELD("samples", samples, 0, 9),
};

static int32_t field_value(const struct field *f)
{
    return *(const int32_t *)(const void *)((const char *)&node + f->offset);
}

static void cbor_zones(struct cbor_writer *w)
{
    cbor_array(w, SOIL_PROBES);
    for (unsigned i = 0; i < SOIL_PROBES; i++) {
        cbor_array(w, 4);
        cbor_int(w, node.zones[i].moisture);
        cbor_int(w, node.zones[i].temperature);
        cbor_int(w, (int32_t)node.zones[i].pump_total);
        cbor_bool(w, node.zones[i].pumping);
    }
}

size_t telemetry_cbor(uint8_t *buf, size_t size)
{
    struct cbor_writer w = {buf, size, 0, false};
    uint32_t alarms = 0;
    for (unsigned i = 0; i < ALARM_KINDS; i++)
        alarms |= (uint32_t)alarm_active(i) << i;
    cbor_map(&w, FEN_COUNT(fields) + 4);
    cbor_int(&w, 0);
    cbor_int(&w, (int32_t)calendar_now());
    for (size_t i = 0; i < FEN_COUNT(fields); i++) {
        cbor_int(&w, fields[i].key);
        cbor_int(&w, field_value(&fields[i]));
    }
    cbor_int(&w, 20);
    cbor_zones(&w);
    cbor_int(&w, 21);
    cbor_int(&w, (int32_t)alarms);
    cbor_int(&w, 22);
#if FEN_RELEASE >= 120
    cbor_array(&w, 4);
    cbor_int(&w, node.fan);
    cbor_int(&w, vibration_last()->rms);
    cbor_int(&w, vibration_last()->peak_hz[0]);
    cbor_float(&w, (float)vibration_last()->worst_ratio / 65536.0f);
#else
    cbor_int(&w, node.fan);
#endif
    return w.overflow ? 0 : w.len;
}

static void json_zones(struct json_writer *w)
{
    json_open(w, "zones", '[');
    for (unsigned i = 0; i < SOIL_PROBES; i++) {
        json_open(w, NULL, '{');
        json_fixed(w, "moisture", node.zones[i].moisture, 2);
        json_fixed(w, "temperature", node.zones[i].temperature, 2);
        json_int(w, "pump_seconds", (int32_t)node.zones[i].pump_total);
        json_bool(w, "pumping", node.zones[i].pumping);
        json_close(w, '}');
    }
    json_close(w, ']');
}

void telemetry_json(void (*put)(void *, char), void *ctx)
{
    char when[32];
    struct json_writer w = {put, ctx, 0, 0};
    json_open(&w, NULL, '{');
    json_string(&w, "version", FEN_VERSION);
    json_string(&w, "board", board_name);
    json_string(&w, "time", calendar_format(calendar_now(), when, sizeof when));
    for (size_t i = 0; i < FEN_COUNT(fields); i++)
        json_fixed(&w, fields[i].name, field_value(&fields[i]), fields[i].decimals);
    json_zones(&w);
    json_open(&w, "alarms", '{');
    for (unsigned i = 0; i < ALARM_KINDS; i++)
        json_string(&w, alarm_name(i), alarm_state_name(i));
    json_close(&w, '}');
    json_int(&w, "fan", node.fan);
#if FEN_RELEASE >= 120
    json_open(&w, "vibration", '{');
    json_fixed(&w, "rms", vibration_last()->rms, 2);
    json_int(&w, "peak_hz", vibration_last()->peak_hz[0]);
    json_string(&w, "band", vibration_band_name(vibration_last()->worst_band));
    json_close(&w, '}');
#endif
    json_bool(&w, "heater", node.heater);
    json_bool(&w, "lamps", node.lamps);
    json_close(&w, '}');
}

/* Frames for the radio module: start, length, report, CRC. */
void telemetry_run(void *ctx, uint32_t now)
{
    (void)ctx, (void)now;
    uint8_t report[192];
    size_t len = telemetry_cbor(report, sizeof report);
    printf("@%03u:", (unsigned)len);
    for (size_t i = 0; i < len; i++)
        printf("%02x", report[i]);
    printf(":%04x\n", crc16(report, len));
}
