/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rest of the walk, in both directions too: the plan at the head of the
 * payload, and the steps between blocks.
 */
#ifndef INLAY_WALK_PLAN_H
#define INLAY_WALK_PLAN_H

#include "prior.h"
#include "walk_memory.h"
#include "walk_run.h"

/* Weights at first, of all voters together but that by class. */
#define WEIGHT_FLAG  3300
#define WEIGHT_CLASS 2000
#define WEIGHT_BYTE  5500
#define WEIGHT_HUNCH 2200 /* of the first hunch; half of it of the others */
#define WEIGHT_USUAL 1500

enum walk_phase { PHASE_START, PHASE_SPACES, PHASE_TABLES, PHASE_MOVES, PHASE_POOL, PHASE_BODY };

/* Of each voter's two inputs only the first counts at first. */
static void walk_reset_weights(struct walk *s)
{
    unsigned flags = walk_flags(&s->params), row = flags + 1u;
    for (unsigned i = 0; i < FLAG_ROWS * row; i++) {
        s->weight_flag[2u * i] = (int16_t)(i % row < flags ? WEIGHT_FLAG / flags : WEIGHT_CLASS);
        s->weight_flag[2u * i + 1u] = 0;
    }
    unsigned votes = s->params.votes;
    row = walk_byte_row(&s->params) / 2u;
    for (unsigned i = 0; i < walk_byte_rows(&s->params) * row; i++) {
        s->weight_byte[2u * i] = (int16_t)(i % row < votes         ? WEIGHT_BYTE / votes
                                           : i % row == votes      ? WEIGHT_HUNCH
                                           : i % row == votes + 1u ? WEIGHT_HUNCH / 2
                                                                   : WEIGHT_USUAL);
        s->weight_byte[2u * i + 1u] = 0;
    }
}

static void walk_reset_tables(struct walk *s)
{
    uint32_t flags = walk_flags(&s->params) * inlay_mix_flags(&s->params);
    uint32_t bytes = 16u * s->params.votes * inlay_mix_rows(&s->params);
    if (!s->params.large) {
        memset(s->flag, INLAY_STATE_START, flags);
        memset(s->byte, INLAY_STATE_START, bytes);
        return;
    }
    for (uint32_t i = 0; i < flags; i++)
        s->flag[i] = INLAY_COUNTER_START;
    for (uint32_t i = 0; i < bytes; i++)
        s->byte[i] = INLAY_COUNTER_START;
}

/* All but lessons, steps and remembered diagonals. */
static void walk_reset_models(struct walk *s)
{
    for (unsigned i = 0; i < CONTROL_COUNTERS; i++)
        if (i < FLAG_STEP || i >= FLAG_STEP + 8u)
            s->control[i] = inlay_prior(i);
    for (unsigned i = 0; i < CLASSES; i++)
        s->class[i] = inlay_prior(CONTROL_COUNTERS + i);
    walk_reset_tables(s);
    walk_reset_weights(s);
    memset(s->swap, 0, walk_swap_len(&s->params));
    memset(s->shift, 0, sizeof s->shift);
    memset(s->candidate_hits, 0, sizeof s->candidate_hits);
    s->shifts = 0;
    memset(s->type_hits, 255, sizeof s->type_hits);
    s->hits = 0xffffffffu;
    s->run_length = 0;
    s->calm_left = 0;
    s->last_delta = 0;
    memset(s->half_delta, 0, sizeof s->half_delta);
    memset(s->memo, 0, sizeof s->memo);
    memset(s->memo_hits, 0, sizeof s->memo_hits);
    walk_forget_text(s);
}

static void walk_init(struct walk *s)
{
    for (unsigned i = 0; i < CONTROL_COUNTERS; i++) /* the plan asks for no others */
        s->control[i] = inlay_prior(i);
    memset(s->recent, 0, sizeof s->recent);
}

/* An address: how many low bits are zero, how many more there are above the lowest one, those. */
static uint32_t walk_address(struct walk *s, uint32_t want)
{
    unsigned zeros = 0, width = 0;
    while (zeros < 31 && !(want >> zeros & 1u))
        zeros++;
    zeros = walk_raw(s, 5, zeros);
    if (zeros == 31)
        return (uint32_t)walk_raw(s, 1, want >> 31) << 31;
    while (want >> zeros >> width > 1)
        width++;
    width = walk_raw(s, 5, width);
    if (width == 0)
        return (uint32_t)1 << zeros;
    uint32_t above = (uint32_t)1 << (width - 1u);
    above |= (uint32_t)walk_raw(s, width - 1u, want >> zeros >> 1 & (above - 1u));
    return (above << 1 | 1u) << zeros;
}

