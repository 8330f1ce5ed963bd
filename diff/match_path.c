/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cheapest way through the new image: at every byte either on one of a
 * few live diagonals, or in new data.  Costs are estimates of what coding
 * takes, in 1/64 bit, and relative to coding everything as new data, so that
 * new data costs nothing and a good copy earns its keep byte by byte.
 *
 * Ways are kept as chains of nodes that share their beginnings, and a node is
 * made only once something branches off it.
 */
#include "match_feed.h"

#include <stdlib.h>
#include <string.h>

#define LIVE      24 /* diagonals that are followed at a time */
#define RECENT    16 /* diagonals that are cheap to return to */
#define JUMP_RUN  96 /* equal bytes on the best diagonal that are passed in one go */
#define JUMP_KEEP 32
#define PASS_RUN  12 /* the same while no other diagonal comes near the best one */
#define PASS_KEEP 4

#define BITS(x)       ((int32_t)((x)*64.0 + 0.5))
#define PRICE         BITS(4.7) /* of a byte of new data, on the average */
#define COST_LITERALS BITS(3)   /* that there is new data before the next copy */
#define COST_RECENT   BITS(18)  /* a copy on a diagonal used not long ago */
#define COST_RETURN   BITS(14)  /* a copy on the diagonal used before the new data */
#define FAR           (1 << 29) /* a way that does not exist */
#define NONE          0xffffffffu

/* A copy or new data from start to the start of the next node of the way. */
struct node {
    uint32_t start;
    uint32_t diagonal; /* MATCH_NO_DIAGONAL: new data */
    uint32_t before;   /* the node this one follows, or NONE */
};

/* A way whose last part began at start; node is made when it is needed. */
struct way {
    int32_t cost;
    uint32_t start;
    uint32_t before;
    uint32_t node; /* or NONE while it is not made */
};

struct live {
    uint32_t diagonal;
    uint32_t end;      /* new position up to which a candidate asked for it */
    uint32_t history;  /* of the last bytes on it, a bit for each that differed */
    int32_t enter;     /* what it costs to start a copy on it */
    struct way copy;   /* ends in a copy on it */
    struct way copied; /* the copy that way `after` follows */
    struct way after;  /* ends in new data that follows such a copy */
};

struct path {
    const struct match_views *v;
    struct node *nodes;
    size_t count, room;
    struct live live[LIVE];
    unsigned lives;
    struct way fresh; /* ends in new data, whatever came before */
    int32_t enter;    /* what a copy costs on a diagonal not used recently */
    uint32_t recent[RECENT];
    unsigned recent_next;
    uint32_t used; /* the diagonal that was best last */
    int failed;
    int32_t cost[512];
};

/* Where the best way is: slot LIVE stands for `fresh`. */
struct best {
    int32_t cost;
    unsigned slot;
    int is_copy;
};

/*
 * A byte that differs: a branch's or a pointer's bytes come together, and what
 * is mostly different is worse than new data.
 */
static const int32_t miss_cost[3] = {BITS(7.5), BITS(5.5), BITS(6.5)};
static const int32_t hit_cost[6] = {BITS(0.02), BITS(0.1), BITS(0.2),
                                    BITS(0.3),  BITS(0.5), BITS(0.8)};

/* Fills cost[history]: what the last byte of it costs on a diagonal. */
static void set_costs(struct path *p)
{
    for (unsigned history = 0; history < 256; history++) {
        unsigned n = 0;
        for (unsigned bit = 1; bit < 256; bit *= 2)
            n += (history & bit) != 0;
        p->cost[2 * history] = hit_cost[n < 5 ? n : 5];
        p->cost[2 * history + 1] = miss_cost[n > 4 ? 2 : (history & 1)];
    }
}

static uint32_t add_node(struct path *p, uint32_t start, uint32_t diagonal, uint32_t before)
{
    if (p->count == p->room) {
        size_t room = p->room ? 2 * p->room : 1024;
        struct node *nodes = room < NONE ? realloc(p->nodes, room * sizeof *nodes) : NULL;
        if (!nodes) {
            p->failed = 1;
            return NONE;
        }
        p->nodes = nodes;
        p->room = room;
    }
    p->nodes[p->count] = (struct node){start, diagonal, before};
    return (uint32_t)p->count++;
}

