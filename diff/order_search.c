/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for a good order: the best of upwards, downwards and "always the
 * block that is missed least", then each block moved to its best place, then
 * runs of blocks moved or turned around at random.  The random numbers are
 * always the same ones.
 */
#include "order_parts.h"

#include <stdlib.h>
#include <string.h>

/* Costs in tenths of a byte of the patch. */
#define COST_LOST   6u
#define COST_POOLED 1u
#define COST_JUMP   20u
#define COST_DOWN   1u /* a step to the block below, where models expect the one above */
#define COST_GROUP  60u

#define SETTLE_WORK   100000000u /* steps for moving single blocks */
#define SETTLE_ROUNDS 6u
#define SHAKE_WORK    60000000u /* steps for moving runs */
#define SHAKE_TRIES   40000u
#define SHAKE_VAIN    8000u /* tries without a gain after which it ends; fewer for few blocks: */
#define VAIN_BLOCK    100u  /* so many for each */
#define RUN_MAX       48u

struct search {
    const struct order_graph *g;
    const struct inlay_order_limits *limits;
    struct order_groups *s;
    uint32_t *best;  /* the best order so far */
    uint32_t *other; /* scratch, ranks long */
    int64_t *change; /* scratch, ranks + 1 long */
    uint64_t cost;   /* of best */
    uint64_t seed;
};

static uint32_t chance(struct search *x, uint32_t below)
{
    x->seed ^= x->seed << 13;
    x->seed ^= x->seed >> 7;
    x->seed ^= x->seed << 17;
    return (uint32_t)((x->seed >> 32) % below);
}

static unsigned is_jump(uint32_t a, uint32_t b)
{
    return a + 1 != b && b + 1 != a;
}

/* What it costs to go from one block to the next. */
static uint32_t step_cost(uint32_t a, uint32_t b)
{
    return is_jump(a, b) ? COST_JUMP : b < a ? COST_DOWN : 0;
}

/* Groups s->order and returns what it costs. */
static uint64_t price(struct search *x)
{
    const uint32_t *order = x->s->order;
    uint64_t steps = 0, pooled;

    inlay_order_group(x->g, x->limits, x->s);
    for (uint32_t i = 0; i + 1 < x->g->ranks; i++)
        steps += step_cost(order[i], order[i + 1]);
    pooled = x->s->lost < x->limits->pool_len ? x->s->lost : x->limits->pool_len;
    return COST_POOLED * pooled + COST_LOST * (x->s->lost - pooled) + steps +
           COST_GROUP * x->s->count;
}

/* Keeps s->order if it is as good as the best so far, and goes back to that one if not. */
static int judge(struct search *x)
{
    size_t size = x->g->ranks * sizeof *x->best;
    uint64_t cost = price(x);
    int better = cost < x->cost;

    if (cost <= x->cost) {
        memcpy(x->best, x->s->order, size);
        x->cost = cost;
    } else {
        memcpy(x->s->order, x->best, size);
    }
    return better;
}

/* Always takes the block whose old content the others need least. */
static void order_greedy(struct search *x)
{
    const struct order_graph *g = x->g;
    int64_t *need = x->change;
    uint32_t last = 0;

    for (uint32_t r = 0; r < g->ranks; r++) {
        need[r] = 0;
        for (uint32_t i = g->first_by[r]; i < g->first_by[r + 1]; i++)
            need[r] += g->read_by[i].bytes;
    }
    for (uint32_t done = 0; done < g->ranks; done++) {
        uint32_t pick = ORDER_NONE;
        for (uint32_t r = 0; r < g->ranks; r++) {
            if (need[r] < 0)
                continue;
            if (pick == ORDER_NONE || need[r] < need[pick] ||
                (need[r] == need[pick] && is_jump(last, pick) && !is_jump(last, r)))
                pick = r;
        }
        x->s->order[done] = last = pick;
        need[pick] = -1;
        for (uint32_t i = g->first[pick]; i < g->first[pick + 1]; i++)
            if (need[g->reads[i].to] >= 0)
                need[g->reads[i].to] -= g->reads[i].bytes;
    }
}

/* Fills change[q]: what putting rank r before the q-th of the others loses, each less the one
 * before. */
static void losses(struct search *x, uint32_t r, const uint32_t *place)
{
    const struct order_graph *g = x->g;

    memset(x->change, 0, (g->ranks + 1) * sizeof *x->change);
    for (uint32_t i = g->first[r]; i < g->first[r + 1]; i++)
        x->change[place[g->reads[i].to] + 1] += g->reads[i].bytes;
    for (uint32_t i = g->first_by[r]; i < g->first_by[r + 1]; i++) {
        x->change[0] += g->read_by[i].bytes;
        x->change[place[g->read_by[i].to] + 1] -= g->read_by[i].bytes;
    }
}

