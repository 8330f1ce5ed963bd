/* SPDX-License-Identifier: Apache-2.0 */
/* The large codec as an encoder; lzma_format.h shows what it writes. */
#include "bits.h"
#include "codec_lzma.h"
#include "coder_out.h"
#include "detect.h"
#include "encode.h"
#include "lzma_format.h"
#include "lzma_predict.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define MOVE_MIN   32u
#define MOVES_MOST 65535u
#define KEPT_GOAL  (1u << 20) /* of one section's kept parts */
#define KEPT_SLACK 64u        /* what one unit and its run may add */
#define TABLE_LOG2 16u
#define MEMORY_MIN (96u << 10) /* of liblzma, beside the dictionary */

struct encoder {
    const struct inlay_encode_input *in;
    struct inlay_encoded *out;
    struct inlay_codec_setup setup;
    struct inlay_lzma_params params;
    struct inlay_lzma_predict predict;
    struct inlay_segment *move; /* owned, ascending in new_pos */
    uint32_t moves;
    void *tables; /* owned */

    struct inlay_buffer part[LZMA_PARTS]; /* of the section that is open */
    struct inlay_buffer stream;           /* what goes through liblzma next */
    uint32_t section_len;                 /* bytes of image in it */
    uint32_t hits;                        /* units guessed right since the last miss */
    uint32_t diagonal, last_block;
    uint64_t weight[LZMA_PARTS]; /* of each part, for the statistics */
    int failed;                  /* memory is out */
};

static void add(struct encoder *e, struct inlay_buffer *b, const void *data, size_t len)
{
    if (inlay_buffer_add(b, data, len))
        e->failed = 1;
}

static void add_byte(struct encoder *e, struct inlay_buffer *b, unsigned byte)
{
    if (inlay_buffer_add_byte(b, (uint8_t)byte))
        e->failed = 1;
}

static void add_number(struct encoder *e, struct inlay_buffer *b, uint32_t v)
{
    for (; v >= 128u; v >>= 7)
        add_byte(e, b, v | 128u);
    add_byte(e, b, v);
}

/* ---- liblzma ---- */

/* Packs the stream, adds it to the payload and empties it. */
static void pack_stream(struct encoder *e)
{
    lzma_options_lzma options;
    lzma_filter filters[2];
    inlay_lzma_filters(&e->params, &options, filters);
    struct inlay_buffer *to = &e->out->payload;
    /* LZMA2 stores what does not shrink, at 3 bytes per 64 KB. */
    size_t room = e->stream.len + e->stream.len / 4096 + 1024;
    if (e->failed || inlay_buffer_reserve(to, room) ||
        lzma_raw_buffer_encode(filters, NULL, e->stream.data, e->stream.len, to->data, &to->len,
                               to->room) != LZMA_OK)
        e->failed = 1;
    e->stream.len = 0;
}

/* ---- sections ---- */

static size_t kept_len(const struct encoder *e)
{
    size_t len = 0;
    for (unsigned i = 0; i < LZMA_PARTS_KEPT; i++)
        len += e->part[i].len;
    return len;
}

static void flush_hits(struct encoder *e)
{
    if (e->hits)
        add_number(e, &e->part[LZMA_PART_HITS], e->hits);
    e->hits = 0;
}

/* Notes what a part would take if every byte stood alone, in 1/256 of a bit. */
static void weigh(struct encoder *e, unsigned part)
{
    const struct inlay_buffer *b = &e->part[part];
    uint64_t count[256] = {0};
    for (size_t i = 0; i < b->len; i++)
        count[b->data[i]]++;
    for (unsigned i = 0; i < 256; i++)
        if (count[i] && count[i] < b->len)
            e->weight[part] += count[i] * inlay_coder_cost((uint32_t)(count[i] * 65536u / b->len));
}

static void close_section(struct encoder *e)
{
    struct inlay_buffer header = {0};
    flush_hits(e);
    add_number(e, &header, e->section_len);
    for (unsigned i = 0; i < LZMA_PARTS; i++)
        add_number(e, &header, (uint32_t)e->part[i].len);
    add_byte(e, &e->stream, (unsigned)header.len);
    add(e, &e->stream, header.data, header.len);
    for (unsigned i = 0; i < LZMA_PARTS; i++) {
        weigh(e, i);
        add(e, &e->stream, e->part[i].data, e->part[i].len);
        e->part[i].len = 0;
    }
    inlay_buffer_free(&header);
    e->section_len = 0;
}

