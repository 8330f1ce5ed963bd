/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The large codec as a decoder; lzma_format.h shows what it reads.
 *
 * Every wait for input is inside inlay_lzma_inflate(), inlay_lzma_close() or raw_byte(), and what
 * is behind it goes on where it was: the functions up to produce() keep their progress in the state
 * and may be called again.
 */
#include "codec_lzma.h"
#include "bits.h"
#include "bytes.h"
#include "detect.h"
#include "lzma_format.h"
#include "lzma_plan.h"
#include "lzma_stream.h"

#include <string.h>

#define ARENA_SLACK 4096u /* for rounding */

enum section { SECTION_LEN, SECTION_HEADER, SECTION_PARTS };
enum group { GROUP_NONE, GROUP_OPEN, GROUP_CLOSING, GROUP_CHECK };
enum run { RUN_NONE, RUN_COPY, RUN_NEW };

struct large {
    struct inlay_codec_setup setup;
    struct inlay_lzma_params params;
    struct inlay_lzma_predict predict;
    struct inlay_range *pool;
    uint32_t pool_count;

    struct inlay_lzma_stream stream;

    uint8_t raw[4]; /* bytes that do not go through liblzma */
    uint32_t raw_got;
    uint8_t planned; /* the plan was read */

    uint8_t section; /* enum section: what of the next one is being read */
    uint8_t header_len, header[LZMA_HEADER_MAX];
    uint8_t *kept;       /* params.kept bytes: the plan, later a section's parts */
    uint32_t want, got;  /* bytes of what is being read, and those that are there */
    uint32_t out_left;   /* bytes of image in this section */
    uint32_t fresh_left; /* new data of them */
    struct inlay_bytes part[LZMA_PARTS_KEPT];

    uint8_t group; /* enum group */
    uint8_t ends;  /* this group is the last one */
    struct inlay_step_cmd check;
    uint32_t last_block; /* plus 1; 0: none yet */
    uint32_t pos, end;   /* in the new image; end of the block */
    uint8_t run;         /* enum run */
    uint8_t has_hits;
    uint8_t gap_stage; /* 1: a copy follows the new data of this gap */
    uint32_t run_left, diagonal, hits;
    uint8_t unit[INLAY_UNIT_MAX], unit_len, unit_pos;
};

/* ---- memory ---- */

static size_t round_up(size_t n)
{
    return (n + 15u) & ~(size_t)15u;
}

static size_t arena_len(const struct inlay_lzma_params *p)
{
    lzma_options_lzma options;
    lzma_filter filters[2];
    inlay_lzma_filters(p, &options, filters);
    uint64_t len = lzma_raw_decoder_memusage(filters);
    return len > INLAY_LZMA_MEMORY_MAX ? 0 : round_up((size_t)len + ARENA_SLACK);
}

static size_t large_need(const struct inlay_codec *self, const uint8_t *params, size_t params_len)
{
    struct inlay_lzma_params p;
    (void)self;
    if (inlay_lzma_params_read(&p, params, params_len) ||
        inlay_arch_of((enum inlay_arch_id)p.arch)->id != p.arch)
        return 0;
    size_t arena = arena_len(&p);
    size_t rest = 16u + round_up(sizeof(struct large)) +
                  round_up(inlay_lzma_predict_need(p.table_log2, p.moves)) +
                  round_up(p.ranges * sizeof(struct inlay_range)) + round_up(p.kept);
    return arena && arena + rest <= INLAY_LZMA_MEMORY_MAX ? arena + rest : 0;
}

/* Deals the memory behind the state out; liblzma gets 16-aligned blocks. */
static void lay_out(struct large *s)
{
    const struct inlay_lzma_params *p = &s->params;
    uint8_t *at = (uint8_t *)s + round_up(sizeof *s);
    at += (16u - ((uintptr_t)at & 15u)) & 15u;
    inlay_lzma_predict_open(&s->predict, p->table_log2, p->moves, at);
    at += round_up(inlay_lzma_predict_need(p->table_log2, p->moves));
    s->pool = (struct inlay_range *)(void *)at;
    at += round_up(p->ranges * sizeof(struct inlay_range));
    s->kept = at;
    at += round_up(p->kept);
    s->stream.memory = at;
    s->stream.size = arena_len(p);
}

