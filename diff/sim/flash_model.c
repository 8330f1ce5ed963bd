/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_model.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Versions are unique across all models, so that copies can be compared by them. */
static atomic_uint_fast64_t last_version;

static uint64_t new_version(void)
{
    return (uint64_t)atomic_fetch_add(&last_version, 1) + 1;
}

int inlay_model_break(struct inlay_model *m, const char *format, ...)
{
    if (!m->broken[0]) {
        va_list args;
        va_start(args, format);
        vsnprintf(m->broken, sizeof m->broken, format, args);
        va_end(args);
    }
    return -1;
}

struct inlay_model_block *inlay_model_block_at(const struct inlay_model_area *a, uint32_t pos)
{
    uint32_t index = 0;
    for (unsigned r = 0; r < a->flash.regions; r++) {
        const struct inlay_region *g = &a->flash.region[r];
        if (pos / g->block_len < g->count)
            return &a->block[index + pos / g->block_len];
        pos -= g->count * g->block_len;
        index += g->count;
    }
    return &a->block[a->blocks - 1];
}

static struct inlay_model_block *block_end(const struct inlay_model_area *a)
{
    return a->block + a->blocks;
}

static int outside(const struct inlay_model_area *a, uint32_t pos, uint32_t len)
{
    return pos > a->len || len > a->len - pos;
}

static void tell_watch(const struct inlay_model_area *a, uint32_t pos, uint32_t len, int erased)
{
    struct inlay_model_watch *watch = a->model->watch;
    if (!watch)
        return;
    for (struct inlay_model_block *b = inlay_model_block_at(a, pos);
         b < block_end(a) && b->pos < pos + len; b++)
        watch->touch(watch, a, b, erased);
}

/* ---- reading ---- */

/* Some cells of this stretch do not read as they are: resolves them for this boot. */
static int read_upset(const struct inlay_model_area *a, uint32_t pos, uint8_t *buf, uint32_t len)
{
    const struct inlay_model *m = a->model;
    uint64_t boot = inlay_model_mix(m->seed, m->boot);
    uint32_t w = a->spec.write_size;
    for (uint32_t g = pos / w; g <= (pos + len - 1) / w; g++) {
        if (!a->spec.ecc)
            break;
        if (a->cell[g] & INLAY_CELL_TORN)
            return -1;
        if (a->cell[g] & INLAY_CELL_SHAKY && inlay_model_mix(boot, g) & 1)
            return -1;
    }
    for (uint32_t i = 0; i < len; i++)
        if (a->noise[pos + i])
            buf[i] ^= (uint8_t)(a->noise[pos + i] & inlay_model_mix(boot, pos + i));
    return 0;
}

static int model_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    struct inlay_model_area *a = ctx;
    struct inlay_model *m = a->model;
    if (outside(a, pos, len))
        return inlay_model_break(m, "read %u bytes at 0x%x, outside the %s area", len, pos,
                                 a->name);
    if (!len)
        return 0;
    tell_watch(a, pos, len, 0);
    m->counts.read += len;
    m->counts.read_ns += (uint64_t)len * a->spec.read_ns;
    memcpy(buf, a->data + pos, len);
    for (struct inlay_model_block *b = inlay_model_block_at(a, pos);
         b < block_end(a) && b->pos < pos + len; b++)
        if (b->upset)
            return read_upset(a, pos, buf, len);
    return 0;
}

/* ---- logging ---- */

static void *grow(void *p, size_t *room, size_t need, size_t each)
{
    size_t n = *room ? *room : 64;
    while (n < need)
        n *= 2;
    if (n == *room)
        return p;
    void *q = realloc(p, n * each);
    if (!q)
        abort(); /* a simulation without its log would prove nothing */
    *room = n;
    return q;
}

static void log_op(struct inlay_model *m, const struct inlay_model_area *a, int is_erase,
                   uint32_t pos, const void *buf, uint32_t len)
{
    struct inlay_model_log *log = m->log;
    if (!log)
        return;
    log->op = grow(log->op, &log->room, log->count + 1, sizeof *log->op);
    log->op[log->count++] = (struct inlay_model_op){.area = (uint8_t)(a - m->area),
                                                    .is_erase = (uint8_t)(is_erase != 0),
                                                    .pos = pos,
                                                    .len = len,
                                                    .mark = m->mark,
                                                    .data = log->data_len};
    if (is_erase)
        return;
    log->data = grow(log->data, &log->data_room, log->data_len + len, 1);
    memcpy(log->data + log->data_len, buf, len);
    log->data_len += len;
}

