/* SPDX-License-Identifier: Apache-2.0 */
/* One decision in the making: votes and their weights.  Comes with model.h. */
#ifndef INLAY_BALLOT_H
#define INLAY_BALLOT_H

#include "model.h"

struct inlay_ballot {
    int32_t in[2u * INLAY_VOTES];
    unsigned n;         /* inputs, two for each counter */
    int16_t *weight[2]; /* two lists of n weights, 4096 = 1, that learn apart */
    int32_t sum[2];     /* what each list says: log-odds */
};

static inline void inlay_vote(struct inlay_ballot *b, uint32_t p)
{
    b->in[b->n++] = inlay_stretch(p);
    b->in[b->n++] = inlay_shr((int32_t)p - 32768, 4);
}

static inline void inlay_vote_odds(struct inlay_ballot *b, int32_t odds)
{
    b->in[b->n++] = odds;
    b->in[b->n++] = inlay_shr((int32_t)inlay_squash(odds) - 32768, 4);
}

/* The mixed probability of a 1, of 65536, safe for the coder. */
uint32_t inlay_mix(struct inlay_ballot *b);
/* Moves the weights towards what would have predicted `bit`. */
void inlay_mix_learn(struct inlay_ballot *b, unsigned bit, int32_t rate);

#endif