static int large_begin(const struct inlay_codec *self, void *state,
                       const struct inlay_codec_setup *setup)
{
    struct large *s = state;
    (void)self;
    memset(s, 0, sizeof *s);
    if (inlay_lzma_params_read(&s->params, setup->params, setup->params_len))
        return INLAY_E_CORRUPT;
    s->predict.scene.arch = inlay_arch_of((enum inlay_arch_id)s->params.arch);
    if (s->predict.scene.arch->id != s->params.arch || !arena_len(&s->params))
        return INLAY_E_UNSUPPORTED;
    s->setup = *setup;
    s->predict.source = setup->old;
    s->predict.scene.table = s->predict.table;
    lay_out(s);
    return INLAY_OK;
}

/* ---- input ---- */

static int raw_byte(struct inlay_input *in, uint8_t *byte)
{
    if (in->left == 0)
        return inlay_lzma_starve(in);
    *byte = *in->next++;
    in->left--;
    return INLAY_OK;
}

/* ---- the plan ---- */

static int parse_plan(struct large *s)
{
    struct inlay_lzma_plan plan = {.predict = &s->predict,
                                   .pool = s->pool,
                                   .pool_room = s->params.ranges,
                                   .old_size = s->setup.old_size,
                                   .new_size = s->setup.new_size};
    int status = inlay_lzma_plan_read(&plan, s->kept, s->want);
    s->pool_count = plan.pool_count;
    return status;
}

static int large_plan(void *state, struct inlay_input *in)
{
    struct large *s = state;
    if (s->planned)
        return INLAY_OK;
    while (s->raw_got < 4) {
        int status = raw_byte(in, &s->raw[s->raw_got]);
        if (status)
            return status;
        if (++s->raw_got < 4)
            continue;
        s->want = inlay_get32(s->raw);
        if (s->want > s->params.kept)
            return INLAY_E_CORRUPT;
        status = inlay_lzma_open(&s->stream, &s->params);
        if (status)
            return status;
    }
    int status = inlay_lzma_inflate(&s->stream, in, s->kept, s->want, &s->got);
    if (!status)
        status = inlay_lzma_close(&s->stream, in);
    if (!status)
        status = parse_plan(s);
    s->planned = status == INLAY_OK;
    return status;
}

static const struct inlay_range *large_pool(const void *state, size_t *count)
{
    const struct large *s = state;
    *count = s->pool_count;
    return s->pool;
}

/* ---- sections ---- */

static int read_header(struct large *s)
{
    struct inlay_bytes b = {.at = s->header, .left = s->header_len};
    uint32_t left = s->params.kept;
    s->out_left = inlay_bytes_uvarint(&b);
    uint8_t *at = s->kept;
    for (unsigned i = 0; i < LZMA_PARTS_KEPT; i++) {
        uint32_t len = inlay_bytes_uvarint(&b);
        if (len > left)
            return INLAY_E_CORRUPT;
        s->part[i] = (struct inlay_bytes){.at = at, .left = len};
        at += len;
        left -= len;
    }
    s->fresh_left = inlay_bytes_uvarint(&b);
    s->want = s->params.kept - left;
    s->has_hits = 0;
    s->hits = 0;
    return b.bad || b.left || s->fresh_left > s->out_left ? INLAY_E_CORRUPT : INLAY_OK;
}

/* 1 if there is nothing left of the section but what may be left. */
static int is_used_up(const struct large *s)
{
    size_t left = 0;
    for (unsigned i = 0; i < LZMA_PARTS_KEPT; i++)
        left += s->part[i].left;
    return left == 0 && s->out_left == 0 && s->fresh_left == 0 && s->hits == 0;
}

