/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config.h"

#include "kernel/sched.h"
#include "lib/crc.h"

#include <string.h>

#define SECTOR_MAGIC 0x31464e46u
#define NOTHING      0xffffu

#if FEN_RELEASE >= 101
#define HYSTERESIS 80
#else
#define HYSTERESIS 50
#endif

struct sector_head {
    uint32_t magic, generation;
};

struct record {
    uint16_t key, check;
    int32_t value;
};

static struct {
    struct nor *nor;
    uint32_t at, sectors, current, next, generation;
    int32_t values[SET_COUNT];
} store;

const struct setting_info config_info[SET_COUNT] = {
    [SET_TEMP_TARGET] = {"temp.target", "C", "air temperature by day", 500, 4000, 2200, 2},
    [SET_TEMP_NIGHT] = {"temp.night", "C", "air temperature by night", 200, 4000, 1750, 2},
    [SET_TEMP_HYSTERESIS] = {"temp.hysteresis", "C", "heater switches this far from the target", 10,
                             500, HYSTERESIS, 2},
    [SET_HUMIDITY_MAX] = {"humidity.max", "%", "vents open above", 3000, 9900, 8500, 2},
    [SET_DEFICIT_TARGET] = {"deficit.target", "Pa", "vapour pressure deficit to hold", 200, 3000,
                            900, 0},
    [SET_SOIL_LOW] = {"soil.low", "%", "watering starts below", 0, 10000, 3200, 2},
    [SET_SOIL_HIGH] = {"soil.high", "%", "watering ends above", 0, 10000, 5500, 2},
    [SET_PUMP_SECONDS] = {"pump.seconds", "s", "longest run of the pump", 1, 900, 45, 0},
    [SET_PUMP_REST] = {"pump.rest", "s", "pause between runs, for the water to sink in", 0, 7200,
                       600, 0},
    [SET_FAN_MIN] = {"fan.min", "0/00", "slowest speed at which the fan still turns", 0, 1000, 180,
                     0},
    [SET_FAN_KP] = {"fan.kp", "", "proportional gain, times 1000", 0, 100000, 2400, 3},
    [SET_FAN_KI] = {"fan.ki", "", "integral gain, times 1000", 0, 100000, 35, 3},
    [SET_FAN_KD] = {"fan.kd", "", "derivative gain, times 1000", 0, 100000, 800, 3},
    [SET_LIGHT_DOSE] = {"light.dose", "mmol/m2", "daily light, lamps make up the rest", 0, 60000,
                        14000, 0},
    [SET_LAMP_START] = {"lamp.start", "min", "lamps may be lit from, minutes after midnight", 0,
                        1439, 330, 0},
    [SET_LAMP_END] = {"lamp.end", "min", "lamps may be lit until", 0, 1439, 1290, 0},
    [SET_SAMPLE_PERIOD] = {"sample.period", "s", "time between measurements", 1, 3600, 10, 0},
    [SET_REPORT_PERIOD] = {"report.period", "s", "time between telemetry reports", 1, 86400, 300,
                           0},
    [SET_ALARM_TEMP_HIGH] = {"alarm.temp.high", "C", "alarm above", 0, 8000, 3800, 2},
    [SET_ALARM_TEMP_LOW] = {"alarm.temp.low", "C", "frost alarm below", -2000, 3000, 300, 2},
    [SET_ALARM_DELAY] = {"alarm.delay", "s", "a condition must last this long", 0, 3600, 60, 0},
    [SET_LATITUDE] = {"site.latitude", "deg", "north positive", -9000, 9000, 5252, 2},
    [SET_LONGITUDE] = {"site.longitude", "deg", "east positive", -18000, 18000, 1340, 2},
    [SET_ZONE] = {"site.zone", "", "number in the list of time zones", 0, 24, 3, 0},
    [SET_MODBUS_ADDRESS] = {"modbus.address", "", "station number", 1, 247, 17, 0},
    [SET_BEEP] = {"beep", "", "0 silent, 1 alarms, 2 keys and alarms", 0, 2, 1, 0},
#if FEN_RELEASE >= 120
    [SET_VIBRATION_LIMIT] = {"vibration.limit", "mm/s", "bearing alarm above", 1, 10000, 710, 2},
    [SET_FAN_BLADES] = {"fan.blades", "", "number of blades", 1, 24, 5, 0},
#endif
};

