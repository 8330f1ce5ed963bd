/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: rows of counters, and deciding one byte by them and by hunches. */
#ifndef INLAY_WALK_ROWS_H
#define INLAY_WALK_ROWS_H

#include "walk.h"

/* Of counters in byte tables, as code changes quickly. */
#define LIMIT_LARGE 6u

/*
 * What is known in a context for a nibble lies side by side: a row.  The first of
 * its 16 places marks whose they are, and there are two rows where they may be.
 */
static uint32_t walk_row_hash(uint32_t ctx, unsigned node)
{
    uint32_t h = (ctx + 1u) * 0x2545f491u + node * 0x10001u;
    return (h ^ h >> 15) * 0x9e3779b1u;
}

/* Where the first of the two rows in table i starts. */
static size_t walk_row_place(const struct walk *s, unsigned i, uint32_t hash)
{
    uint32_t rows = inlay_mix_rows(&s->params);
    return 16u * ((size_t)i * rows + walk_place(hash, rows));
}

/*
 * Small models: the row with the mark; if neither has it, the less used one
 * gives way.  The shorter contexts share rows.
 */
static uint8_t *walk_state_row(const struct walk *s, unsigned i, uint32_t ctx, unsigned node)
{
    uint32_t hash = walk_row_hash(ctx, node);
    size_t at = walk_row_place(s, i, hash);
    uint8_t *row = walk_states(s->byte) + at, *other = walk_states(s->byte) + (at ^ 16u);
    uint8_t mark = (uint8_t)(hash | 1u);
    if (i < SEEN_FROM || *row == mark)
        return row;
    if (*other == mark)
        return other;
    if (other[1] < row[1])
        row = other;
    memset(row, INLAY_STATE_START, 16);
    *row = mark;
    return row;
}

/* The counter of a hunch that has been right about the bits above depth, or NULL. */
static uint16_t *walk_hunch_counter(struct walk *s, const struct walk_hunch *h, unsigned depth,
                                    unsigned node)
{
    return h->base && (h->byte | 256u) >> (8u - depth) == node ? &s->control[h->base + depth] : 0;
}

/* Adds the counters at rows[i][at] to the ballot; says which of the longer contexts were seen. */
static unsigned walk_vote_counters(const struct walk *s, uint16_t *const *rows, unsigned at,
                                   struct inlay_ballot *ballot)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < s->params.votes; i++) {
        inlay_vote(ballot, inlay_counter_p(rows[i][at]));
        seen |= i < SEEN_FROM ? 0u : (unsigned)((rows[i][at] & 15u) > 0) << (i - SEEN_FROM);
    }
    return seen;
}

/* The same of states. */
static unsigned walk_vote_states(const struct walk *s, uint8_t *const *rows, unsigned at,
                                 struct inlay_ballot *ballot)
{
    unsigned seen = 0;
    for (unsigned i = 0; i < s->params.votes; i++) {
        inlay_vote_odds(ballot, inlay_state_odds(rows[i][at]));
        seen |= i < SEEN_FROM ? 0u : (unsigned)(rows[i][at] > INLAY_STATE_START) << (i - SEEN_FROM);
    }
    return seen;
}

/* Log-odds of what is usual, 0 where nothing is known. */
static int32_t walk_usual(const struct walk *s, unsigned node)
{
    return s->usual < INLAY_USUAL_KINDS ? inlay_usual_odds(s->scene.arch->usual, s->usual, node)
                                        : 0;
}

