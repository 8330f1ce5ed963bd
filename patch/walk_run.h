/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: new data, and which run of copies or new data comes next. */
#ifndef INLAY_WALK_RUN_H
#define INLAY_WALK_RUN_H

#include "walk_copy.h"

static void walk_pass(struct walk *s, const uint8_t *bytes, unsigned len)
{
    walk_note(s, bytes, len);
    s->pos += len;
    s->run_left -= len;
}

/* Learns the next unit as if it came as new data. */
static unsigned walk_learn_unit(struct walk *s, const uint8_t *bytes)
{
    uint8_t unit[INLAY_UNIT_MAX];
    s->taught = bytes;
    unsigned len = walk_new_unit(s, unit);
    s->taught = 0;
    walk_pass(s, bytes, len);
    return len;
}

/* Where so many units in a row were right there is little new to learn. */
#define LEARN_LARGE 16u
#define LEARN_SMALL 6u

/* Passes copied bytes.  The models for new data learn from those near to what changed. */
static void walk_pass_copy(struct walk *s, const uint8_t *out, unsigned len)
{
    uint32_t left = s->run_left;
    if (s->run_length >= (s->params.large ? LEARN_LARGE : LEARN_SMALL)) {
        walk_pass(s, out, len);
        return;
    }
    for (s->run_left = len; s->run_left;)
        out += walk_learn_unit(s, out);
    s->run_left = left - len;
}

/*
 * Learns what new data looks like from a piece of the old image, as long as the patch says, from
 * its middle, where ELF files have their code.
 */
static int walk_teach(struct walk *s, uint32_t log2)
{
    if (log2 > INLAY_MIX_TAUGHT_MAX)
        return INLAY_E_CORRUPT;
    uint32_t most = (uint32_t)512u << log2;
    most = most < s->setup.old_size ? most : s->setup.old_size;
    const uint8_t *bytes;
    s->side = INLAY_OLD;
    s->pos = (s->setup.old_size - most) / 2u & ~(uint32_t)3;
    for (s->run_left = most; s->run_left; walk_learn_unit(s, bytes)) {
        uint32_t n = s->run_left < INLAY_UNIT_MAX ? s->run_left : INLAY_UNIT_MAX;
        int status = walk_read(s, s->pos, n, s->run_left, &bytes);
        if (status)
            return status;
    }
    walk_forget_text(s);
    return 0;
}

/* ---- runs ---- */

static void walk_remember(struct walk *s, uint32_t diagonal)
{
    unsigned i = 0;
    while (i + 1u < RECENT && s->recent[i] != diagonal)
        i++;
    for (; i > 0; i--)
        s->recent[i] = s->recent[i - 1u];
    s->recent[0] = diagonal;
    s->diagonal = diagonal;
}

/* The first move that ends after pos, or map.count. */
static uint32_t walk_next_move(const struct walk *s)
{
    uint32_t lo = 0, hi = s->map.count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2u;
        const struct inlay_move *m = &s->map.move[mid];
        if (m->new_pos + m->len <= s->pos)
            lo = mid + 1u;
        else
            hi = mid;
    }
    return lo;
}

/* Which diagonal a copy is on; next is the one of the move behind the gap. */
static uint32_t walk_diagonal(struct walk *s, uint32_t next, uint32_t want)
{
    unsigned index = 0;
#ifdef INLAY_ENCODER
    while (index < RECENT && s->recent[index] != want)
        index++;
    if (index == RECENT)
        index = next == want ? RECENT_NEXT : RECENT_NONE;
#endif
    index = walk_tree(s, FLAG_RECENT, 5, index);
    if (index < RECENT)
        return s->recent[index];
    if (index == RECENT_NEXT)
        return next;
    return s->recent[0] + walk_signed(s, NUMBER_OLD, want - s->recent[0]);
}

static int walk_gap_run(struct walk *s, uint32_t left, uint32_t next)
{
    unsigned copy = s->run == RUN_NEW && s->run_left == 0;
    INLAY_ACCOUNT(s, control);
    if (!copy)
        copy = walk_bit(s, FLAG_COPY + (unsigned)s->run, INLAY_WANT(truth_is_copy(s)));
    uint32_t len = left;
    if (!walk_bit(s, FLAG_WHOLE + copy, INLAY_WANT(truth_run_len(s, left) == left))) {
        len = 1u + walk_number(s, copy ? NUMBER_LEN : NUMBER_GAP,
                               INLAY_WANT(truth_run_len(s, left) - 1u));
        if (len >= left)
            return INLAY_E_CORRUPT;
    }
    if (copy) {
        walk_remember(s, walk_diagonal(s, next, INLAY_WANT(truth_diagonal(s))));
        uint32_t old_pos = s->pos + s->diagonal;
        if (old_pos > s->setup.old_size || len > s->setup.old_size - old_pos)
            return INLAY_E_CORRUPT;
    }
    s->run = copy ? RUN_COPY : RUN_NEW;
    s->run_left = len;
    return 0;
}

/* Finds out what produces the bytes from pos on. */
static int walk_begin_run(struct walk *s)
{
    uint32_t i = walk_next_move(s);
    const struct inlay_move *m = i < s->map.count ? &s->map.move[i] : 0;
    uint32_t limit = s->end;
    if (m && m->new_pos <= s->pos) {
        uint32_t end = m->new_pos + m->len;
        walk_remember(s, m->old_pos - m->new_pos);
        s->run = RUN_MOVE;
        s->run_left = (end < s->end ? end : s->end) - s->pos;
        return 0;
    }
    if (m && m->new_pos < limit)
        limit = m->new_pos;
    return walk_gap_run(s, limit - s->pos, m ? m->old_pos - m->new_pos : 0);
}

/* Produces the next unit at s->pos: *len bytes, 1 to INLAY_UNIT_MAX. */
static int walk_unit(struct walk *s, uint8_t *out, unsigned *len)
{
    int status = 0;
    if (s->run_left == 0) {
        status = walk_begin_run(s);
        if (status)
            return status;
        memset(&s->old_state, 0, sizeof s->old_state);
        s->calm_left = 0;
    }
    if (s->run == RUN_NEW) {
        *len = walk_new_unit(s, out);
        walk_pass(s, out, *len);
        return 0;
    }
    status = walk_copy_unit(s, out, len);
    if (!status)
        walk_pass_copy(s, out, *len);
    return status;
}

#endif