static uint32_t node_of(struct path *p, struct way *w, uint32_t diagonal)
{
    if (w->node == NONE)
        w->node = add_node(p, w->start, diagonal, w->before);
    return w->node;
}

static uint32_t node_after(struct path *p, struct live *l)
{
    if (l->after.node == NONE) {
        uint32_t before = node_of(p, &l->copied, l->diagonal);
        l->after.node = add_node(p, l->after.start, MATCH_NO_DIAGONAL, before);
    }
    return l->after.node;
}

static uint32_t node_best(struct path *p, const struct best *b)
{
    if (b->slot == LIVE)
        return node_of(p, &p->fresh, MATCH_NO_DIAGONAL);
    struct live *l = &p->live[b->slot];
    return b->is_copy ? node_of(p, &l->copy, l->diagonal) : node_after(p, l);
}

static struct best find_best(const struct path *p)
{
    struct best b = {p->fresh.cost, LIVE, 0};

    for (unsigned i = 0; i < p->lives; i++) {
        if (p->live[i].copy.cost < b.cost)
            b = (struct best){p->live[i].copy.cost, i, 1};
        if (p->live[i].after.cost < b.cost)
            b = (struct best){p->live[i].after.cost, i, 0};
    }
    return b;
}

/* Remembers that the best way uses this diagonal now, which makes it cheap to return to. */
static void use(struct path *p, uint32_t diagonal)
{
    if (p->used == diagonal)
        return;
    p->used = diagonal;
    for (unsigned i = 0; i < RECENT; i++)
        if (p->recent[i] == diagonal)
            return;
    uint32_t gone = p->recent[p->recent_next];
    p->recent[p->recent_next] = diagonal;
    p->recent_next = (p->recent_next + 1) % RECENT;
    for (unsigned i = 0; i < p->lives; i++) {
        if (p->live[i].diagonal == gone)
            p->live[i].enter = p->enter;
        if (p->live[i].diagonal == diagonal)
            p->live[i].enter = COST_RECENT;
    }
}

static uint32_t history_at(const struct match_views *v, uint32_t pos, uint32_t diagonal)
{
    uint32_t history = 0;

    for (uint32_t i = pos < 8 ? 0 : pos - 8; i < pos; i++) {
        uint32_t at = i + diagonal;
        history = history << 1 | (at >= v->old_size || v->old[at] != v->new[i]);
    }
    return history;
}

/* A way to new data that ends with its diagonal lives on in `fresh` if it is better. */
static void drop(struct path *p, unsigned slot)
{
    struct live *l = &p->live[slot];

    if (l->after.cost < p->fresh.cost) {
        p->fresh = l->after;
        p->fresh.node = node_after(p, l);
    }
    *l = p->live[--p->lives];
}

/* The slot that is least useful: not asked for any more, if there is one, and expensive. */
static unsigned worst(const struct path *p, uint32_t pos)
{
    unsigned slot = 0;

    for (unsigned i = 1; i < p->lives; i++) {
        const struct live *a = &p->live[i], *b = &p->live[slot];
        int a_over = a->end <= pos, b_over = b->end <= pos;
        if (a_over != b_over) {
            if (a_over)
                slot = i;
        } else if (a->copy.cost != b->copy.cost) {
            if (a->copy.cost > b->copy.cost)
                slot = i;
        } else if (a->end < b->end) {
            slot = i;
        }
    }
    return slot;
}

static void wake(struct path *p, uint32_t pos, const struct match_seed *seed)
{
    for (unsigned i = 0; i < p->lives; i++)
        if (p->live[i].diagonal == seed->diagonal) {
            if (p->live[i].end < seed->end)
                p->live[i].end = seed->end;
            return;
        }
    if (p->lives == LIVE)
        drop(p, worst(p, pos));
    struct live *l = &p->live[p->lives++];
    *l = (struct live){.diagonal = seed->diagonal, .end = seed->end, .enter = p->enter};
    l->history = history_at(p->v, pos, seed->diagonal);
    l->copy = (struct way){FAR, pos, NONE, NONE};
    l->after = l->copied = l->copy;
    for (unsigned i = 0; i < RECENT; i++)
        if (p->recent[i] == seed->diagonal)
            l->enter = COST_RECENT;
}

