/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary bytes as a patch, A/B or in place.
 *
 * Input: options, length of the old image (2 bytes), old image, patch.
 * Digests would stop nearly every mutation at the first chunk, so that an
 * option computes them anew: the codec then sees the mutated payload.
 */
#include "apply.h"
#include "container.h"
#include "flash.h"
#include "inlay.h"

#define MEND    1u /* compute the digests anew */
#define UNCHECK 2u /* and expect no digests of groups */
#define SMALL   4u /* feed a few bytes at a time */
#define DRY     8u
#define SECOND  16u /* run again after the end */

#define AREA_MAX      (256u << 10)
#define WORKSPACE_MAX (4u << 20)
#define CALLS_MAX     2000000u

/* Takes the digests out of the chunks, as far as they reach. */
static void take_payload(const struct inlay_manifest *m, const uint8_t *body, size_t len,
                         struct inlay_buffer *payload)
{
    uint32_t step = inlay_manifest_step(m);
    for (size_t pos = 0; pos < len; pos += step + m->link_len) {
        size_t n = len - pos < step ? len - pos : step;
        REQUIRE(inlay_buffer_add(payload, body + pos, n) == 0);
    }
}

/* The same patch with digests that hold; an empty buffer if its manifest is beyond repair. */
static struct inlay_buffer mend(const uint8_t *old, size_t old_len, const uint8_t *patch,
                                size_t len, unsigned options)
{
    struct inlay_buffer payload = {0}, out = {0};
    struct inlay_manifest m;
    if (inlay_manifest_read(&m, patch, len) != INLAY_OK)
        return out;
    take_payload(&m, patch + m.body_pos, len - m.body_pos, &payload);
    m.old_size = (uint32_t)old_len;
    inlay_sha256(old, old_len, m.old_digest);
    if (options & UNCHECK)
        m.check_len = 0;
    if (inlay_container_write(&m, NULL, payload.data, payload.len, &out, NULL))
        inlay_buffer_free(&out);
    inlay_buffer_free(&payload);
    return out;
}

static enum inlay_status run(struct inlay_patcher *p, enum inlay_status st, const uint8_t *patch,
                             size_t len, size_t most)
{
    for (unsigned calls = 0; calls < CALLS_MAX; calls++) {
        uint32_t pos = inlay_next_offset(p);
        size_t used = 0, n;
        if (st == INLAY_AGAIN || st == INLAY_OK) {
            st = inlay_step(p);
            continue;
        }
        if (st != INLAY_MORE)
            return st;
        if (pos >= len)
            return INLAY_MORE;
        n = len - pos < most ? len - pos : most;
        st = inlay_feed(p, patch + pos, n, &used);
        REQUIRE(used <= n && (st != INLAY_MORE || used > 0));
    }
    REQUIRE(!"the update ends");
    return st;
}

/* The property: DONE means the very image that the manifest promises. */
static void check_done(const struct inlay_manifest *m, const struct fuzz_flash *slot)
{
    uint8_t digest[32];
    inlay_sha256(slot->data, m->new_size, digest);
    REQUIRE(memcmp(digest, m->new_digest, m->new_digest_len) == 0);
}

static void apply(const struct inlay_config *cfg, const struct inlay_manifest *m,
                  uint32_t workspace, const uint8_t *patch, size_t len, unsigned options)
{
    struct inlay_patcher *p = NULL;
    void *room = malloc(workspace);
    REQUIRE(room);
    enum inlay_status st = inlay_begin(&p, cfg, room, workspace);
    if (st >= 0)
        st = run(p, st, patch, len, options & SMALL ? 7 : len);
    if (st == INLAY_DONE && !cfg->dry_run)
        check_done(m, cfg->slot->ctx);
    if (st < 0 && p)
        REQUIRE(inlay_step(p) == st);
    free(room);
}

static int small_enough(const struct inlay_flash *f)
{
    return inlay_apply_area_len(f) <= AREA_MAX;
}

static void on_flash(const uint8_t *old, uint32_t old_len, const uint8_t *patch, size_t len,
                     unsigned options)
{
    struct inlay_manifest m;
    struct inlay_needs needs;
    struct fuzz_flash src = {0}, slot = {0}, work = {0};
    if (inlay_manifest_read(&m, patch, len) != INLAY_OK ||
        inlay_probe(inlay_host_codecs(), patch, len, &needs) != INLAY_OK ||
        needs.workspace > WORKSPACE_MAX)
        return;
    inlay_apply_slot(&m, &slot.f);
    inlay_apply_work(&m, &needs, &work.f);
    src.f = (struct inlay_flash){
        .write_size = 1, .erased = 0xff, .regions = 1, .region = {{1, old_len ? old_len : 1}}};
    if (!small_enough(&slot.f) || !small_enough(&work.f))
        return;
    fuzz_flash_open(&src, NULL);
    fuzz_flash_open(&slot, NULL);
    fuzz_flash_open(&work, NULL);
    memcpy(src.data, old, old_len);
    memcpy(slot.data, old, m.in_place ? (old_len < slot.len ? old_len : slot.len) : 0);
    struct inlay_config cfg = {.old = m.in_place ? &slot.f : &src.f,
                               .slot = &slot.f,
                               .work = &work.f,
                               .crypto = inlay_host_crypto(),
                               .codecs = inlay_host_codecs(),
                               .dry_run = (options & DRY) != 0};
    apply(&cfg, &m, needs.workspace, patch, len, options);
    if (options & SECOND)
        apply(&cfg, &m, needs.workspace, patch, len, options);
    fuzz_flash_close(&src);
    fuzz_flash_close(&slot);
    fuzz_flash_close(&work);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    unsigned options = fuzz_u8(&in);
    size_t old_len;
    const uint8_t *old = fuzz_bytes(&in, fuzz_u16(&in), &old_len);
    if (options & MEND) {
        struct inlay_buffer patch = mend(old, old_len, in.data, in.left, options);
        if (patch.len)
            on_flash(old, (uint32_t)old_len, patch.data, patch.len, options);
        inlay_buffer_free(&patch);
    } else {
        on_flash(old, (uint32_t)old_len, in.data, in.left, options);
    }
    return 0;
}
