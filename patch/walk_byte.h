/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: deciding one byte, by what came in contexts like it and by hunches. */
#ifndef INLAY_WALK_BYTE_H
#define INLAY_WALK_BYTE_H

#include "walk.h"

/* Of counters in byte tables, as code changes quickly; but in tiny tables many contexts share one. */
#define LIMIT_LARGE 6u

/*
 * The counters of context i for a nibble lie side by side: one cache line.  The first of the 16
 * places marks whose they are.  Of the two slots where they may be, the less used one gives way.
 */
static uint16_t *walk_slot(const struct walk *s, unsigned i, uint32_t ctx, unsigned node)
{
    uint32_t rows = inlay_mix_rows(&s->params);
    uint32_t h = (ctx + 1u) * 0x2545f491u + node * 0x10001u;
    h = (h ^ h >> 15) * 0x9e3779b1u;
    uint16_t *table = s->byte + (size_t)16u * i * rows, mark = (uint16_t)(h | 1u);
    uint32_t at = walk_place(h, rows) << 4;
    uint16_t *slot = table + at, *other = table + (at ^ 16u);
    if (*slot == mark || !s->params.large)
        return slot;
    if (*other == mark)
        return other;
    if ((other[1] & 15u) < (slot[1] & 15u))
        slot = other;
    for (unsigned k = 1; k < 16u; k++)
        slot[k] = INLAY_COUNTER_START;
    *slot = mark;
    return slot;
}

/* The counter of a hunch that has been right about the bits above depth, or NULL. */
static uint16_t *walk_hunch_counter(struct walk *s, const struct walk_hunch *h, unsigned depth,
                                    unsigned node)
{
    return h->base && (h->byte | 256u) >> (8u - depth) == node ? &s->control[h->base + depth] : 0;
}

/* One bit of a byte by the counters at slots[i][at] and by hunches. */
static unsigned walk_byte_bit(struct walk *s, uint16_t *const *slots, unsigned at, unsigned set,
                              unsigned depth, unsigned node, unsigned want)
{
    unsigned row = walk_byte_row(&s->params);
    struct inlay_ballot ballot = {
        .weight = {s->weight_byte + set * row, s->weight_byte + (BYTE_SETS + depth) * row}};
    uint16_t *counter[HUNCHES];
    unsigned expected[HUNCHES];
    for (unsigned i = 0; i < s->params.votes; i++)
        inlay_vote(&ballot, inlay_counter_p(slots[i][at]));
    for (unsigned i = 0; i < HUNCHES; i++) {
        counter[i] = walk_hunch_counter(s, &s->hunch[i], depth, node);
        expected[i] = s->hunch[i].byte >> (7u - depth) & 1u;
        uint32_t p = counter[i] ? inlay_counter_p(*counter[i]) : 32768u;
        inlay_vote(&ballot, expected[i] ? p : 65536u - p);
    }
    unsigned bit = inlay_coder_bit(&s->rc, inlay_mix(&ballot), want);
    inlay_mix_learn(&ballot, bit, 14);
    for (unsigned i = 0; i < HUNCHES; i++)
        if (counter[i]) {
            INLAY_TRACE(s, s->hunch[i].base + depth, bit == expected[i]);
            inlay_counter_learn(counter[i], bit == expected[i], INLAY_COUNTER_SLOW);
        }
    return bit;
}

/* Decides one byte from the top bit down; while bytes are taught, only learns it. */
static unsigned walk_byte(struct walk *s, const uint32_t *ctx, unsigned set, unsigned want)
{
    unsigned node = 1, limit = s->params.large ? LIMIT_LARGE : INLAY_COUNTER_SLOW;
    uint16_t *slots[INLAY_MIX_VOTES_MAX] = {0};
    for (unsigned depth = 0; depth < 8; depth++) {
        unsigned in_nibble = depth & 3u, bit = want >> (7u - depth) & 1u;
        for (unsigned i = 0; in_nibble == 0 && i < s->params.votes; i++)
            slots[i] = walk_slot(s, i, ctx[i], node);
        unsigned at = 1u << in_nibble | (node & ((1u << in_nibble) - 1u));
        if (!s->taught)
            bit = walk_byte_bit(s, slots, at, set, depth, node, bit);
        for (unsigned i = 0; i < s->params.votes; i++)
            inlay_counter_learn(&slots[i][at], bit, limit);
        node = node << 1 | bit;
    }
    return node & 255u;
}

/* The counters of hunch i by how it is with it: HUNCH_MISS + HUNCH_MEMO kinds. */
static uint16_t walk_hunch_base(unsigned i, unsigned kind)
{
    return (uint16_t)(FLAG_HUNCH + 8u * (i * (HUNCH_MISS + HUNCH_MEMO) + kind));
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
