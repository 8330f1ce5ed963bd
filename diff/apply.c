/* SPDX-License-Identifier: Apache-2.0 */
/* Applying a patch that is in memory, with the patcher that devices run. */
#include "apply.h"
#include "container.h"
#include "huge.h"

#include <stdlib.h>
#include <string.h>

#define WORK_BLOCK_MIN 16384u /* a record of INLAY_STAGE_BLOCKS_MAX blocks fits its third */
#define WORKSPACE_MIN  ((size_t)4 << 20)

/* A run of bytes that behaves like flash. */
struct memory {
    uint8_t *data;
    uint64_t len;
};

static int memory_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct memory *m = ctx;
    if (pos > m->len || len > m->len - pos)
        return -1;
    memcpy(buf, m->data + pos, len);
    return 0;
}

static int memory_erase(void *ctx, uint32_t pos, uint32_t len)
{
    struct memory *m = ctx;
    if (pos > m->len || len > m->len - pos)
        return -1;
    memset(m->data + pos, 0xff, len);
    return 0;
}

static int memory_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    struct memory *m = ctx;
    if (pos > m->len || len > m->len - pos)
        return -1;
    memcpy(m->data + pos, buf, len);
    return 0;
}

void inlay_apply_slot(const struct inlay_manifest *m, struct inlay_flash *flash)
{
    flash->write_size = 1;
    flash->erased = 0xff;
    flash->regions = m->regions ? m->regions : 1;
    memcpy(flash->region, m->region, sizeof flash->region);
    if (!m->regions)
        flash->region[0] = (struct inlay_region){1, m->new_size ? m->new_size : 1};
}

void inlay_apply_work(const struct inlay_manifest *m, const struct inlay_needs *needs,
                      struct inlay_flash *flash)
{
    uint32_t block = WORK_BLOCK_MIN;
    for (unsigned i = 0; i < m->regions; i++)
        if (m->region[i].block_len > block)
            block = m->region[i].block_len;
    uint64_t kept = (uint64_t)needs->head_len + needs->pool_len;
    flash->write_size = 1;
    flash->erased = 0xff;
    flash->regions = 1;
    /* Two for the journal, what is kept, recipes, the stage, and one for rounding between them. */
    flash->region[0].count = 3 + (uint32_t)((kept + block - 1) / block) +
                             (needs->recipe_len + block - 1) / block + needs->stage_blocks;
    flash->region[0].block_len = block;
}

uint64_t inlay_apply_area_len(const struct inlay_flash *flash)
{
    uint64_t len = 0;
    for (unsigned i = 0; i < flash->regions; i++)
        len += (uint64_t)flash->region[i].count * flash->region[i].block_len;
    return len;
}

static void on_event(void *ctx, enum inlay_event event, uint32_t a, uint32_t b)
{
    const struct inlay_progress *progress = ctx;
    if (event == INLAY_EVENT_BLOCK)
        progress->report(progress->ctx, "applying", a, b);
}

struct inlay_config inlay_apply_config(const struct inlay_apply_options *options)
{
    struct inlay_config cfg = {.crypto = inlay_host_crypto(), .codecs = inlay_host_codecs()};
    if (!options)
        return cfg;
    cfg.component = options->component;
    cfg.component_len = options->component_len;
    cfg.security_counter = options->security_counter;
    cfg.event = options->progress ? on_event : NULL;
    cfg.event_ctx = (void *)(uintptr_t)options->progress;
    return cfg;
}

/* The sentence for a status, with the place and the way out. */
static int stop(enum inlay_status status, const struct inlay_report *at, uint32_t old_size,
                struct inlay_error *err)
{
    enum inlay_exit code = inlay_exit_of(status);
    const char *text = inlay_status_text(status);
    switch (status) {
    case INLAY_E_OLD:
        return at->image_pos < old_size
                   ? inlay_fail(err, code,
                                "%s: the first wrong block is at byte %u; inlay info shows the "
                                "size and digest of the image that is needed",
                                text, at->image_pos)
                   : inlay_fail(err, code,
                                "%s; inlay info shows the size and digest of the image that is "
                                "needed",
                                text);
    case INLAY_E_CORRUPT:
    case INLAY_E_CHAIN:
        return inlay_fail(err, code, "%s (at byte %u of the patch); get the patch again", text,
                          at->patch_pos);
    case INLAY_E_RESULT:
        return inlay_fail(err, code, "%s (at byte %u of the image); get the patch again", text,
                          at->image_pos);
    case INLAY_E_FLASH:
        return inlay_fail(err, code, "%s at byte %u; check the medium and run it again", text,
                          at->image_pos);
    case INLAY_E_BUSY:
        return inlay_fail(err, code, "%s; apply that patch to its end first", text);
    case INLAY_E_PROGRESS:
        return inlay_fail(err, code,
                          "%s; see why it is stopped each time, then go on with a "
                          "larger boots_max",
                          text);
    case INLAY_E_POLICY:
        return inlay_fail(err, code, "%s; inlay info shows its component and security counter",
                          text);
    case INLAY_E_SIGNATURE:
        return inlay_fail(err, code, "%s; this inlay takes unsigned patches only", text);
    case INLAY_E_UNSUPPORTED:
        return inlay_fail(err, code, "%s; use a newer inlay", text);
    default:
        return inlay_fail(err, code, "%s", text);
    }
}

