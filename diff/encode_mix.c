/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small codec as an encoder: compiles the patcher's own walk with a coder
 * that writes, and answers what each decision wants to be.
 */
#include "align.h"
#include "coder_out.h"
#include "detect.h"
#include "fast_model.h"
#include "huge.h"
#include "index.h"
#include "mix_params.h"
#include "moves.h"
#include "parallel.h"
#include "recipes.h"
#include "rehearsal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct truth {
    const uint8_t *old, *new;
    uint32_t old_size;
    const struct inlay_segments *segments;
    size_t at;                        /* the first segment that ends behind the current position */
    const struct inlay_segment *move; /* the map, owned */
    uint32_t moves;
    const struct inlay_range *range;
    uint32_t ranges;
    uint8_t spaces[2];
    const struct inlay_space *space[2];
    uint32_t data_lo, data_hi;
    const struct inlay_table *table;
    uint32_t tables;
    const struct inlay_order_step *step;
    uint8_t check[32];
    uint8_t taught;              /* how much of the old image large models learn first */
    struct foresight *foresight; /* owned; see look_ahead.h */
};

struct walk;
struct walk_guess;
static int truth_guess(struct walk *s, struct walk_guess *g);
static uint32_t truth_byte(struct walk *s, unsigned i);
static uint32_t truth_is(struct walk *s, const uint8_t *bytes, unsigned len);
static uint32_t truth_is_calm(struct walk *s, const struct walk_guess *g);
static uint32_t truth_is_near(struct walk *s, const struct walk_guess *g);
static uint32_t truth_near_delta(struct walk *s, const struct walk_guess *g);
static uint32_t truth_is_copy(struct walk *s);
static uint32_t truth_run_len(struct walk *s, uint32_t left);
static uint32_t truth_diagonal(struct walk *s);
static uint32_t truth_is_whole_space(struct walk *s, unsigned side, unsigned i);
static uint32_t truth_is_plain(struct walk *s);
static const struct inlay_table *truth_table(struct walk *s);
static const struct inlay_segment *truth_move(struct walk *s);
static const struct inlay_order_step *truth_step(struct walk *s);
static void truth_planned(struct walk *s);

#include "fast_byte.h"
#include "walk_plan.h"

static uint32_t truth_byte(struct walk *s, unsigned i)
{
    return s->truth->new[s->pos + i];
}

static uint32_t truth_is(struct walk *s, const uint8_t *bytes, unsigned len)
{
    return memcmp(s->truth->new + s->pos, bytes, len) == 0;
}

#include "look_ahead.h"

/* The new unit, as far as it is of the same kind as the old one. */
static void truth_parse(struct walk *s, struct inlay_arch_state *st, const uint8_t *now,
                        const struct walk_guess *g, struct inlay_unit *u)
{
    if (g->unit.type < INLAY_TYPE_POINTER) {
        s->scene.arch->parse(st, now, g->unit.len, g->new_addr, u);
        return;
    }
    *u = g->unit;
    u->target = inlay_scene_word_target(&s->scene, (enum inlay_scene_type)g->unit.type, now,
                                        g->old_addr, g->new_addr);
}

/* What the missed unit really refers to, or 0 if it is no longer such a unit. */
static int truth_target(struct walk *s, const struct walk_guess *g, uint32_t *target)
{
    const uint8_t *now = s->truth->new + s->pos;
    uint8_t back[INLAY_UNIT_MAX];
    memcpy(back, g->old, g->unit.len);
    struct inlay_arch_state st = s->old_state;
    struct inlay_unit u;
    truth_parse(s, &st, now, g, &u);
    *target = u.target;
    if (!u.has_target || u.type != g->unit.type)
        return 0;
    inlay_scene_aim(&s->scene, &s->old_state, &g->unit, back, g->old_addr, g->new_addr, u.target);
    return memcmp(back, now, g->unit.len) == 0;
}

