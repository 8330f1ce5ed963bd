/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

/* 65536 / (1 + 2^-(i / 2)), for i = 0 to 24: half a binary order of magnitude each. */
static const uint16_t model_squash[] = {
    32768, 38390, 43691, 48418, 52429, 55691, 58254, 60214, 61681, 62762, 63550, 64119, 64528,
    64820, 65028, 65176, 65281, 65355, 65408, 65446, 65472, 65491, 65504, 65513, 65520, 65525};

/* log2(x) in 1/256, 1 <= x <= 65535; within 1/100 of the truth. */
static int32_t model_log2(uint32_t x)
{
    int32_t n = 15;
    for (unsigned step = 8; step > 0; step >>= 1)
        if (x < (uint32_t)0x10000u >> step) {
            x <<= step;
            n -= (int32_t)step;
        }
    uint32_t f = (x & 0x7fffu) >> 7; /* 8 bits behind the point */
    return n * 256 + (int32_t)(f + ((f * (256u - f) * 89u) >> 16));
}

int32_t inlay_stretch(uint32_t p)
{
    return model_log2(p) - model_log2(65536u - p);
}

uint32_t inlay_squash(int32_t odds)
{
    uint32_t x = (uint32_t)(odds < 0 ? -odds : odds);
    if (x > (uint32_t)INLAY_ODDS_MAX)
        x = (uint32_t)INLAY_ODDS_MAX;
    uint32_t i = x >> 7;
    uint32_t f = x & 127u;
    uint32_t p = (model_squash[i] * (128u - f) + model_squash[i + 1u] * f) >> 7;
    return odds < 0 ? 65536u - p : p;
}

const int32_t inlay_counter_rates[16] = {43690, 26214, 18724, 14563, 11915, 10082, 8738, 7710,
                                         6898,  6241,  5698,  5242,  4854,  4519,  4228, 3971};

int32_t inlay_state_odds(unsigned state)
{
    unsigned n = 0; /* how often it was seen */
    for (unsigned step = 4; step > 0; step >>= 1)
        if (state >> n >> step)
            n += step;
    unsigned half_step = n < 6u ? 10u - n : 4u;
    return ((int32_t)(2u * state + 1u) - (3 << n)) * (1 << half_step);
}

uint32_t inlay_mixed(const int32_t *sum)
{
    uint32_t p = inlay_squash(inlay_shr(sum[0] + sum[1], 1));
    if (p < INLAY_P_MIN)
        p = INLAY_P_MIN;
    if (p > 65536u - INLAY_P_MIN)
        p = 65536u - INLAY_P_MIN;
    return p;
}

uint32_t inlay_mix(struct inlay_ballot *b)
{
    for (unsigned k = 0; k < 2; k++) {
        b->sum[k] = 0;
        for (unsigned i = 0; i < b->n; i += 2)
            b->sum[k] += inlay_mix_say(b->in[i], b->in[i + 1u], &b->weight[k][i]);
    }
    return inlay_mixed(b->sum);
}

void inlay_mix_learn(struct inlay_ballot *b, unsigned bit, int32_t rate)
{
    for (unsigned k = 0; k < 2; k++) {
        int32_t error = inlay_mix_error(b->sum[k], bit, rate);
        for (unsigned i = 0; i < b->n; i++)
            b->weight[k][i] = inlay_mix_moved(b->weight[k][i], b->in[i], error);
    }
}