/* What the byte at pos costs as new data. */
static int32_t price_of(const struct match_views *v, uint32_t pos)
{
    return v->prices ? BITS(1) / 16 * v->prices[pos] : PRICE;
}

static int32_t price_of_run(const struct match_views *v, uint32_t pos, uint32_t run)
{
    int32_t price = 0;
    if (!v->prices)
        return (int32_t)run * PRICE;
    for (uint32_t i = pos; i < pos + run; i++)
        price += price_of(v, i);
    return price;
}

/*
 * Takes one live diagonal over the byte at pos.  best_cost and best_node are
 * the best way up to there.  Returns 0 if it leaves the old image.
 */
static int advance(struct path *p, struct live *l, uint32_t pos, int32_t best_cost,
                   uint32_t best_node)
{
    uint32_t at = pos + l->diagonal;
    int32_t enter = best_cost + l->enter, back = l->after.cost + COST_RETURN;

    if (l->copy.cost + COST_LITERALS < l->after.cost) {
        l->copied = l->copy;
        l->after = (struct way){l->copy.cost + COST_LITERALS, pos, NONE, NONE};
    }
    if (at >= p->v->old_size)
        return 0;
    if (back <= enter && back < l->copy.cost)
        l->copy = (struct way){back, pos, node_after(p, l), NONE};
    else if (enter < l->copy.cost)
        l->copy = (struct way){enter, pos, best_node, NONE};
    l->history = l->history << 1 | (p->v->old[at] != p->v->new[pos]);
    l->copy.cost += p->cost[l->history & 0x1ff] - price_of(p->v, pos);
    return 1;
}

static void advance_all(struct path *p, uint32_t pos, const struct best *best)
{
    uint32_t node = node_best(p, best);

    for (unsigned i = 0; i < p->lives;)
        if (advance(p, &p->live[i], pos, best->cost, node))
            i++;
        else
            drop(p, i);
}

/* Costs only ever count against each other: brings them back to around 0. */
static void rebase(struct path *p, int32_t by)
{
    p->fresh.cost = p->fresh.cost - by < FAR ? p->fresh.cost - by : FAR;
    for (unsigned i = 0; i < p->lives; i++) {
        struct live *l = &p->live[i];
        l->copy.cost = l->copy.cost - by < FAR ? l->copy.cost - by : FAR;
        l->after.cost = l->after.cost - by < FAR ? l->after.cost - by : FAR;
    }
}

/* Passes `run` equal bytes on the best diagonal; the others start afresh behind them. */
static void jump(struct path *p, uint32_t pos, uint32_t run, unsigned slot)
{
    struct live *best = &p->live[slot];

    best->copy.cost += (int32_t)run * p->cost[0] - price_of_run(p->v, pos, run);
    best->history = 0;
    for (unsigned i = 0; i < p->lives; i++) {
        struct live *l = &p->live[i];
        if (i == slot)
            continue;
        l->copy.cost = FAR;
        l->history = history_at(p->v, pos + run, l->diagonal);
    }
}

/* How many bytes may be passed in one go at pos, 0 if none; *probe: where to ask again. */
static uint32_t jump_run(struct path *p, uint32_t pos, const struct best *best, uint32_t *probe)
{
    const struct match_views *v = p->v;
    const struct live *l = &p->live[best->slot];
    uint32_t at = pos + l->diagonal, left = v->new_size - pos;

    if (at >= v->old_size || (l->history & 0xff))
        return 0;
    if (left > v->old_size - at)
        left = v->old_size - at;
    if (left > 1u << 19)
        left = 1u << 19;
    uint32_t run = inlay_match_run(v->old + at, v->new + pos, left);
    if (run >= JUMP_RUN)
        return run - JUMP_KEEP;
    *probe = pos + run + 1;
    return 0;
}

/*
 * Does this one start afresh from the best way at each byte of a run on
 * another diagonal, the last one, too?  Then no byte before counts for it.
 */
