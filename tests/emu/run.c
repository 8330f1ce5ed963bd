/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies the file "patch" to the file "old" with the patcher as a device
 * would, flash being memory, and writes "result" and a line of figures,
 * "report".  The same program on every machine; port.h is what differs.
 */
#include "codec_mix.h"
#include "manifest.h"
#include "port.h"
#include "sha256.h"

#include <string.h>

#define WORK_BLOCKS 8u
#define WORK_BLOCK  4096u
#define FIRST_RESET 16u /* calls of the patcher */

/* Who the instructions since the last look at the counter are charged to. */
enum account { PATCHER, HASH, FLASH, OUTSIDE, ACCOUNTS };

struct books {
    uint64_t spent[ACCOUNTS];
    uint64_t last;
    enum account open;
    uint32_t looks; /* at the counter */
};

struct area {
    struct inlay_flash flash;
    uint8_t *data;
    uint32_t len;
    struct books *books;
};

struct job {
    uint8_t *old, *patch, *workspace;
    uint32_t old_len, patch_len;
    struct inlay_manifest manifest;
    struct inlay_needs needs;
    struct area from, slot, work;
    struct books books;
    uint32_t boots;
};

static enum account charge(struct books *b, enum account next)
{
    enum account before = b->open;
    uint64_t now = emu_instructions();
    b->spent[before] += now - b->last;
    b->last = now;
    b->open = next;
    b->looks++;
    return before;
}

static int area_holds(const struct area *a, uint32_t pos, uint32_t len)
{
    return pos <= a->len && len <= a->len - pos;
}

static int area_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    struct area *a = ctx;
    enum account before = charge(a->books, FLASH);
    int ok = area_holds(a, pos, len);
    if (ok)
        memcpy(buf, a->data + pos, len);
    charge(a->books, before);
    return ok ? 0 : -1;
}

static int area_erase(void *ctx, uint32_t pos, uint32_t len)
{
    struct area *a = ctx;
    enum account before = charge(a->books, FLASH);
    int ok = area_holds(a, pos, len);
    if (ok)
        memset(a->data + pos, a->flash.erased, len);
    charge(a->books, before);
    return ok ? 0 : -1;
}

static int area_is_erased(const struct area *a, uint32_t pos, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (a->data[pos + i] != a->flash.erased)
            return 0;
    return 1;
}

static int area_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    struct area *a = ctx;
    enum account before = charge(a->books, FLASH);
    int ok = area_holds(a, pos, len) && (pos | len) % a->flash.write_size == 0 &&
             area_is_erased(a, pos, len);
    if (ok)
        memcpy(a->data + pos, buf, len);
    charge(a->books, before);
    return ok ? 0 : -1;
}

static void hash_init(void *ctx, void *state)
{
    enum account before = charge(ctx, HASH);
    emu_sha256_init(state);
    charge(ctx, before);
}

static void hash_update(void *ctx, void *state, const void *data, size_t len)
{
    enum account before = charge(ctx, HASH);
    emu_sha256_update(state, data, len);
    charge(ctx, before);
}

static void hash_final(void *ctx, void *state, uint8_t digest[32])
{
    enum account before = charge(ctx, HASH);
    emu_sha256_final(state, digest);
    charge(ctx, before);
}

static int make_area(struct job *j, struct area *a)
{
    a->len = 0;
    for (unsigned i = 0; i < a->flash.regions; i++)
        a->len += a->flash.region[i].count * a->flash.region[i].block_len;
    a->data = emu_alloc(a->len);
    a->books = &j->books;
    a->flash.ctx = a;
    a->flash.read = area_read;
    a->flash.erase = area_erase;
    a->flash.write = area_write;
    a->flash.erased = 0xff;
    return a->data ? 0 : -1;
}

/* The geometry that the patch was made for; without one, one block as large as the image. */
static int make_areas(struct job *j)
{
    const struct inlay_manifest *m = &j->manifest;
    j->slot.flash.regions = m->regions != 0 ? m->regions : 1;
    j->slot.flash.write_size = 4;
    j->slot.flash.region[0] = (struct inlay_region){1, (m->new_size + 3u) & ~3u};
    if (m->regions != 0)
        memcpy(j->slot.flash.region, m->region, sizeof m->region);
    j->from.flash.regions = 1;
    j->from.flash.write_size = 1;
    j->from.flash.region[0] = (struct inlay_region){1, j->old_len};
    j->work.flash.regions = 1;
    j->work.flash.write_size = j->slot.flash.write_size;
    j->work.flash.region[0] = (struct inlay_region){WORK_BLOCKS, WORK_BLOCK};
    return make_area(j, &j->from) | make_area(j, &j->slot) | make_area(j, &j->work);
}

/* As they are before the update. */
static void fill_areas(struct job *j)
{
    memcpy(j->from.data, j->old, j->old_len);
    memset(j->slot.data, 0xff, j->slot.len);
    memset(j->work.data, 0xff, j->work.len);
    if (j->manifest.in_place)
        memcpy(j->slot.data, j->old, j->old_len);
}

static const char *prepare(struct job *j)
{
    static const struct inlay_codec *const codecs[] = {&inlay_codec_mix_all, NULL};
    if (emu_load("old", &j->old, &j->old_len) || emu_load("patch", &j->patch, &j->patch_len))
        return "cannot read old and patch";
    if (inlay_manifest_read(&j->manifest, j->patch, j->patch_len) != INLAY_OK)
        return "the manifest is refused";
    if (inlay_probe(codecs, j->patch, j->patch_len, &j->needs) != INLAY_OK)
        return "the probe refuses the patch";
    j->workspace = emu_alloc(j->needs.workspace);
    if (!j->workspace || make_areas(j))
        return "out of memory";
    return NULL;
}

