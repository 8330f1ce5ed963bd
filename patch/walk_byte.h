/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: a byte of new data. */
#ifndef INLAY_WALK_BYTE_H
#define INLAY_WALK_BYTE_H

#include "walk_rows.h"

/* The counters of hunch i by how it is with it: HUNCH_MISS + HUNCH_MEMO kinds. */
static uint16_t walk_hunch_base(unsigned i, unsigned kind)
{
    return (uint16_t)(FLAG_HUNCH + 8u * (i * (HUNCH_MISS + HUNCH_MEMO) + kind));
}

/* Decides one byte, or learns it. */
static unsigned walk_byte(struct walk *s, const uint32_t *ctx, unsigned set, unsigned want)
{
    return s->params.large ? walk_byte_large(s, ctx, set, want)
                           : walk_byte_small(s, ctx, set, want);
}

/* A byte of new data.  The hunches: what came last time in the first two contexts. */
static unsigned walk_new_byte(struct walk *s, const uint32_t *ctx, unsigned set, unsigned want)
{
    uint8_t *memo[HUNCHES];
    for (unsigned i = 0; i < HUNCHES; i++) {
        memo[i] = &s->memo[i][walk_hash(ctx[i] + 1u, MEMO_LOG2)];
        s->hunch[i].byte = *memo[i];
        s->hunch[i].base = walk_hunch_base(i, HUNCH_MISS + (s->memo_hits[i] & 3u));
    }
    unsigned byte = walk_byte(s, ctx, set, want);
    for (unsigned i = 0; i < HUNCHES; i++) {
        s->memo_hits[i] = (uint8_t)((unsigned)s->memo_hits[i] << 1 | (*memo[i] == byte));
        *memo[i] = (uint8_t)byte;
    }
    return byte;
}

#endif