/* One space on each side, which holds the whole image, both at the same address. */
static void walk_plain_spaces(struct walk *s)
{
    uint32_t addr = walk_address(s, INLAY_WANT(s->truth->space[0][0].addr));
    for (unsigned side = 0; side < 2; side++) {
        struct inlay_space *sp = s->scene.space[side];
        s->scene.spaces[side] = 1;
        sp->pos = 0;
        sp->len = side ? s->setup.new_size : s->setup.old_size;
        sp->addr = addr;
    }
    s->plan_left = 0;
}

/* Where RAM begins on Cortex-M (ARMv7-M Architecture Reference Manual, B3.1), and elsewhere. */
#define DATA_USUAL 0x20000000u

/* Where bytes are in memory. */
static int walk_space_counts(struct walk *s)
{
    if (walk_raw(s, 1, INLAY_WANT(s->truth->data_lo != s->truth->data_hi))) {
        s->scene.data_lo = DATA_USUAL ^ walk_address(s, INLAY_WANT(s->truth->data_lo ^ DATA_USUAL));
        s->scene.data_hi =
            s->scene.data_lo + walk_address(s, INLAY_WANT(s->truth->data_hi - s->truth->data_lo));
    }
    if (walk_raw(s, 1, INLAY_WANT(truth_is_plain(s)))) {
        walk_plain_spaces(s);
        return 0;
    }
    for (unsigned side = 0; side < 2; side++) {
        uint32_t n = walk_number(s, NUMBER_MISC, INLAY_WANT(s->truth->spaces[side]));
        if (n > INLAY_SPACES_MAX)
            return INLAY_E_CORRUPT;
        s->scene.spaces[side] = (uint8_t)n;
    }
    s->plan_left = (uint32_t)s->scene.spaces[0] + s->scene.spaces[1];
    return 0;
}

/* Spaces behind an image hold no bytes: their addresses are indices. */
#define POSITION_MAX 0x7fffffffu

/* The end of an image and of what spaces add to it. */
static uint32_t walk_end(const struct walk *s, enum inlay_side side)
{
    uint32_t size = side == INLAY_NEW ? s->setup.new_size : s->setup.old_size;
    unsigned n = s->scene.spaces[side];
    const struct inlay_space *last = &s->scene.space[side][n ? n - 1u : 0u];
    return n && last->pos + last->len > size ? last->pos + last->len : size;
}

static int walk_one_space(struct walk *s)
{
    unsigned i = (unsigned)s->scene.spaces[0] + s->scene.spaces[1] - s->plan_left;
    unsigned side = i >= s->scene.spaces[0];
    i -= side ? s->scene.spaces[0] : 0u;
    struct inlay_space *sp = &s->scene.space[side][i];
    uint32_t size = side ? s->setup.new_size : s->setup.old_size;
    uint32_t from = i ? sp[-1].pos + sp[-1].len : 0;
    unsigned paired = side && i < s->scene.spaces[0];
    if (walk_raw(s, 1, INLAY_WANT(truth_is_whole_space(s, side, i)))) {
        sp->pos = 0;
        sp->len = size;
    } else if (paired) {
        const struct inlay_space *old = &s->scene.space[0][i];
        from += old->pos - (i ? old[-1].pos + old[-1].len : 0);
        sp->pos = from + walk_signed(s, NUMBER_MISC, INLAY_WANT(s->truth->space[1][i].pos - from));
        sp->len = old->len +
                  walk_signed(s, NUMBER_MISC, INLAY_WANT(s->truth->space[1][i].len - old->len));
    } else {
        sp->pos =
            from + walk_number(s, NUMBER_MISC, INLAY_WANT(s->truth->space[side][i].pos - from));
        sp->len = walk_number(s, NUMBER_MISC, INLAY_WANT(s->truth->space[side][i].len));
    }
    if (sp->pos > POSITION_MAX || sp->len > POSITION_MAX - sp->pos ||
        (sp->pos < size && sp->len > size - sp->pos))
        return INLAY_E_CORRUPT;
    if (paired &&
        walk_raw(s, 1, INLAY_WANT(s->truth->space[1][i].addr == s->scene.space[0][i].addr)))
        sp->addr = s->scene.space[0][i].addr;
    else
        sp->addr = walk_address(s, INLAY_WANT(s->truth->space[side][i].addr));
    return 0;
}

static int walk_table_count(struct walk *s)
{
    s->plan_left = walk_number(s, NUMBER_MISC, INLAY_WANT(s->truth->tables));
    return s->plan_left > walk_tables_most(&s->params) ? INLAY_E_CORRUPT : 0;
}