static uint32_t truth_is_near(struct walk *s, const struct walk_guess *g)
{
    uint32_t target;
    if (!truth_target(s, g, &target))
        return 0;
    uint32_t delta = target - g->near_target;
    return delta + 0x4000u < 0x8000u;
}

static uint32_t truth_near_delta(struct walk *s, const struct walk_guess *g)
{
    uint32_t target = 0;
    truth_target(s, g, &target);
    return target - g->near_target;
}

/* The first segment that ends behind the current position, or NULL. */
static const struct inlay_segment *here(struct walk *s)
{
    const struct inlay_segments *all = s->truth->segments;
    size_t lo = 0, hi = all->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (all->at[mid].new_pos + all->at[mid].len <= s->pos)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < all->count ? &all->at[lo] : NULL;
}

static uint32_t truth_is_copy(struct walk *s)
{
    const struct inlay_segment *g = here(s);
    return g && g->new_pos <= s->pos;
}

static uint32_t truth_run_len(struct walk *s, uint32_t left)
{
    const struct inlay_segment *g = here(s);
    if (!g)
        return left;
    uint32_t len = g->new_pos <= s->pos ? g->new_pos + g->len - s->pos : g->new_pos - s->pos;
    return len < left ? len : left;
}

static uint32_t truth_diagonal(struct walk *s)
{
    const struct inlay_segment *g = here(s);
    return g ? g->old_pos - g->new_pos : 0;
}

static uint32_t truth_is_whole_space(struct walk *s, unsigned side, unsigned i)
{
    const struct inlay_space *sp = &s->truth->space[side][i];
    return sp->pos == 0 && sp->len == (side ? s->setup.new_size : s->setup.old_size);
}

static uint32_t truth_is_plain(struct walk *s)
{
    const struct truth *t = s->truth;
    return t->spaces[0] == 1 && t->spaces[1] == 1 && truth_is_whole_space(s, 0, 0) &&
           truth_is_whole_space(s, 1, 0) && t->space[0][0].addr == t->space[1][0].addr;
}

static const struct inlay_table *truth_table(struct walk *s)
{
    return &s->truth->table[s->scene.tables];
}

static const struct inlay_segment *truth_move(struct walk *s)
{
    return &s->truth->move[s->map.count];
}

static const struct inlay_order_step *truth_step(struct walk *s)
{
    return s->truth->step;
}

/* ---- the map ---- */

static struct inlay_segment *choose_moves(const struct inlay_encode_input *in,
                                          const struct inlay_layout *layout,
                                          const struct inlay_segments *indices, uint32_t most,
                                          uint32_t *count)
{
    struct inlay_scene sc;
    inlay_layout_scene(layout, &sc);
    const struct inlay_moves_input moves = {
        .old = in->old,
        .new = in->new,
        .scene = &sc,
        .segments = in->segments,
        .indices = indices,
        .block_len = in->limits->regions ? in->limits->region[0].block_len : 0,
        .most = most};
    return inlay_choose_moves(&moves, count);
}

/* ---- parameters ---- */

#define MOVE_BYTES 14u /* of state */
#define MOVES_MAX  4096u

/* Large models learn so many bytes of the old image for each that is new, 32 KB at least. */
#define TAUGHT_TIMES 64u
#define TAUGHT_LEAST 6u

/* A way to use the model memory. */
struct shape {
    uint8_t votes;
    uint8_t large;
    uint8_t ratio;    /* bytes in byte tables for each in flag tables, at most */
    uint8_t move_ram; /* at least one move for so many bytes of model */
};

/* Bytes of the decoder's state. */
static uint64_t memory(const struct inlay_mix_params *p)
{
    return sizeof(struct walk) + walk_tables_len(p);
}

/* Makes *size one larger unless the tables then were too large, or larger than is of use. */
static int grow(const struct inlay_encode_input *in, struct inlay_mix_params *p, uint8_t *size,
                uint32_t useful)
{
    ++*size;
    if (*size <= INLAY_MIX_TABLE_MAX && inlay_mix_size(*size) <= useful &&
        memory(p) <= in->model_bytes)
        return 1;
    --*size;
    return 0;
}