static int load_section(struct large *s, struct inlay_input *in)
{
    int status;
    if (s->section == SECTION_LEN) {
        if (s->got == 0 && !is_used_up(s))
            return INLAY_E_CORRUPT;
        status = inlay_lzma_inflate(&s->stream, in, &s->header_len, 1, &s->got);
        if (status)
            return status;
        if (s->header_len > sizeof s->header)
            return INLAY_E_CORRUPT;
        s->section = SECTION_HEADER;
        s->got = 0;
    }
    if (s->section == SECTION_HEADER) {
        status = inlay_lzma_inflate(&s->stream, in, s->header, s->header_len, &s->got);
        if (!status)
            status = read_header(s);
        if (status)
            return status;
        s->section = SECTION_PARTS;
        s->got = 0;
    }
    status = inlay_lzma_inflate(&s->stream, in, s->kept, s->want, &s->got);
    if (status)
        return status;
    s->section = SECTION_LEN;
    s->got = 0;
    return INLAY_OK;
}

/* Makes sure that there is a byte of control to read. */
static int need_control(struct large *s, struct inlay_input *in)
{
    while (s->section != SECTION_LEN || s->part[LZMA_PART_CONTROL].left == 0) {
        int status = load_section(s, in);
        if (status)
            return status;
        if (s->part[LZMA_PART_CONTROL].left == 0)
            return INLAY_E_CORRUPT;
    }
    return INLAY_OK;
}

/* ---- steps ---- */

static void forget_section(struct large *s)
{
    memset(s->part, 0, sizeof s->part);
    s->section = SECTION_LEN;
    s->got = s->out_left = s->fresh_left = s->hits = 0;
}

static int open_group(struct large *s, struct inlay_input *in, struct inlay_step_cmd *cmd)
{
    uint8_t byte = 0;
    int status = raw_byte(in, &byte);
    if (status)
        return status;
    if (byte > 1)
        return INLAY_E_CORRUPT;
    cmd->kind = INLAY_STEP_END;
    if (byte == 0)
        return INLAY_OK;
    inlay_lzma_predict_reset(&s->predict);
    forget_section(s);
    s->diagonal = 0;
    s->group = GROUP_OPEN;
    return inlay_lzma_open(&s->stream, &s->params);
}

static int close_group(struct large *s, struct inlay_input *in, struct inlay_step_cmd *cmd)
{
    if (s->group == GROUP_CLOSING) {
        int status = inlay_lzma_close(&s->stream, in);
        if (status)
            return status;
        s->raw_got = 0;
        s->group = GROUP_CHECK;
    }
    unsigned len = s->ends ? 0u : s->setup.check_len;
    while (s->raw_got < len) {
        int status = raw_byte(in, &s->check.check[s->raw_got]);
        if (status)
            return status;
        s->raw_got++;
    }
    *cmd = s->check;
    cmd->kind = s->ends ? INLAY_STEP_END : INLAY_STEP_COMMIT;
    cmd->check_len = (uint8_t)len;
    s->group = GROUP_NONE;
    return INLAY_OK;
}

static int open_block(struct large *s, unsigned op, struct inlay_step_cmd *cmd)
{
    struct inlay_bytes *control = &s->part[LZMA_PART_CONTROL];
    unsigned staged = (op & 3u) == LZMA_OP_STAGED;
    if (op >= LZMA_OPS + LZMA_OP_JUMP || (op & 2u) == 0 || (staged && !s->setup.in_place))
        return INLAY_E_CORRUPT;
    cmd->kind = staged ? INLAY_STEP_STAGED : INLAY_STEP_DIRECT;
    cmd->block = s->last_block;
    if (op & LZMA_OP_JUMP)
        cmd->block += inlay_lzma_unfold(inlay_bytes_uvarint(control));
    s->last_block = cmd->block + 1u;
    inlay_lzma_block(&s->setup, cmd->block, &s->pos, &cmd->len);
    s->end = s->pos + cmd->len;
    s->run = RUN_NONE;
    s->run_left = 0;
    s->gap_stage = 0;
    return control->bad || cmd->len == 0 ? INLAY_E_CORRUPT : INLAY_OK;
}

static int large_next(void *state, struct inlay_input *in, struct inlay_step_cmd *cmd)
{
    struct large *s = state;
    memset(cmd, 0, sizeof *cmd);
    if (s->group == GROUP_NONE) {
        int status = open_group(s, in, cmd);
        if (status || s->group == GROUP_NONE)
            return status;
    }
    if (s->group == GROUP_OPEN) {
        int status = need_control(s, in);
        if (status)
            return status;
        unsigned op = inlay_bytes_u8(&s->part[LZMA_PART_CONTROL]);
        if (op > LZMA_OP_END)
            return open_block(s, op, cmd);
        if (!is_used_up(s))
            return INLAY_E_CORRUPT;
        s->ends = op == LZMA_OP_END;
        s->group = GROUP_CLOSING;
    }
    return close_group(s, in, cmd);
}

