/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patcher's model.h for computers: votes, mixed probabilities and counters
 * of bytes come out of tables instead of being worked out each time, and votes
 * are mixed eight at a time.  The patcher's own functions fill the tables, so the
 * numbers are the same.  Include it before walk.h, and call
 * inlay_fast_model_init() before any walk.
 */
#ifndef INLAY_FAST_MODEL_H
#define INLAY_FAST_MODEL_H

#include <stdint.h>

/* A counter's vote: log-odds, and the probability itself. */
struct inlay_fast_vote {
    int16_t odds, linear;
};
extern struct inlay_fast_vote inlay_fast_votes[4096];

/* Fills the tables the first time.  Any thread may call it at any time. */
void inlay_fast_model_init(void);

/* p: a counter's, which is 8 modulo 16, or 65536 less that; or the half, which says nothing. */
static inline struct inlay_fast_vote inlay_fast_vote(uint32_t p)
{
    static const struct inlay_fast_vote none;
    return p & 15u ? inlay_fast_votes[p >> 4] : none;
}

static inline int32_t inlay_fast_stretch(uint32_t p)
{
    return inlay_fast_vote(p).odds;
}

#define INLAY_FAST_ODDS_MAX 3071
extern uint16_t inlay_fast_squashed[2 * INLAY_FAST_ODDS_MAX + 1];

static inline uint32_t inlay_fast_squash(int32_t odds)
{
    odds = odds < -INLAY_FAST_ODDS_MAX ? -INLAY_FAST_ODDS_MAX : odds;
    odds = odds > INLAY_FAST_ODDS_MAX ? INLAY_FAST_ODDS_MAX : odds;
    return inlay_fast_squashed[odds + INLAY_FAST_ODDS_MAX];
}

#ifdef __SSE2__
#define INLAY_BALLOT_H /* fast_ballot.h takes its place */
#endif
#define inlay_stretch inlay_fast_stretch
#define inlay_squash  inlay_fast_squash
#include "model.h"
#undef inlay_stretch
#undef inlay_squash

_Static_assert(INLAY_FAST_ODDS_MAX == INLAY_ODDS_MAX, "the table goes as far");

static inline uint32_t inlay_fast_mixed(const int32_t sum[2])
{
    uint32_t p = inlay_fast_squash(inlay_shr(sum[0] + sum[1], 1));
    p = p < INLAY_P_MIN ? INLAY_P_MIN : p;
    return p > 65536u - INLAY_P_MIN ? 65536u - INLAY_P_MIN : p;
}

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