static enum inlay_status turn(struct job *j, struct inlay_patcher *p, enum inlay_status last)
{
    size_t used;
    if (last != INLAY_MORE)
        return inlay_step(p);
    uint32_t pos = inlay_next_offset(p);
    if (pos >= j->patch_len)
        return INLAY_E_CORRUPT;
    return inlay_feed(p, j->patch + pos, j->patch_len - pos, &used);
}

/*
 * The whole update.  period: calls until the first reset, each later one
 * half as long again so that groups get done in the end; 0: none.
 */
static enum inlay_status update(struct job *j, uint32_t period)
{
    static const struct inlay_codec *const codecs[] = {&inlay_codec_mix_all, NULL};
    const struct inlay_crypto crypto = {&j->books, hash_init, hash_update, hash_final, NULL};
    const struct inlay_config cfg = {.old = j->manifest.in_place ? &j->slot.flash : &j->from.flash,
                                     .slot = &j->slot.flash,
                                     .work = j->manifest.regions != 0 ? &j->work.flash : NULL,
                                     .crypto = &crypto,
                                     .codecs = codecs};
    enum inlay_status status;
    uint32_t calls = 0;
    struct inlay_patcher *p;
    do {
        memset(j->workspace, 0xa5, j->needs.workspace);
        charge(&j->books, PATCHER);
        status = inlay_begin(&p, &cfg, j->workspace, j->needs.workspace);
        for (calls = 0; status == INLAY_MORE || status == INLAY_AGAIN; calls++) {
            if (period > 0 && calls == period)
                break;
            status = turn(j, p, status);
        }
        charge(&j->books, OUTSIDE);
        period += period / 2;
        j->boots++;
    } while (status == INLAY_MORE || status == INLAY_AGAIN);
    return status;
}

/* A counter that does not count what runs would make every figure worthless. */
static const char *try_counter(void)
{
    uint64_t start = emu_instructions();
    emu_spin();
    uint64_t spun = emu_instructions() - start;
    return spun == 0 || (spun > 1990000 && spun < 2010000) ? NULL : "the counter counts wrongly";
}

/* Instructions that two looks at the counter, one callback's, add. */
static uint32_t price_of_looks(void)
{
    struct books b = {.open = OUTSIDE};
    uint64_t start = emu_instructions();
    for (unsigned i = 0; i < 1000; i++)
        charge(&b, charge(&b, HASH));
    return (uint32_t)((emu_instructions() - start) / 1000);
}

static char *put_number(char *at, const char *name, uint64_t value)
{
    char digits[20];
    unsigned n = 0;
    at = (char *)memcpy(at, name, strlen(name)) + strlen(name);
    *at++ = '=';
    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (n > 0)
        *at++ = digits[--n];
    *at++ = ' ';
    return at;
}

static char *put_figures(const struct job *j, char *at)
{
    at = put_number(at, "in_place", j->manifest.in_place);
    at = put_number(at, "new", j->needs.new_size);
    at = put_number(at, "patch", j->needs.patch_size);
    at = put_number(at, "workspace", j->needs.workspace);
    at = put_number(at, "patcher", j->books.spent[PATCHER]);
    at = put_number(at, "hash", j->books.spent[HASH]);
    at = put_number(at, "flash", j->books.spent[FLASH]);
    return put_number(at, "looks", j->books.looks);
}

/* Once more with resets in between; what is in the slot must be as before. */
static const char *run_with_resets(struct job *j, uint32_t *boots)
{
    uint8_t *result = emu_alloc(j->needs.new_size);
    if (!result)
        return "out of memory";
    memcpy(result, j->slot.data, j->needs.new_size);
    fill_areas(j);
    j->boots = 0;
    enum inlay_status status = update(j, FIRST_RESET);
    *boots = j->boots;
    if (status != INLAY_DONE)
        return inlay_status_text(status);
    return memcmp(result, j->slot.data, j->needs.new_size) ? "another image after resets" : NULL;
}

static const char *run(struct job *j)
{
    char line[400], *at = line;
    uint32_t boots = 1;
    const char *wrong = emu_sha256_try() ? "SHA-256 of the tests is wrong" : try_counter();
    if (!wrong)
        wrong = prepare(j);
    if (wrong)
        return wrong;
    uint32_t price = price_of_looks();
    fill_areas(j);
    emu_stack_fill();
    j->books = (struct books){.last = emu_instructions(), .open = OUTSIDE};
    enum inlay_status status = update(j, 0);
    at = put_number(at, "stack", emu_stack_used());
    if (status != INLAY_DONE)
        return inlay_status_text(status);
    at = put_number(put_figures(j, at), "price", price);
    if (emu_save("result", j->slot.data, j->needs.new_size))
        return "cannot write the result";
    if (j->manifest.regions != 0)
        wrong = run_with_resets(j, &boots);
    at = put_number(at, "boots", boots);
    at[-1] = '\n';
    return wrong || !emu_save("report", line, (size_t)(at - line)) ? wrong
                                                                   : "cannot write the report";
}

int emu_main(void)
{
    static struct job job;
    const char *wrong = run(&job);
    return wrong ? (emu_save("report", wrong, strlen(wrong)), 1) : 0;
}
