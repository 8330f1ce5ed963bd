/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: its tables, which lie behind its struct, in one piece. */
#ifndef INLAY_WALK_MEMORY_H
#define INLAY_WALK_MEMORY_H

#include "walk.h"

static size_t walk_round(size_t n)
{
    return (n + 7u) & ~(size_t)7u;
}

static size_t walk_swap_len(const struct inlay_mix_params *p)
{
    return sizeof(struct walk_swap) << walk_swaps_log2(p);
}

/* Of a place in a table: a counter with large models, or a state. */
static size_t walk_cell_len(const struct inlay_mix_params *p)
{
    return p->large ? sizeof(uint16_t) : sizeof(uint8_t);
}

static size_t walk_flag_len(const struct inlay_mix_params *p)
{
    return walk_round(walk_flags(p) * walk_cell_len(p) * inlay_mix_flags(p));
}

static size_t walk_byte_len(const struct inlay_mix_params *p)
{
    return walk_round(p->votes * walk_cell_len(p) * 16u * inlay_mix_rows(p));
}

static size_t walk_weights_len(const struct inlay_mix_params *p)
{
    return (FLAG_ROWS * walk_flag_row(p) + walk_byte_rows(p) * walk_byte_row(p)) * sizeof(int16_t);
}

/* Exception tables that the scene has room for. */
static unsigned walk_tables_most(const struct inlay_mix_params *p)
{
    return p->large ? INLAY_TABLES_MAX : 4u;
}

static size_t walk_scene_len(const struct inlay_mix_params *p)
{
    return walk_round(walk_tables_most(p) * sizeof(struct inlay_table));
}

/* Bytes of all tables. */
static size_t walk_tables_len(const struct inlay_mix_params *p)
{
    return walk_scene_len(p) + walk_round(p->moves * sizeof(struct inlay_move)) +
           walk_round(p->moves * sizeof(uint16_t)) +
           walk_round(p->ranges * sizeof(struct inlay_range)) + walk_swap_len(p) +
           walk_flag_len(p) + walk_byte_len(p) + walk_weights_len(p);
}

/* Deals them out from `at`, which is 8-aligned. */
static void walk_lay_out(struct walk *s, uint8_t *at)
{
    const struct inlay_mix_params *p = &s->params;
    s->scene.table = s->table = (struct inlay_table *)(void *)at;
    at += walk_scene_len(p);
    s->map.move = (struct inlay_move *)(void *)at;
    at += walk_round(p->moves * sizeof(struct inlay_move));
    s->map.by_old = (uint16_t *)(void *)at;
    at += walk_round(p->moves * sizeof(uint16_t));
    s->pool = (struct inlay_range *)(void *)at;
    at += walk_round(p->ranges * sizeof(struct inlay_range));
    s->swap = (struct walk_swap *)(void *)at;
    at += walk_swap_len(p);
    s->flag = (uint16_t *)(void *)at;
    at += walk_flag_len(p);
    s->byte = (uint16_t *)(void *)at;
    at += walk_byte_len(p);
    s->weight_flag = (int16_t *)(void *)at;
    s->weight_byte = s->weight_flag + FLAG_ROWS * walk_flag_row(p);
}

#endif
