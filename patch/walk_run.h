/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: new data, and which run of copies or new data comes next. */
#ifndef INLAY_WALK_RUN_H
#define INLAY_WALK_RUN_H

#include "walk_copy.h"

/* ---- new data ---- */

static void walk_new_half(struct walk *s, uint8_t *out)
{
    uint32_t b = s->before;
    uint32_t high_before = b & 255u, low_before = b >> 8 & 255u;
    uint32_t hi_ctx[VOTES_BYTE] = {
        (uint32_t)s->half | 1u << 24,
        high_before << 1 | s->half | 2u << 24,
        (high_before << 8 | low_before) << 1 | s->half | 3u << 24,
        (high_before << 8 | (b >> 16 & 255u)) << 1 | s->half | 4u << 24,
    };
    unsigned hi = walk_byte(s, hi_ctx, s->half, INLAY_WANT(truth_byte(s, 1)));
    uint32_t lo_ctx[VOTES_BYTE] = {
        (uint32_t)hi << 1 | s->half | 5u << 24,
        ((uint32_t)hi << 8 | high_before) << 1 | s->half | 6u << 24,
        (uint32_t)hi << 16 | (b & 0xffffu) | 7u << 24,
        ((uint32_t)hi << 8 | low_before) << 1 | s->half | 8u << 24,
    };
    out[1] = (uint8_t)hi;
    out[0] = (uint8_t)walk_byte(s, lo_ctx, 2u + s->half, INLAY_WANT(truth_byte(s, 0)));
    s->half = !s->half && hi >= 0xe8u;
}

/* How long the instruction is whose first byte this is. */
static unsigned walk_parcel_len(const struct walk *s, unsigned first)
{
    if (s->scene.arch->id == INLAY_ARCH_XTENSA)
        return (first & 15u) >= 8u && (first & 15u) < 14u ? 2u : 3u;
    return (first & 3u) == 3u ? 4u : 2u;
}

/* Byte i of an instruction, in context of those before it and of the last instruction. */
static unsigned walk_new_part(struct walk *s, unsigned i, uint32_t known, uint32_t before,
                              unsigned want)
{
    uint32_t key = (uint32_t)i << 28;
    uint32_t ctx[VOTES_BYTE] = {
        (before & 0xffu) | 5u << 24,
        key ^ (known * 0x3d4d51cbu + 2u),
        (key | (s->parcel & 255u) << 8 | (known & 255u)) ^ 3u << 24,
        (before & 0xffffu) | 4u << 24,
    };
    return walk_byte(s, ctx, i, want);
}

/* A whole instruction, or what of it is left in this run. */
static unsigned walk_new_parcel(struct walk *s, uint8_t *out)
{
    unsigned len = 1;
    uint32_t known = 0, before = s->before;
    for (unsigned i = 0; i < len; i++) {
        out[i] = (uint8_t)walk_new_part(s, i, known, before, INLAY_WANT(truth_byte(s, i)));
        known = known << 8 | out[i];
        before = before << 8 | out[i];
        if (i == 0) {
            len = walk_parcel_len(s, out[0]);
            len = len < s->run_left ? len : s->run_left;
        }
    }
    s->parcel = out[0];
    return len;
}

static unsigned walk_new_unit(struct walk *s, uint8_t *out)
{
    INLAY_ACCOUNT(s, new_data);
    if (s->scene.arch->literal_kind == INLAY_LITERAL_HALVES && s->run_left >= 2 && !(s->pos & 1u)) {
        walk_new_half(s, out);
        return 2;
    }
    if (s->scene.arch->literal_kind == INLAY_LITERAL_PARCELS)
        return walk_new_parcel(s, out);
    uint32_t b = s->before;
    uint32_t ctx[VOTES_BYTE] = {
        (s->pos & 3u) | 1u << 24,
        (b & 255u) << 2 | (s->pos & 3u) | 2u << 24,
        (b & 0xffffu) | 3u << 24,
        (b & 0xffffffu) | 4u << 24,
    };
    out[0] = (uint8_t)walk_byte(s, ctx, 4u + (s->pos & 3u), INLAY_WANT(truth_byte(s, 0)));
    return 1;
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
        s->half = 0;
        s->calm_left = 0;
    }
    if (s->run == RUN_NEW)
        *len = walk_new_unit(s, out);
    else
        status = walk_copy_unit(s, out, len);
    if (status)
        return status;
    for (unsigned i = 0; i < *len; i++)
        s->before = s->before << 8 | out[i];
    s->pos += *len;
    s->run_left -= *len;
    return 0;
}

#endif
