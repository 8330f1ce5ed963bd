/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read after it is gone: the most useful of it is saved to the pool
 * before the first commit, the rest is cut out of the segments.
 */
#include "order_parts.h"

#include <stdlib.h>

#define GAP_MAX   8u /* bytes between two ranges that make them worth one */
#define RANGE_MIN 6u /* bytes copied below which a range costs more than it saves */
#define CRUMB_MAX 5u /* bytes left over by cutting that are not worth a copy */

/* Old bytes that are read too late, and how many copied bytes they stand for. */
struct range {
    uint32_t pos;
    uint32_t len;
    uint64_t value;
};

struct ranges {
    struct range *at;
    size_t count, room;
};

static int add_range(struct ranges *r, uint32_t pos, uint32_t len)
{
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : 64;
        struct range *at = realloc(r->at, room * sizeof *at);
        if (!at)
            return -1;
        r->at = at;
        r->room = room;
    }
    r->at[r->count++] = (struct range){pos, len, len};
    return 0;
}

static int is_gone(const struct order_groups *s, const struct order_piece *p)
{
    return p->reader != ORDER_NONE && p->from != ORDER_NONE &&
           inlay_order_gone(s, p->reader, p->from);
}

static int find_lost(const struct order_graph *g, const struct order_groups *s,
                     const struct inlay_segments *segments, struct ranges *lost)
{
    for (size_t i = 0; i < segments->count; i++) {
        const struct inlay_segment *segment = &segments->at[i];
        struct order_piece p;
        for (uint32_t done = 0; done < segment->len; done += p.bytes) {
            p = inlay_order_piece(g, segment, done);
            if (is_gone(s, &p) && add_range(lost, segment->old_pos + done, p.bytes))
                return -1;
        }
    }
    return 0;
}

static int by_pos(const void *x, const void *y)
{
    const struct range *a = x, *b = y;

    if (a->pos != b->pos)
        return a->pos < b->pos ? -1 : 1;
    return a->len < b->len ? -1 : a->len > b->len;
}

static int by_value(const void *x, const void *y)
{
    const struct range *a = x, *b = y;

    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return by_pos(x, y);
}

/* Most copied bytes per byte of pool first, then the longest. */
static int by_density(const void *x, const void *y)
{
    const struct range *a = x, *b = y;
    uint64_t m = a->value * b->len, n = b->value * a->len;

    if (m != n)
        return m > n ? -1 : 1;
    return by_value(x, y);
}

static void sort(struct ranges *r, int (*compare)(const void *, const void *))
{
    if (r->count > 1)
        qsort(r->at, r->count, sizeof *r->at, compare);
}

/* Joins ranges that overlap or nearly touch; drops the ones that are not worth an entry. */
static void join(struct ranges *r)
{
    size_t kept = 0;

    sort(r, by_pos);
    for (size_t i = 0; i < r->count; i++) {
        struct range a = r->at[i];
        struct range *last = kept ? &r->at[kept - 1] : NULL;
        if (last && a.pos <= last->pos + last->len + GAP_MAX) {
            last->value += a.value;
            if (a.pos + a.len > last->pos + last->len)
                last->len = a.pos + a.len - last->pos;
            continue;
        }
        if (last && last->value < RANGE_MIN)
            kept--;
        r->at[kept++] = a;
    }
    if (kept && r->at[kept - 1].value < RANGE_MIN)
        kept--;
    r->count = kept;
}

/* Leaves what fits into the pool, the most useful first; the last one may be shortened. */
static void choose(struct ranges *r, const struct inlay_order_limits *limits)
{
    uint32_t left = limits->pool_len;
    size_t kept = 0;

    join(r);
    if (r->count > limits->pool_ranges) {
        sort(r, by_value);
        r->count = limits->pool_ranges;
    }
    sort(r, by_density);
    for (size_t i = 0; i < r->count && left >= RANGE_MIN; i++) {
        struct range a = r->at[i];
        if (a.len > left)
            a.len = left;
        left -= a.len;
        r->at[kept++] = a;
    }
    r->count = kept;
    sort(r, by_pos);
}

static int keep_pool(const struct ranges *r, struct inlay_order *order)
{
    if (r->count == 0)
        return 0;
    order->pool = malloc(r->count * sizeof *order->pool);
    if (!order->pool)
        return -1;
    order->pool_count = r->count;
    for (size_t i = 0; i < r->count; i++) {
        order->pool[i] = (struct inlay_range){r->at[i].pos, r->at[i].len};
        order->pool_len += r->at[i].len;
    }
    return 0;
}

/* Bytes from an old position on that are all in the pool (*pooled = 1) or all not; at most max. */
static uint32_t pool_run(const struct inlay_order *order, uint32_t pos, uint32_t max, int *pooled)
{
    size_t lo = 0, hi = order->pool_count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (order->pool[mid].pos + order->pool[mid].len <= pos)
            lo = mid + 1;
        else
            hi = mid;
    }
    *pooled = lo < order->pool_count && order->pool[lo].pos <= pos;
    uint32_t run = max;
    if (*pooled)
        run = order->pool[lo].pos + order->pool[lo].len - pos;
    else if (lo < order->pool_count)
        run = order->pool[lo].pos - pos;
    return run < max ? run : max;
}

/* Adds a part of a segment, joined to the part before it if they touch. */
static int put(struct inlay_segments *out, size_t from, struct inlay_segment part)
{
    if (out->count > from) {
        struct inlay_segment *last = &out->at[out->count - 1];
        if (last->new_pos + last->len == part.new_pos) {
            last->len += part.len;
            return 0;
        }
    }
    return inlay_segments_add(out, part);
}

/* Copies the parts of one segment that can be read to out; small left-overs go too. */
static int cut_one(const struct order_graph *g, const struct order_groups *s,
                   const struct inlay_segment *segment, struct inlay_order *order,
                   struct inlay_segments *out)
{
    size_t from = out->count, kept = from;
    struct order_piece p;
    int pooled;

    for (uint32_t done = 0, run; done < segment->len; done += run) {
        p = inlay_order_piece(g, segment, done);
        run = p.bytes;
        if (is_gone(s, &p)) {
            run = pool_run(order, segment->old_pos + done, run, &pooled);
            if (!pooled) {
                order->lost += run;
                continue;
            }
        }
        if (put(out, from,
                (struct inlay_segment){segment->new_pos + done, segment->old_pos + done, run}))
            return -1;
    }
    for (size_t i = from; i < out->count; i++) {
        if (out->at[i].len > CRUMB_MAX || out->at[i].len == segment->len)
            out->at[kept++] = out->at[i];
        else
            order->lost += out->at[i].len;
    }
    out->count = kept;
    return 0;
}

static int cut(const struct order_graph *g, const struct order_groups *s,
               struct inlay_segments *segments, struct inlay_order *order)
{
    struct inlay_segments out = {0};

    for (size_t i = 0; i < segments->count; i++)
        if (cut_one(g, s, &segments->at[i], order, &out)) {
            inlay_segments_free(&out);
            return -1;
        }
    inlay_segments_free(segments);
    *segments = out;
    return 0;
}

int inlay_order_rescue(const struct order_graph *g, const struct order_groups *s,
                       const struct inlay_order_limits *limits, struct inlay_segments *segments,
                       struct inlay_order *order)
{
    struct ranges lost = {0};
    int failed;

    if (s->lost == 0)
        return 0;
    failed = find_lost(g, s, segments, &lost);
    if (!failed) {
        choose(&lost, limits);
        failed = keep_pool(&lost, order);
    }
    free(lost.at);
    return failed || cut(g, s, segments, order) ? -1 : 0;
}
