/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adaptive binary models and their mixing, all in integers: the differ and
 * every device must compute the same probability to the last bit.
 *
 * A counter estimates the probability of a 1 in one context.  A decision is
 * predicted by several counters at once; a mixer, as in Mahoney's PAQ
 * ("Adaptive Weighing of Context Models for Lossless Data Compression",
 * 2005), adds up their log-odds with weights that it learns.
 */
#ifndef INLAY_MODEL_H
#define INLAY_MODEL_H

#include <stdint.h>

#define INLAY_P_BITS     16u   /* probabilities handed to the coder are of 65536 */
#define INLAY_P_MIN      24    /* and at least this far from 0 and 1 */
#define INLAY_WEIGHT_MAX 32767 /* 4096 = 1 */
#define INLAY_ODDS_MAX   3071  /* log-odds in 1/256 of a binary order of magnitude */

/* A shift that rounds down for negative numbers too, without relying on the compiler. */
static inline int32_t inlay_shr(int32_t v, unsigned n)
{
    return v < 0 ? ~(~v >> n) : v >> n;
}

/* log-odds of p / 65536, 1 <= p <= 65535. */
int32_t inlay_stretch(uint32_t p);
/* The probability, of 65536, that has these log-odds. */
uint32_t inlay_squash(int32_t odds);

/* A counter: 12 bits of probability, 4 bits of how often it was seen. */
#define INLAY_COUNTER_START ((uint16_t)0x8000u)
#define INLAY_COUNTER_SLOW  15u /* the limit for what changes little */

/* 65536 / (n + 1.5) for all that a counter can count to. */
extern const int32_t inlay_counter_rates[16];

/* Inline: much of the time goes here. */
static inline void inlay_counter_learn(uint16_t *c, unsigned bit, unsigned limit)
{
    uint32_t n = *c & 15u;
    int32_t p = *c >> 4;
    int32_t error = (bit ? 4095 : 0) - p;
    p += inlay_shr(error * inlay_counter_rates[n] + 32768, 16);
    if (n < limit)
        n++;
    *c = (uint16_t)((uint32_t)p << 4 | n);
}

static inline uint32_t inlay_counter_p(uint16_t c)
{
    return (uint32_t)(c & 0xfff0u) | 8u;
}

/* ---- states ---- */

/*
 * A counter in 8 bits, for small tables.  2^n and the n bits below it: what
 * was seen n times, 7 being often, as one of 2^n steps of log-odds.
 */
#define INLAY_STATE_START 1u

int32_t inlay_state_odds(unsigned state);

/* What becomes of it: by the bit that came, and itself. */
extern const uint8_t inlay_state_next[2][256];

static inline void inlay_state_learn(uint8_t *state, unsigned bit)
{
    *state = inlay_state_next[bit & 1u][*state];
}

/* ---- mixing ---- */

/* The probability that both lists' sums stand for together, safe for the coder. */
uint32_t inlay_mixed(const int32_t *sum);

/* How far what a list alone said was from the bit, times the rate of learning. */
static inline int32_t inlay_mix_error(int32_t sum, unsigned bit, int32_t rate)
{
    return inlay_shr(((bit ? 65536 : 0) - (int32_t)inlay_squash(sum)) * rate, 8);
}

/* A weight that moves with its input towards what would have predicted the bit. */
static inline int16_t inlay_mix_moved(int16_t weight, int32_t in, int32_t error)
{
    int32_t w = weight + inlay_shr(in * error + 65536, 17);
    if (w > INLAY_WEIGHT_MAX)
        w = INLAY_WEIGHT_MAX;
    if (w < -INLAY_WEIGHT_MAX)
        w = -INLAY_WEIGHT_MAX;
    return (int16_t)w;
}

/* What a voter's two inputs say by their weights. */
static inline int32_t inlay_mix_say(int32_t in0, int32_t in1, const int16_t *weight)
{
    return inlay_shr(in0 * weight[0] + in1 * weight[1], 12);
}

#define INLAY_VOTES 11u /* in one decision */

#include "ballot.h"

#endif