static uint16_t record_check(const struct record *r)
{
    uint8_t raw[6] = {(uint8_t)r->key, (uint8_t)(r->key >> 8)};
    memcpy(raw + 2, &r->value, 4);
    return crc16(raw, sizeof raw);
}

static void load_defaults(void)
{
    for (unsigned i = 0; i < SET_COUNT; i++)
        store.values[i] = config_info[i].initial;
}

static uint32_t sector_start(uint32_t index)
{
    return store.at + index * store.nor->sector;
}

static int write_record(uint16_t key, int32_t value)
{
    struct record r = {key, 0, value};
    r.check = record_check(&r);
    int err = store.nor->program(store.nor, sector_start(store.current) + store.next, &r, sizeof r);
    store.next += (uint32_t)sizeof r;
    return err;
}

/* Starts a sector with every value that differs from its default. The head comes last. */
static int begin_sector(uint32_t index)
{
    struct sector_head head = {SECTOR_MAGIC, store.generation + 1};
    int err = store.nor->erase(store.nor, sector_start(index));
    store.current = index;
    store.next = sizeof head;
    for (unsigned i = 0; !err && i < SET_COUNT; i++)
        if (store.values[i] != config_info[i].initial)
            err = write_record((uint16_t)i, store.values[i]);
    if (!err)
        err = store.nor->program(store.nor, sector_start(index), &head, sizeof head);
    store.generation = head.generation;
    return err;
}

static void replay_sector(void)
{
    struct record r;
    for (store.next = sizeof(struct sector_head); store.next + sizeof r <= store.nor->sector;
         store.next += (uint32_t)sizeof r) {
        if (store.nor->read(store.nor, sector_start(store.current) + store.next, &r, sizeof r))
            return;
        if (r.key == NOTHING && r.check == NOTHING)
            return;
        if (r.key < SET_COUNT && r.check == record_check(&r))
            store.values[r.key] = r.value;
    }
}

int config_open(struct nor *n, uint32_t at, uint32_t sectors)
{
    bool found = false;
    memset(&store, 0, sizeof store);
    store.nor = n;
    store.at = at;
    store.sectors = sectors;
    load_defaults();
    for (uint32_t i = 0; i < sectors; i++) {
        struct sector_head head;
        if (n->read(n, sector_start(i), &head, sizeof head) || head.magic != SECTOR_MAGIC)
            continue;
        if (!found || (int32_t)(head.generation - store.generation) > 0) {
            found = true;
            store.current = i;
            store.generation = head.generation;
        }
    }
    if (!found)
        return begin_sector(0);
    replay_sector();
    return FEN_OK;
}

int32_t config_get(enum setting s)
{
    return s < SET_COUNT ? store.values[s] : 0;
}

int config_set(enum setting s, int32_t value)
{
    if (s >= SET_COUNT)
        return FEN_ERR_ARG;
    const struct setting_info *info = &config_info[s];
    if (value < info->low || value > info->high)
        return FEN_ERR_RANGE;
    if (store.values[s] == value)
        return FEN_OK;
    store.values[s] = value;
    sched_post(EVENT_CONFIG_CHANGED, s);
    if (store.next + sizeof(struct record) > store.nor->sector)
        return begin_sector((store.current + 1) % store.sectors);
    return write_record((uint16_t)s, value);
}

int config_find(const char *name)
{
    for (unsigned i = 0; i < SET_COUNT; i++)
        if (strcmp(config_info[i].name, name) == 0)
            return (int)i;
    return FEN_ERR_MISSING;
}

int config_reset(void)
{
    load_defaults();
    return begin_sector((store.current + 1) % store.sectors);
}

void config_usage(uint32_t *used, uint32_t *size, uint32_t *generation)
{
    *used = store.next;
    *size = store.nor->sector;
    *generation = store.generation;
}
