/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Counters", "Mixing" and "Starting values". */
#include "../../patch/prior.h" /* the table of starting values, which is part of the format */
#include "oracle.h"

int64_t floor_shift(int64_t v, unsigned n)
{
    int64_t d = (int64_t)1 << n;
    return v >= 0 ? v / d : -((-v + d - 1) / d);
}

static int32_t log2_256(uint32_t x)
{
    int32_t whole = 0;
    while (x >> (whole + 1) != 0)
        whole++;
    uint32_t f = (x << (15 - whole) & 0x7fff) / 128;
    return 256 * whole + (int32_t)(f + f * (256 - f) * 89 / 65536);
}

int32_t stretch(uint32_t p)
{
    return log2_256(p) - log2_256(65536 - p);
}

uint32_t squash(int32_t odds)
{
    static const uint32_t points[26] = {
        32768, 38390, 43691, 48418, 52429, 55691, 58254, 60214, 61681, 62762, 63550, 64119, 64528,
        64820, 65028, 65176, 65281, 65355, 65408, 65446, 65472, 65491, 65504, 65513, 65520, 65525};
    uint32_t x = odds < 0 ? (uint32_t)-odds : (uint32_t)odds;
    if (x > 3071)
        x = 3071;
    uint32_t i = x / 128, f = x % 128;
    uint32_t p = (points[i] * (128 - f) + points[i + 1] * f) / 128;
    return odds < 0 ? 65536 - p : p;
}

uint32_t counter_p(const struct counter *c)
{
    return 16 * (uint32_t)c->p + 8;
}

void learn_counter(struct counter *c, unsigned bit, unsigned limit)
{
    int64_t error = (bit ? 4095 : 0) - c->p;
    int64_t rate = 131072 / (2 * c->n + 3);
    c->p += (int32_t)floor_shift(error * rate + 32768, 16);
    if (c->n < limit)
        c->n++;
}

/*
 * A state of n and p: seen n times, the p-th of 2^n steps; steps are 2048 / 2^n apart,
 * but for n = 7 as for n = 6.
 */
static int32_t state_step(unsigned n)
{
    return n == 7 ? 32 : 2048 >> n;
}

int32_t state_odds(const struct counter *c)
{
    return (2 * c->p + 1 - (1 << c->n)) * state_step(c->n) / 2;
}

void learn_state(struct counter *c, unsigned bit)
{
    unsigned n = c->n < 7 ? c->n + 1 : 7;
    int64_t p = squash(state_odds(c)), steps = (int64_t)1 << n;
    int64_t rate = 131072 / (c->n < 7 ? 2 * (int)c->n + 3 : 23) / 2;
    p += floor_shift(((bit ? 65536 : 0) - p) * rate, 15);
    int64_t odds = stretch((uint32_t)p), to = 0;
    while (to + 1 < steps && odds >= (to + 1 - steps / 2) * state_step(n))
        to++;
    if (c->n == 7 && bit && to <= c->p)
        to = c->p < 127 ? c->p + 1 : 127;
    if (c->n == 7 && !bit && to >= c->p)
        to = c->p > 0 ? c->p - 1 : 0;
    *c = (struct counter){(int32_t)to, n};
}

struct counter prior(unsigned i)
{
    int32_t p = (int32_t)squash(inlay_prior_table[i].odds * 24) / 16;
    struct counter c = {p > 4094 ? 4094 : p, inlay_prior_table[i].count % 16u};
    return c;
}

void mix_add(struct mixer *m, uint32_t p)
{
    m->in[m->n++] = stretch(p);
    m->in[m->n++] = (int32_t)floor_shift((int64_t)p - 32768, 4);
}

void mix_add_odds(struct mixer *m, int32_t odds)
{
    m->in[m->n++] = odds;
    m->in[m->n++] = (int32_t)floor_shift((int64_t)squash(odds) - 32768, 4);
}

uint32_t mix(struct mixer *m)
{
    for (unsigned k = 0; k < 2; k++) {
        const int32_t *w = m->weight[k];
        m->said[k] = 0;
        for (unsigned i = 0; i < m->n; i += 2)
            m->said[k] += (int32_t)floor_shift(
                (int64_t)m->in[i] * w[i] + (int64_t)m->in[i + 1] * w[i + 1], 12);
    }
    uint32_t p = squash((int32_t)floor_shift((int64_t)m->said[0] + m->said[1], 1));
    return p < 24 ? 24 : p > 65512 ? 65512 : p;
}

void mix_learn(struct mixer *m, unsigned bit, int rate)
{
    for (unsigned k = 0; k < 2; k++) {
        int64_t off = (bit ? 65536 : 0) - (int64_t)squash(m->said[k]);
        for (unsigned i = 0; i < m->n; i++) {
            int64_t w = m->weight[k][i];
            w += floor_shift(m->in[i] * floor_shift(off * rate, 8) + 65536, 17);
            if (w > 32767)
                w = 32767;
            if (w < -32767)
                w = -32767;
            m->weight[k][i] = (int32_t)w;
        }
    }
}
