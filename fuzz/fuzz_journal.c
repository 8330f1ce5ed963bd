/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary work areas as a journal, on a device that is updated in place.
 *
 * Input: options, operation at which power fails first (2 bytes), and either
 * the work area as it is or changes to what the cut left there, 3 bytes each.
 * An update whose work area nobody changed always ends at the new image.
 */
#include "bits.h"
#include "container.h"
#include "flash.h"
#include "inlay.h"

#define GARBAGE 1u  /* the work area is the input */
#define MEND    2u  /* give changed records a CRC that holds */
#define TWICE   4u  /* power fails again while it resumes */
#define FRESH   8u  /* no first cut: the old image is whole */
#define RECIPES 16u /* a work area that is so small that blocks are staged as recipes */

#define IMAGE_LEN  6000u
#define CALLS_MAX  1000000u
#define RECORD_MIN 100u

#define PROFILE(work)                                                                              \
    "name = fuzz\ntitle = none\nsource = none\narch = none\nmode = in-place\nslot.blocks = 32 x "  \
    "256\nslot.write_size = 4\n"                                                                   \
    "slot.page_len = 64\nwork.blocks = " work " x 256\nram = 16K\nmodel_ram = 4K\n"                \
    "chunk_len = 512\ncheck_len = 4\n"

static uint8_t old_image[IMAGE_LEN], new_image[IMAGE_LEN];

/* With blocks staged whole, and as recipes. */
static struct update {
    const char *text;
    struct inlay_profile profile;
    struct inlay_diff_result made;
    uint32_t ops;
} updates[2] = {{.text = PROFILE("40")}, {.text = PROFILE("24")}};

struct device {
    const struct update *update;
    struct fuzz_power power;
    struct fuzz_flash slot, work;
};

static void copy_area(struct fuzz_flash *d, const struct inlay_profile_area *a)
{
    d->f.write_size = a->write_size;
    d->f.page_len = a->page_len;
    d->f.erased = a->erased;
    d->f.regions = a->regions;
    memcpy(d->f.region, a->region, sizeof d->f.region);
}

static void open_device(struct device *d, const struct update *update)
{
    memset(d, 0, sizeof *d);
    d->update = update;
    copy_area(&d->slot, &update->profile.slot);
    copy_area(&d->work, &update->profile.work);
    fuzz_flash_open(&d->slot, &d->power);
    fuzz_flash_open(&d->work, &d->power);
    memcpy(d->slot.data, old_image, IMAGE_LEN);
}

static enum inlay_status run(struct inlay_patcher *p, enum inlay_status st,
                             const struct inlay_buffer *patch)
{
    for (unsigned calls = 0; calls < CALLS_MAX; calls++) {
        uint32_t pos = inlay_next_offset(p);
        size_t used = 0;
        if (st == INLAY_AGAIN || st == INLAY_OK)
            st = inlay_step(p);
        else if (st == INLAY_MORE && pos < patch->len)
            st = inlay_feed(p, patch->data + pos, patch->len - pos, &used);
        else
            return st;
    }
    REQUIRE(!"the update ends");
    return st;
}

/* One boot with power for so many operations; INLAY_AGAIN: it failed. */
static enum inlay_status boot(struct device *d, uint32_t ops)
{
    struct inlay_config cfg = {.old = &d->slot.f,
                               .slot = &d->slot.f,
                               .work = &d->work.f,
                               .crypto = inlay_host_crypto(),
                               .codecs = inlay_host_codecs()};
    struct inlay_patcher *p = NULL;
    uint32_t workspace = d->update->made.needs.workspace;
    void *volatile room = malloc(workspace);
    REQUIRE(room);
    d->power.armed = ops != UINT32_MAX;
    d->power.ops_left = ops;
    enum inlay_status st = INLAY_AGAIN;
    if (setjmp(d->power.off) == 0) {
        st = inlay_begin(&p, &cfg, room, workspace);
        if (st >= 0)
            st = run(p, st, &d->update->made.patch);
    }
    free(room);
    return st;
}

