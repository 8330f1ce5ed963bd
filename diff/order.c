/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans in which order blocks are rewritten: which blocks change and what they
 * read of each other (here), a good order (order_search.c), its groups
 * (order_group.c), and what to do about bytes that are gone too early
 * (order_pool.c).
 */
#include "order_parts.h"
#include "recipes.h"

#include <stdlib.h>
#include <string.h>

static void free_graph(struct order_graph *g)
{
    free(g->start);
    free(g->rank);
    free(g->block);
    free(g->own);
    free(g->recipe);
    free(g->first);
    free(g->reads);
    free(g->first_by);
    free(g->read_by);
}

/* Length of block number b; geometry that ends too early goes on with its last block. */
static uint32_t block_len(const struct inlay_order_limits *limits, uint32_t b, uint32_t new_size)
{
    uint32_t len = new_size;

    for (uint8_t i = 0; i < limits->regions; i++) {
        len = limits->region[i].block_len;
        if (b < limits->region[i].count)
            break;
        b -= limits->region[i].count;
    }
    return len ? len : new_size;
}

/* Fills start.  The last entry is where the last block's erase ends, which may be past the image.
 */
static int lay_out(struct order_graph *g, const struct inlay_order_limits *limits,
                   uint32_t new_size)
{
    uint64_t pos = 0;
    uint32_t room = 0;

    for (;;) {
        if (g->blocks == room) {
            room = room ? 2 * room : 64;
            uint32_t *start = realloc(g->start, ((size_t)room + 1) * sizeof *start);
            if (!start)
                return -1;
            g->start = start;
        }
        g->start[g->blocks] = (uint32_t)(pos < UINT32_MAX ? pos : UINT32_MAX);
        if (pos >= new_size)
            return 0;
        pos += block_len(limits, g->blocks++, new_size);
    }
}

