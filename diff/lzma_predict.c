/* SPDX-License-Identifier: Apache-2.0 */
#include "lzma_predict.h"
#include "bits.h"

#include <string.h>

#define TRUST_MIN 2u
#define TRUST_MAX 6u
#define NEAR_MIN  6u /* from here on a neighbour's shift is believed before the map */

size_t inlay_lzma_predict_need(unsigned table_log2, unsigned moves)
{
    size_t entry = sizeof(struct inlay_lzma_lesson) + sizeof(struct inlay_lzma_near) +
                   sizeof(struct inlay_lzma_swap);
    return (entry << table_log2) + moves * (sizeof(struct inlay_move) + sizeof(uint16_t));
}

void inlay_lzma_predict_open(struct inlay_lzma_predict *p, unsigned table_log2, unsigned moves,
                             uint8_t *at)
{
    size_t n = (size_t)1 << table_log2;
    p->table_log2 = table_log2;
    p->lesson = (struct inlay_lzma_lesson *)(void *)at;
    p->near = (struct inlay_lzma_near *)(void *)(p->lesson + n);
    p->swap = (struct inlay_lzma_swap *)(void *)(p->near + n);
    p->map.move = (struct inlay_move *)(void *)(p->swap + n);
    p->map.by_old = (uint16_t *)(void *)(p->map.move + moves);
    p->map.room = moves;
}

void inlay_lzma_predict_reset(struct inlay_lzma_predict *p)
{
    memset(p->lesson, 0, sizeof *p->lesson << p->table_log2);
    memset(p->near, 0, sizeof *p->near << p->table_log2);
    memset(p->swap, 0, sizeof *p->swap << p->table_log2);
    p->last_data = (struct inlay_lzma_lesson){0, 0};
    inlay_lzma_predict_run(p);
}

void inlay_lzma_predict_run(struct inlay_lzma_predict *p)
{
    memset(&p->old_state, 0, sizeof p->old_state);
    p->cache_len = 0;
}

static uint32_t hash(const struct inlay_lzma_predict *p, uint32_t v)
{
    return (uint32_t)((uint64_t)(v * 0x9e3779b1u) << p->table_log2 >> 32);
}

/* Makes n bytes of the old image at pos available, and reads at most `left`. */
static int read_old(struct inlay_lzma_predict *p, uint32_t pos, uint32_t n, uint32_t left,
                    const uint8_t **bytes)
{
    uint32_t skip = pos - p->cache_pos;
    if (skip > p->cache_len || p->cache_len - skip < n) {
        uint32_t len = left < sizeof p->cache ? left : (uint32_t)sizeof p->cache;
        p->cache_len = 0;
        int status = p->source.read(p->source.ctx, pos, p->cache, len);
        if (status)
            return status;
        p->cache_pos = pos;
        p->cache_len = len;
        skip = 0;
    }
    *bytes = p->cache + skip;
    return 0;
}

/* An address in the new image, even for a position a little outside. */
static uint32_t new_addr(const struct inlay_lzma_predict *p, uint32_t pos)
{
    uint32_t addr;
    unsigned n = p->scene.spaces[INLAY_NEW];
    if (inlay_scene_addr(&p->scene, INLAY_NEW, pos, &addr) || n == 0)
        return addr;
    const struct inlay_space *sp = &p->scene.space[INLAY_NEW][n - 1u];
    return sp->addr + (pos - sp->pos);
}

/* Where an old address went. */
static uint32_t map_target(const struct inlay_lzma_predict *p, uint32_t target)
{
    const struct inlay_lzma_lesson *exact = &p->lesson[hash(p, target)];
    const struct inlay_lzma_near *near = &p->near[hash(p, target >> 8)];
    if (exact->from == target && exact->to)
        return exact->to;
    uint32_t pos, odd = p->scene.arch->granule == 2 ? target & 1u : 0u;
    int known = near->trust && near->page == target >> 8;
    if (inlay_scene_pos(&p->scene, INLAY_OLD, target - odd, &pos)) {
        enum inlay_map_trust trust;
        uint32_t to = inlay_map_find(&p->map, pos, &trust);
        if (!known || (trust == INLAY_MAP_INSIDE && near->trust < NEAR_MIN))
            return new_addr(p, to) + odd;
    }
    if (known)
        return target + near->shift;
    return target + (p->last_data.to - p->last_data.from);
}

static uint32_t value_of(const struct inlay_lzma_predict *p, const uint8_t *b, unsigned len)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < len && i < 4; i++)
        v |= (uint32_t)b[i] << 8 * i;
    return len >= 4 && p->scene.arch->granule == 2 ? v << 16 | v >> 16 : v;
}