/* Splits the model memory, no more of it than so small an image can fill. */
static void choose_sizes(const struct inlay_encode_input *in, const struct shape *shape,
                         struct inlay_mix_params *p)
{
    uint32_t flags = in->new_size / 16u;
    uint32_t rows = p->large ? in->old_size + in->new_size : in->new_size / 8u;
    int more = 1;
    p->flags = p->rows = 0;
    while (more) {
        int bytes_first = walk_byte_len(p) <= shape->ratio * walk_flag_len(p);
        more = bytes_first ? grow(in, p, &p->rows, rows) || grow(in, p, &p->flags, flags)
                           : grow(in, p, &p->flags, flags) || grow(in, p, &p->rows, rows);
    }
}

/* Tables come in steps: moves may have what these leave. */
static uint32_t most_moves(const struct inlay_encode_input *in, const struct shape *shape,
                           const struct inlay_mix_params *params)
{
    struct inlay_mix_params p = *params;
    uint32_t most = in->model_bytes / shape->move_ram;
    most = most < MOVES_MAX ? most : MOVES_MAX;
    p.moves = (uint16_t)most;
    choose_sizes(in, shape, &p);
    uint64_t used = memory(&p);
    if (used < in->model_bytes)
        most += (uint32_t)(in->model_bytes - used) / MOVE_BYTES;
    return most < MOVES_MAX ? most : MOVES_MAX;
}

/* ---- the stream ---- */

#define SHOWN_EACH 2048u /* bytes of new image: a rehearsal sees what they came to */

struct encoder {
    struct walk walk;
    void *tables;
    struct truth truth;
    const struct inlay_encode_input *in;
    struct inlay_encoded *out;
    crypto_hash_sha256_state group;
    struct inlay_recipes recipes;      /* of the group, if there are any */
    struct inlay_rehearsal *rehearsal; /* or NULL */
    int status;
};

static int read_old(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct inlay_encode_input *in = ctx;
    if (pos > in->old_size || len > in->old_size - pos)
        return INLAY_E_CORRUPT;
    memcpy(buf, in->old + pos, len);
    return 0;
}

static uint64_t shifts(const struct encoder *e)
{
    return e->out->payload.len + e->walk.rc.cache_run + e->walk.rc.started;
}

/* Nothing but what is taught is left of the plan: it can be rehearsed, as a payload of its own. */
static void truth_planned(struct walk *s)
{
    struct encoder *e = (struct encoder *)s; /* whose first member it is */
    struct inlay_buffer plan = {0};
    struct inlay_coder coder = s->rc;
    if (!e->rehearsal || inlay_buffer_add(&plan, e->out->payload.data, e->out->payload.len))
        return;
    coder.out = &plan;
    inlay_coder_finish(&coder);
    inlay_rehearsal_plan(e->rehearsal, &plan, (size_t)shifts(e) + 4u);
}

/* Reckons the recipe of what was coded from pos on. */
static void describe(struct encoder *e, uint32_t pos, uint32_t len)
{
    const struct walk *s = &e->walk;
    uint32_t from = s->run == RUN_NEW ? INLAY_NOWHERE : pos + s->diagonal;
    inlay_recipes_bytes(&e->recipes, pos, from, len);
}

static int encode_block(struct encoder *e, const struct inlay_step_cmd *cmd)
{
    struct walk *s = &e->walk;
    int described = e->in->limits->recipe_len != 0;
    if (e->in->check_len)
        crypto_hash_sha256_update(&e->group, e->in->new + s->pos, cmd->len);
    if (described)
        inlay_recipes_block(&e->recipes);
    while (s->pos != s->end) {
        uint8_t unit[INLAY_UNIT_MAX];
        unsigned len;
        uint32_t pos = s->pos;
        if (walk_unit(s, unit, &len))
            return -1;
        if (memcmp(unit, e->in->new + pos, len) != 0)
            return -1;
        if (described)
            describe(e, pos, len);
        if (e->rehearsal && (s->pos ^ pos) >= SHOWN_EACH)
            inlay_rehearsal_put(e->rehearsal, &e->out->payload);
    }
    fast_settle(s);
    if (described)
        inlay_recipes_block_end(&e->recipes, cmd->block);
    return 0;
}