uint32_t inlay_order_block(const struct order_graph *g, uint32_t pos)
{
    uint32_t lo = 0, hi = g->blocks;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (g->start[mid + 1] <= pos)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A block is unchanged if the new image's bytes in it are there already. */
static int find_changed(struct order_graph *g, const uint8_t *old, size_t old_size,
                        const uint8_t *new, size_t new_size)
{
    g->rank = malloc(((size_t)g->blocks + 1) * sizeof *g->rank);
    g->block = malloc(((size_t)g->blocks + 1) * sizeof *g->block);
    if (!g->rank || !g->block)
        return -1;
    for (uint32_t b = 0; b < g->blocks; b++) {
        size_t from = g->start[b], to = g->start[b + 1];
        if (to > new_size)
            to = new_size;
        int same = to <= old_size && memcmp(old + from, new + from, to - from) == 0;
        g->rank[b] = same ? ORDER_NONE : g->ranks;
        if (!same)
            g->block[g->ranks++] = b;
    }
    return 0;
}

struct order_piece inlay_order_piece(const struct order_graph *g, const struct inlay_segment *s,
                                     uint32_t done)
{
    uint32_t new_pos = s->new_pos + done, old_pos = s->old_pos + done;
    uint32_t reader = inlay_order_block(g, new_pos), from = inlay_order_block(g, old_pos);
    struct order_piece p = {g->rank[reader], ORDER_NONE, s->len - done};

    if (p.bytes > g->start[reader + 1] - new_pos)
        p.bytes = g->start[reader + 1] - new_pos;
    if (from == g->blocks)
        return p;
    p.from = g->rank[from];
    if (p.bytes > g->start[from + 1] - old_pos)
        p.bytes = g->start[from + 1] - old_pos;
    return p;
}

struct edges {
    struct order_edge *at;
    size_t count, room;
};

static int add_edge(struct edges *e, uint32_t first, uint32_t to, uint32_t bytes)
{
    for (size_t i = e->count; i > first; i--)
        if (e->at[i - 1].to == to) {
            e->at[i - 1].bytes += bytes;
            return 0;
        }
    if (e->count == e->room) {
        size_t room = e->room ? 2 * e->room : 256;
        struct order_edge *at = realloc(e->at, room * sizeof *at);
        if (!at)
            return -1;
        e->at = at;
        e->room = room;
    }
    e->at[e->count++] = (struct order_edge){to, bytes};
    return 0;
}

/* Fills own, first and reads; segments ascend, so a rank's edges come together. */
static int find_reads(struct order_graph *g, const struct inlay_segments *segments)
{
    struct edges e = {0};
    uint32_t now = 0;

    for (size_t i = 0; i < segments->count; i++) {
        struct order_piece p;
        for (uint32_t done = 0; done < segments->at[i].len; done += p.bytes) {
            p = inlay_order_piece(g, &segments->at[i], done);
            if (p.reader == ORDER_NONE || p.from == ORDER_NONE)
                continue;
            while (now < p.reader)
                g->first[++now] = (uint32_t)e.count;
            if (p.reader == p.from) {
                g->own[p.reader] += p.bytes;
            } else if (add_edge(&e, g->first[p.reader], p.from, p.bytes)) {
                free(e.at);
                return -1;
            }
        }
    }
    while (now < g->ranks)
        g->first[++now] = (uint32_t)e.count;
    g->reads = e.at;
    return 0;
}

/* The same edges, by the other end. */
static int turn_edges(struct order_graph *g)
{
    uint32_t edges = g->first[g->ranks];
    uint32_t *fill = calloc((size_t)g->ranks + 1, sizeof *fill);

    g->read_by = malloc(((size_t)edges + 1) * sizeof *g->read_by);
    if (!fill || !g->read_by) {
        free(fill);
        return -1;
    }
    for (uint32_t i = 0; i < edges; i++)
        g->first_by[g->reads[i].to + 1]++;
    for (uint32_t r = 0; r < g->ranks; r++) {
        g->first_by[r + 1] += g->first_by[r];
        fill[r] = g->first_by[r];
    }
    for (uint32_t r = 0; r < g->ranks; r++)
        for (uint32_t i = g->first[r]; i < g->first[r + 1]; i++)
            g->read_by[fill[g->reads[i].to]++] = (struct order_edge){r, g->reads[i].bytes};
    free(fill);
    return 0;
}

static int build_graph(struct order_graph *g, const struct inlay_segments *segments)
{
    g->own = calloc((size_t)g->ranks + 1, sizeof *g->own);
    g->first = calloc((size_t)g->ranks + 1, sizeof *g->first);
    g->first_by = calloc((size_t)g->ranks + 1, sizeof *g->first_by);
    if (!g->own || !g->first || !g->first_by)
        return -1;
    return find_reads(g, segments) || turn_edges(g) ? -1 : 0;
}

/* Writes the plan down, with a COMMIT behind every group. */
static int write_steps(const struct order_graph *g, const struct order_groups *s,
                       struct inlay_order *out)
{
    out->at = malloc(((size_t)g->ranks + s->count + 1) * sizeof *out->at);
    if (!out->at)
        return -1;
    for (uint32_t i = 0, staged = 0; i < g->ranks; i++) {
        uint32_t r = s->order[i];
        enum inlay_step_kind kind = s->staged[r] ? INLAY_STEP_STAGED : INLAY_STEP_DIRECT;
        out->at[out->count++] = (struct inlay_order_step){kind, g->block[r]};
        staged += s->staged[r];
        if (staged > out->stage_blocks)
            out->stage_blocks = staged;
        if (i + 1 == g->ranks || s->group[s->order[i + 1]] != s->group[r]) {
            out->at[out->count++] = (struct inlay_order_step){INLAY_STEP_COMMIT, 0};
            staged = 0;
        }
    }
    return 0;
}

static int alloc_groups(const struct order_graph *g, struct order_groups *s)
{
    s->order = malloc(((size_t)g->ranks + 1) * sizeof *s->order);
    s->group = calloc((size_t)g->ranks + 1, sizeof *s->group);
    s->staged = calloc((size_t)g->ranks + 1, sizeof *s->staged);
    if (!s->order || !s->group || !s->staged)
        return -1;
    for (uint32_t r = 0; r < g->ranks; r++)
        s->order[r] = r;
    return 0;
}

/* A/B: every block is written directly, upwards; nothing is ever lost. */
static int plan_ab(struct order_graph *g, const struct inlay_order_limits *limits,
                   struct order_groups *s)
{
    g->block = malloc(((size_t)g->blocks + 1) * sizeof *g->block);
    g->ranks = g->blocks;
    if (!g->block || alloc_groups(g, s))
        return -1;
    for (uint32_t b = 0; b < g->blocks; b++) {
        g->block[b] = b;
        s->group[b] = limits->group_blocks ? b / limits->group_blocks : b;
    }
    s->count = g->ranks ? s->group[g->ranks - 1] + 1 : 0;
    return 0;
}

/* One block's bytes: those that segments have a source for, from segment *at on, and others. */
static void describe(struct inlay_recipes *r, const struct inlay_segments *segments, size_t *at,
                     uint32_t pos, uint32_t end)
{
    while (pos < end) {
        while (*at < segments->count && segments->at[*at].new_pos + segments->at[*at].len <= pos)
            ++*at;
        const struct inlay_segment *s = *at < segments->count ? &segments->at[*at] : NULL;
        uint32_t stop = s && s->new_pos < end ? s->new_pos : end, from = INLAY_NOWHERE;
        if (s && s->new_pos <= pos) {
            stop = s->new_pos + s->len < end ? s->new_pos + s->len : end;
            from = s->old_pos + (pos - s->new_pos);
        }
        inlay_recipes_bytes(r, pos, from, stop - pos);
        pos = stop;
    }
}

/* Each block's recipe as if it were the only one of its group. */
static int find_recipes(struct order_graph *g, const uint8_t *old, const uint8_t *new,
                        uint32_t new_size, const struct inlay_order_limits *limits,
                        const struct inlay_segments *segments)
{
    struct inlay_recipes r = {
        .old = old, .new = new, .region = limits->region, .regions = limits->regions};
    size_t at = 0;
    g->recipe = malloc(((size_t)g->ranks + 1) * sizeof *g->recipe);
    if (!g->recipe)
        return -1;
    for (uint32_t i = 0; i < g->ranks; i++) {
        uint32_t b = g->block[i], end = g->start[b + 1] < new_size ? g->start[b + 1] : new_size;
        inlay_recipes_group(&r);
        inlay_recipes_block(&r);
        describe(&r, segments, &at, g->start[b], end);
        inlay_recipes_block_end(&r, b);
        g->recipe[i] = r.used;
    }
    return 0;
}

static int plan_in_place(struct order_graph *g, const struct inlay_order_limits *limits,
                         struct inlay_segments *segments, struct order_groups *s,
                         struct inlay_order *order)
{
    if (build_graph(g, segments) || alloc_groups(g, s) || inlay_order_search(g, limits, s))
        return -1;
    return inlay_order_rescue(g, s, limits, segments, order);
}

int inlay_order_plan(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                     const struct inlay_order_limits *limits, struct inlay_segments *segments,
                     struct inlay_order *order)
{
    struct order_graph g = {0};
    struct order_groups s = {0};

    *order = (struct inlay_order){0};
    int failed = lay_out(&g, limits, (uint32_t)new_size);
    if (!failed && limits->in_place)
        failed = find_changed(&g, old, old_size, new, new_size) ||
                 (limits->recipe_len &&
                  find_recipes(&g, old, new, (uint32_t)new_size, limits, segments)) ||
                 plan_in_place(&g, limits, segments, &s, order);
    else if (!failed)
        failed = plan_ab(&g, limits, &s);
    if (!failed)
        failed = write_steps(&g, &s, order);
    free_graph(&g);
    free(s.order);
    free(s.group);
    free(s.staged);
    if (failed)
        inlay_order_free(order);
    return failed ? -1 : 0;
}

void inlay_order_free(struct inlay_order *order)
{
    free(order->at);
    free(order->pool);
    *order = (struct inlay_order){0};
}