/* The patch of an update, and how many operations it takes. */
static void make(struct update *u)
{
    struct inlay_error err;
    struct inlay_image old = {.data = old_image, .size = IMAGE_LEN};
    struct inlay_image new = {.data = new_image, .size = IMAGE_LEN};
    struct inlay_diff_options o = {.mode = INLAY_DIFF_IN_PLACE};
    int code = inlay_profile_parse(u->text, strlen(u->text), "fuzz", &u->profile, &err) ||
               inlay_diff(&old, &new, &u->profile, &o, &u->made, &err);
    if (code)
        fprintf(stderr, "FUZZ: %s\n", err.text);
    REQUIRE(!code);
    struct device d;
    open_device(&d, u);
    REQUIRE(boot(&d, 1u << 20) == INLAY_DONE);
    u->ops = (1u << 20) - d.power.ops_left;
    fuzz_flash_close(&d.slot);
    fuzz_flash_close(&d.work);
}

/* Images with something to move, to correct and to add, and patches between them. */
static void prepare(void)
{
    uint32_t x = 1;
    for (uint32_t i = 0; i < IMAGE_LEN; i++) {
        x = x * 1103515245u + 12345u;
        old_image[i] = (uint8_t)(x >> 16);
    }
    memcpy(new_image, old_image, IMAGE_LEN);
    memmove(new_image + 1100, new_image + 1000, 2500);
    memcpy(new_image + 4000, old_image + 500, 700);
    for (uint32_t i = 200; i < IMAGE_LEN; i += 431)
        new_image[i]++;
    make(&updates[0]);
    make(&updates[1]);
    REQUIRE(updates[0].made.needs.recipe_len == 0 && updates[1].made.needs.recipe_len != 0);
}

static uint32_t crc32_of(const uint8_t *b, uint32_t len)
{
    uint32_t crc = 0xFFFFFFFFu;
    while (len-- > 0) {
        crc ^= *b++;
        for (unsigned i = 0; i < 8u; i++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

/* What looks like a record gets the CRC it needs. */
static void mend(struct fuzz_flash *work)
{
    uint32_t page = work->f.page_len;
    for (uint32_t pos = 0; pos + RECORD_MIN <= work->len; pos += page) {
        uint8_t *b = work->data + pos;
        uint32_t len = inlay_get16(b + 4);
        if (b[0] == 'J' && b[1] == 'L' && len >= RECORD_MIN && len <= work->len - pos)
            inlay_put32(b + len - 4, crc32_of(b, len - 4));
    }
}

/* 1 if anything is now different from what the patcher left. */
static int disturb(struct device *d, struct fuzz_input *in, unsigned options)
{
    int changed = 0;
    size_t got;
    if (options & GARBAGE) {
        const uint8_t *bytes = fuzz_bytes(in, d->work.len, &got);
        memcpy(d->work.data, bytes, got);
        changed = 1;
    }
    while (in->left >= 3) {
        uint32_t pos = fuzz_u16(in) % d->work.len;
        uint8_t flip = fuzz_u8(in);
        d->work.data[pos] ^= flip;
        changed |= flip;
    }
    if (changed && (options & MEND))
        mend(&d->work);
    return changed;
}

static void finish(struct device *d, int changed)
{
    enum inlay_status st = boot(d, UINT32_MAX);
    int whole = memcmp(d->slot.data, new_image, IMAGE_LEN) == 0;
    REQUIRE(st != INLAY_DONE || whole);
    REQUIRE(changed || whole);
    REQUIRE(changed || st == INLAY_DONE || st == INLAY_ALREADY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct device d;
    if (!updates[0].ops)
        prepare();
    unsigned options = fuzz_u8(&in);
    const struct update *update = &updates[(options & RECIPES) != 0];
    uint32_t cut = fuzz_u16(&in);
    open_device(&d, update);
    if (!(options & FRESH))
        boot(&d, cut % update->ops);
    int changed = disturb(&d, &in, options);
    if (options & TWICE)
        boot(&d, (cut >> 8) * 3u);
    finish(&d, changed);
    fuzz_flash_close(&d.slot);
    fuzz_flash_close(&d.work);
    return 0;
}
