/* SPDX-License-Identifier: Apache-2.0 */
/* Watches the fan's bearings: spectrum of an accelerometer, bands against a learned baseline. */
#include "app/config.h"
#include "app/log.h"
#include "app/node.h"
#include "lib/fft.h"
#include "lib/fixed.h"

#include <string.h>

#if FEN_RELEASE >= 120

#define RATE_HZ        1600u
#define LEARN_RUNS     12u
#define SENSOR_ADDRESS 0x19

enum { REG_WHO = 0x0f, REG_RATE = 0x20, REG_FIFO = 0x2e, REG_SAMPLES = 0xa8, SENSOR_WHO = 0x33 };

struct band {
    const char *name;
    uint8_t first, last; /* bins of 6.25 Hz */
};

static const struct band bands[] = {
    {"imbalance", 2, 5},     {"misalignment", 6, 10},   {"blade pass", 11, 24},
    {"loose mount", 25, 40}, {"cage", 41, 56},          {"outer race", 57, 80},
    {"inner race", 81, 104}, {"lubrication", 105, 127},
};

static struct vibration_report last;
static uint32_t baseline[FEN_COUNT(bands)];
static unsigned learned;
static int16_t re[FFT_LEN], im[FFT_LEN];
static bool fitted;

const char *vibration_band_name(unsigned band)
{
    return band < FEN_COUNT(bands) ? bands[band].name : "?";
}

const struct vibration_report *vibration_last(void)
{
    return &last;
}

void vibration_relearn(void)
{
    learned = 0;
    memset(baseline, 0, sizeof baseline);
}

static int32_t rms_of(const int16_t *samples)
{
    int64_t sum = 0;
    int32_t mean = 0;
    for (unsigned i = 0; i < FFT_LEN; i++)
        mean += samples[i];
    mean /= (int32_t)FFT_LEN;
    for (unsigned i = 0; i < FFT_LEN; i++)
        sum += (int64_t)(samples[i] - mean) * (samples[i] - mean);
    uint32_t square = (uint32_t)(sum / FFT_LEN);
    return (int32_t)(fixed_isqrt(square) / 10);
}

static void note_peak(struct vibration_report *r, unsigned bin, int32_t level)
{
    for (unsigned i = 0; i < 3; i++) {
        if (level <= r->peak_level[i])
            continue;
        for (unsigned j = 2; j > i; j--) {
            r->peak_level[j] = r->peak_level[j - 1];
            r->peak_hz[j] = r->peak_hz[j - 1];
        }
        r->peak_level[i] = level;
        r->peak_hz[i] = (uint16_t)(bin * RATE_HZ / FFT_LEN);
        return;
    }
}

static void find_peaks(struct vibration_report *r, const uint32_t power[FFT_LEN / 2])
{
    for (unsigned i = 2; i + 1 < FFT_LEN / 2; i++)
        if (power[i] > power[i - 1] && power[i] >= power[i + 1])
            note_peak(r, i, (int32_t)fixed_isqrt(power[i]));
}

static void compare_bands(struct vibration_report *r, const uint32_t power[FFT_LEN / 2])
{
    for (unsigned b = 0; b < FEN_COUNT(bands); b++) {
        uint32_t sum = 1;
        for (unsigned i = bands[b].first; i <= bands[b].last; i++)
            sum += power[i];
        if (learned < LEARN_RUNS) {
            baseline[b] += sum / LEARN_RUNS + 1;
            continue;
        }
        uint64_t ratio = ((uint64_t)sum << 16) / baseline[b];
        int32_t level = q16_sqrt(ratio > INT32_MAX ? INT32_MAX : (int32_t)ratio);
        if (level > r->worst_ratio) {
            r->worst_ratio = level;
            r->worst_band = (uint8_t)b;
        }
    }
    r->learned = learned >= LEARN_RUNS;
}

void vibration_analyse(const int16_t samples[256], struct vibration_report *r)
{
    static uint32_t power[FFT_LEN / 2];
    memset(r, 0, sizeof *r);
    r->rms = rms_of(samples);
    memcpy(re, samples, sizeof re);
    memset(im, 0, sizeof im);
    fft_window(re);
    fft_run(re, im);
    for (unsigned i = 0; i < FFT_LEN / 2; i++)
        power[i] = fft_power(re[i], im[i]);
    find_peaks(r, power);
    compare_bands(r, power);
}

static int fill(int16_t samples[FFT_LEN])
{
    uint8_t raw[6], setup[2] = {REG_RATE, 0x87};
    int err = bus_wire.transfer(bus_wire.ctx, SENSOR_ADDRESS, setup, 2, NULL, 0);
    for (unsigned i = 0; !err && i < FFT_LEN; i++) {
        err = bus_read_registers(&bus_wire, SENSOR_ADDRESS, REG_SAMPLES, raw, sizeof raw);
        samples[i] = (int16_t)(raw[4] | raw[5] << 8);
    }
    return err;
}

void vibration_init(void)
{
    uint8_t who = 0;
    vibration_relearn();
    fitted = bus_read_registers(&bus_wire, SENSOR_ADDRESS, REG_WHO, &who, 1) == FEN_OK &&
             who == SENSOR_WHO;
    if (fitted)
        bus_write_register(&bus_wire, SENSOR_ADDRESS, REG_FIFO, 0x80);
}

void vibration_run(void *ctx, uint32_t now)
{
    static int16_t samples[FFT_LEN];
    (void)ctx, (void)now;
    if (!fitted || node.fan < 200 || fill(samples) != FEN_OK)
        return;
    vibration_analyse(samples, &last);
    if (learned < LEARN_RUNS)
        learned++;
    if (last.rms > config_get(SET_VIBRATION_LIMIT))
        log_add(LOG_WARN, MSG_VIBRATION, last.rms, config_get(SET_VIBRATION_LIMIT));
    if (last.learned && last.worst_ratio > 3 * Q16_ONE)
        log_add(LOG_WARN, MSG_BEARING, last.worst_band, last.worst_ratio / Q16_ONE);
}
#endif
