/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patcher's model.h for computers: log-odds and counters of bytes come out
 * of tables instead of being worked out each time, and votes are mixed four at
 * a time.  The patcher's own functions fill the tables, so the numbers are the same.
 * Include it before walk.h, and call inlay_fast_model_init() before any walk.
 */
#ifndef INLAY_FAST_MODEL_H
#define INLAY_FAST_MODEL_H

#include <stdint.h>

extern int16_t inlay_fast_odds[65536];

/* Fills the table the first time.  Any thread may call it at any time. */
void inlay_fast_model_init(void);

/* Those that coarse counters ask for, one in 16, lie together: 8 KB, which caches hold. */
static inline unsigned inlay_fast_place(uint32_t p)
{
    return (p >> 4 | p << 12) & 0xffffu;
}

static inline int32_t inlay_fast_stretch(uint32_t p)
{
    return inlay_fast_odds[inlay_fast_place(p)];
}

#ifdef __SSE2__
#define INLAY_BALLOT_H /* fast_ballot.h takes its place */
#endif
#define inlay_stretch inlay_fast_stretch
#include "model.h"
#undef inlay_stretch
#ifdef __SSE2__
#include "fast_ballot.h"
#endif

/*
 * What a counter becomes that counts to INLAY_FAST_LIMIT at most.  By the
 * counter with its count on top, so that those that count as far lie together,
 * and above that the bit that comes.
 */
#define INLAY_FAST_LIMIT 6u
extern uint16_t inlay_fast_next[65536];

static inline uint16_t inlay_fast_learned(uint16_t counter, unsigned bit)
{
    return inlay_fast_next[(uint16_t)(counter >> 4 | counter << 12) | (bit & 1u) << 15];
}

#endif