/* Called where a section may end. */
static void turn_section(struct encoder *e)
{
    if (e->section_len && kept_len(e) + KEPT_SLACK > e->params.kept)
        close_section(e);
}

/* ---- copies ---- */

/* What the unit in the new image refers to, if saying so is enough to rebuild it. */
static int new_target(const struct encoder *e, const struct inlay_lzma_guess *g, const uint8_t *now,
                      uint32_t *target)
{
    uint8_t back[INLAY_UNIT_MAX];
    unsigned len = g->unit.len;
    if (!inlay_lzma_target(&e->predict, g, now, target))
        return 0;
    return inlay_lzma_aim(&e->predict, g, *target, back) && memcmp(back, now, len) == 0;
}

static void code_miss(struct encoder *e, const struct inlay_lzma_guess *g, const uint8_t *now)
{
    unsigned len = g->unit.len;
    uint32_t target;
    add_number(e, &e->part[LZMA_PART_HITS], e->hits);
    e->hits = 0;
    struct inlay_buffer *kinds = &e->part[LZMA_PART_KINDS];
    if (memcmp(now, g->aimed, len) == 0) {
        add_byte(e, kinds, LZMA_KIND_AIMED);
    } else if (memcmp(now, g->old, len) == 0) {
        add_byte(e, kinds, LZMA_KIND_OLD);
    } else if (new_target(e, g, now, &target)) {
        add_byte(e, kinds, LZMA_KIND_TARGET);
        uint8_t off[4];
        inlay_put32(off, target - g->target);
        add(e, &e->part[LZMA_PART_TARGETS], off, 4);
    } else {
        uint8_t off[INLAY_UNIT_MAX];
        add_byte(e, kinds, LZMA_KIND_BYTES);
        inlay_lzma_shift(&e->predict, now, g->now, len, -1, off);
        add(e, &e->part[LZMA_PART_BYTES], off, len);
    }
}

static int code_copy(struct encoder *e, uint32_t pos, uint32_t len, uint32_t diagonal)
{
    inlay_lzma_predict_run(&e->predict);
    while (len > 0) {
        struct inlay_lzma_guess g;
        const uint8_t *now = e->in->new + pos;
        turn_section(e);
        if (inlay_lzma_guess(&e->predict, pos + diagonal, pos, len, &g))
            return -1;
        if (memcmp(g.now, now, g.unit.len) == 0)
            e->hits++;
        else
            code_miss(e, &g, now);
        inlay_lzma_learn(&e->predict, &g, now);
        pos += g.unit.len;
        len -= g.unit.len;
        e->section_len += g.unit.len;
    }
    return 0;
}

static void code_new(struct encoder *e, uint32_t pos, uint32_t len)
{
    add(e, &e->part[LZMA_PART_NEW], e->in->new + pos, len);
    e->section_len += len;
}

/* ---- runs ---- */

/* The first segment of n that ends behind pos, or n. */
static size_t first_behind(const struct inlay_segment *at, size_t n, uint32_t pos)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (at[mid].new_pos + at[mid].len <= pos)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* What lies between two moves, or between one and the border of a block. */
static int code_gap(struct encoder *e, uint32_t pos, uint32_t end)
{
    const struct inlay_segments *all = e->in->segments;
    struct inlay_buffer *control = &e->part[LZMA_PART_CONTROL];
    for (size_t i = first_behind(all->at, all->count, pos); pos < end; i++) {
        turn_section(e);
        uint32_t from = i < all->count && all->at[i].new_pos < end ? all->at[i].new_pos : end;
        uint32_t fresh = from > pos ? from - pos : 0;
        add_number(e, control, fresh);
        code_new(e, pos, fresh);
        pos += fresh;
        if (pos == end)
            break;
        const struct inlay_segment *g = &all->at[i];
        uint32_t len = (g->new_pos + g->len < end ? g->new_pos + g->len : end) - pos;
        uint32_t diagonal = g->old_pos - g->new_pos;
        turn_section(e);
        add_number(e, control, len - 1u);
        add_number(e, control, inlay_lzma_fold(diagonal - e->diagonal));
        e->diagonal = diagonal;
        if (code_copy(e, pos, len, diagonal))
            return -1;
        pos += len;
    }
    return 0;
}

