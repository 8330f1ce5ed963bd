/* SPDX-License-Identifier: Apache-2.0 */
/* Display pages and the settings editor: keys u, d, +, -. */
#include "app/config.h"
#include "app/node.h"
#include "drivers/display.h"
#include "kernel/sched.h"
#include "lib/calendar.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

#define PAGE_SECONDS 8u

struct page {
    const char *title;
    void (*draw)(void);
};

static unsigned page, cursor;
static bool editing;
static uint32_t last_key;

static void draw_value(int y, const char *label, int32_t value, unsigned decimals, const char *unit)
{
    char buf[16];
    display_text(0, y, 7, 9, label);
    display_text(60, y, 7, 9, text_fixed(buf, sizeof buf, value, decimals));
    display_text(110, y, 7, 9, unit);
}

static void draw_climate(void)
{
    char buf[16];
    display_text(4, 14, 20, 26, text_fixed(buf, sizeof buf, node.air.temperature / 10, 1));
    draw_value(44, "humid", node.air.humidity / 10, 1, "%");
    draw_value(54, "dew", node.air.dew_point / 10, 1, "C");
}

static void draw_air(void)
{
    draw_value(14, "press", node.air.pressure / 100, 0, "hP");
    draw_value(26, "vpd", node.air.deficit, 0, "Pa");
    draw_value(38, "low", node.temperature_stats.low / 10, 1, "C");
    draw_value(50, "high", node.temperature_stats.high / 10, 1, "C");
}

static void draw_light(void)
{
    int32_t want = config_get(SET_LIGHT_DOSE);
    draw_value(14, "lux", (int32_t)node.sun.lux, 0, "");
    draw_value(26, "flux", (int32_t)node.sun.flux, 0, "");
    draw_value(38, "dose", (int32_t)node.light.dose, 0, "");
    display_bar(0, 52, 128, 10, want ? (int)(node.light.dose * 1000u / (uint32_t)want) : 0);
}

static void draw_soil(void)
{
    for (unsigned i = 0; i < SOIL_PROBES; i++) {
        int y = 12 + 13 * (int)i;
        char label[4] = {(char)('A' + i), node.zones[i].pumping ? '*' : ' ', '\0'};
        display_text(0, y, 8, 10, label);
        display_bar(20, y, 108, 11, (int)node.zones[i].moisture / 10);
    }
}

static void draw_alarms(void)
{
    int y = 14;
    for (unsigned i = 0; i < ALARM_KINDS && y < 60; i++) {
        if (!alarm_active(i))
            continue;
        display_text(0, y, 7, 9, alarm_name(i));
        y += 12;
    }
    if (y == 14)
        display_text(20, 30, 12, 16, "all well");
}

static void draw_clock(void)
{
    char buf[32];
    const struct zone *zone = &calendar_zones[config_get(SET_ZONE)];
    uint32_t now = calendar_now();
    calendar_format(now + (uint32_t)calendar_offset(zone, now), buf, sizeof buf);
    display_text(4, 46, 8, 11, zone->name);
    display_text(4, 16, 14, 24, buf + strlen(buf) - 8);
}

static void draw_settings(void)
{
    for (unsigned row = 0; row < 4 && cursor + row < SET_COUNT; row++) {
        const struct setting_info *info = &config_info[cursor + row];
        char buf[16];
        int y = 13 + 13 * (int)row;
        display_text(row == 0 && editing ? 6 : 0, y, 5, 8, info->name);
        text_fixed(buf, sizeof buf, config_get(cursor + row), info->decimals);
        display_text(128 - 6 * (int)strlen(buf), y, 6, 8, buf);
    }
}

#if FEN_RELEASE >= 120
static void draw_vibration(void)
{
    const struct vibration_report *r = vibration_last();
    draw_value(14, "rms", r->rms, 2, "mm");
    draw_value(26, "peak", r->peak_hz[0], 0, "Hz");
    display_text(0, 38, 7, 9, r->learned ? vibration_band_name(r->worst_band) : "learning");
    display_bar(0, 52, 128, 10, (int)(r->worst_ratio / 262));
}
#endif

static const struct page pages[] = {
    {"climate", draw_climate},   {"air today", draw_air}, {"light", draw_light},
    {"soil", draw_soil},         {"alarms", draw_alarms}, {"clock", draw_clock},
#if FEN_RELEASE >= 120
    {"fan", draw_vibration},
#endif
    {"settings", draw_settings},
};

static void change_setting(int direction)
{
    const struct setting_info *info = &config_info[cursor];
    int32_t span = info->high - info->low;
    int32_t step = span > 20000 ? 100 : span > 2000 ? 10 : 1;
    config_set(cursor, config_get(cursor) + direction * step);
}

static void key_event(enum sched_event event, uint32_t arg, void *ctx)
{
    (void)event, (void)ctx;
    bool settings = pages[page].draw == draw_settings;
    switch (arg) {
    case 'u':
    case 'd':
        if (settings && editing)
            cursor = (cursor + (arg == 'd' ? 1u : SET_COUNT - 1u)) % SET_COUNT;
        else
            page = (unsigned)((page + (arg == 'd' ? 1 : FEN_COUNT(pages) - 1)) % FEN_COUNT(pages));
        break;
    case '+':
    case '-':
        if (settings && editing)
            change_setting(arg == '+' ? 1 : -1);
        else
            editing = settings;
        break;
    default:
        editing = false;
        break;
    }
}

void menu_init(void)
{
    display_init();
    sched_listen(EVENT_KEY, key_event, NULL);
}

void menu_key(char key)
{
    sched_post(EVENT_KEY, (uint32_t)key);
}

void menu_run(void *ctx, uint32_t now)
{
    (void)ctx;
    if (!editing && now - last_key > PAGE_SECONDS * 1000) {
        last_key = now;
        page = (unsigned)((page + 1) % (FEN_COUNT(pages) - 1));
    }
    display_clear();
    display_text(0, 0, 7, 9, pages[page].title);
    display_line(0, 10, DISPLAY_WIDTH - 1, 10);
    pages[page].draw();
    display_flush();
}
