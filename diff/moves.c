/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A move says where old addresses went, a segment that is none only copies.
 * Whether it is worth being one is counted: every unit of a copy that refers
 * to an address tells which diagonal would have predicted it.  Segments are
 * dropped one by one, always the one that is missed least, as each leaves the
 * references to it to its neighbours in the old image.
 */
#include "moves.h"
#include "references.h"

#include <stdlib.h>
#include <string.h>

#define NONE 0xffffffffu

#define MOVE_MIN 8u   /* bytes; shorter ones are chance */
#define LONG     256u /* longer ones say no more about addresses that only new code refers to */

/* What moves are worth, in bits. */
#define WORTH_REFERENCE 8  /* a target that is predicted */
#define WORTH_BYTES     8  /* one for so many bytes */
#define WORTH_BLOCK     18 /* a copy that goes on behind the end of a block */

struct candidate {
    struct inlay_segment s;
    uint32_t first, end;     /* references that are nearest to it */
    uint32_t before, behind; /* neighbours in the old image, or NONE */
    int32_t worth;
    uint32_t place; /* in the heap */
};

struct choice {
    const struct inlay_moves_input *in;
    struct inlay_references references;
    struct candidate *at; /* ascending in old_pos */
    uint32_t *heap;       /* the one of least worth on top */
    uint32_t count;       /* in the heap */
};

/* ---- worth ---- */

/* The first reference behind the middle between two candidates. */
static uint32_t border(const struct choice *c, const struct candidate *a, const struct candidate *b)
{
    uint32_t end = a->s.old_pos + a->s.len, start = b->s.old_pos;
    uint32_t middle = start > end ? end + (start - end) / 2u : start;
    uint32_t lo = 0, hi = c->references.count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2u;
        if (c->references.at[mid].old_pos < middle)
            lo = mid + 1u;
        else
            hi = mid;
    }
    return lo;
}

static uint32_t clamp(uint32_t v, uint32_t lo, uint32_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static int32_t hits(const struct choice *c, uint32_t from, uint32_t to, uint32_t diagonal)
{
    int32_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += c->references.at[i].diagonal == diagonal;
    return n;
}

/* References it predicts that its neighbours would not, and blocks it goes across. */
static void appraise(const struct choice *c, struct candidate *x)
{
    const struct inlay_segment *s = &x->s;
    const struct candidate *before = x->before == NONE ? NULL : &c->at[x->before];
    const struct candidate *behind = x->behind == NONE ? NULL : &c->at[x->behind];
    uint32_t split = before && behind ? border(c, before, behind) : behind ? x->first : x->end;
    split = clamp(split, x->first, x->end);
    int32_t n = hits(c, x->first, x->end, s->old_pos - s->new_pos);
    if (before)
        n -= hits(c, x->first, split, before->s.old_pos - before->s.new_pos);
    if (behind)
        n -= hits(c, split, x->end, behind->s.old_pos - behind->s.new_pos);
    x->worth = n * WORTH_REFERENCE + (int32_t)(s->len < LONG ? s->len : LONG) / WORTH_BYTES;
    if (c->in->block_len)
        x->worth += (int32_t)((s->new_pos + s->len - 1u) / c->in->block_len -
                              s->new_pos / c->in->block_len) *
                    WORTH_BLOCK;
}

/* ---- a heap of candidates ---- */

static int less(const struct choice *c, uint32_t a, uint32_t b)
{
    const struct candidate *x = &c->at[a], *y = &c->at[b];
    if (x->worth != y->worth)
        return x->worth < y->worth;
    return x->s.len != y->s.len ? x->s.len < y->s.len : a < b;
}

static void put(struct choice *c, uint32_t place, uint32_t i)
{
    c->heap[place] = i;
    c->at[i].place = place;
}

static void sift(struct choice *c, uint32_t place)
{
    uint32_t i = c->heap[place];
    for (; place && less(c, i, c->heap[(place - 1u) / 2u]); place = (place - 1u) / 2u)
        put(c, place, c->heap[(place - 1u) / 2u]);
    for (;;) {
        uint32_t child = 2u * place + 1u;
        if (child + 1u < c->count && less(c, c->heap[child + 1u], c->heap[child]))
            child++;
        if (child >= c->count || !less(c, c->heap[child], i))
            break;
        put(c, place, c->heap[child]);
        place = child;
    }
    put(c, place, i);
}

static void reappraise(struct choice *c, uint32_t i)
{
    if (i == NONE)
        return;
    appraise(c, &c->at[i]);
    sift(c, c->at[i].place);
}

static void share(const struct choice *c, const struct candidate *x, struct candidate *before,
                  struct candidate *behind)
{
    if (before && behind) {
        before->end = clamp(border(c, before, behind), before->first, behind->end);
        behind->first = before->end;
    } else if (before) {
        before->end = x->end;
    } else if (behind) {
        behind->first = x->first;
    }
}

/* Takes the candidate on top out; its references go to its neighbours. */
static void drop(struct choice *c)
{
    struct candidate *x = &c->at[c->heap[0]];
    struct candidate *before = x->before == NONE ? NULL : &c->at[x->before];
    struct candidate *behind = x->behind == NONE ? NULL : &c->at[x->behind];
    put(c, 0, c->heap[--c->count]);
    if (c->count)
        sift(c, 0);
    share(c, x, before, behind);
    if (before)
        before->behind = x->behind;
    if (behind)
        behind->before = x->before;
    reappraise(c, x->before);
    reappraise(c, x->behind);
    /* These have lost a neighbour but one. */
    if (before)
        reappraise(c, before->before);
    if (behind)
        reappraise(c, behind->behind);
}

/* ---- the choice ---- */

static int by_new(const void *a, const void *b)
{
    const struct inlay_segment *x = a, *y = b;
    return x->new_pos < y->new_pos ? -1 : x->new_pos > y->new_pos;
}

/* Fills c->at with segments that may become moves.  Returns 0, or -1 if memory is out. */
static int find_candidates(struct choice *c)
{
    const struct inlay_segments *all = c->in->segments;
    struct inlay_segment *s = calloc(all->count + 1u, sizeof *s);
    size_t count = 0;
    if (!s)
        return -1;
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].len >= MOVE_MIN)
            s[count++] = all->at[i];
    count = inlay_segments_drop_echoes(s, count);
    for (size_t i = 0; i < count; i++)
        c->at[c->count++].s = s[i];
    free(s);
    return 0;
}