static int encode_steps(struct encoder *e)
{
    struct walk *s = &e->walk;
    static const struct inlay_order_step end = {INLAY_STEP_END, 0};
    crypto_hash_sha256_init(&e->group);
    for (size_t i = 0; i <= e->in->order->count; i++) {
        struct inlay_step_cmd cmd;
        e->truth.step = i < e->in->order->count ? &e->in->order->at[i] : &end;
        if (e->truth.step->kind == INLAY_STEP_COMMIT) {
            crypto_hash_sha256_final(&e->group, e->truth.check);
            crypto_hash_sha256_init(&e->group);
            if (e->recipes.used > e->out->recipe_len)
                e->out->recipe_len = e->recipes.used;
            inlay_recipes_group(&e->recipes);
        }
        if (walk_step(s, &cmd))
            return -1;
        if (cmd.kind <= INLAY_STEP_STAGED && encode_block(e, &cmd))
            return -1;
    }
    return 0;
}

static int encode_stream(struct encoder *e)
{
    struct walk *s = &e->walk;
    while (s->phase != PHASE_BODY)
        if (walk_plan_item(s))
            return -1;
    uint64_t plan_len = shifts(e) + 4u;
    if (encode_steps(e))
        return -1;
    inlay_coder_finish(&s->rc);
    e->out->plan_len = (uint32_t)(plan_len < e->out->payload.len ? plan_len : e->out->payload.len);
    return s->rc.failed ? -1 : 0;
}

/* All of the stream, for a thread of its own. */
static void write_stream(void *ctx)
{
    struct encoder *e = ctx;
    e->status = encode_stream(e);
    fast_settle(&e->walk); /* if it failed, too: nothing may be left for the next walk */
    if (e->rehearsal)
        inlay_rehearsal_end(e->rehearsal, &e->out->payload, e->status != 0);
}

/* Another thread rehearses the proof of a patch of the simple kind, which is the only trial then.
 */
static void write_and_rehearse(struct encoder *e)
{
    const struct inlay_encode_input *in = e->in;
    const struct inlay_order_limits *limits = in->limits;
    const struct inlay_codec_setup setup = {.params = e->out->params.data,
                                            .params_len = e->out->params.len,
                                            .old_size = in->old_size,
                                            .new_size = in->new_size,
                                            .check_len = in->check_len};
    int is_simple = e->walk.params.large && !limits->regions && !limits->in_place;
    if (in->rehearsal && in->jobs > 1 && is_simple &&
        !inlay_rehearsal_open(in->rehearsal, &setup, in->old))
        e->rehearsal = in->rehearsal;
    const struct inlay_task task[2] = {{write_stream, e}, {inlay_rehearsal_run, e->rehearsal}};
    inlay_parallel(task, e->rehearsal ? 2 : 1, in->jobs);
}

/* Little new data is not worth the time that learning takes. */
static uint8_t taught_log2(const struct inlay_encode_input *in)
{
    uint64_t new_bytes = in->new_size;
    for (size_t i = 0; i < in->segments->count; i++)
        new_bytes -= in->segments->at[i].len;
    uint8_t log2 = TAUGHT_LEAST;
    while (log2 < INLAY_MIX_TAUGHT_MAX && (uint64_t)512u << log2 < TAUGHT_TIMES * new_bytes)
        log2++;
    return log2;
}

