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

/* Ways by slot. */
struct ways {
    int32_t cost[LIVE];
    uint32_t start[LIVE], before[LIVE], node[LIVE];
};

/* Field by field, as compilers then take several slots at a time. */
struct live {
    uint32_t diagonal[LIVE];
    uint32_t end[LIVE];     /* new position up to which a candidate asked for it */
    uint32_t history[LIVE]; /* of the last bytes on it, a bit for each that differed */
    int32_t enter[LIVE];    /* what it costs to start a copy on it */
    struct ways copy;       /* end in a copy on it */
    struct ways copied;     /* the copies that ways `after` follow */
    struct ways after;      /* end in new data that follows such a copy */
};

struct path {
    const struct match_views *v;
    struct node *nodes;
    size_t count, room;
    struct live live;
    unsigned lives;
    uint32_t leave;   /* no live diagonal leaves the old image before this position */
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

static struct way get(const struct ways *w, unsigned slot)
{
    return (struct way){w->cost[slot], w->start[slot], w->before[slot], w->node[slot]};
}

static void set(struct ways *w, unsigned slot, struct way way)
{
    w->cost[slot] = way.cost;
    w->start[slot] = way.start;
    w->before[slot] = way.before;
    w->node[slot] = way.node;
}

static uint32_t node_of(struct path *p, struct ways *w, unsigned slot, uint32_t diagonal)
{
    if (w->node[slot] == NONE)
        w->node[slot] = add_node(p, w->start[slot], diagonal, w->before[slot]);
    return w->node[slot];
}

static uint32_t node_after(struct path *p, unsigned slot)
{
    struct live *l = &p->live;
    if (l->after.node[slot] == NONE)
        l->after.before[slot] = node_of(p, &l->copied, slot, l->diagonal[slot]);
    return node_of(p, &l->after, slot, MATCH_NO_DIAGONAL);
}

static uint32_t node_best(struct path *p, const struct best *b)
{
    if (b->slot < LIVE)
        return b->is_copy ? node_of(p, &p->live.copy, b->slot, p->live.diagonal[b->slot])
                          : node_after(p, b->slot);
    if (p->fresh.node == NONE)
        p->fresh.node = add_node(p, p->fresh.start, MATCH_NO_DIAGONAL, p->fresh.before);
    return p->fresh.node;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Choices without branches: all ones, or 0; and what it picks. */
static uint32_t mask(int condition)
{
    return 0u - (uint32_t)condition;
}

static uint32_t pick(uint32_t mask, uint32_t a, uint32_t b)
{
    return (a & mask) | (b & ~mask);
}

static struct best find_best(const struct path *p)
{
    const int32_t *copy = p->live.copy.cost, *after = p->live.after.cost;
    int32_t cost = p->fresh.cost;
    unsigned slot = 0;

    for (unsigned i = 0; i < p->lives; i++)
        cost = least(cost, least(copy[i], after[i]));
    if (cost == p->fresh.cost)
        return (struct best){cost, LIVE, 0};
    while (copy[slot] != cost && after[slot] != cost)
        slot++;
    return (struct best){cost, slot, copy[slot] == cost};
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
        if (p->live.diagonal[i] == gone)
            p->live.enter[i] = p->enter;
        if (p->live.diagonal[i] == diagonal)
            p->live.enter[i] = COST_RECENT;
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

/* The last slot takes the place of this one. */
static void fill_gap(struct path *p, unsigned slot)
{
    struct live *l = &p->live;
    unsigned last = --p->lives;

    l->diagonal[slot] = l->diagonal[last];
    l->end[slot] = l->end[last];
    l->history[slot] = l->history[last];
    l->enter[slot] = l->enter[last];
    set(&l->copy, slot, get(&l->copy, last));
    set(&l->copied, slot, get(&l->copied, last));
    set(&l->after, slot, get(&l->after, last));
}

/* A way to new data that ends with its diagonal lives on in `fresh` if it is better. */
static void drop(struct path *p, unsigned slot)
{
    if (p->live.after.cost[slot] < p->fresh.cost) {
        node_after(p, slot);
        p->fresh = get(&p->live.after, slot);
    }
    fill_gap(p, slot);
}

/* The slot that is least useful: not asked for any more, if there is one, and expensive. */
static unsigned worst(const struct path *p, uint32_t pos)
{
    const struct live *l = &p->live;
    unsigned slot = 0;

    for (unsigned i = 1; i < p->lives; i++) {
        int over = l->end[i] <= pos, slot_over = l->end[slot] <= pos;
        if (over != slot_over) {
            if (over)
                slot = i;
        } else if (l->copy.cost[i] != l->copy.cost[slot]) {
            if (l->copy.cost[i] > l->copy.cost[slot])
                slot = i;
        } else if (l->end[i] < l->end[slot]) {
            slot = i;
        }
    }
    return slot;
}

static void wake(struct path *p, uint32_t pos, const struct match_seed *seed)
{
    const struct way none = {FAR, pos, NONE, NONE};
    struct live *l = &p->live;

    for (unsigned i = 0; i < p->lives; i++)
        if (l->diagonal[i] == seed->diagonal) {
            if (l->end[i] < seed->end)
                l->end[i] = seed->end;
            return;
        }
    if (p->lives == LIVE)
        drop(p, worst(p, pos));
    unsigned slot = p->lives++;
    l->diagonal[slot] = seed->diagonal;
    l->end[slot] = seed->end;
    l->history[slot] = history_at(p->v, pos, seed->diagonal);
    l->enter[slot] = p->enter;
    set(&l->copy, slot, none);
    set(&l->copied, slot, none);
    set(&l->after, slot, none);
    for (unsigned i = 0; i < RECENT; i++)
        if (p->recent[i] == seed->diagonal)
            l->enter[slot] = COST_RECENT;
    p->leave = pos; /* to be found out */
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

/* New data that follows a copy, where that is better than what was known. */
static void branch_off(struct live *l, unsigned lives, uint32_t pos)
{
    for (unsigned i = 0; i < lives; i++) {
        int32_t cost = l->copy.cost[i] + COST_LITERALS;
        uint32_t better = mask(cost < l->after.cost[i]);
        l->after.cost[i] = least(cost, l->after.cost[i]);
        l->after.start[i] = pick(better, pos, l->after.start[i]);
        l->after.node[i] = pick(better, NONE, l->after.node[i]);
        l->copied.start[i] = pick(better, l->copy.start[i], l->copied.start[i]);
        l->copied.before[i] = pick(better, l->copy.before[i], l->copied.before[i]);
        l->copied.node[i] = pick(better, l->copy.node[i], l->copied.node[i]);
    }
}

/* Drops what leaves the old image at pos. */
static void drop_leaving(struct path *p, uint32_t pos)
{
    if (pos < p->leave)
        return;
    for (unsigned i = 0; i < p->lives;)
        if (pos + p->live.diagonal[i] >= p->v->old_size)
            drop(p, i);
        else
            i++;
    p->leave = UINT32_MAX;
    for (unsigned i = 0; i < p->lives; i++)
        p->leave = lesser(p->leave, p->v->old_size - p->live.diagonal[i]);
}

/* Copies that begin at pos, where that is better: behind the best way, or behind `after`. */
static void enter_all(struct path *p, uint32_t pos, int32_t best_cost, uint32_t best_node)
{
    struct live *l = &p->live;
    uint32_t is_back[LIVE], any_back = 0;

    for (unsigned i = 0; i < p->lives; i++) {
        int32_t enter = best_cost + l->enter[i], back = l->after.cost[i] + COST_RETURN;
        int32_t cost = least(enter, back);
        uint32_t better = mask(cost < l->copy.cost[i]);
        is_back[i] = better & mask(back <= enter);
        any_back |= is_back[i];
        l->copy.cost[i] = least(cost, l->copy.cost[i]);
        l->copy.start[i] = pick(better, pos, l->copy.start[i]);
        l->copy.before[i] = pick(better, best_node, l->copy.before[i]);
        l->copy.node[i] = pick(better, NONE, l->copy.node[i]);
    }
    for (unsigned i = 0; any_back && i < p->lives; i++)
        if (is_back[i])
            l->copy.before[i] = node_after(p, i);
}

/* Takes all live diagonals over the byte at pos; best is the best way up to there. */
static void advance_all(struct path *p, uint32_t pos, const struct best *best)
{
    struct live *l = &p->live;
    const uint8_t *old = p->v->old;
    uint8_t byte = p->v->new[pos];
    int32_t price = price_of(p->v, pos);
    uint32_t node = node_best(p, best);

    branch_off(l, p->lives, pos);
    drop_leaving(p, pos);
    enter_all(p, pos, best->cost, node);
    for (unsigned i = 0; i < p->lives; i++) {
        l->history[i] = l->history[i] << 1 | (old[pos + l->diagonal[i]] != byte);
        l->copy.cost[i] += p->cost[l->history[i] & 0x1ff] - price;
    }
}

/* Costs only ever count against each other: brings them back to around 0. */
static void rebase(struct path *p, int32_t by)
{
    int32_t *copy = p->live.copy.cost, *after = p->live.after.cost;

    p->fresh.cost = least(p->fresh.cost - by, FAR);
    for (unsigned i = 0; i < p->lives; i++) {
        copy[i] = least(copy[i] - by, FAR);
        after[i] = least(after[i] - by, FAR);
    }
}

/* Passes `run` equal bytes on the best diagonal; the others start afresh behind them. */
static void jump(struct path *p, uint32_t pos, uint32_t run, unsigned slot)
{
    struct live *l = &p->live;

    for (unsigned i = 0; i < p->lives; i++) {
        if (i == slot)
            continue;
        l->copy.cost[i] = FAR;
        l->history[i] = history_at(p->v, pos + run, l->diagonal[i]);
    }
    l->copy.cost[slot] += (int32_t)run * p->cost[0] - price_of_run(p->v, pos, run);
    l->history[slot] = 0;
}

/* How many bytes may be passed in one go at pos, 0 if none; *probe: where to ask again. */
static uint32_t jump_run(struct path *p, uint32_t pos, const struct best *best, uint32_t *probe)
{
    const struct match_views *v = p->v;
    uint32_t at = pos + p->live.diagonal[best->slot], left = v->new_size - pos;

    if (at >= v->old_size || (p->live.history[best->slot] & 0xff))
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
static int is_behind(const struct path *p, unsigned slot, uint32_t pos, uint32_t run,
                     int32_t best_cost)
{
    const struct match_views *v = p->v;
    uint32_t at = pos + p->live.diagonal[slot], end = at + run;
    int32_t enter = best_cost + p->live.enter[slot];

    if (p->live.copy.cost[slot] < enter || p->live.after.cost[slot] + COST_RETURN <= enter)
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
    uint32_t at = pos + p->live.diagonal[best->slot], left = end - pos;

    if (at >= v->old_size || (p->live.history[best->slot] & 0xff) || left < PASS_RUN)
        return 0;
    if (left > v->old_size - at)
        left = v->old_size - at;
    uint32_t run = inlay_match_run(v->old + at, v->new + pos, left);
    if (run < PASS_RUN)
        return 0;
    run -= PASS_KEEP;
    for (unsigned i = 0; i < p->lives; i++)
        if (i != best->slot && !is_behind(p, i, pos, run, best->cost))
            return 0;
    return run;
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
            use(p, p->live.diagonal[best.slot]);
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
