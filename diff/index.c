/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include "detect_parts.h"
#include "parallel.h"
#include "scene.h"

#include <stdlib.h>
#include <string.h>

#define SHIFTS_MAX 255u /* different shifts in one space */
#define COST_MOVE  40   /* bits */
#define COST_MISS  10
#define VOTES_MAX  16u /* after so many misses it is learned */

struct vote {
    uint32_t from, to, count;
};

/* Different votes; those with 0 counts are free places of a hash table until it is sorted. */
struct votes {
    struct vote *at; /* owned */
    size_t count, room;
};

/* The vote's place in a table of `room`, a power of two, or the free one where it belongs. */
static struct vote *find_vote(struct vote *at, size_t room, uint32_t from, uint32_t to)
{
    uint32_t hash = (from * 0x9e3779b1u ^ to) * 0x2545f491u;
    size_t i = (hash ^ hash >> 15) & (room - 1u);
    while (at[i].count && (at[i].from != from || at[i].to != to))
        i = (i + 1u) & (room - 1u);
    return &at[i];
}

static int grow(struct votes *v)
{
    size_t room = v->room ? 2u * v->room : 1024;
    struct vote *at = calloc(room, sizeof *at);
    if (!at)
        return -1;
    for (size_t i = 0; i < v->room; i++)
        if (v->at[i].count)
            *find_vote(at, room, v->at[i].from, v->at[i].to) = v->at[i];
    free(v->at);
    v->at = at;
    v->room = room;
    return 0;
}

static int add_vote(struct votes *v, uint32_t from, uint32_t to)
{
    if (2u * v->count >= v->room && grow(v))
        return -1;
    struct vote *same = find_vote(v->at, v->room, from, to);
    v->count += same->count == 0;
    *same = (struct vote){from, to, same->count + 1u};
    return 0;
}

static int by_from(const void *a, const void *b)
{
    const struct vote *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

static uint32_t *list_targets(const struct inlay_scene *sc, enum inlay_side side,
                              const uint8_t *image, uint32_t size)
{
    struct inlay_arch_state st = {0};
    uint32_t *targets = calloc((size_t)size + 1u, sizeof *targets);
    uint32_t last = 0;
    for (uint32_t pos = 0; targets && pos < size;) {
        struct inlay_unit u;
        uint32_t addr, at, left = size - pos;
        inlay_scene_addr(sc, side, pos, &addr);
        if (addr >> 28 != last >> 28)
            memset(&st, 0, sizeof st);
        last = addr;
        inlay_scene_parse(sc, side, &st, image + pos, left < INLAY_WINDOW ? left : INLAY_WINDOW,
                          addr, &u);
        if (u.has_target && (!inlay_scene_pos(sc, side, u.target, &at) || at >= size))
            targets[pos] = u.target;
        pos += u.len;
    }
    return targets;
}

/* One image's targets, for a thread of its own. */
struct listing {
    const struct inlay_scene *scene;
    enum inlay_side side;
    const uint8_t *image;
    uint32_t size;
    uint32_t *targets; /* owned; NULL if memory is out */
};

static void list(void *ctx)
{
    struct listing *l = ctx;
    l->targets = list_targets(l->scene, l->side, l->image, l->size);
}

int inlay_index_open(const uint8_t *old, uint32_t old_size, const uint8_t *new, uint32_t new_size,
                     const struct inlay_layout *layout, unsigned jobs, struct inlay_index *index)
{
    struct inlay_scene sc;
    *index = (struct inlay_index){{NULL, NULL}};
    if (layout->index_spaces == 0)
        return 0;
    inlay_layout_scene(layout, &sc);
    struct listing from = {&sc, INLAY_OLD, old, old_size, NULL};
    struct listing to = {&sc, INLAY_NEW, new, new_size, NULL};
    const struct inlay_task task[2] = {{list, &from}, {list, &to}};
    inlay_parallel(task, 2, jobs);
    *index = (struct inlay_index){{from.targets, to.targets}};
    if (from.targets && to.targets)
        return 0;
    inlay_index_free(index);
    return -1;
}

void inlay_index_free(struct inlay_index *index)
{
    free(index->target[0]);
    free(index->target[1]);
    *index = (struct inlay_index){{NULL, NULL}};
}

static void sort_votes(struct votes *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->room; i++)
        if (v->at[i].count)
            v->at[kept++] = v->at[i];
    if (kept > 1)
        qsort(v->at, kept, sizeof *v->at, by_from);
}

