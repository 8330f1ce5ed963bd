/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applies a patch with nothing but inlay_patch.c, inlay_patch.h and libsodium.
 *
 * usage: apply_file OLD PATCH OUT
 *
 * Old and new image are in memory that behaves like flash of one large block.
 */
#include "inlay_patch.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory {
    unsigned char *data;
    uint32_t len;
};

static int memory_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct memory *m = ctx;
    memcpy(buf, m->data + pos, len);
    return 0;
}

static int memory_erase(void *ctx, uint32_t pos, uint32_t len)
{
    struct memory *m = ctx;
    memset(m->data + pos, 0xff, len);
    return 0;
}

static int memory_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    struct memory *m = ctx;
    memcpy(m->data + pos, buf, len);
    return 0;
}

static void sha256_init(void *ctx, void *state)
{
    (void)ctx;
    crypto_hash_sha256_init(state);
}

static void sha256_update(void *ctx, void *state, const void *data, size_t len)
{
    (void)ctx;
    crypto_hash_sha256_update(state, data, len);
}

static void sha256_final(void *ctx, void *state, uint8_t digest[32])
{
    (void)ctx;
    crypto_hash_sha256_final(state, digest);
}

static struct memory read_file(const char *path)
{
    static const struct memory none = {NULL, 0};
    struct memory m = none;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return none;
    while (!feof(f) && !ferror(f)) {
        unsigned char *more = realloc(m.data, m.len + 65536u);
        if (more == NULL)
            break;
        m.data = more;
        m.len += (uint32_t)fread(m.data + m.len, 1, 65536u, f);
    }
    fclose(f);
    return m;
}

static struct inlay_flash flash_of(struct memory *m)
{
    struct inlay_flash f = {.ctx = m,
                            .read = memory_read,
                            .erase = memory_erase,
                            .write = memory_write,
                            .write_size = 1,
                            .erased = 0xff,
                            .regions = 1};
    f.region[0].count = 1;
    f.region[0].block_len = m->len != 0 ? m->len : 1;
    return f;
}

static enum inlay_status apply(const struct inlay_config *cfg, const struct memory *patch,
                               void *workspace, size_t workspace_len)
{
    struct inlay_patcher *p;
    size_t used;
    enum inlay_status st = inlay_begin(&p, cfg, workspace, workspace_len);
    while (st == INLAY_MORE || st == INLAY_AGAIN) {
        uint32_t pos = inlay_next_offset(p);
        if (st == INLAY_AGAIN)
            st = inlay_step(p);
        else if (pos >= patch->len)
            return INLAY_E_CORRUPT; /* it ends too early */
        else
            st = inlay_feed(p, patch->data + pos, patch->len - pos, &used);
    }
    return st;
}

static int fail(const char *what)
{
    fprintf(stderr, "apply_file: %s\n", what);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct inlay_codec *const codecs[] = {&inlay_codec_mix_all, NULL};
    static const struct inlay_crypto crypto = {NULL, sha256_init, sha256_update, sha256_final,
                                               NULL};
    struct inlay_needs needs;
    if (argc != 4)
        return fail("usage: apply_file OLD PATCH OUT");
    struct memory old = read_file(argv[1]), patch = read_file(argv[2]), new = {NULL, 0};
    if (patch.len == 0 || inlay_probe(codecs, patch.data, patch.len, &needs) != INLAY_OK)
        return fail("this is not a patch");
    new.len = needs.new_size;
    new.data = malloc(new.len + 1u);
    void *workspace = malloc(needs.workspace);
    if (new.data == NULL || workspace == NULL)
        return fail("out of memory");
    struct inlay_flash from = flash_of(&old), to = flash_of(&new);
    struct inlay_config cfg = {.old = &from, .slot = &to, .crypto = &crypto, .codecs = codecs};
    enum inlay_status st = apply(&cfg, &patch, workspace, needs.workspace);
    if (st != INLAY_DONE)
        return fail(inlay_status_text(st));
    FILE *out = fopen(argv[3], "wb");
    if (out == NULL || fwrite(new.data, 1, new.len, out) != new.len || fclose(out) != 0)
        return fail("the new image cannot be written");
    return 0;
}
