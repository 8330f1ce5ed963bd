/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching in passes.  The first compares the images as they are.  It tells
 * roughly what moved where, and with that every address that code and tables
 * refer to can be written the same way in both images: the next pass then
 * sees tables of pointers and calls as equal where they mean the same.
 */
#include "align.h"
#include "detect_parts.h"
#include "follow.h"
#include "huge.h"
#include "map.h"
#include "parallel.h"
#include "price.h"

#include <stdlib.h>
#include <string.h>

#define PASSES      2
#define PASSES_WASM 3          /* locals follow the functions that they are in ... */
#define FRESH_MIN   1024u      /* ... where one byte of so many is new, or more */
#define MAP_MIN     32u        /* bytes; shorter segments mislead */
#define TAUGHT_MIN  65536u     /* bytes of old image that teach much ... */
#define TAUGHT_MAX  (1u << 20) /* ... of which a good part is learned */
#define MAP_MOST    60000u

struct image {
    const uint8_t *data;
    uint32_t size;
};

/* What one pass learned for the next. */
struct learned {
    struct inlay_map map;
    struct inlay_map data; /* addresses outside the image, one per move */
};

static int by_old_pos(const void *a, const void *b)
{
    const struct inlay_move *x = a, *y = b;
    return x->old_pos < y->old_pos ? -1 : x->old_pos > y->old_pos;
}

static int room_for(struct inlay_map *map, uint32_t room)
{
    map->move = calloc(room + 1u, sizeof *map->move);
    map->by_old = calloc(room + 1u, sizeof *map->by_old);
    map->room = room;
    map->count = 0;
    return map->move && map->by_old ? 0 : -1;
}

static void forget(struct learned *l)
{
    free(l->map.move);
    free(l->map.by_old);
    free(l->data.move);
    free(l->data.by_old);
    memset(l, 0, sizeof *l);
}

static void learn_map(const struct inlay_segments *s, uint32_t least, struct inlay_map *map)
{
    for (size_t i = 0; i < s->count && map->count < map->room; i++)
        if (s->at[i].len >= least)
            map->move[map->count++] =
                (struct inlay_move){s->at[i].new_pos, s->at[i].old_pos, s->at[i].len};
}

/* What the first pass says about where bytes went.  Returns 0, or -1 if memory is out. */
static int learn_moves(const struct inlay_segments *s, struct inlay_map *map)
{
    struct inlay_segments most = {calloc(s->count + 1u, sizeof *most.at), s->count, 0};
    if (!most.at)
        return -1;
    if (s->count)
        memcpy(most.at, s->at, s->count * sizeof *s->at);
    most.count = inlay_segments_drop_echoes(most.at, most.count);
    learn_map(&most, MAP_MIN, map);
    inlay_segments_free(&most);
    return 0;
}

static int is_data(const struct inlay_scene *sc, uint32_t word)
{
    return word - sc->data_lo < sc->data_hi - sc->data_lo || word >> 28 == INLAY_WASM_LOCAL;
}

/* Words outside the image that correspond in a segment: where did they go? */
static void learn_data(const struct inlay_scene *sc, const struct image *old,
                       const struct image *new, const struct inlay_segments *s,
                       struct inlay_map *data)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct inlay_segment *g = &s->at[i];
        if ((g->new_pos ^ g->old_pos) & 3u)
            continue;
        for (uint32_t k = (0u - g->old_pos) & 3u; k + 4u <= g->len; k += 4u) {
            uint32_t from, to;
            memcpy(&from, old->data + g->old_pos + k, 4);
            memcpy(&to, new->data + g->new_pos + k, 4);
            if (is_data(sc, from) && is_data(sc, to) && data->count < data->room)
                data->move[data->count++] = (struct inlay_move){to, from, 1};
        }
    }
    qsort(data->move, data->count, sizeof *data->move, by_old_pos);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < data->count; i++)
        if (kept == 0 || data->move[kept - 1u].old_pos != data->move[i].old_pos)
            data->move[kept++] = data->move[i];
    data->count = kept;
    inlay_map_sort(data);
}

static uint32_t map_target(const struct inlay_scene *sc, const struct learned *l, uint32_t target)
{
    enum inlay_map_trust trust;
    uint32_t pos, addr;
    uint32_t odd = sc->arch->granule == 2 ? target & 1u : 0u;
    if (inlay_scene_pos(sc, INLAY_OLD, target - odd, &pos)) {
        inlay_scene_addr(sc, INLAY_NEW, inlay_map_find(&l->map, pos, &trust), &addr);
        return addr + odd;
    }
    return is_data(sc, target) && l->data.count ? inlay_map_find(&l->data, target, &trust) : target;
}

/* An address that tells which table, if any, the unit at addr is in. */
static uint32_t old_address(const struct inlay_scene *sc, enum inlay_side side, uint32_t addr)
{
    for (unsigned i = 0; i < sc->tables; i++)
        if (addr - sc->table[i].addr[side] < sc->table[i].len[side])
            return sc->table[i].addr[INLAY_OLD];
    return addr;
}

/* Writes every address in the image as what it means in the new one, wherever it stands. */
static uint8_t *normalise(const struct inlay_scene *sc, enum inlay_side side,
                          const struct image *im, const struct learned *l)
{
    struct inlay_arch_state st = {0};
    uint8_t *view = inlay_huge_alloc((size_t)im->size + 1u);
    uint32_t centre = sc->space[INLAY_NEW][0].addr + im->size / 2u;
    if (!view)
        return NULL;
    memcpy(view, im->data, im->size);
    for (uint32_t pos = 0; pos < im->size;) {
        struct inlay_unit u;
        uint32_t addr, left = im->size - pos;
        uint32_t n = left < INLAY_WINDOW ? left : INLAY_WINDOW;
        inlay_scene_addr(sc, side, pos, &addr);
        inlay_scene_parse(sc, side, &st, im->data + pos, n, addr, &u);
        if (u.has_target)
            inlay_scene_aim(sc, &st, &u, view + pos, old_address(sc, side, addr), centre & ~15u,
                            side == INLAY_OLD ? map_target(sc, l, u.target) : u.target);
        pos += u.len;
    }
    return view;
}