void inlay_model_log_free(struct inlay_model_log *log)
{
    free(log->op);
    free(log->data);
    *log = (struct inlay_model_log){0};
}

/* ---- erasing and programming ---- */

static void count_busy(struct inlay_model_area *a, uint64_t ns)
{
    a->model->counts.busy_ns += ns;
    a->model->counts.busy_pj += ns * a->spec.busy_mw;
}

static void count_erase(struct inlay_model_area *a, const struct inlay_model_block *b)
{
    a->model->counts.erases++;
    a->model->counts.erased += b->len;
    count_busy(a, (uint64_t)b->erase_us * 1000u);
}

static void count_write(struct inlay_model_area *a, uint32_t pos, uint32_t len)
{
    uint32_t n = a->spec.program_len ? a->spec.program_len : 1;
    uint64_t units = (uint64_t)(pos + len - 1) / n - pos / n + 1;
    a->model->counts.writes++;
    a->model->counts.written += len;
    count_busy(a, units * a->spec.program_us * 1000u);
}

void inlay_model_touch(struct inlay_model_area *a, uint32_t pos, uint32_t len)
{
    for (struct inlay_model_block *b = inlay_model_block_at(a, pos);
         b < block_end(a) && b->pos < pos + len; b++) {
        b->upset = 1;
        b->version = new_version();
    }
}

/* If this is the operation at which power fails: tears it and does not return. */
static void begin_op(struct inlay_model_area *a, int is_erase, uint32_t pos, const void *buf,
                     uint32_t len)
{
    struct inlay_model *m = a->model;
    if (m->armed && m->ops == m->cut.op) {
        m->armed = 0;
        inlay_model_tear(a, is_erase, pos, buf, len, &m->cut);
        longjmp(*m->power, 1);
    }
    m->ops++;
}

void inlay_model_wipe(struct inlay_model_area *a, struct inlay_model_block *b)
{
    uint32_t w = a->spec.write_size;
    memset(a->data + b->pos, a->spec.erased, b->len);
    memset(a->cell + b->pos / w, 0, b->len / w);
    if (b->upset)
        memset(a->noise + b->pos, 0, b->len);
    b->upset = 0;
    b->erases++;
    b->version = new_version();
}

static int model_erase(void *ctx, uint32_t pos, uint32_t len)
{
    struct inlay_model_area *a = ctx;
    struct inlay_model *m = a->model;
    struct inlay_model_block *b;
    if (outside(a, pos, len) || !len)
        return inlay_model_break(m, "erased %u bytes at 0x%x, outside the %s area", len, pos,
                                 a->name);
    b = inlay_model_block_at(a, pos);
    if (b->pos != pos || b->len != len)
        return inlay_model_break(m, "erased %u bytes at 0x%x of the %s area, which is not a block",
                                 len, pos, a->name);
    if (a->locked)
        return inlay_model_break(m, "erased 0x%x of the %s area, which is only to be read", pos,
                                 a->name);
    begin_op(a, 1, pos, NULL, len);
    tell_watch(a, pos, len, 1);
    count_erase(a, b);
    inlay_model_wipe(a, b);
    log_op(m, a, 1, pos, NULL, len);
    return 0;
}

/* A granule that was not quite erased: some bits will not change, or change on their own. */
static void program_weak(struct inlay_model_area *a, uint32_t g, const uint8_t *buf)
{
    uint32_t w = a->spec.write_size, failed = 0;
    uint8_t *data = a->data + (size_t)g * w;
    uint64_t r = inlay_model_mix(a->model->seed, g);
    for (uint32_t i = 0; i < w; i++) {
        uint8_t stuck = (uint8_t)((data[i] ^ buf[i]) & inlay_model_mix(r, i));
        failed |= stuck;
        data[i] = buf[i] ^ stuck;
    }
    if (!failed)
        data[r % w] ^= (uint8_t)(1u << (r >> 32) % 8);
    a->cell[g] = 1u | INLAY_CELL_TORN;
}

static void program_granule(struct inlay_model_area *a, uint32_t g, const uint8_t *buf)
{
    uint32_t w = a->spec.write_size;
    uint8_t *data = a->data + (size_t)g * w;
    if (a->cell[g] & INLAY_CELL_WEAK) {
        program_weak(a, g, buf);
        return;
    }
    if (a->cell[g] & INLAY_CELL_WRITES)
        a->model->counts.rewrites++;
    for (uint32_t i = 0; i < w; i++)
        data[i] = a->spec.erased ? data[i] & buf[i] : data[i] | buf[i];
    if ((a->cell[g] & INLAY_CELL_WRITES) < INLAY_CELL_WRITES)
        a->cell[g]++;
}