/* Who is next to whom, and whose the references are while all are there. */
static void line_up(struct choice *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct candidate *x = &c->at[i];
        x->before = i ? i - 1u : NONE;
        x->behind = i + 1u < c->count ? i + 1u : NONE;
        x->first = i ? c->at[i - 1u].end : 0;
        x->end = c->references.count;
        if (x->behind != NONE)
            x->end = clamp(border(c, x, x + 1), x->first, c->references.count);
    }
}

static void fill_heap(struct choice *c)
{
    for (uint32_t i = 0, n = c->count; i < n; i++) {
        appraise(c, &c->at[i]);
        c->count = i + 1u;
        put(c, i, i);
        sift(c, i);
    }
}

static int longer_first(const void *a, const void *b)
{
    const struct inlay_segment *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? 1 : -1;
    return by_new(a, b);
}

/* Adds the longest moves of indices: each stands for many units. */
static uint32_t add_indices(struct inlay_segment *to, const struct inlay_segments *indices,
                            uint32_t most)
{
    uint32_t n = (uint32_t)indices->count;
    if (!n)
        return 0;
    memcpy(to, indices->at, n * sizeof *to);
    qsort(to, n, sizeof *to, longer_first);
    n = n < most ? n : most;
    qsort(to, n, sizeof *to, by_new);
    return n;
}

struct inlay_segment *inlay_choose_moves(const struct inlay_moves_input *in, uint32_t *count)
{
    static const struct inlay_segments none;
    const struct inlay_segments *indices = in->indices ? in->indices : &none;
    uint32_t kept = indices->count < in->most / 2u ? (uint32_t)indices->count : in->most / 2u;
    const struct inlay_image_pair images = {in->old, in->new, in->scene};
    struct choice c = {.in = in};
    struct inlay_segment *moves = NULL;
    size_t room = in->segments->count + 1;
    c.at = calloc(room, sizeof *c.at);
    c.heap = calloc(room, sizeof *c.heap);
    if (c.at && c.heap && !inlay_find_references(&images, in->segments, &c.references) &&
        !find_candidates(&c)) {
        line_up(&c);
        fill_heap(&c);
        while (c.count && (c.count > in->most - kept || c.at[c.heap[0]].worth <= 0))
            drop(&c);
        moves = calloc(c.count + indices->count + 1u, sizeof *moves);
    }
    for (uint32_t i = 0; moves && i < c.count; i++)
        moves[i] = c.at[c.heap[i]].s;
    *count = c.count;
    if (moves) {
        qsort(moves, c.count, sizeof *moves, by_new);
        *count += add_indices(moves + c.count, indices, kept);
    }
    free(c.at);
    free(c.heap);
    free(c.references.at);
    return moves;
}
