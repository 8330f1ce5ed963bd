/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: coding one copied unit. */
#ifndef INLAY_WALK_COPY_H
#define INLAY_WALK_COPY_H

#include "walk_new.h"

static unsigned walk_log2(uint32_t v)
{
    unsigned n = 0;
    while (v > 1u) {
        v >>= 1;
        n++;
    }
    return n;
}

/* More of them, for large models: this very unit, its target, the bytes before it. */
static void walk_flag_contexts_large(const struct walk *s, const struct walk_guess *g,
                                     unsigned what, unsigned swap, uint32_t *ctx)
{
    uint32_t key = what << 27 | swap << 20 | (uint32_t)g->stormy << 19;
    uint32_t by_type = key ^ (uint32_t)g->unit.type << 3;
    ctx[6] = g->value * MIX_A ^ key ^ 6u;
    ctx[7] = (s->before & 0xffffu) * MIX_B ^ by_type ^ 7u;
    ctx[8] = (g->unit.has_target ? g->unit.target * MIX_A : g->value * MIX_B ^ (s->hits & 1u)) ^
             key ^ 8u;
    ctx[9] = s->before * MIX_A ^ by_type ^ 9u;
}

/* Contexts for the decisions about one unit; `what` keeps the decisions apart. */
static void walk_flag_contexts(const struct walk *s, const struct walk_guess *g, unsigned what,
                               unsigned swap, uint32_t *ctx)
{
    uint32_t t = g->unit.type;
    uint32_t key = what << 27 | t << 22 | (uint32_t)g->changed << 21 | (uint32_t)g->quality << 17 |
                   swap << 16 | (uint32_t)g->stormy << 15;
    uint32_t run = walk_log2(s->run_length + 1u);
    ctx[0] = key | (s->hits & 3u);
    ctx[1] = what << 27 | 1u << 26 | (uint32_t)g->stormy << 8 | (s->hits & 255u);
    ctx[2] = key | s->type_hits[t];
    ctx[3] = key | run << 8 | 0x80u;
    ctx[4] = what << 27 | 3u << 25 | (uint32_t)(g->changed) << 25 | t << 18 |
             (inlay_get16(g->old) & (s->scene.arch->granule == 2 ? 0xff00u : 0xffu)) | swap << 16;
    ctx[5] = what << 27 | 5u << 24 | (g->old_addr & 3u) << 20 | (run > 7 ? 7 : run) << 12 |
             (uint32_t)g->changed << 11 | swap << 10 | (uint32_t)g->quality << 4 | (s->hits & 15u);
}

#define CALM_AFTER 32u /* right predictions in a row before stretches are worth asking about */

/* What is known of a decision before anything was learned: CLASSES of them. */
static unsigned walk_class(const struct walk_guess *g, unsigned what, unsigned swap)
{
    unsigned len = g->unit.len < 4u ? g->unit.len - 1u : 3u;
    if (what)
        return 128u + (what - 1u) * 16u + g->unit.has_target * 8u + g->changed * 4u + swap;
    if (g->stormy)
        return 192u + len;
    return (((unsigned)g->quality * 2u + g->changed) * 4u + len) * 2u + swap;
}

static unsigned walk_unit_flag(struct walk *s, const struct walk_guess *g, unsigned what,
                               unsigned swap, unsigned want)
{
    uint32_t ctx[FLAGS_LARGE];
    unsigned class = walk_class(g, what, swap);
    walk_flag_contexts(s, g, what, swap, ctx);
    if (s->params.large)
        walk_flag_contexts_large(s, g, what, swap, ctx);
    if (what)
        return walk_flag(s, ctx, class, 15u + what, 8u + what, want);
    if (g->stormy)
        return walk_flag(s, ctx, class, g->unit.type & 15u, 8u, want);
    return walk_flag(s, ctx, class, g->unit.type & 15u,
                     (unsigned)g->changed * 4u + swap * 2u + (s->hits & 1u), want);
}

/* A missed unit's byte i, the k-th to be coded, as new data. */
static struct walk_text walk_miss_text(const struct walk *s, unsigned i, unsigned k,
                                       uint32_t so_far)
{
    struct walk_text t = {k, so_far, s->before};
    if (s->scene.arch->literal_kind == INLAY_LITERAL_HALVES && k < 4u) {
        uint32_t half = so_far >> 8u * (k & 1u);
        if (k >= 2u)
            t.before = s->before << 16 | (half & 255u) << 8 | (half >> 8 & 255u);
        return t;
    }
    if (s->scene.arch->literal_kind != INLAY_LITERAL_PARCELS || k >= 4u)
        t.place = PLACE_DATA + ((s->pos + i) & 3u);
    t.before = k >= 4u ? so_far : s->before << 8u * k | so_far;
    return t;
}