/* ---- runs ---- */

/* The first move that ends behind pos, or NULL. */
static const struct inlay_move *next_move(const struct large *s)
{
    const struct inlay_map *map = &s->predict.map;
    uint32_t lo = 0, hi = map->count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2u;
        if (map->move[mid].new_pos + map->move[mid].len <= s->pos)
            lo = mid + 1u;
        else
            hi = mid;
    }
    return lo < map->count ? &map->move[lo] : NULL;
}

static void start_copy(struct large *s, uint32_t len, uint32_t diagonal)
{
    s->run = RUN_COPY;
    s->run_left = len;
    s->diagonal = diagonal;
    inlay_lzma_predict_run(&s->predict);
}

static int start_gap_copy(struct large *s, uint32_t room)
{
    struct inlay_bytes *control = &s->part[LZMA_PART_CONTROL];
    uint32_t len = inlay_bytes_uvarint(control);
    uint32_t diagonal = s->diagonal + inlay_lzma_unfold(inlay_bytes_uvarint(control));
    uint32_t old_pos = s->pos + diagonal;
    s->gap_stage = 0;
    if (control->bad || len >= room || old_pos >= s->setup.old_size ||
        len >= s->setup.old_size - old_pos)
        return INLAY_E_CORRUPT;
    start_copy(s, len + 1u, diagonal);
    return INLAY_OK;
}

/* Finds out what produces the bytes from pos on; run_left may stay 0. */
static int start_run(struct large *s, struct inlay_input *in)
{
    const struct inlay_move *m = next_move(s);
    uint32_t room = s->end - s->pos;
    if (m && m->new_pos <= s->pos) {
        uint32_t left = m->new_pos + m->len - s->pos;
        start_copy(s, left < room ? left : room, m->old_pos - m->new_pos);
        return INLAY_OK;
    }
    if (m && m->new_pos - s->pos < room)
        room = m->new_pos - s->pos;
    int status = need_control(s, in);
    if (status)
        return status;
    if (s->gap_stage)
        return start_gap_copy(s, room);
    struct inlay_bytes *control = &s->part[LZMA_PART_CONTROL];
    uint32_t len = inlay_bytes_uvarint(control);
    if (control->bad || len > room)
        return INLAY_E_CORRUPT;
    s->run = RUN_NEW;
    s->run_left = len;
    s->gap_stage = len < room;
    return INLAY_OK;
}

/* ---- bytes ---- */

/* The missed unit, out of what its kind says. */
static int read_miss(struct large *s, const struct inlay_lzma_guess *g, uint8_t *out)
{
    uint8_t off[INLAY_UNIT_MAX];
    struct inlay_bytes *part = s->part;
    switch (inlay_bytes_u8(&part[LZMA_PART_KINDS])) {
    case LZMA_KIND_BYTES:
        inlay_bytes_copy(&part[LZMA_PART_BYTES], off, g->unit.len);
        inlay_lzma_shift(&s->predict, g->now, off, g->unit.len, 1, out);
        break;
    case LZMA_KIND_TARGET:
        inlay_bytes_copy(&part[LZMA_PART_TARGETS], off, 4);
        if (!g->unit.has_target ||
            !inlay_lzma_aim(&s->predict, g, g->target + inlay_get32(off), out))
            return INLAY_E_CORRUPT;
        break;
    case LZMA_KIND_OLD:
        memcpy(out, g->old, g->unit.len);
        break;
    case LZMA_KIND_AIMED:
        memcpy(out, g->aimed, g->unit.len);
        break;
    default:
        return INLAY_E_CORRUPT;
    }
    return part[LZMA_PART_KINDS].bad || part[LZMA_PART_BYTES].bad || part[LZMA_PART_TARGETS].bad
               ? INLAY_E_CORRUPT
               : INLAY_OK;
}

