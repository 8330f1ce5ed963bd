/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patcher's walk_byte_large() for computers, where most of the time goes into
 * waiting for rows of counters.  What is only learned is put off until many
 * bytes have come or a decision needs the counters; then table after table
 * learns them all, and asks for its rows before it comes to use them.  Each
 * table sees the same bytes in the same order, so the numbers are the same.
 * Include it before walk_plan.h; who calls a walk settles it before it returns.
 */
#ifndef INLAY_FAST_BYTE_H
#define INLAY_FAST_BYTE_H

#include "fast_model.h"

#define INLAY_BYTE_LARGE
#include "walk_rows.h"

#include "walk_memory.h"

_Static_assert(LIMIT_LARGE == INLAY_FAST_LIMIT, "inlay_fast_next goes as far");

#define FAST_LINE  64u              /* of the cache: the two rows where a mark may be */
#define FAST_SLACK (FAST_LINE - 8u) /* bytes that fast_lay_out() takes beyond walk_tables_len() */
#define FAST_BYTES 16u /* put off at most: the rows of a table that they ask for fit the cache */

/* Bytes in the order in which they came, and what they are learned in. */
struct fast_late {
    unsigned count;
    uint8_t byte[FAST_BYTES];
    uint32_t ctx[FAST_BYTES][INLAY_MIX_VOTES_MAX];
};

/* Outside of struct walk, as that is part of the RAM that a patch needs. */
static _Thread_local struct fast_late fast_late;

/* walk_lay_out() that lets no two rows for one mark cross a line. */
static void fast_lay_out(struct walk *s, uint8_t *at)
{
    walk_lay_out(s, at);
    walk_lay_out(s, at + (0u - (uintptr_t)s->byte) % FAST_LINE);
}

/* A row that was asked for: where walk_row_place() has it, and whose it is. */
struct fast_row {
    uint16_t *place;
    uint16_t mark;
};

/* Table i as walk_row_place() goes through it. */
struct fast_table {
    uint16_t *start;
    uint32_t rows;
};

static struct fast_table fast_table(const struct walk *s, unsigned i)
{
    uint32_t rows = inlay_mix_rows(&s->params);
    return (struct fast_table){s->byte + (size_t)16u * i * rows, rows};
}

static inline struct fast_row fast_ask(struct fast_table t, uint32_t ctx, unsigned node)
{
    uint32_t hash = walk_row_hash(ctx, node);
    uint16_t *place = t.start + (size_t)16u * walk_place(hash, t.rows);
    __builtin_prefetch(place, 1);
    return (struct fast_row){place, (uint16_t)(hash | 1u)};
}

/* The rows of one table, two for each byte. */
static void fast_ask_all(const struct fast_late *late, unsigned i, struct fast_table t,
                         struct fast_row *row)
{
    for (unsigned k = 0; k < late->count; k++, row += 2) {
        row[0] = fast_ask(t, late->ctx[k][i], 1);
        row[1] = fast_ask(t, late->ctx[k][i], 16u | late->byte[k] >> 4);
    }
}

/* The other row of two in a line, or with 0 this one. */
static inline uint16_t *fast_other(uint16_t *row, unsigned other)
{
    return (uint16_t *)((uintptr_t)row ^ (uintptr_t)other * (FAST_LINE / 2u));
}

/*
 * walk_row_claim() of a large model, but which of the two rows it is is worked
 * out without branches: it can't be foreseen, and wrong guesses take long.
 */
static inline uint16_t *fast_claim(struct fast_row found)
{
    const uint16_t *first = found.place, *second = fast_other(found.place, 1);
    unsigned is_first = *first == found.mark, is_second = *second == found.mark;
    unsigned less = (second[1] & 15u) < (first[1] & 15u);
    uint16_t *row = fast_other(found.place, (is_first ^ 1u) & (is_second | less));
    if (!(is_first | is_second)) {
        for (unsigned k = 0; k < 16u; k++)
            row[k] = INLAY_COUNTER_START;
        *row = found.mark;
    }
    return row;
}

