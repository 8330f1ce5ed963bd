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

uint32_t inlay_mix(struct inlay_ballot *b)
{
    int32_t sum = 0;
    for (unsigned i = 0; i < b->n; i++)
        sum += inlay_shr(b->in[i] * (b->weight[0][i] + b->weight[1][i]), 13);
    if (sum > INLAY_ODDS_MAX)
        sum = INLAY_ODDS_MAX;
    if (sum < -INLAY_ODDS_MAX)
        sum = -INLAY_ODDS_MAX;
    b->p = inlay_squash(sum);
    if (b->p < INLAY_P_MIN)
        b->p = INLAY_P_MIN;
    if (b->p > 65536u - INLAY_P_MIN)
        b->p = 65536u - INLAY_P_MIN;
    return b->p;
}

void inlay_mix_learn(struct inlay_ballot *b, unsigned bit, int32_t rate)
{
    int32_t error = inlay_shr(((bit ? 65536 : 0) - (int32_t)b->p) * rate, 4);
    for (unsigned i = 0; i < b->n; i++) {
        int32_t step = inlay_shr(b->in[i] * inlay_shr(error, 4) + 65536, 17);
        for (unsigned k = 0; k < 2; k++) {
            int32_t w = b->weight[k][i] + step;
            if (w > INLAY_WEIGHT_MAX)
                w = INLAY_WEIGHT_MAX;
            if (w < -INLAY_WEIGHT_MAX)
                w = -INLAY_WEIGHT_MAX;
            b->weight[k][i] = (int16_t)w;
        }
    }
}