void inlay_model_program(struct inlay_model_area *a, uint32_t pos, const uint8_t *buf, uint32_t len)
{
    uint32_t w = a->spec.write_size;
    for (uint32_t i = 0; i < len; i += w) {
        struct inlay_model_block *b = inlay_model_block_at(a, pos + i);
        if (a->cell[(pos + i) / w] & INLAY_CELL_WEAK)
            b->upset = 1;
        program_granule(a, (pos + i) / w, buf + i);
        if (!i || b->pos == pos + i)
            b->version = new_version();
    }
    if (a->spoils_left && a->spoiled - pos < len) {
        a->spoils_left--;
        a->data[a->spoiled] ^= 0x10;
    }
}

/* Writing what is not erased: the hardware refuses, and with ECC the granule is lost. */
static int refuse_write(struct inlay_model_area *a, uint32_t g)
{
    uint32_t pos = g * a->spec.write_size;
    if (a->spec.ecc) {
        struct inlay_model_block *b = inlay_model_block_at(a, pos);
        a->cell[g] |= INLAY_CELL_TORN;
        b->upset = 1;
        b->version = new_version();
    }
    return inlay_model_break(a->model, "wrote 0x%x of the %s area, which was not erased before",
                             pos, a->name);
}

static int model_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    struct inlay_model_area *a = ctx;
    struct inlay_model *m = a->model;
    uint32_t w = a->spec.write_size;
    if (outside(a, pos, len) || !len)
        return inlay_model_break(m, "wrote %u bytes at 0x%x, outside the %s area", len, pos,
                                 a->name);
    if (pos % w || len % w)
        return inlay_model_break(m, "wrote %u bytes at 0x%x of the %s area, not aligned to %u", len,
                                 pos, a->name, w);
    if (a->locked)
        return inlay_model_break(m, "wrote 0x%x of the %s area, which is only to be read", pos,
                                 a->name);
    tell_watch(a, pos, len, 0);
    for (uint32_t g = pos / w; g < (pos + len) / w; g++)
        if (a->cell[g] & INLAY_CELL_DIRTY || a->cell[g] & INLAY_CELL_TORN ||
            (a->cell[g] & INLAY_CELL_WRITES) >= a->spec.max_writes)
            return refuse_write(a, g);
    begin_op(a, 0, pos, buf, len);
    count_write(a, pos, len);
    inlay_model_program(a, pos, buf, len);
    log_op(m, a, 0, pos, buf, len);
    return 0;
}

void inlay_model_spoil(struct inlay_model_area *a, uint32_t pos, uint32_t times)
{
    a->spoiled = pos;
    a->spoils_left = times;
}

/* ---- power ---- */

void inlay_model_boot(struct inlay_model *m)
{
    m->boot++;
    m->ops = 0;
    m->armed = 0;
}

void inlay_model_arm(struct inlay_model *m, const struct inlay_cut *cut)
{
    m->cut = *cut;
    m->armed = 1;
}

void inlay_model_redo(struct inlay_model *m, const struct inlay_model_log *log, size_t i)
{
    const struct inlay_model_op *op = &log->op[i];
    struct inlay_model_area *a = &m->area[op->area];
    m->mark = op->mark;
    if (op->is_erase)
        model_erase(a, op->pos, op->len);
    else
        model_write(a, op->pos, log->data + op->data, op->len);
}

void inlay_model_redo_torn(struct inlay_model *m, const struct inlay_model_log *log, size_t i,
                           const struct inlay_cut *cut)
{
    const struct inlay_model_op *op = &log->op[i];
    m->mark = op->mark;
    inlay_model_tear(&m->area[op->area], op->is_erase, op->pos,
                     op->is_erase ? NULL : log->data + op->data, op->len, cut);
}

int inlay_model_holds(const struct inlay_model_area *a, const uint8_t *want, uint32_t len)
{
    uint32_t w = a->spec.write_size;
    if (len > a->len || memcmp(a->data, want, len))
        return 0;
    for (uint32_t g = 0; g < (len + w - 1) / w; g++)
        if (!(a->cell[g] & INLAY_CELL_WRITES) || a->cell[g] & (uint8_t)~INLAY_CELL_WRITES)
            return 0;
    for (uint32_t i = 0; i < len; i++)
        if (a->noise[i])
            return 0;
    return 1;
}

/* ---- making and copying ---- */

struct inlay_model *inlay_model_new(void)
{
    return calloc(1, sizeof(struct inlay_model));
}