static int code_block(struct encoder *e, uint32_t pos, uint32_t len)
{
    uint32_t end = pos + len;
    while (pos < end) {
        size_t i = first_behind(e->move, e->moves, pos);
        const struct inlay_segment *m = i < e->moves ? &e->move[i] : NULL;
        uint32_t to = end;
        if (m && m->new_pos <= pos) {
            to = m->new_pos + m->len < end ? m->new_pos + m->len : end;
            e->diagonal = m->old_pos - m->new_pos;
            if (code_copy(e, pos, to - pos, e->diagonal))
                return -1;
        } else {
            to = m && m->new_pos < end ? m->new_pos : end;
            if (code_gap(e, pos, to))
                return -1;
        }
        pos = to;
    }
    return 0;
}

/* ---- steps ---- */

static void code_step(struct encoder *e, const struct inlay_order_step *step)
{
    struct inlay_buffer *control = &e->part[LZMA_PART_CONTROL];
    unsigned op = step->kind == INLAY_STEP_STAGED ? LZMA_OP_STAGED : LZMA_OP_DIRECT;
    if (step->block == e->last_block) {
        add_byte(e, control, op);
    } else {
        add_byte(e, control, op + LZMA_OP_JUMP);
        add_number(e, control, inlay_lzma_fold(step->block - e->last_block));
    }
    e->last_block = step->block + 1u;
}

static void open_group(struct encoder *e)
{
    inlay_lzma_predict_reset(&e->predict);
    e->diagonal = 0;
    add_byte(e, &e->out->payload, 1);
}

static void close_group(struct encoder *e, enum inlay_lzma_op op)
{
    add_byte(e, &e->part[LZMA_PART_CONTROL], op);
    close_section(e);
    pack_stream(e);
}

static int code_steps(struct encoder *e)
{
    const struct inlay_order *order = e->in->order;
    crypto_hash_sha256_state sha;
    int open = 0;
    for (size_t i = 0; i < order->count; i++) {
        const struct inlay_order_step *step = &order->at[i];
        uint32_t pos, len;
        if (!open) {
            open_group(e);
            crypto_hash_sha256_init(&sha);
            open = 1;
        }
        if (step->kind == INLAY_STEP_COMMIT) {
            uint8_t digest[32];
            crypto_hash_sha256_final(&sha, digest);
            close_group(e, LZMA_OP_COMMIT);
            add(e, &e->out->payload, digest, e->in->check_len);
            e->out->stats.checks += (uint64_t)e->in->check_len * 2048u;
            open = 0;
            continue;
        }
        code_step(e, step);
        inlay_lzma_block(&e->setup, step->block, &pos, &len);
        crypto_hash_sha256_update(&sha, e->in->new + pos, len);
        if (code_block(e, pos, len))
            return -1;
    }
    if (open)
        close_group(e, LZMA_OP_END);
    else
        add_byte(e, &e->out->payload, 0);
    return e->failed ? -1 : 0;
}

/* ---- the plan ---- */

static int longer_first(const void *a, const void *b)
{
    const struct inlay_segment *x = a, *y = b;
    if (x->len != y->len)
        return x->len < y->len ? 1 : -1;
    return x->new_pos < y->new_pos ? -1 : x->new_pos > y->new_pos;
}

static int by_new(const void *a, const void *b)
{
    const struct inlay_segment *x = a, *y = b;
    return x->new_pos < y->new_pos ? -1 : x->new_pos > y->new_pos;
}

static int choose_moves(struct encoder *e, uint32_t most)
{
    const struct inlay_segments *all = e->in->segments;
    e->move = malloc((all->count + 1) * sizeof *e->move);
    if (!e->move)
        return -1;
    if (all->count)
        memcpy(e->move, all->at, all->count * sizeof *e->move);
    qsort(e->move, all->count, sizeof *e->move, longer_first);
    while (e->moves < all->count && e->moves < most && e->move[e->moves].len >= MOVE_MIN)
        e->moves++;
    qsort(e->move, e->moves, sizeof *e->move, by_new);
    return 0;
}