static int is_behind(const struct path *p, const struct live *l, uint32_t pos, uint32_t run,
                     int32_t best_cost)
{
    const struct match_views *v = p->v;
    uint32_t at = pos + l->diagonal, end = at + run;
    int32_t enter = best_cost + l->enter;

    if (l->copy.cost < enter || l->after.cost + COST_RETURN <= enter)
        return 0;
    if (at >= v->old_size || run > v->old_size - at)
        return 0;
    return end < 8 || inlay_match_run(v->old + end - 8, v->new + pos + run - 8, 8) < 8;
}

/*
 * How many bytes before `end` may be passed in one go as nothing comes of the
 * other diagonals there; 0 if none.  It only saves time.
 */
static uint32_t pass_run(const struct path *p, uint32_t pos, const struct best *best, uint32_t end)
{
    const struct match_views *v = p->v;
    const struct live *l = &p->live[best->slot];
    uint32_t at = pos + l->diagonal, left = end - pos;

    if (at >= v->old_size || (l->history & 0xff) || left < PASS_RUN)
        return 0;
    if (left > v->old_size - at)
        left = v->old_size - at;
    uint32_t run = inlay_match_run(v->old + at, v->new + pos, left);
    if (run < PASS_RUN)
        return 0;
    run -= PASS_KEEP;
    for (unsigned i = 0; i < p->lives; i++)
        if (i != best->slot && !is_behind(p, &p->live[i], pos, run, best->cost))
            return 0;
    return run;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void walk(struct path *p, struct match_feed *feed)
{
    const struct match_seeds *seeds = &feed->seeds;
    uint32_t pos = 0, probe = 0;
    size_t next = 0;

    while (pos < p->v->new_size && !p->failed) {
        if (pos >= feed->known && inlay_match_feed_wait(feed, pos)) {
            p->failed = 1;
            return;
        }
        while (next < seeds->count && seeds->at[next].start <= pos) {
            if (seeds->at[next].end > pos)
                wake(p, pos, &seeds->at[next]);
            next++;
        }
        struct best best = find_best(p);
        if (best.cost < -(1 << 28)) {
            rebase(p, best.cost);
            best.cost = 0;
        }
        if (best.is_copy) {
            use(p, p->live[best.slot].diagonal);
            uint32_t run = pos >= probe ? jump_run(p, pos, &best, &probe) : 0;
            if (!run) {
                uint32_t end = lesser(feed->known, p->v->new_size);
                if (next < seeds->count)
                    end = lesser(end, seeds->at[next].start);
                run = pass_run(p, pos, &best, pos < probe ? lesser(end, probe) : end);
            }
            if (run) {
                jump(p, pos, run, best.slot);
                pos += run;
                continue;
            }
        }
        advance_all(p, pos++, &best);
    }
}

/* Turns the way that ends in a node into segments; nodes point backwards. */
static int emit(struct path *p, uint32_t last, struct inlay_segments *out)
{
    uint32_t end = p->v->new_size;

    for (uint32_t n = last; n != NONE; n = p->nodes[n].before) {
        const struct node *node = &p->nodes[n];
        struct inlay_segment s = {node->start, node->start + node->diagonal, end - node->start};
        if (node->diagonal != MATCH_NO_DIAGONAL && s.len && inlay_segments_add(out, s))
            return -1;
        end = node->start;
    }
    for (size_t i = 0, j = out->count; i + 1 < j; i++) {
        struct inlay_segment s = out->at[i];
        out->at[i] = out->at[--j];
        out->at[j] = s;
    }
    return 0;
}

int inlay_match_path(const struct match_views *v, struct match_feed *feed,
                     struct inlay_segments *out)
{
    struct path p = {.v = v, .fresh = {0, 0, NONE, NONE}, .used = MATCH_NO_DIAGONAL};
    double enter = 12;

    for (uint32_t size = v->old_size; size > 1; size /= 2)
        enter += 0.5;
    p.enter = BITS(enter);
    for (unsigned i = 0; i < RECENT; i++)
        p.recent[i] = MATCH_NO_DIAGONAL;
    set_costs(&p);
    walk(&p, feed);
    struct best best = find_best(&p);
    uint32_t last = node_best(&p, &best);
    int failed = p.failed || emit(&p, last, out);
    free(p.nodes);
    return failed ? -1 : 0;
}