/* Moves rank r, now at `at`, to where it costs least.  Returns 1 if it moved. */
static int resettle(struct search *x, uint32_t r, uint32_t at, uint32_t *place)
{
    uint32_t *order = x->s->order, n = x->g->ranks - 1, to = at;
    int64_t lost = 0, least = INT64_MAX;

    memmove(order + at, order + at + 1, (n - at) * sizeof *order);
    for (uint32_t i = at; i < n; i++)
        place[order[i]] = i;
    losses(x, r, place);
    for (uint32_t q = 0; q <= n; q++) {
        lost += x->change[q];
        int64_t cost = lost * COST_LOST;
        if (q > 0)
            cost += step_cost(order[q - 1], r);
        if (q < n)
            cost += step_cost(r, order[q]);
        if (q > 0 && q < n)
            cost -= step_cost(order[q - 1], order[q]);
        if (cost < least || (cost == least && q == at)) {
            least = cost;
            to = q;
        }
    }
    memmove(order + to + 1, order + to, (n - to) * sizeof *order);
    order[to] = r;
    for (uint32_t i = at < to ? at : to; i <= n; i++)
        place[order[i]] = i;
    return to != at;
}

/* Moves single blocks until nothing gets better, taking them in a shuffled sequence. */
static void settle(struct search *x)
{
    uint32_t n = x->g->ranks, *place = x->other;
    uint32_t rounds = (uint32_t)(SETTLE_WORK / ((uint64_t)n * n + 1));
    int moved = 1;

    for (uint32_t round = 0; round < rounds && round < SETTLE_ROUNDS && moved; round++) {
        moved = 0;
        for (uint32_t i = 0; i < n; i++)
            place[x->s->order[i]] = i;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t r = chance(x, n);
            moved |= resettle(x, r, place[r], place);
        }
        judge(x);
    }
}

static void turn(uint32_t *a, uint32_t n)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        uint32_t t = a[i];
        a[i] = a[n - 1 - i];
        a[n - 1 - i] = t;
    }
}

/* Moves a run of the order elsewhere: two neighbouring runs change places, by three turns. */
static void swap_runs(uint32_t *a, uint32_t left, uint32_t right)
{
    turn(a, left);
    turn(a + left, right);
    turn(a, left + right);
}

/* Moves the run of len blocks at `at` so that it starts at `to` instead. */
static void move_run(uint32_t *order, uint32_t at, uint32_t len, uint32_t to)
{
    if (to < at)
        swap_runs(order + to, at - to, len);
    else
        swap_runs(order + at, len, to - at);
}

static uint32_t find(const struct search *x, uint32_t r)
{
    uint32_t i = 0;

    while (x->s->order[i] != r)
        i++;
    return i;
}

/* Brings a block that reads too late and what it reads together.  Returns 0 if it found none. */
static int mend(struct search *x)
{
    const struct order_graph *g = x->g;
    uint32_t n = g->ranks, at = chance(x, n), r = x->s->order[at], lost = 0;

    for (uint32_t i = g->first[r]; i < g->first[r + 1]; i++)
        lost += (uint32_t)inlay_order_gone(x->s, r, g->reads[i].to);
    if (lost == 0)
        return 0;
    lost = chance(x, lost);
    for (uint32_t i = g->first[r]; i < g->first[r + 1]; i++) {
        if (!inlay_order_gone(x->s, r, g->reads[i].to) || lost--)
            continue;
        uint32_t to = find(x, g->reads[i].to);
        if (chance(x, 2))
            move_run(x->s->order, at, 1, to);
        else
            move_run(x->s->order, to, 1, at);
        break;
    }
    return 1;
}

static void shake_once(struct search *x)
{
    uint32_t n = x->g->ranks, *order = x->s->order;
    uint32_t len = 1 + chance(x, 1 + chance(x, RUN_MAX));

    if (chance(x, 2) && mend(x))
        return;
    if (len > n)
        len = n;
    uint32_t at = chance(x, n - len + 1);
    if (chance(x, 3) == 0)
        turn(order + at, len);
    else
        move_run(order, at, len, chance(x, n - len + 1));
}

static void shake(struct search *x)
{
    uint64_t step = (uint64_t)x->g->ranks * 4 + x->g->first[x->g->ranks] * 2 + 1;

    uint32_t enough = x->g->ranks < SHAKE_VAIN / VAIN_BLOCK ? x->g->ranks * VAIN_BLOCK : SHAKE_VAIN;
    for (uint32_t i = 0, vain = 0; i < SHAKE_TRIES && i * step < SHAKE_WORK; i++) {
        shake_once(x);
        vain = judge(x) ? 0 : vain + 1;
        if (vain == enough)
            break;
    }
}

static void run(struct search *x)
{
    uint32_t n = x->g->ranks;

    x->cost = UINT64_MAX;
    if (n < 20000) {
        order_greedy(x);
        judge(x);
    }
    for (uint32_t r = 0; r < n; r++)
        x->s->order[r] = n - 1 - r;
    judge(x);
    for (uint32_t r = 0; r < n; r++) /* upwards is the simplest to say */
        x->s->order[r] = r;
    judge(x);
    settle(x);
    shake(x);
    price(x);
}

int inlay_order_search(const struct order_graph *g, const struct inlay_order_limits *limits,
                       struct order_groups *s)
{
    struct search x = {.g = g, .limits = limits, .s = s, .seed = 0x9e3779b97f4a7c15u};
    int failed = -1;

    if (g->ranks == 0)
        return 0;
    x.best = malloc(g->ranks * sizeof *x.best);
    x.other = malloc(g->ranks * sizeof *x.other);
    x.change = malloc(((size_t)g->ranks + 1) * sizeof *x.change);
    if (x.best && x.other && x.change) {
        run(&x);
        failed = 0;
    }
    free(x.best);
    free(x.other);
    free(x.change);
    return failed;
}