static void plan_spaces(struct encoder *e, const struct inlay_layout *layout)
{
    const struct inlay_space *space[2] = {layout->old_space, layout->new_space};
    const uint8_t spaces[2] = {layout->old_spaces, layout->new_spaces};
    struct inlay_buffer *b = &e->stream;
    add_number(e, b, layout->data_lo);
    add_number(e, b, layout->data_hi);
    for (unsigned side = 0; side < 2; side++) {
        add_byte(e, b, spaces[side]);
        for (unsigned i = 0; i < spaces[side]; i++) {
            add_number(e, b, space[side][i].addr);
            add_number(e, b, space[side][i].pos);
            add_number(e, b, space[side][i].len);
            e->predict.scene.space[side][i] = space[side][i];
        }
        e->predict.scene.spaces[side] = spaces[side];
    }
    e->predict.scene.data_lo = layout->data_lo;
    e->predict.scene.data_hi = layout->data_hi;
}

static void plan_tables(struct encoder *e, const struct inlay_layout *layout)
{
    add_byte(e, &e->stream, layout->tables);
    for (unsigned i = 0; i < layout->tables; i++) {
        const struct inlay_table *t = &layout->table[i];
        add_byte(e, &e->stream, t->kind);
        add_number(e, &e->stream, t->addr[INLAY_OLD]);
        add_number(e, &e->stream, t->addr[INLAY_NEW]);
        add_number(e, &e->stream, t->len[INLAY_OLD]);
        e->predict.table[i] = *t;
        e->predict.table[i].len[INLAY_NEW] = 0;
    }
    e->predict.scene.table = e->predict.table;
    e->predict.scene.tables = layout->tables;
}

/* Field by field: like goes with like. */
static void plan_moves(struct encoder *e)
{
    struct inlay_buffer *b = &e->stream;
    add_number(e, b, e->moves);
    uint32_t pos = 0, diagonal = 0;
    for (uint32_t i = 0; i < e->moves; i++) {
        add_number(e, b, e->move[i].new_pos - pos);
        pos = e->move[i].new_pos + e->move[i].len;
    }
    for (uint32_t i = 0; i < e->moves; i++)
        add_number(e, b, e->move[i].len - 1u);
    for (uint32_t i = 0; i < e->moves; i++) {
        uint32_t next = e->move[i].old_pos - e->move[i].new_pos;
        add_number(e, b, inlay_lzma_fold(next - diagonal));
        diagonal = next;
        e->predict.map.move[i] =
            (struct inlay_move){e->move[i].new_pos, e->move[i].old_pos, e->move[i].len};
    }
    e->predict.map.count = e->moves;
    inlay_map_sort(&e->predict.map);
}

static void code_plan(struct encoder *e, const struct inlay_layout *layout)
{
    const struct inlay_order *order = e->in->order;
    plan_spaces(e, layout);
    plan_tables(e, layout);
    plan_moves(e);
    add_number(e, &e->stream, (uint32_t)order->pool_count);
    uint32_t pos = 0;
    for (size_t i = 0; i < order->pool_count; i++) {
        add_number(e, &e->stream, order->pool[i].pos - pos);
        add_number(e, &e->stream, order->pool[i].len - 1u);
        pos = order->pool[i].pos + order->pool[i].len;
    }
    uint8_t len[4];
    inlay_put32(len, (uint32_t)e->stream.len);
    add(e, &e->out->payload, len, 4);
    if (e->stream.len > e->params.kept)
        e->params.kept = (uint32_t)e->stream.len;
    pack_stream(e);
    e->out->plan_len = (uint32_t)e->out->payload.len;
}

/* ---- parameters ---- */

/* Divides the memory: a dictionary for the whole stream if possible, then tables, then parts. */
static void choose_params(struct encoder *e, const struct inlay_layout *layout)
{
    uint32_t memory = e->in->model_bytes > MEMORY_MIN ? e->in->model_bytes - MEMORY_MIN : 0;
    struct inlay_lzma_params *p = &e->params;
    p->arch = inlay_arch_of(layout->arch)->id;
    p->moves = (uint16_t)e->moves;
    p->ranges = (uint16_t)e->in->order->pool_count;
    p->props = 3;
    p->dict_log2 = LZMA_DICT_MIN;
    while (p->dict_log2 < LZMA_DICT_MAX && (uint32_t)1 << p->dict_log2 < e->in->new_size &&
           (uint32_t)4 << p->dict_log2 <= memory)
        p->dict_log2++;
    p->table_log2 = 6;
    while (p->table_log2 < TABLE_LOG2 && (uint32_t)256 << p->table_log2 <= memory)
        p->table_log2++;
    p->kept = memory / 8 < KEPT_GOAL ? memory / 8 : KEPT_GOAL;
    if (p->kept < 1024)
        p->kept = 1024;
}