static void open_walk(struct encoder *e, const struct inlay_layout *layout,
                      const struct inlay_mix_params *params)
{
    struct walk *s = &e->walk;
    s->params = *params;
    s->scene.arch = inlay_arch_of((enum inlay_arch_id)params->arch);
    s->setup.old_size = e->in->old_size;
    s->setup.new_size = e->in->new_size;
    s->setup.region = e->in->limits->region;
    s->setup.regions = e->in->limits->regions;
    s->setup.in_place = e->in->limits->in_place;
    s->setup.check_len = e->in->check_len;
    s->setup.stage_blocks = e->in->order->stage_blocks;
    s->setup.recipes = e->in->limits->recipe_len != 0;
    s->setup.old = (struct inlay_old){(void *)(uintptr_t)e->in, read_old, e->in->old_size};
    s->truth = &e->truth;
    s->rc.range = 0xffffffffu;
    s->rc.out = &e->out->payload;
    s->rc.stats = &e->out->stats;
    s->scene.data_lo = s->scene.data_hi = 0;
    e->truth.old = e->in->old;
    e->truth.new = e->in->new;
    e->truth.old_size = e->in->old_size;
    e->truth.segments = e->in->segments;
    e->truth.taught = taught_log2(e->in);
    e->truth.range = e->in->order->pool;
    e->truth.ranges = (uint32_t)e->in->order->pool_count;
    e->truth.spaces[0] = layout->old_spaces;
    e->truth.spaces[1] = layout->new_spaces;
    e->truth.space[0] = layout->old_space;
    e->truth.space[1] = layout->new_space;
    e->truth.data_lo = layout->data_lo;
    e->truth.data_hi = layout->data_hi;
    e->truth.table = layout->table;
    uint32_t most = walk_tables_most(params);
    e->truth.tables = layout->tables < most ? layout->tables : most;
}

static void free_encoder(struct encoder *e)
{
    /* The proof comes next and needs as much, unless it has its own by now. */
    if (e->in->rehearsal && !e->rehearsal)
        inlay_huge_keep(e->tables, walk_tables_len(&e->walk.params) + FAST_SLACK);
    else
        free(e->tables);
    free((void *)(uintptr_t)e->truth.move);
    free(e->truth.foresight);
    free(e);
}

static int add_uvarint(struct inlay_buffer *out, uint32_t v)
{
    for (; v > 127u; v >>= 7)
        if (inlay_buffer_add_byte(out, (uint8_t)(v | 128u)))
            return -1;
    return inlay_buffer_add_byte(out, (uint8_t)v);
}

static int write_params(const struct inlay_mix_params *p, struct inlay_buffer *out)
{
    uint8_t kind = (uint8_t)(p->arch | (p->votes - INLAY_MIX_VOTES_MIN) << 4 | p->large << 7);
    if (inlay_buffer_add_byte(out, kind) || inlay_buffer_add_byte(out, p->flags) ||
        inlay_buffer_add_byte(out, p->rows) ||
        ((p->moves || p->ranges) && add_uvarint(out, p->moves)))
        return -1;
    return p->ranges ? add_uvarint(out, p->ranges) : 0;
}

static int encode_shape(const struct inlay_encode_input *in, const struct inlay_layout *layout,
                        const struct inlay_segments *indices, const struct shape *shape,
                        struct inlay_encoded *out)
{
    struct encoder *e = calloc(1, sizeof *e);
    if (!e)
        return -1;
    e->in = in;
    e->out = out;
    e->recipes.old = in->old;
    e->recipes.new = in->new;
    e->recipes.region = in->limits->region;
    e->recipes.regions = in->limits->regions;
    struct inlay_mix_params params = {.arch = inlay_arch_of(layout->arch)->id,
                                      .votes = shape->votes,
                                      .large = shape->large,
                                      .ranges = (uint16_t)in->order->pool_count};
    uint32_t most = most_moves(in, shape, &params);
    e->truth.move = choose_moves(in, layout, indices, most, &e->truth.moves);
    params.moves = (uint16_t)e->truth.moves;
    choose_sizes(in, shape, &params);
    open_walk(e, layout, &params);
    int status = -1;
    e->tables = inlay_huge_alloc(walk_tables_len(&params) + FAST_SLACK);
    e->truth.foresight = calloc(1, sizeof *e->truth.foresight);
    if (e->truth.move && e->tables && e->truth.foresight) {
        fast_lay_out(&e->walk, e->tables);
        walk_init(&e->walk);
        status = write_params(&params, &out->params);
    }
    if (!status) {
        write_and_rehearse(e);
        status = e->status;
    }
    free_encoder(e);
    return status;
}