/* One image's view, for a thread of its own. */
struct viewing {
    const struct inlay_scene *scene;
    enum inlay_side side;
    const struct image *image;
    const struct learned *learned;
    uint8_t *view; /* owned; NULL if memory is out */
};

static void make_view(void *ctx)
{
    struct viewing *v = ctx;
    v->view = normalise(v->scene, v->side, v->image, v->learned);
}

static int match_views(const struct inlay_scene *sc, const struct image *old,
                       const struct image *new, const struct learned *l,
                       const struct inlay_match_options *options, struct inlay_segments *out)
{
    struct viewing from = {sc, INLAY_OLD, old, l, NULL}, to = {sc, INLAY_NEW, new, l, NULL};
    const struct inlay_task task[2] = {{make_view, &from}, {make_view, &to}};
    int status = -1;
    inlay_parallel(task, 2, options->jobs);
    if (from.view && to.view)
        status = inlay_match_images(from.view, old->size, to.view, new->size, options, out);
    free(from.view);
    free(to.view);
    return status;
}

static int next_pass(const struct inlay_layout *layout, const struct inlay_index *index,
                     const struct image *old, const struct image *new,
                     const struct inlay_match_options *options, struct inlay_segments *segments)
{
    struct learned l = {0};
    struct inlay_segments better = {0}, indices, pairs = {0};
    struct inlay_layout known = *layout;
    struct inlay_scene sc;
    struct inlay_match_options again = *options;
    int status = -1;
    again.hint = segments;
    if (inlay_index_moves(index, segments, &known, &indices, &pairs))
        return -1;
    inlay_layout_scene(&known, &sc);
    size_t count = segments->count + indices.count;
    uint32_t most = count < MAP_MOST ? (uint32_t)count : MAP_MOST;
    if (!room_for(&l.map, most) && !room_for(&l.data, MAP_MOST) && !learn_moves(segments, &l.map)) {
        learn_map(&indices, 1, &l.map);
        inlay_map_sort(&l.map);
        learn_map(&pairs, 1, &l.data);
        learn_data(&sc, old, new, segments, &l.data);
        status = match_views(&sc, old, new, &l, &again, &better);
    }
    forget(&l);
    inlay_segments_free(&indices);
    inlay_segments_free(&pairs);
    if (status) {
        inlay_segments_free(&better);
        return status;
    }
    inlay_segments_free(segments);
    *segments = better;
    return 0;
}

/* The last word have references.  Returns 0, or -1 if memory is out. */
static int follow(const struct inlay_layout *layout, const struct image *old,
                  const struct image *new, struct inlay_segments *segments)
{
    struct learned l = {0};
    struct inlay_scene sc;
    const struct inlay_image_pair pair = {old->data, new->data, &sc};
    uint32_t most = segments->count < MAP_MOST ? (uint32_t)segments->count : MAP_MOST;
    int status = -1;
    inlay_layout_scene(layout, &sc);
    if (!room_for(&l.map, most) && !learn_moves(segments, &l.map)) {
        inlay_map_sort(&l.map);
        status = inlay_follow_references(&pair, old->size, new->size, &l.map, segments);
    }
    forget(&l);
    return status;
}

/* Large models have learned from the old image what new Thumb code looks like. */
static int has_prices(const struct inlay_layout *layout, size_t old_size, int taught)
{
    return layout->arch == INLAY_ARCH_THUMB2 && taught && old_size >= TAUGHT_MIN &&
           old_size <= TAUGHT_MAX;
}

static size_t count_fresh(const struct inlay_segments *s, size_t new_size)
{
    for (size_t i = 0; i < s->count; i++)
        new_size -= s->at[i].len;
    return new_size;
}

static int match_in_passes(const struct inlay_layout *layout, const struct inlay_index *index,
                           const struct image *old, const struct image *new,
                           const struct inlay_match_options *options, struct inlay_segments *out)
{
    int is_wasm = layout->arch == INLAY_ARCH_WASM;
    int status = inlay_match_images(old->data, old->size, new->data, new->size, options, out);
    int passes =
        is_wasm && count_fresh(out, new->size) >= new->size / FRESH_MIN ? PASSES_WASM : PASSES;
    for (int pass = 1; pass < passes && !status; pass++)
        status = next_pass(layout, index, old, new, options, out);
    if (!status && !is_wasm) /* whose indices have moves of their own */
        status = follow(layout, old, new, out);
    if (status)
        inlay_segments_free(out);
    return status;
}

int inlay_find_segments(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                        const struct inlay_layout *layout, const struct inlay_index *index,
                        int taught, unsigned jobs, struct inlay_segments *out)
{
    struct image from = {old, (uint32_t)old_size}, to = {new, (uint32_t)new_size};
    struct inlay_match_options options = {.jobs = jobs};
    *out = (struct inlay_segments){0};
    if (!has_prices(layout, old_size, taught))
        return match_in_passes(layout, index, &from, &to, &options, out);
    uint8_t *prices = inlay_price_halfwords(old, old_size, new, new_size);
    options.prices = prices;
    int status = prices ? match_in_passes(layout, index, &from, &to, &options, out) : -1;
    free(prices);
    return status;
}