void inlay_model_free(struct inlay_model *m)
{
    for (unsigned i = 0; m && i < m->areas; i++) {
        free(m->area[i].block);
        free(m->area[i].data);
        free(m->area[i].noise);
        free(m->area[i].cell);
    }
    free(m);
}

static int allocate(struct inlay_model_area *a)
{
    a->block = calloc(a->blocks, sizeof *a->block);
    a->data = malloc(a->len);
    a->noise = calloc(a->len, 1);
    a->cell = malloc(a->len / a->spec.write_size);
    if (a->block && a->data && a->noise && a->cell)
        return 0;
    free(a->block);
    free(a->data);
    free(a->noise);
    free(a->cell);
    return -1;
}

static void lay_out_blocks(struct inlay_model_area *a)
{
    struct inlay_model_block *b = a->block;
    uint32_t pos = 0;
    for (unsigned r = 0; r < a->flash.regions; r++)
        for (uint32_t i = 0; i < a->flash.region[r].count; i++, b++) {
            b->pos = pos;
            b->len = a->flash.region[r].block_len;
            b->erase_us = a->spec.erase_us[r];
            b->version = new_version();
            pos += b->len;
        }
}

static void describe(struct inlay_model_area *a, uint32_t image_len)
{
    const struct inlay_profile_area *s = &a->spec;
    uint32_t w = s->write_size;
    a->flash = (struct inlay_flash){.ctx = a,
                                    .read = model_read,
                                    .erase = model_erase,
                                    .write = model_write,
                                    .write_size = w,
                                    .erased = s->erased,
                                    .regions = s->regions};
    memcpy(a->flash.region, s->region, sizeof s->region);
    if (!s->regions) {
        a->flash.regions = 1;
        a->flash.region[0] = (struct inlay_region){1, (image_len + !image_len + w - 1) / w * w};
    }
    for (unsigned r = 0; r < a->flash.regions; r++) {
        a->len += a->flash.region[r].count * a->flash.region[r].block_len;
        a->blocks += a->flash.region[r].count;
    }
}

int inlay_model_add(struct inlay_model *m, const char *name, const struct inlay_profile_area *spec,
                    uint32_t image_len, const uint8_t *content, uint32_t content_len, uint32_t seed)
{
    if (m->areas == INLAY_MODEL_AREAS)
        return -1;
    struct inlay_model_area *a = &m->area[m->areas];
    memset(a, 0, sizeof *a);
    a->model = m;
    a->spec = *spec;
    snprintf(a->name, sizeof a->name, "%s", name);
    describe(a, image_len);
    if (content_len > a->len || allocate(a))
        return -1;
    lay_out_blocks(a);
    for (uint32_t i = content_len; i < a->len; i++)
        a->data[i] = (uint8_t)inlay_model_mix(seed, i);
    if (content_len)
        memcpy(a->data, content, content_len);
    memset(a->cell, 1, a->len / spec->write_size);
    return (int)m->areas++;
}

/* Copies the blocks whose versions differ. */
static void copy_area(struct inlay_model_area *to, const struct inlay_model_area *from)
{
    uint32_t w = from->spec.write_size;
    for (uint32_t i = 0; i < from->blocks; i++) {
        const struct inlay_model_block *f = &from->block[i];
        struct inlay_model_block *t = &to->block[i];
        if (f->version == t->version)
            continue;
        memcpy(to->data + f->pos, from->data + f->pos, f->len);
        memcpy(to->cell + f->pos / w, from->cell + f->pos / w, f->len / w);
        if (f->upset || t->upset)
            memcpy(to->noise + f->pos, from->noise + f->pos, f->len);
        *t = *f;
    }
    to->locked = from->locked;
    to->spoiled = from->spoiled;
    to->spoils_left = from->spoils_left;
}

void inlay_model_restore(struct inlay_model *to, const struct inlay_model *from)
{
    for (unsigned i = 0; i < from->areas; i++)
        copy_area(&to->area[i], &from->area[i]);
    to->ops = from->ops;
    to->boot = from->boot;
    to->seed = from->seed;
    to->mark = from->mark;
    to->armed = 0;
    to->counts = from->counts;
    memcpy(to->broken, from->broken, sizeof to->broken);
}

struct inlay_model *inlay_model_copy(const struct inlay_model *m)
{
    struct inlay_model *c = inlay_model_new();
    for (unsigned i = 0; c && i < m->areas; i++) {
        struct inlay_model_area *a = &c->area[i];
        *a = m->area[i];
        a->model = c;
        a->flash.ctx = a;
        if (allocate(a)) {
            inlay_model_free(c);
            return NULL;
        }
        c->areas++;
    }
    if (c)
        inlay_model_restore(c, m);
    return c;
}