/* Large models learn from the old image once: a commit, which resets them, must be the last one. */
static int may_be_large(const struct inlay_encode_input *in)
{
    unsigned commits = 0;
    for (size_t i = 0; i < in->order->count; i++)
        commits += in->order->at[i].kind == INLAY_STEP_COMMIT;
    return commits <= 1 && !in->limits->in_place && in->model_bytes >= INLAY_LARGE_MODEL;
}

/* One shape to try, for a thread of its own. */
struct trial {
    const struct inlay_encode_input *in;
    const struct inlay_layout *layout;
    const struct inlay_segments *indices;
    const struct shape *shape;
    struct inlay_encoded out;
    int failed;
};

static void try_shape(void *ctx)
{
    struct trial *t = ctx;
    t->out = (struct inlay_encoded){.codec = INLAY_CODEC_MIX};
    t->failed = encode_shape(t->in, t->layout, t->indices, t->shape, &t->out);
}

/* Small memory can be divided in ways of which none is best for all images: tries them. */
static int encode_with(const struct inlay_encode_input *in, const struct inlay_layout *layout,
                       const struct inlay_segments *indices, struct inlay_encoded *best)
{
    static const struct shape large = {8, 1, 8, 80}, large_halves = {7, 1, 8, 80},
                              small[] = {{3, 0, 10, 50}, {4, 0, 2, 50}, {2, 0, 10, 80}};
    int halves = inlay_arch_of(layout->arch)->literal_kind == INLAY_LITERAL_HALVES;
    const struct shape *shapes = !may_be_large(in) ? small : halves ? &large_halves : &large;
    struct trial trial[sizeof small / sizeof *small];
    struct inlay_task task[sizeof small / sizeof *small];
    unsigned count = shapes == small ? sizeof small / sizeof *small : 1;
    int found = 0;
    for (unsigned i = 0; i < count; i++) {
        trial[i] = (struct trial){in, layout, indices, &shapes[i], {0}, 0};
        task[i] = (struct inlay_task){try_shape, &trial[i]};
    }
    inlay_parallel(task, count, in->jobs);
    for (unsigned i = 0; i < count; i++) {
        struct inlay_encoded loser = trial[i].out;
        if (!trial[i].failed && (!found++ || trial[i].out.payload.len < best->payload.len)) {
            loser = *best;
            *best = trial[i].out;
        }
        inlay_encoded_free(&loser);
    }
    return found ? 0 : -1;
}

int inlay_encode_mix(const struct inlay_encode_input *in, struct inlay_encoded *out,
                     struct inlay_error *err)
{
    struct inlay_layout layout = *in->layout;
    inlay_fast_model_init();
    inlay_coder_cost_init();
    *out = (struct inlay_encoded){.codec = INLAY_CODEC_MIX};
    struct inlay_segments indices;
    int status = inlay_index_moves(in->index, in->segments, &layout, &indices, NULL);
    if (!status)
        status = encode_with(in, &layout, &indices, out);
    inlay_segments_free(&indices);
    if (status) {
        inlay_encoded_free(out);
        return inlay_fail(err, INLAY_EXIT_FAILURE, "the encoder failed: out of memory, or a bug");
    }
    return 0;
}

void inlay_encoded_free(struct inlay_encoded *e)
{
    inlay_buffer_free(&e->params);
    inlay_buffer_free(&e->payload);
}