static inline void fast_learn(uint16_t *counter, unsigned bit)
{
    *counter = inlay_fast_learned(*counter, bit);
}

static inline void fast_learn_nibble(uint16_t *row, unsigned nibble)
{
    unsigned node = 16u | nibble;
    fast_learn(&row[1], node >> 3);
    fast_learn(&row[node >> 3], node >> 2);
    fast_learn(&row[node >> 2], node >> 1);
    fast_learn(&row[node >> 1], node);
}

static void fast_learn_all(const struct fast_late *late, const struct fast_row *row)
{
    for (unsigned k = 0; k < late->count; k++, row += 2) {
        fast_learn_nibble(fast_claim(row[0]), late->byte[k] >> 4);
        fast_learn_nibble(fast_claim(row[1]), late->byte[k] & 15u);
    }
}

/* Learns what was put off. */
static void fast_settle(const struct walk *s)
{
    struct fast_late *late = &fast_late;
    struct fast_row row[2][2u * FAST_BYTES];
    if (!late->count)
        return;
    fast_ask_all(late, 0, fast_table(s, 0), row[0]);
    for (unsigned i = 1; i < s->params.votes; i++) {
        fast_ask_all(late, i, fast_table(s, i), row[i & 1u]);
        fast_learn_all(late, row[~i & 1u]);
    }
    fast_learn_all(late, row[~s->params.votes & 1u]);
    late->count = 0;
}

static void fast_put_off(const struct walk *s, const uint32_t *ctx, unsigned byte)
{
    struct fast_late *late = &fast_late;
    memcpy(late->ctx[late->count], ctx, sizeof *late->ctx);
    late->byte[late->count++] = (uint8_t)byte;
    if (late->count == FAST_BYTES)
        fast_settle(s);
}

/* 1 if `want` is what a decision will be: to the encoder. */
#ifdef INLAY_ENCODER
#define FAST_KNOWN 1
#else
#define FAST_KNOWN 0
#endif

/* The high nibble that is likely: the one that is wanted, or the first hunch's. */
static unsigned fast_likely(const struct walk *s, unsigned want)
{
    return (FAST_KNOWN ? want : s->hunch[0].byte) >> 4;
}

/* A nibble of a byte by rows that were asked for. */
static unsigned fast_decide_nibble(struct walk *s, const struct fast_row *found, unsigned set,
                                   unsigned node, unsigned want)
{
    uint16_t *rows[INLAY_MIX_VOTES_MAX];
    unsigned first = node > 1u ? 4u : 0u, votes = s->params.votes;
    for (unsigned i = 0; i < votes; i++)
        rows[i] = fast_claim(found[i]);
    for (unsigned depth = 0, at = 1; depth < 4u; depth++) {
        unsigned bit = want >> (7u - first - depth) & 1u;
        struct inlay_ballot ballot;
        ballot.n = 0;
        unsigned seen = walk_vote_counters(s, rows, at, &ballot);
        bit = walk_byte_bit(s, &ballot, seen, set, first + depth, node, bit);
        for (unsigned i = 0; i < votes; i++)
            fast_learn(&rows[i][at], bit);
        node = node << 1 | bit;
        at = at << 1 | bit;
    }
    return node;
}

static unsigned walk_byte_large(struct walk *s, const uint32_t *ctx, unsigned set, unsigned want)
{
    struct fast_row high[INLAY_MIX_VOTES_MAX], low[INLAY_MIX_VOTES_MAX];
    if (s->taught) {
        fast_put_off(s, ctx, want);
        return want;
    }
    for (unsigned i = 0; i < s->params.votes; i++) {
        high[i] = fast_ask(fast_table(s, i), ctx[i], 1);
        fast_ask(fast_table(s, i), ctx[i], 16u | fast_likely(s, want));
    }
    fast_settle(s);
    unsigned node = fast_decide_nibble(s, high, set, 1, want);
    for (unsigned i = 0; i < s->params.votes; i++)
        low[i] = fast_ask(fast_table(s, i), ctx[i], node);
    return fast_decide_nibble(s, low, set, node, want) & 255u;
}

#endif