static int walk_one_table(struct walk *s)
{
    struct inlay_table *t = &s->table[s->scene.tables];
    t->kind = (uint8_t)walk_raw(s, 3, INLAY_WANT(truth_table(s)->kind));
    t->addr[INLAY_OLD] = walk_number(s, NUMBER_MISC, INLAY_WANT(truth_table(s)->addr[0]));
    t->addr[INLAY_NEW] =
        t->addr[INLAY_OLD] +
        walk_signed(s, NUMBER_MISC, INLAY_WANT(truth_table(s)->addr[1] - t->addr[0]));
    t->len[INLAY_OLD] = walk_number(s, NUMBER_MISC, INLAY_WANT(truth_table(s)->len[0]));
    s->scene.tables++;
    return t->kind > (t > s->table ? INLAY_TABLE_INDEX : INLAY_TABLE_DATA) ? INLAY_E_CORRUPT : 0;
}

/* 1 if a move lies in its image on either side, or on neither. */
static int walk_move_fits(const struct walk *s, const struct inlay_move *m)
{
    uint32_t old_size = s->setup.old_size, new_size = s->setup.new_size;
    uint32_t end = m->new_pos < new_size ? old_size : walk_end(s, INLAY_OLD);
    if (m->old_pos > end || m->len > end - m->old_pos)
        return 0;
    return m->new_pos < new_size ? m->len <= new_size - m->new_pos : m->old_pos >= old_size;
}

static int walk_one_move(struct walk *s)
{
    struct inlay_move *m = &s->map.move[s->map.count];
    uint32_t room = walk_end(s, INLAY_NEW) - s->plan_pos;
    uint32_t gap = walk_number(s, NUMBER_GAP, INLAY_WANT(truth_move(s)->new_pos - s->plan_pos));
    if (gap >= room)
        return INLAY_E_CORRUPT;
    m->new_pos = s->plan_pos + gap;
    m->len = room - gap;
    if (s->plan_left > 1 || !walk_bit(s, FLAG_END, INLAY_WANT(truth_move(s)->len == m->len)))
        m->len = 1u + walk_number(s, NUMBER_LEN, INLAY_WANT(truth_move(s)->len - 1u));
    if (m->len > room - gap)
        return INLAY_E_CORRUPT;
    s->plan_pos = m->new_pos + m->len;
    walk_remember(s,
                  walk_diagonal(s, 0, INLAY_WANT(truth_move(s)->old_pos - truth_move(s)->new_pos)));
    m->old_pos = m->new_pos + s->diagonal;
    s->map.count++;
    return walk_move_fits(s, m) ? 0 : INLAY_E_CORRUPT;
}

static int walk_one_range(struct walk *s)
{
    struct inlay_range *r = &s->pool[s->pool_count];
    uint32_t room = s->setup.old_size - s->plan_pos;
    uint32_t gap =
        walk_number(s, NUMBER_GAP, INLAY_WANT(s->truth->range[s->pool_count].pos - s->plan_pos));
    if (gap >= room)
        return INLAY_E_CORRUPT;
    r->pos = s->plan_pos + gap;
    r->len = 1u + walk_number(s, NUMBER_LEN, INLAY_WANT(s->truth->range[s->pool_count].len - 1u));
    if (r->len > room - gap)
        return INLAY_E_CORRUPT;
    s->plan_pos = r->pos + r->len;
    s->pool_count++;
    return 0;
}

/* The plan is read: models for the body, which learn from the old image as far as the plan says. */
static int walk_begin_body(struct walk *s)
{
    uint32_t taught =
        s->params.large ? walk_number(s, NUMBER_MISC, INLAY_WANT(s->truth->taught)) : 0;
    INLAY_PLANNED(s);
    walk_reset_models(s);
    memset(s->lesson, 0, sizeof s->lesson);
    memset(s->lessons, 0, sizeof s->lessons);
    memset(s->recent, 0, sizeof s->recent);
    return taught ? walk_teach(s, taught) : 0;
}

/* Starts the next phase: how many items does it have? */
static int walk_next_phase(struct walk *s)
{
    s->phase++;
    s->plan_pos = 0;
    switch (s->phase) {
    case PHASE_SPACES:
        return walk_space_counts(s);
    case PHASE_TABLES:
        return walk_table_count(s);
    case PHASE_MOVES:
        s->plan_left = s->params.moves;
        return 0;
    case PHASE_POOL:
        inlay_map_sort(&s->map);
        s->plan_left = s->params.ranges;
        return 0;
    default:
        return walk_begin_body(s);
    }
}

/* One item of the plan; the plan is complete when phase is PHASE_BODY. */
static int walk_plan_item(struct walk *s)
{
    INLAY_ACCOUNT(s, plan);
    if (s->plan_left == 0)
        return walk_next_phase(s);
    int status = s->phase == PHASE_SPACES   ? walk_one_space(s)
                 : s->phase == PHASE_TABLES ? walk_one_table(s)
                 : s->phase == PHASE_MOVES  ? walk_one_move(s)
                                            : walk_one_range(s);
    s->plan_left--;
    return status;
}