static int copy_unit(struct large *s, uint8_t *out, unsigned *len)
{
    struct inlay_lzma_guess g;
    int status = inlay_lzma_guess(&s->predict, s->pos + s->diagonal, s->pos, s->run_left, &g);
    if (status)
        return status;
    *len = g.unit.len;
    if (*len > s->out_left - s->fresh_left)
        return INLAY_E_CORRUPT;
    struct inlay_bytes *hits = &s->part[LZMA_PART_HITS];
    if (!s->has_hits)
        s->hits = inlay_bytes_uvarint(hits);
    s->has_hits = 1;
    if (hits->bad)
        return INLAY_E_CORRUPT;
    if (s->hits > 0) {
        s->hits--;
        memcpy(out, g.now, *len);
    } else {
        s->has_hits = 0;
        status = read_miss(s, &g, out);
        if (status)
            return status;
    }
    inlay_lzma_learn(&s->predict, &g, out);
    return INLAY_OK;
}

static void advance(struct large *s, uint32_t len)
{
    s->pos += len;
    s->run_left -= len;
    s->out_left -= len;
}

static int make_copy(struct large *s, uint8_t *out, size_t cap, size_t *made)
{
    unsigned len = 0;
    uint8_t *to = cap - *made >= INLAY_UNIT_MAX ? out + *made : s->unit;
    int status = copy_unit(s, to, &len);
    if (status)
        return status;
    advance(s, len);
    if (to != s->unit) {
        *made += len;
    } else {
        s->unit_len = (uint8_t)len;
        s->unit_pos = 0;
    }
    return INLAY_OK;
}

static int make_new(struct large *s, struct inlay_input *in, uint8_t *out, size_t cap, size_t *made)
{
    uint32_t want = s->run_left < cap - *made ? s->run_left : (uint32_t)(cap - *made), got = 0;
    if (want > s->fresh_left)
        return INLAY_E_CORRUPT;
    int status = inlay_lzma_inflate(&s->stream, in, out + *made, want, &got);
    advance(s, got);
    s->fresh_left -= got;
    *made += got;
    return status;
}

/* Hands out what a unit that did not fit left over. */
static void drain(struct large *s, uint8_t *out, size_t cap, size_t *made)
{
    while (*made < cap && s->unit_pos < s->unit_len)
        out[(*made)++] = s->unit[s->unit_pos++];
}

/* One unit, one piece of new data, or what must be known before. */
static int make_some(struct large *s, struct inlay_input *in, uint8_t *out, size_t cap,
                     size_t *made)
{
    if (s->section != SECTION_LEN)
        return load_section(s, in);
    if (s->run_left == 0)
        return start_run(s, in);
    if (s->out_left == 0)
        return load_section(s, in);
    return s->run == RUN_COPY ? make_copy(s, out, cap, made) : make_new(s, in, out, cap, made);
}

static int large_produce(void *state, struct inlay_input *in, uint8_t *out, size_t cap,
                         size_t *made, uint32_t *from)
{
    struct large *s = state;
    *from = INLAY_NOWHERE; /* no device that has memory for this codec stages recipes */
    *made = 0;
    drain(s, out, cap, made);
    while (*made < cap && s->pos != s->end) {
        int status = make_some(s, in, out, cap, made);
        if (status == INLAY_MORE && *made)
            return INLAY_OK;
        if (status)
            return status;
        drain(s, out, cap, made);
    }
    return *made ? INLAY_OK : INLAY_E_CORRUPT;
}

/* ---- going on after a reset ---- */

#define SAVE_LEN 4u

static size_t large_save(const void *state, uint8_t *buf)
{
    const struct large *s = state;
    inlay_put32(buf, s->last_block);
    return SAVE_LEN;
}

static int large_load(void *state, const uint8_t *buf, size_t len)
{
    struct large *s = state;
    if (len != SAVE_LEN || !s->planned)
        return INLAY_E_JOURNAL;
    s->last_block = inlay_get32(buf);
    return INLAY_OK;
}

const struct inlay_codec inlay_codec_lzma = {.id = INLAY_CODEC_LZMA,
                                             .need = large_need,
                                             .begin = large_begin,
                                             .plan = large_plan,
                                             .pool = large_pool,
                                             .next = large_next,
                                             .produce = large_produce,
                                             .save = large_save,
                                             .load = large_load};