static void put_value(const struct inlay_lzma_predict *p, uint8_t *b, unsigned len, uint32_t v)
{
    if (len >= 4 && p->scene.arch->granule == 2)
        v = v << 16 | v >> 16;
    for (unsigned i = 0; i < len && i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

int inlay_lzma_aim(const struct inlay_lzma_predict *p, const struct inlay_lzma_guess *g,
                   uint32_t target, uint8_t *out)
{
    memcpy(out, g->old, g->unit.len);
    return inlay_scene_aim(&p->scene, &p->old_state, &g->unit, out, g->old_addr, g->new_addr,
                           target);
}

int inlay_lzma_guess(struct inlay_lzma_predict *p, uint32_t old_pos, uint32_t new_pos,
                     uint32_t left, struct inlay_lzma_guess *g)
{
    const uint8_t *bytes;
    uint32_t n = left < INLAY_WINDOW ? left : INLAY_WINDOW;
    int status = read_old(p, old_pos, n, left, &bytes);
    if (status)
        return status;
    inlay_scene_addr(&p->scene, INLAY_OLD, old_pos, &g->old_addr);
    g->new_addr = new_addr(p, new_pos);
    inlay_scene_parse(&p->scene, INLAY_OLD, &p->old_state, bytes, n, g->old_addr, &g->unit);
    unsigned len = g->unit.len;
    memcpy(g->old, bytes, len);
    memcpy(g->aimed, bytes, len);
    if (g->unit.has_target) {
        g->target = map_target(p, g->unit.target);
        inlay_lzma_aim(p, g, g->target, g->aimed);
    }
    g->value = value_of(p, g->aimed, len);
    g->swap = &p->swap[hash(p, g->value * 8u + len)];
    memcpy(g->now, g->aimed, len);
    if (len > 1 && g->swap->trust >= TRUST_MIN && g->swap->from == g->value)
        put_value(p, g->now, len, g->swap->to);
    return 0;
}

int inlay_lzma_target(const struct inlay_lzma_predict *p, const struct inlay_lzma_guess *g,
                      const uint8_t *now, uint32_t *target)
{
    if (!g->unit.has_target)
        return 0;
    if (g->unit.type >= INLAY_TYPE_POINTER) {
        *target = inlay_scene_word_target(&p->scene, (enum inlay_scene_type)g->unit.type, now,
                                          g->old_addr, g->new_addr);
        return 1;
    }
    struct inlay_unit u;
    struct inlay_arch_state st = p->old_state;
    p->scene.arch->parse(&st, now, g->unit.len, g->new_addr, &u);
    *target = u.target;
    return u.has_target && u.type == g->unit.type;
}

static void learn_near(struct inlay_lzma_near *near, uint32_t page, uint32_t shift)
{
    if (near->trust && near->page == page && near->shift == shift) {
        if (near->trust < TRUST_MAX)
            near->trust++;
    } else if (near->trust <= 1 || near->page != page) {
        *near = (struct inlay_lzma_near){page, shift, 1};
    } else {
        near->trust--;
    }
}

static void learn_target(struct inlay_lzma_predict *p, uint32_t from, uint32_t to, int missed)
{
    uint32_t pos;
    const struct inlay_lzma_lesson now = {from, to};
    if (missed)
        p->lesson[hash(p, from)] = now;
    learn_near(&p->near[hash(p, from >> 8)], from >> 8, to - from);
    if (!inlay_scene_pos(&p->scene, INLAY_OLD, from, &pos))
        p->last_data = now;
}

static void learn_swap(struct inlay_lzma_swap *w, uint32_t from, uint32_t to)
{
    if (w->trust && w->from == from && w->to == to) {
        if (w->trust < TRUST_MAX)
            w->trust++;
    } else if (from != to && (w->trust <= 1 || w->from != from)) {
        *w = (struct inlay_lzma_swap){from, to, 1};
    } else if (w->from == from && w->trust) {
        w->trust--;
    }
}

void inlay_lzma_learn(struct inlay_lzma_predict *p, const struct inlay_lzma_guess *g,
                      const uint8_t *out)
{
    unsigned len = g->unit.len;
    int right = memcmp(out, g->aimed, len) == 0;
    if (len > 1 && (!right || g->swap->from == g->value))
        learn_swap(g->swap, g->value, value_of(p, out, len));
    uint32_t target = g->target;
    if (g->unit.has_target && (right || inlay_lzma_target(p, g, out, &target)))
        learn_target(p, g->unit.target, target, !right);
}

void inlay_lzma_shift(const struct inlay_lzma_predict *p, const uint8_t *a, const uint8_t *b,
                      unsigned len, int sign, uint8_t *out)
{
    unsigned i = 0;
    if (p->scene.arch->granule >= 2 && len >= 2) {
        uint32_t x = value_of(p, a, len), y = value_of(p, b, len);
        put_value(p, out, len, sign > 0 ? x + y : x - y);
        i = len < 4 ? len : 4;
    }
    for (; i < len; i++)
        out[i] = (uint8_t)(sign > 0 ? a[i] + b[i] : a[i] - b[i]);
}