static int count_votes(const uint32_t *old, const uint32_t *new, const struct inlay_segments *s,
                       struct votes *v)
{
    for (size_t i = 0; i < s->count; i++)
        for (uint32_t k = 0; k < s->at[i].len; k++) {
            uint32_t from = old[s->at[i].old_pos + k], to = new[s->at[i].new_pos + k];
            if (from && to && add_vote(v, from, to))
                return -1;
        }
    sort_votes(v);
    return 0;
}

/* Leaves one vote for each `from` in [lo, hi): the most frequent.  Returns how many. */
static size_t elect(const struct votes *v, uint32_t lo, uint32_t hi, struct vote *out)
{
    size_t n = 0;
    for (size_t i = 0; i < v->count; i++) {
        struct vote same = v->at[i];
        if (same.from < lo || same.from >= hi)
            continue;
        if (n && out[n - 1].from == same.from) {
            if (out[n - 1].count < same.count)
                out[n - 1] = same;
        } else {
            out[n++] = same;
        }
    }
    return n;
}

/* The different shifts of the votes, at most SHIFTS_MAX. */
static unsigned list_shifts(const struct vote *v, size_t n, uint32_t *shift)
{
    unsigned shifts = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned k = 0;
        while (k < shifts && shift[k] != v[i].to - v[i].from)
            k++;
        if (k == shifts && shifts < SHIFTS_MAX)
            shift[shifts++] = v[i].to - v[i].from;
    }
    return shifts;
}

/*
 * The cheapest row of shifts, one for each vote: a change costs a move, another
 * shift than the vote's costs misses.  way[i * shifts + k] is where shift k
 * comes from at vote i.
 */
static unsigned choose(const struct vote *v, size_t n, const uint32_t *shift, unsigned shifts,
                       uint8_t *way)
{
    uint32_t cost[SHIFTS_MAX] = {0};
    unsigned best = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned least = best;
        uint32_t jump = cost[least] + COST_MOVE;
        for (unsigned k = 0; k < shifts; k++) {
            way[i * shifts + k] = (uint8_t)(jump < cost[k] ? least : k);
            if (jump < cost[k])
                cost[k] = jump;
            if (v[i].to - v[i].from != shift[k])
                cost[k] += COST_MISS * (v[i].count < VOTES_MAX ? v[i].count : VOTES_MAX);
        }
        for (unsigned k = 0; k < shifts; k++)
            if (cost[k] < cost[best])
                best = k;
    }
    return best;
}

/* Turns the chosen shifts, found backwards, into moves. */
static int emit(const struct vote *v, size_t n, const uint32_t *shift, unsigned shifts,
                const uint8_t *way, unsigned last, struct inlay_segments *moves)
{
    struct inlay_segment run = {0, 0, 0};
    for (size_t i = n; i-- > 0; last = way[i * shifts + last]) {
        if (v[i].to - v[i].from != shift[last])
            continue;
        if (run.len && run.new_pos - run.old_pos == shift[last]) {
            run.len += run.old_pos - v[i].from;
        } else {
            if (run.len && inlay_segments_add(moves, run))
                return -1;
            run.len = 1;
        }
        run.old_pos = v[i].from;
        run.new_pos = v[i].to;
    }
    return run.len ? inlay_segments_add(moves, run) : 0;
}

static int map_space(const struct votes *all, const struct inlay_space *old,
                     const struct inlay_space *new, struct inlay_segments *moves)
{
    uint32_t shift[SHIFTS_MAX];
    struct vote *v = malloc((all->count + 1u) * sizeof *v);
    if (!v)
        return -1;
    size_t n = 0, elected = elect(all, old->addr, old->addr + old->len, v);
    for (size_t i = 0; i < elected; i++)
        if (v[i].to - new->addr < new->len)
            v[n++] = (struct vote){v[i].from - old->addr + old->pos, v[i].to - new->addr + new->pos,
                                   v[i].count};
    unsigned shifts = list_shifts(v, n, shift);
    uint8_t *way = malloc((n + 1u) * (shifts + 1u));
    int status = -1;
    if (way) {
        unsigned last = choose(v, n, shift, shifts, way);
        status = emit(v, n, shift, shifts, way, last, moves);
    }
    free(way);
    free(v);
    return status;
}

static int by_new(const void *a, const void *b)
{
    const struct inlay_segment *x = a, *y = b;
    return x->new_pos < y->new_pos ? -1 : x->new_pos > y->new_pos;
}