/* Contexts of byte i, the k-th to be coded; those of new data fill the rows that are left. */
static void walk_miss_contexts(struct walk *s, const struct walk_guess *g, unsigned i, unsigned k,
                               uint32_t so_far, uint32_t *ctx)
{
    uint32_t t = g->unit.type, now = g->now[i];
    const uint32_t own[4] = {(t << 3 | i) << 8 | now | 1u << 24,
                             now << 8 | (so_far & 255u) | 2u << 24 | (k ? 1u << 20 : 0u),
                             (so_far & 0xffffu) | t << 16 | 3u << 24 | (uint32_t)i << 28,
                             now << 8 | (s->last_delta & 255u) | 4u << 24};
    struct walk_text text = walk_miss_text(s, i, k, so_far);
    walk_text_contexts(s, &text, ctx);
    unsigned votes = s->params.votes;
    for (unsigned n = 0; n < 4u && n < votes; n++)
        ctx[votes - 1u - n] = own[n];
}

/* Hunches of a missed unit: that this byte is one of the prediction's, or of the last candidate's.
 */
static void walk_miss_hunches(struct walk *s, const uint8_t *const *unit, const uint8_t *wrong,
                              unsigned len, unsigned i, unsigned k)
{
    for (unsigned h = 0; h < HUNCHES; h++) {
        unsigned byte = len == 2u ? k : 2u + (k & 3u);
        s->hunch[h].base = unit[h] ? walk_hunch_base(h, 2u * byte + wrong[h]) : 0;
        s->hunch[h].byte = unit[h] ? unit[h][i] : 0;
    }
}

/* The bytes of a unit that nothing predicted; candidate: the last one that was wrong, or NULL. */
static void walk_miss_bytes(struct walk *s, const struct walk_guess *g, const uint8_t *candidate,
                            uint8_t *out)
{
    const uint8_t *const unit[HUNCHES] = {g->now, candidate};
    uint8_t wrong[HUNCHES] = {0, 0};
    unsigned len = g->unit.len;
    unsigned first = s->scene.arch->literal_kind == INLAY_LITERAL_HALVES && len >= 2 ? 1 : 0;
    unsigned set = SET_MISS + (g->unit.type >= INLAY_TYPE_POINTER ? 4u : 0u);
    uint32_t so_far = 0;
    for (unsigned k = 0; k < len; k++) {
        unsigned i = k ^ (first && (k | 1u) < len ? 1u : 0u);
        uint32_t ctx[INLAY_MIX_VOTES_MAX];
        walk_miss_contexts(s, g, i, k, so_far, ctx);
        walk_miss_hunches(s, unit, wrong, len, i, k);
        out[i] = (uint8_t)walk_byte(s, ctx, set + (i & 3u), INLAY_WANT(truth_byte(s, i)));
        so_far = so_far << 8 | out[i];
        for (unsigned h = 0; h < HUNCHES; h++)
            wrong[h] |= unit[h] && out[i] != unit[h][i];
    }
}

/* The latest shift of a value close to this one. */
static const struct walk_swap *walk_near_shift(const struct walk *s, uint32_t value)
{
    const struct walk_swap *best = 0;
    uint32_t best_distance = 0xffffffffu;
    for (unsigned i = 0; i < SHIFTS; i++) {
        const struct walk_swap *w = &s->shift[i];
        uint32_t distance = w->from > value ? w->from - value : value - w->from;
        if ((w->from | w->to) && distance < best_distance) {
            best = w;
            best_distance = distance;
        }
    }
    return best;
}

/* By how much the last missed unit changed, or the last halfword of this kind. */
static uint32_t walk_last_delta(const struct walk *s, const struct walk_guess *g)
{
    uint32_t delta = g->unit.len == 2 ? s->half_delta[g->value >> 11] : 0;
    return delta ? delta : s->last_delta;
}

/* Writes a candidate into out; 0 if there is none of this kind. */
static int walk_candidate(struct walk *s, const struct walk_guess *g, enum walk_candidate kind,
                          uint8_t *out)
{
    unsigned len = g->unit.len;
    memcpy(out, g->old, len);
    if (kind == CANDIDATE_OLD)
        return g->changed;
    if (kind == CANDIDATE_SWAP) {
        walk_put_value(s, out, len, g->swap->to);
        return g->has_swap;
    }
    if (kind == CANDIDATE_DELTA) {
        uint32_t delta = walk_last_delta(s, g);
        walk_put_value(s, out, len, g->value + delta);
        return delta != 0;
    }
    if (g->unit.has_target)
        return g->near && inlay_scene_aim(&s->scene, &s->old_state, &g->unit, out, g->old_addr,
                                          g->new_addr, g->near_target);
    const struct walk_swap *w = walk_near_shift(s, g->value);
    if (w)
        walk_put_value(s, out, len, g->value + (w->to - w->from));
    return w != 0;
}