/* ---- steps ---- */

/* Position and length of a block of the slot; len 0: there is no such block. */
static void walk_block(const struct walk *s, uint32_t block, uint32_t *pos, uint32_t *len)
{
    uint32_t at = 0;
    *len = 0;
    if (s->setup.regions == 0 && block == 0)
        *len = s->setup.new_size;
    for (unsigned i = 0; i < s->setup.regions; i++) {
        const struct inlay_region *r = &s->setup.region[i];
        if (block < r->count) {
            at += block * r->block_len;
            *len = r->block_len;
            break;
        }
        block -= r->count;
        at += r->count * r->block_len;
    }
    *pos = at;
    if (at >= s->setup.new_size)
        *len = 0;
    else if (*len > s->setup.new_size - at)
        *len = s->setup.new_size - at;
}

/* Which block is next; the direction turns when the last one's other neighbour is. */
static uint32_t walk_step_index(struct walk *s)
{
    uint32_t block = s->next_block, last = block - (s->down ? 0u - 1u : 1u);
    s->trend = (uint8_t)walk_bit(s, FLAG_TREND + s->trend,
                                 INLAY_WANT(truth_step(s)->block == s->next_block));
    if (!s->trend)
        block += walk_signed(s, NUMBER_BLOCK, INLAY_WANT(truth_step(s)->block - s->next_block));
    if (block == last + 1u || block == last - 1u)
        s->down = block != last + 1u;
    s->next_block = block + (s->down ? 0u - 1u : 1u);
    return block;
}

static int walk_step_block(struct walk *s, struct inlay_step_cmd *cmd)
{
    cmd->kind = INLAY_STEP_DIRECT;
    if (s->setup.recipes ||
        (s->staged < s->setup.stage_blocks &&
         walk_bit(s, FLAG_STEP + 3u, INLAY_WANT(truth_step(s)->kind == INLAY_STEP_STAGED)))) {
        cmd->kind = INLAY_STEP_STAGED;
        s->staged++;
    }
    s->in_group = 1;
    cmd->block = walk_step_index(s);
    walk_block(s, cmd->block, &s->pos, &cmd->len);
    s->end = s->pos + cmd->len;
    s->run = RUN_NONE;
    s->run_left = 0;
    return cmd->len ? 0 : INLAY_E_CORRUPT;
}

/* The latest lessons of a list come to lie first, the oldest of them in front; the others go. */
static void walk_keep_lessons(struct walk *s, unsigned outside, unsigned most)
{
    struct walk_lesson kept[LESSONS_KEPT_IN];
    unsigned n = 0;
    for (unsigned i = most; i > 0; i--) {
        const struct walk_lesson *l = &s->lesson[outside][(s->lessons[outside] - i) % LESSONS];
        if (l->to)
            kept[n++] = *l;
    }
    memset(s->lesson[outside], 0, sizeof s->lesson[outside]);
    memcpy(s->lesson[outside], kept, n * sizeof *kept);
    s->lessons[outside] = (uint8_t)n;
}

static void walk_commit(struct walk *s, struct inlay_step_cmd *cmd)
{
    INLAY_ACCOUNT(s, checks);
    cmd->kind = INLAY_STEP_COMMIT;
    cmd->check_len = s->setup.check_len;
    for (unsigned i = 0; i < cmd->check_len; i++)
        cmd->check[i] = (uint8_t)walk_raw(s, 8, INLAY_WANT(s->truth->check[i]));
    walk_keep_lessons(s, 0, LESSONS_KEPT_IN);
    walk_keep_lessons(s, 1, LESSONS_KEPT_OUT);
    walk_reset_models(s);
    s->in_group = 0;
    s->staged = 0;
}

/* A block; or what ends the group, or behind a commit the payload. */
static int walk_step(struct walk *s, struct inlay_step_cmd *cmd)
{
    INLAY_ACCOUNT(s, control);
    unsigned counter = s->in_group;
    if (s->staged && s->setup.recipes)
        counter = 3;
    else if (s->staged && s->staged == s->setup.stage_blocks)
        counter = 2;
    memset(cmd, 0, sizeof *cmd);
    if (walk_bit(s, FLAG_STEP + counter,
                 INLAY_WANT(truth_step(s)->kind <= INLAY_STEP_STAGED)))
        return walk_step_block(s, cmd);
    if (s->in_group)
        walk_commit(s, cmd);
    else
        cmd->kind = INLAY_STEP_END;
    return 0;
}

#endif
