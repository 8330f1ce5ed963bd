/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: rows of counters, and deciding one byte by them and by hunches. */
#ifndef INLAY_WALK_ROWS_H
#define INLAY_WALK_ROWS_H

#include "walk.h"

/* Of counters in byte tables, as code changes quickly; in tiny tables many contexts share one. */
#define LIMIT_LARGE 6u

/*
 * The counters of a context for a nibble lie side by side: a row.  The first of
 * its 16 places marks whose they are, and there are two rows where they may be.
 */
static uint32_t walk_row_hash(uint32_t ctx, unsigned node)
{
    uint32_t h = (ctx + 1u) * 0x2545f491u + node * 0x10001u;
    return (h ^ h >> 15) * 0x9e3779b1u;
}

/* The first of the two rows in table i. */
static uint16_t *walk_row_place(const struct walk *s, unsigned i, uint32_t hash)
{
    uint32_t rows = inlay_mix_rows(&s->params);
    return s->byte + 16u * ((size_t)i * rows + walk_place(hash, rows));
}

/* The row with the mark; if neither has it, the less used one gives way. */
static uint16_t *walk_row_claim(const struct walk *s, uint16_t *row, uint32_t hash)
{
    uint16_t *other = s->byte + ((size_t)(row - s->byte) ^ 16u), mark = (uint16_t)(hash | 1u);
    if (*row == mark || !s->params.large)
        return row;
    if (*other == mark)
        return other;
    if ((other[1] & 15u) < (row[1] & 15u))
        row = other;
    for (unsigned k = 1; k < 16u; k++)
        row[k] = INLAY_COUNTER_START;
    *row = mark;
    return row;
}

static uint16_t *walk_row(const struct walk *s, unsigned i, uint32_t ctx, unsigned node)
{
    uint32_t hash = walk_row_hash(ctx, node);
    return walk_row_claim(s, walk_row_place(s, i, hash), hash);
}

/* The counter of a hunch that has been right about the bits above depth, or NULL. */
static uint16_t *walk_hunch_counter(struct walk *s, const struct walk_hunch *h, unsigned depth,
                                    unsigned node)
{
    return h->base && (h->byte | 256u) >> (8u - depth) == node ? &s->control[h->base + depth] : 0;
}

/* Which of the longer contexts have been seen. */
static unsigned walk_seen(const struct walk *s, uint16_t *const *rows, unsigned at)
{
    unsigned seen = 0;
    for (unsigned i = SEEN_FROM; i < s->params.votes; i++)
        seen |= (unsigned)((rows[i][at] & 15u) > 0) << (i - SEEN_FROM);
    return seen;
}

/* One bit of a byte by the counters at rows[i][at] and by hunches. */
static unsigned walk_byte_bit(struct walk *s, uint16_t *const *rows, unsigned at, unsigned set,
                              unsigned depth, unsigned node, unsigned want)
{
    unsigned row = walk_byte_row(&s->params);
    struct inlay_ballot ballot = {
        .weight = {s->weight_byte + set * row,
                   s->weight_byte + (BYTE_SETS + walk_seen(s, rows, at)) * row}};
    uint16_t *counter[HUNCHES];
    unsigned expected[HUNCHES];
    for (unsigned i = 0; i < s->params.votes; i++)
        inlay_vote(&ballot, inlay_counter_p(rows[i][at]));
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
    uint16_t *rows[INLAY_MIX_VOTES_MAX] = {0};
    for (unsigned depth = 0; depth < 8; depth++) {
        unsigned in_nibble = depth & 3u, bit = want >> (7u - depth) & 1u;
        for (unsigned i = 0; in_nibble == 0 && i < s->params.votes; i++)
            rows[i] = walk_row(s, i, ctx[i], node);
        unsigned at = 1u << in_nibble | (node & ((1u << in_nibble) - 1u));
        if (!s->taught)
            bit = walk_byte_bit(s, rows, at, set, depth, node, bit);
        for (unsigned i = 0; i < s->params.votes; i++)
            inlay_counter_learn(&rows[i][at], bit, limit);
        node = node << 1 | bit;
    }
    return node & 255u;
}

#endif