/* A missed target is often only a little off. */
static int walk_near_target(struct walk *s, struct walk_guess *g, uint8_t *out)
{
    memcpy(out, g->old, g->unit.len);
    if (!walk_bit(s, FLAG_NEAR + g->unit.type, INLAY_WANT(truth_is_near(s, g))))
        return 0;
    uint32_t target =
        g->near_target + walk_signed(s, NUMBER_DELTA, INLAY_WANT(truth_near_delta(s, g)));
    inlay_scene_aim(&s->scene, &s->old_state, &g->unit, out, g->old_addr, g->new_addr, target);
    return 1;
}

static void walk_missed_unit(struct walk *s, struct walk_guess *g, uint8_t *out)
{
    uint8_t tried[CANDIDATES][INLAY_UNIT_MAX];
    unsigned n = 0, len = g->unit.len;
    const struct walk_lesson *l = 0;
    uint32_t pos;
    if (g->unit.has_target) {
        l = walk_near_lesson(s, !inlay_scene_pos(&s->scene, INLAY_OLD, g->unit.target, &pos),
                             g->unit.target);
        g->near_target = l ? g->unit.target + (l->to - l->from) : g->target;
        g->near = l != 0;
    }
    for (unsigned k = 0; k < CANDIDATES; k++) {
        if (!walk_candidate(s, g, (enum walk_candidate)k, tried[n]) ||
            memcmp(tried[n], g->now, len) == 0)
            continue;
        unsigned i = 0;
        while (i < n && memcmp(tried[i], tried[n], len) != 0)
            i++;
        if (i < n)
            continue;
        unsigned right = walk_unit_flag(s, g, 1u + k, s->candidate_hits[k] & 3u,
                                        INLAY_WANT(truth_is(s, tried[n], len)));
        s->candidate_hits[k] = (uint8_t)((unsigned)s->candidate_hits[k] << 1 | (unsigned)right);
        if (right) {
            memcpy(out, tried[n], len);
            return;
        }
        n++;
    }
    INLAY_ACCOUNT(s, corrections);
    if (g->unit.has_target && walk_near_target(s, g, out))
        return;
    walk_miss_bytes(s, g, n ? tried[n - 1u] : 0, out);
}

/* After a miss: remembers what the unit became. */
static void walk_learn(struct walk *s, struct walk_guess *g, const uint8_t *out)
{
    struct walk_swap now = {g->value, walk_value(s, out, g->unit.len)};
    *g->swap = now;
    s->last_delta = now.to - now.from;
    if (g->unit.len == 2)
        s->half_delta[g->value >> 11] = (uint16_t)s->last_delta;
    if (!g->unit.has_target) {
        s->shift[s->shifts++ % SHIFTS] = now;
        return;
    }
    if (g->unit.type >= INLAY_TYPE_POINTER) {
        walk_learn_target(s, g->unit.target,
                          inlay_scene_word_target(&s->scene, (enum inlay_scene_type)g->unit.type,
                                                  out, g->old_addr, g->new_addr));
        return;
    }
    struct inlay_unit u;
    struct inlay_arch_state st = {{0}, 0};
    s->scene.arch->parse(&st, out, g->unit.len, g->new_addr, &u);
    if (u.has_target && u.type == g->unit.type)
        walk_learn_target(s, g->unit.target, u.target);
}

/*
 * 1 if the unit is known to be right.  After many right predictions one
 * decision covers a whole stretch of units, as far as they stay as they were;
 * those that change are still asked about one by one.
 */
static unsigned walk_is_calm(struct walk *s, struct walk_guess *g)
{
    static const uint16_t stretch[3] = {32, 128, 512};
    if (g->changed || g->has_swap)
        return 0;
    if (s->calm_left == 0) {
        if (s->run_length < CALM_AFTER)
            return 0;
        unsigned size = s->run_length < 128u ? 0 : s->run_length < 1024u ? 1 : 2;
        s->calm_left = stretch[size];
        s->calm = (uint8_t)walk_bit(s, FLAG_CALM + size, INLAY_WANT(truth_is_calm(s, g)));
    }
    s->calm_left--;
    g->stormy = !s->calm;
    return s->calm;
}

static int walk_copy_unit(struct walk *s, uint8_t *out, unsigned *len)
{
    struct walk_guess g;
    int status = INLAY_GUESS(s, &g);
    if (status)
        return status;
    INLAY_ACCOUNT(s, addresses);
    unsigned hit = walk_is_calm(s, &g);
    if (!hit)
        hit = walk_unit_flag(s, &g, 0, g.has_swap, INLAY_WANT(truth_is(s, g.now, g.unit.len)));
    if (hit) {
        memcpy(out, g.now, g.unit.len);
    } else {
        s->calm_left = 0;
        walk_missed_unit(s, &g, out);
        walk_learn(s, &g, out);
    }
    s->hits = s->hits << 1 | hit;
    s->type_hits[g.unit.type] = (uint8_t)((unsigned)s->type_hits[g.unit.type] << 1 | (unsigned)hit);
    s->run_length = hit ? s->run_length + 1u : 0u;
    *len = g.unit.len;
    return 0;
}

#endif
