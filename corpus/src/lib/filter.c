/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/filter.h"

#include "lib/fixed.h"

#include <math.h>
#include <string.h>

int32_t median_add(struct median *m, int32_t v)
{
    int32_t sorted[MEDIAN_LEN];
    m->window[m->next] = v;
    m->next = (uint8_t)((m->next + 1) % MEDIAN_LEN);
    if (m->used < MEDIAN_LEN)
        m->used++;
    for (unsigned i = 0; i < m->used; i++) {
        unsigned j = i;
        for (; j > 0 && sorted[j - 1] > m->window[i]; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = m->window[i];
    }
    return sorted[m->used / 2];
}

int32_t ema_add(struct ema *e, int32_t v)
{
    if (!e->primed) {
        e->value = v * (1 << e->shift);
        e->primed = true;
    }
    e->value += v - (e->value >> e->shift);
    return e->value >> e->shift;
}

void biquad_lowpass(struct biquad *b, float cutoff, float q)
{
    float w = 6.2831853f * cutoff, alpha = sinf(w) / (2.0f * q), c = cosf(w);
    float a0 = 1.0f + alpha, scale = 65536.0f / a0;
    memset(b, 0, sizeof *b);
    b->b0 = (int32_t)((1.0f - c) * 0.5f * scale);
    b->b1 = (int32_t)((1.0f - c) * scale);
    b->b2 = b->b0;
    b->a1 = (int32_t)(-2.0f * c * scale);
    b->a2 = (int32_t)((1.0f - alpha) * scale);
}

int32_t biquad_add(struct biquad *b, int32_t v)
{
    int64_t acc = (int64_t)b->b0 * v + (int64_t)b->b1 * b->x1 + (int64_t)b->b2 * b->x2;
    acc -= (int64_t)b->a1 * b->y1 + (int64_t)b->a2 * b->y2;
    int32_t y = (int32_t)(acc >> 16);
    b->x2 = b->x1;
    b->x1 = v;
    b->y2 = b->y1;
    b->y1 = y;
    return y;
}

void fir_init(struct fir *f, const int16_t *taps, size_t count)
{
    memset(f, 0, sizeof *f);
    f->taps = taps;
    f->count = (uint16_t)(count > FIR_MAX ? FIR_MAX : count);
}

int16_t fir_add(struct fir *f, int16_t v)
{
    int32_t acc = 0;
    f->line[f->next] = v;
    unsigned at = f->next;
    for (unsigned i = 0; i < f->count; i++) {
        acc += f->taps[i] * f->line[at];
        at = at ? at - 1 : f->count - 1u;
    }
    f->next = (uint16_t)((f->next + 1) % f->count);
    return (int16_t)fixed_clamp(acc >> 15, INT16_MIN, INT16_MAX);
}

void stats_add(struct stats *s, int32_t v)
{
    if (s->count == 0 || v < s->low)
        s->low = v;
    if (s->count == 0 || v > s->high)
        s->high = v;
    s->sum += v;
    s->squares += (int64_t)v * v;
    s->count++;
}

int32_t stats_mean(const struct stats *s)
{
    return s->count ? (int32_t)(s->sum / s->count) : 0;
}

int32_t stats_deviation(const struct stats *s)
{
    if (s->count < 2)
        return 0;
    int64_t mean = s->sum / s->count;
    int64_t variance = s->squares / s->count - mean * mean;
    return (int32_t)sqrt((double)(variance < 0 ? 0 : variance));
}