static int read_old(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct inlay_encode_input *in = ctx;
    if (pos > in->old_size || len > in->old_size - pos)
        return INLAY_E_CORRUPT;
    memcpy(buf, in->old + pos, len);
    return 0;
}

static int open_encoder(struct encoder *e, const struct inlay_layout *layout)
{
    const struct inlay_encode_input *in = e->in;
    uint32_t most = in->model_bytes / 64u < MOVES_MOST ? in->model_bytes / 64u : MOVES_MOST;
    if (choose_moves(e, most))
        return -1;
    choose_params(e, layout);
    e->tables = malloc(inlay_lzma_predict_need(e->params.table_log2, e->moves) + 1);
    if (!e->tables)
        return -1;
    inlay_lzma_predict_open(&e->predict, e->params.table_log2, e->moves, e->tables);
    e->predict.scene.arch = inlay_arch_of(layout->arch);
    e->predict.source = (struct inlay_old){(void *)(uintptr_t)in, read_old, in->old_size};
    e->setup.new_size = in->new_size;
    e->setup.region = in->limits->region;
    e->setup.regions = in->limits->regions;
    return 0;
}

/*
 * liblzma does not say what each part took, so what all of them took is
 * divided in proportion to their weights.
 */
static void divide_stats(struct encoder *e)
{
    struct inlay_encode_stats *st = &e->out->stats;
    st->plan = (uint64_t)e->out->plan_len * 2048u;
    uint64_t left = (uint64_t)e->out->payload.len * 2048u - st->plan - st->checks, all = 0;
    uint64_t weight[3] = {e->weight[LZMA_PART_TARGETS],
                          e->weight[LZMA_PART_HITS] + e->weight[LZMA_PART_KINDS] +
                              e->weight[LZMA_PART_BYTES],
                          e->weight[LZMA_PART_NEW]};
    uint64_t *share[3] = {&st->addresses, &st->corrections, &st->new_data};
    all = weight[0] + weight[1] + weight[2] + e->weight[LZMA_PART_CONTROL] + 1u;
    st->control = left;
    for (unsigned i = 0; i < 3; i++) {
        *share[i] = (uint64_t)((long double)left * (long double)weight[i] / (long double)all);
        st->control -= *share[i];
    }
}

static void free_encoder(struct encoder *e)
{
    for (unsigned i = 0; i < LZMA_PARTS; i++)
        inlay_buffer_free(&e->part[i]);
    inlay_buffer_free(&e->stream);
    free(e->move);
    free(e->tables);
    free(e);
}

static int encode_with(const struct inlay_encode_input *in, const struct inlay_layout *layout,
                       struct inlay_encoded *out)
{
    struct encoder *e = calloc(1, sizeof *e);
    if (!e)
        return -1;
    e->in = in;
    e->out = out;
    int status = open_encoder(e, layout);
    if (!status) {
        code_plan(e, layout);
        status = code_steps(e);
    }
    uint8_t blob[LZMA_PARAMS_LEN];
    inlay_lzma_params_write(&e->params, blob);
    add(e, &out->params, blob, sizeof blob);
    if (e->failed)
        status = -1;
    divide_stats(e);
    free_encoder(e);
    return status;
}

int inlay_encode_lzma(const struct inlay_encode_input *in, struct inlay_encoded *out,
                      struct inlay_error *err)
{
    struct inlay_layout layout = *in->layout;
    inlay_coder_cost_init();
    *out = (struct inlay_encoded){.codec = INLAY_CODEC_LZMA};
    layout.old_spaces = (uint8_t)(layout.old_spaces - layout.index_spaces);
    layout.new_spaces = (uint8_t)(layout.new_spaces - layout.index_spaces);
    if (encode_with(in, &layout, out)) {
        inlay_encoded_free(out);
        return inlay_fail(err, INLAY_EXIT_FAILURE, "the encoder failed: out of memory, or a bug");
    }
    return 0;
}
