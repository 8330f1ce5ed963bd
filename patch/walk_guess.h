/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: what a unit of old code probably became. */
#ifndef INLAY_WALK_GUESS_H
#define INLAY_WALK_GUESS_H

#include "walk_text.h"

/* The space that maps a new position back, even if it is a little outside. */
static uint32_t walk_new_addr(const struct walk *s, uint32_t pos)
{
    uint32_t addr;
    if (inlay_scene_addr(&s->scene, INLAY_NEW, pos, &addr) || s->scene.spaces[1] == 0)
        return addr;
    const struct inlay_space *sp = &s->scene.space[1][s->scene.spaces[1] - 1u];
    return sp->addr + (pos - sp->pos);
}

static const struct walk_lesson *walk_exact_lesson(const struct walk *s, unsigned outside,
                                                   uint32_t target)
{
    for (unsigned i = 0; i < LESSONS; i++)
        if (s->lesson[outside][i].from == target && s->lesson[outside][i].to)
            return &s->lesson[outside][i];
    return 0;
}

/* The lesson about the nearest address within 64 KB, or none. */
static const struct walk_lesson *walk_near_lesson(const struct walk *s, unsigned outside,
                                                  uint32_t target)
{
    const struct walk_lesson *best = 0;
    uint32_t best_distance = 0x10000u;
    for (unsigned i = 0; i < LESSONS; i++) {
        const struct walk_lesson *l = &s->lesson[outside][i];
        uint32_t distance = l->from > target ? l->from - target : target - l->from;
        if (l->to && distance < best_distance) {
            best = l;
            best_distance = distance;
        }
    }
    return best;
}

static void walk_learn_target(struct walk *s, uint32_t from, uint32_t to)
{
    uint32_t pos;
    unsigned outside = !inlay_scene_pos(&s->scene, INLAY_OLD, from, &pos);
    struct walk_lesson *list = s->lesson[outside];
    for (unsigned i = 0; i < LESSONS; i++)
        if (list[i].from == from && list[i].to) {
            list[i].to = to;
            return;
        }
    unsigned at = s->lessons[outside]++ % LESSONS;
    list[at].from = from;
    list[at].to = to;
}

/* Where an old address went. */
static uint32_t walk_map_target(const struct walk *s, uint32_t target, enum walk_quality *quality)
{
    uint32_t pos;
    uint32_t thumb = s->scene.arch->granule == 2 ? target & 1u : 0u; /* the bit of a code pointer */
    unsigned inside = (unsigned)inlay_scene_pos(&s->scene, INLAY_OLD, target - thumb, &pos);
    const struct walk_lesson *l = walk_exact_lesson(s, !inside, target);
    if (l) {
        *quality = QUALITY_LEARNED;
        return l->to;
    }
    if (inside) {
        enum inlay_map_trust trust;
        uint32_t addr = walk_new_addr(s, inlay_map_find(&s->map, pos, &trust));
        *quality = (enum walk_quality)((unsigned)QUALITY_MAP + (unsigned)trust);
        return addr + thumb;
    }
    l = walk_near_lesson(s, 1, target);
    *quality = l ? QUALITY_DATA : QUALITY_FIXED;
    return l ? target + (l->to - l->from) : target;
}

struct walk_guess {
    struct inlay_unit unit;
    uint32_t old_addr, new_addr;
    enum walk_quality quality;
    uint32_t target; /* predicted */
    uint8_t old[INLAY_UNIT_MAX], now[INLAY_UNIT_MAX];
    uint8_t changed; /* now differs from old */
    uint8_t has_swap, near;
    uint8_t stormy; /* among these units one is wrong */
    uint32_t near_target;
    uint32_t value;
    struct walk_swap *swap;
};

/* Makes at least n bytes of the old image at pos available. */
static int walk_read(struct walk *s, uint32_t pos, uint32_t n, uint32_t most, const uint8_t **bytes)
{
    struct walk_cache *c = &s->cache;
    uint32_t skip = pos - c->pos;
    if (skip > c->len || c->len - skip < n) {
        uint32_t len = most < sizeof c->bytes ? most : (uint32_t)sizeof c->bytes;
        c->len = 0;
        int status = s->setup.old.read(s->setup.old.ctx, pos, c->bytes, len);
        if (status)
            return status;
        c->pos = pos;
        c->len = len;
        skip = 0;
    }
    *bytes = c->bytes + skip;
    return 0;
}

static void walk_aim(const struct walk *s, struct walk_guess *g)
{
    memcpy(g->now, g->old, g->unit.len);
    g->quality = QUALITY_NONE;
    if (!g->unit.has_target)
        return;
    g->target = walk_map_target(s, g->unit.target, &g->quality);
    /* Code rarely leaves the image, but for the ROM of Thumb parts: data that looks like code. */
    if (g->quality == QUALITY_FIXED && g->unit.type < INLAY_TYPE_POINTER &&
        s->scene.arch->id != INLAY_ARCH_THUMB2)
        return;
    inlay_scene_aim(&s->scene, &s->old_state, &g->unit, g->now, g->old_addr, g->new_addr,
                    g->target);
    g->changed = memcmp(g->now, g->old, g->unit.len) != 0;
}

/* The first four bytes of a unit as a number; of Thumb's, the first halfword on top. */
static uint32_t walk_value(const struct walk *s, const uint8_t *b, unsigned len)
{
    if (len == 1)
        return b[0];
    if (len == 2)
        return inlay_get16(b);
    if (len == 3)
        return inlay_get16(b) | (uint32_t)b[2] << 16;
    if (s->scene.arch->granule == 2)
        return inlay_get16(b) << 16 | inlay_get16(b + 2);
    return inlay_get32(b);
}

static void walk_put_value(const struct walk *s, uint8_t *b, unsigned len, uint32_t v)
{
    if (len >= 4 && s->scene.arch->granule == 2)
        v = v << 16 | v >> 16;
    for (unsigned i = 0; i < len && i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

static struct walk_swap *walk_swap_of(struct walk *s, const struct walk_guess *g)
{
    return &s->swap[walk_hash(g->value + g->unit.len, walk_swaps_log2(&s->params))];
}

/* The swap's replacement for this unit, if it says anything new. */
static int walk_swap_applies(const struct walk *s, const struct walk_swap *w,
                             const struct walk_guess *g)
{
    uint8_t to[INLAY_UNIT_MAX];
    memcpy(to, g->now, g->unit.len);
    walk_put_value(s, to, g->unit.len, w->to);
    return (w->from | w->to) && w->from == g->value && memcmp(to, g->now, g->unit.len) != 0;
}

static int walk_guess_unit(struct walk *s, struct walk_guess *g)
{
    const uint8_t *bytes;
    uint32_t old_pos = s->pos + s->diagonal;
    uint32_t n = s->run_left < INLAY_WINDOW ? s->run_left : INLAY_WINDOW;
    int status = walk_read(s, old_pos, n, s->run_left, &bytes);
    if (status)
        return status;
    memset(g, 0, sizeof *g);
    inlay_scene_addr(&s->scene, INLAY_OLD, old_pos, &g->old_addr);
    g->new_addr = walk_new_addr(s, s->pos);
    inlay_scene_parse(&s->scene, INLAY_OLD, &s->old_state, bytes, n, g->old_addr, &g->unit);
    memcpy(g->old, bytes, g->unit.len);
    walk_aim(s, g);
    g->value = walk_value(s, g->old, g->unit.len);
    g->swap = walk_swap_of(s, g);
    g->has_swap = (uint8_t)walk_swap_applies(s, g->swap, g);
    return 0;
}

#endif