/* One bit of a byte by these votes and by hunches. */
static unsigned walk_byte_bit(struct walk *s, struct inlay_ballot *ballot, unsigned seen,
                              unsigned set, unsigned depth, unsigned node, unsigned want)
{
    unsigned row = walk_byte_row(&s->params);
    uint16_t *counter[HUNCHES];
    unsigned expected[HUNCHES];
    ballot->weight[0] = s->weight_byte + set * row;
    ballot->weight[1] = s->weight_byte + (BYTE_SETS + seen) * row;
    for (unsigned i = 0; i < HUNCHES; i++) {
        counter[i] = walk_hunch_counter(s, &s->hunch[i], depth, node);
        expected[i] = s->hunch[i].byte >> (7u - depth) & 1u;
        uint32_t p = counter[i] ? inlay_counter_p(*counter[i]) : 32768u;
        inlay_vote(ballot, expected[i] ? p : 65536u - p);
    }
    if (walk_knows_usual(&s->params))
        inlay_vote_odds(ballot, walk_usual(s, node));
    unsigned bit = inlay_coder_bit(&s->rc, inlay_mix(ballot), want);
    inlay_mix_learn(ballot, bit, 14);
    for (unsigned i = 0; i < HUNCHES; i++)
        if (counter[i]) {
            INLAY_TRACE(s, s->hunch[i].base + depth, bit == expected[i]);
            inlay_counter_learn(counter[i], bit == expected[i], INLAY_COUNTER_SLOW);
        }
    return bit;
}

/* Where in its row a node of a byte is. */
static unsigned walk_row_node(unsigned depth, unsigned node)
{
    unsigned top = 1u << (depth & 3u);
    return top | (node & (top - 1u));
}

#ifndef INLAY_BYTE_LARGE /* computers have one of their own */
/* The same for large models. */
static uint16_t *walk_row(const struct walk *s, unsigned i, uint32_t ctx, unsigned node)
{
    uint32_t hash = walk_row_hash(ctx, node);
    size_t at = walk_row_place(s, i, hash);
    uint16_t *row = s->byte + at, *other = s->byte + (at ^ 16u), mark = (uint16_t)(hash | 1u);
    if (*row == mark)
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

/* One byte from the top bit down; while bytes are taught, only learns it. */
static unsigned walk_byte_large(struct walk *s, const uint32_t *ctx, unsigned set, unsigned want)
{
    unsigned node = 1;
    uint16_t *rows[INLAY_MIX_VOTES_MAX] = {0};
    for (unsigned depth = 0; depth < 8; depth++) {
        unsigned at = walk_row_node(depth, node), bit = want >> (7u - depth) & 1u;
        struct inlay_ballot ballot;
        ballot.n = 0; /* the rest of it need not be cleared for each bit */
        for (unsigned i = 0; (depth & 3u) == 0 && i < s->params.votes; i++)
            rows[i] = walk_row(s, i, ctx[i], node);
        if (!s->taught)
            bit = walk_byte_bit(s, &ballot, walk_vote_counters(s, rows, at, &ballot), set, depth,
                                node, bit);
        for (unsigned i = 0; i < s->params.votes; i++)
            inlay_counter_learn(&rows[i][at], bit, LIMIT_LARGE);
        node = node << 1 | bit;
    }
    return node & 255u;
}
#endif

static unsigned walk_byte_small(struct walk *s, const uint32_t *ctx, unsigned set, unsigned want)
{
    unsigned node = 1;
    uint8_t *rows[INLAY_MIX_VOTES_MAX] = {0};
    for (unsigned depth = 0; depth < 8; depth++) {
        unsigned at = walk_row_node(depth, node), bit = want >> (7u - depth) & 1u;
        struct inlay_ballot ballot;
        ballot.n = 0; /* the rest of it need not be cleared for each bit */
        for (unsigned i = 0; (depth & 3u) == 0 && i < s->params.votes; i++)
            rows[i] = walk_state_row(s, i, ctx[i], node);
        if (!s->taught)
            bit = walk_byte_bit(s, &ballot, walk_vote_states(s, rows, at, &ballot), set, depth,
                                node, bit);
        for (unsigned i = 0; i < s->params.votes; i++)
            inlay_state_learn(&rows[i][at], bit);
        node = node << 1 | bit;
    }
    return node & 255u;
}

#endif