/* Brings moves in order and cuts what overlaps off the later one. */
static void tidy(struct inlay_segments *moves)
{
    size_t kept = 0;
    if (moves->count > 1)
        qsort(moves->at, moves->count, sizeof *moves->at, by_new);
    for (size_t i = 0; i < moves->count; i++) {
        struct inlay_segment m = moves->at[i];
        uint32_t end = kept ? moves->at[kept - 1].new_pos + moves->at[kept - 1].len : 0;
        uint32_t cut = m.new_pos < end ? end - m.new_pos : 0;
        if (cut >= m.len)
            continue;
        moves->at[kept++] = (struct inlay_segment){m.new_pos + cut, m.old_pos + cut, m.len - cut};
    }
    moves->count = kept;
}

/* Do any of its things have another index in the new image? */
static int is_shifted(const struct inlay_space *old, const struct inlay_space *new,
                      const struct inlay_segments *moves)
{
    for (size_t i = 0; i < moves->count; i++) {
        const struct inlay_segment *m = &moves->at[i];
        if (m->new_pos - new->pos < new->len && m->new_pos - new->pos != m->old_pos - old->pos)
            return 1;
    }
    return 0;
}

static int has_area(const struct inlay_layout *l, unsigned area)
{
    for (unsigned i = 0; i < l->old_spaces; i++)
        if (l->old_space[i].addr >> 28 == area)
            return 1;
    return 0;
}

static void drop_space(struct inlay_layout *l, unsigned i)
{
    size_t behind = (l->old_spaces - i - 1u) * sizeof l->old_space[0];
    memmove(&l->old_space[i], &l->old_space[i + 1u], behind);
    memmove(&l->new_space[i], &l->new_space[i + 1u], behind);
    l->old_spaces--;
    l->new_spaces--;
}

/* Drops what says nothing: indices that are as they were, and sections of nothing but those. */
static void drop_spaces(struct inlay_layout *l, struct inlay_segments *moves)
{
    for (unsigned i = l->old_spaces; i-- > (unsigned)l->old_spaces - l->index_spaces;) {
        struct inlay_space gone = l->new_space[i];
        size_t kept = 0;
        if (is_shifted(&l->old_space[i], &gone, moves))
            continue;
        for (size_t k = 0; k < moves->count; k++)
            if (moves->at[k].new_pos - gone.pos >= gone.len)
                moves->at[kept++] = moves->at[k];
        moves->count = kept;
        drop_space(l, i);
        l->index_spaces--;
    }
    for (unsigned i = l->old_spaces; i-- > 0;) {
        unsigned area = l->old_space[i].addr >> 28;
        unsigned needs = area == INLAY_WASM_SIGNATURES ? INLAY_WASM_TYPE : INLAY_WASM_FUNC;
        if (area >= INLAY_WASM_ELEMENTS && area <= INLAY_WASM_EXPORTS && !has_area(l, needs))
            drop_space(l, i);
    }
}

static int list_pairs(const struct votes *all, struct inlay_segments *pairs)
{
    struct vote *v = malloc((all->count + 1u) * sizeof *v);
    if (!v)
        return -1;
    size_t n = elect(all, 0, 0xffffffffu, v);
    int status = 0;
    for (size_t i = 0; i < n && !status; i++) {
        uint32_t to = v[i].to;
        if (v[i].from >> 28 == INLAY_WASM_LOCAL)
            to = (v[i].from & ~1023u) | (v[i].to & 1023u);
        status = inlay_segments_add(pairs, (struct inlay_segment){to, v[i].from, 1});
    }
    free(v);
    return status;
}

int inlay_index_moves(const struct inlay_index *index, const struct inlay_segments *segments,
                      struct inlay_layout *layout, struct inlay_segments *moves,
                      struct inlay_segments *pairs)
{
    struct votes votes = {0};
    *moves = (struct inlay_segments){0};
    if (layout->index_spaces == 0)
        return 0;
    int status = count_votes(index->target[0], index->target[1], segments, &votes);
    for (unsigned i = layout->old_spaces - layout->index_spaces; i < layout->old_spaces; i++)
        if (!status)
            status = map_space(&votes, &layout->old_space[i], &layout->new_space[i], moves);
    if (!status && pairs)
        status = list_pairs(&votes, pairs);
    free(votes.at);
    if (status) {
        inlay_segments_free(moves);
        return -1;
    }
    tidy(moves);
    drop_spaces(layout, moves);
    return 0;
}