/* One call of the patcher, whichever it asks for. */
static enum inlay_status turn(struct inlay_patcher *p, enum inlay_status last, const uint8_t *patch,
                              size_t patch_len)
{
    size_t used;
    if (last != INLAY_MORE)
        return inlay_step(p);
    uint32_t pos = inlay_next_offset(p);
    if (pos >= patch_len)
        return INLAY_E_CORRUPT;
    return inlay_feed(p, patch + pos, patch_len - pos, &used);
}

int inlay_apply_flash(const struct inlay_config *cfg, const uint8_t *patch, size_t patch_len,
                      int *already, struct inlay_error *err)
{
    struct inlay_needs needs;
    struct inlay_patcher *p = NULL;
    struct inlay_report at = {0};
    enum inlay_status status = inlay_probe(cfg->codecs, patch, patch_len, &needs);
    if (status == INLAY_MORE)
        status = INLAY_E_CORRUPT;
    if (status)
        return stop(status, &at, 0, err);
    /* What the journal holds may be another patch, and need more than this one. */
    size_t room = needs.workspace > WORKSPACE_MIN ? needs.workspace : WORKSPACE_MIN;
    void *workspace = room > WORKSPACE_MIN ? inlay_huge_alloc(room) : malloc(room);
    if (!workspace)
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for %zu bytes", room);
    status = inlay_begin(&p, cfg, workspace, room);
    if (status >= 0) {
        enum inlay_status match = inlay_match(p, patch, patch_len);
        status = match < 0 ? match : status;
    }
    while (status == INLAY_OK || status == INLAY_MORE || status == INLAY_AGAIN)
        status = turn(p, status, patch, patch_len);
    if (p)
        at = inlay_report(p);
    free(workspace);
    *already = status == INLAY_ALREADY;
    return status < 0 ? stop(status, &at, needs.old_size, err) : 0;
}

/* Everything that applying in memory needs. */
struct bench {
    struct memory old, slot, work;
    struct inlay_flash old_flash, slot_flash, work_flash;
};

static void set_callbacks(struct inlay_flash *flash, struct memory *m)
{
    flash->ctx = m;
    flash->read = memory_read;
    flash->erase = memory_erase;
    flash->write = memory_write;
}

/* Allocates an area as large as its geometry, erased. */
static int make_area(struct inlay_flash *flash, struct memory *m)
{
    m->len = inlay_apply_area_len(flash);
    m->data = malloc(m->len);
    if (!m->data)
        return -1;
    memset(m->data, flash->erased, m->len);
    set_callbacks(flash, m);
    return 0;
}

static int make_bench(struct bench *b, const struct inlay_manifest *m,
                      const struct inlay_needs *needs, const uint8_t *old, size_t old_size)
{
    inlay_apply_slot(m, &b->slot_flash);
    if (make_area(&b->slot_flash, &b->slot))
        return -1;
    if (!m->in_place) {
        b->old = (struct memory){(uint8_t *)(uintptr_t)old, old_size};
        b->old_flash.write_size = 1;
        b->old_flash.erased = 0xff;
        b->old_flash.regions = 1;
        b->old_flash.region[0] = (struct inlay_region){1, old_size ? (uint32_t)old_size : 1};
        set_callbacks(&b->old_flash, &b->old);
        return 0;
    }
    inlay_apply_work(m, needs, &b->work_flash);
    if (make_area(&b->work_flash, &b->work))
        return -1;
    if (old_size)
        memcpy(b->slot.data, old, old_size < b->slot.len ? old_size : b->slot.len);
    return 0;
}

/* The old image's size is known before anything is decoded. */
static int check_old_size(const struct inlay_manifest *m, size_t old_size, struct inlay_error *err)
{
    if (old_size == m->old_size)
        return 0;
    return inlay_fail(err, INLAY_EXIT_OLD,
                      "the old image has %zu bytes, but the patch was made for one of %u; use the "
                      "image that inlay info describes",
                      old_size, m->old_size);
}

int inlay_apply_with(const struct inlay_codec *const *codecs, const uint8_t *old, size_t old_size,
                     const uint8_t *patch, size_t patch_len,
                     const struct inlay_apply_options *options, struct inlay_buffer *out,
                     struct inlay_error *err)
{
    struct inlay_manifest m;
    struct inlay_needs needs;
    struct bench b = {0};
    int already;
    *out = (struct inlay_buffer){0};
    int code = inlay_container_open(patch, patch_len, &m, err);
    if (!code)
        code = check_old_size(&m, old_size, err);
    if (code)
        return code;
    enum inlay_status status = inlay_probe(codecs, patch, patch_len, &needs);
    if (status)
        return stop(status, &(struct inlay_report){0}, 0, err);
    struct inlay_config cfg = inlay_apply_config(options);
    cfg.codecs = codecs;
    cfg.old = m.in_place ? &b.slot_flash : &b.old_flash;
    cfg.slot = &b.slot_flash;
    cfg.work = m.in_place ? &b.work_flash : NULL;
    if (make_bench(&b, &m, &needs, old, old_size))
        code = inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for an image of %u bytes",
                          m.new_size);
    else
        code = inlay_apply_flash(&cfg, patch, patch_len, &already, err);
    free(b.work.data);
    if (code)
        free(b.slot.data);
    else
        *out = (struct inlay_buffer){b.slot.data, m.new_size, b.slot.len};
    return code;
}

int inlay_apply(const uint8_t *old, size_t old_size, const uint8_t *patch, size_t patch_len,
                const struct inlay_apply_options *options, struct inlay_buffer *out,
                struct inlay_error *err)
{
    return inlay_apply_with(inlay_host_codecs(), old, old_size, patch, patch_len, options, out,
                            err);
}
