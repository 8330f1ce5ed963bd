/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

#define HASH_PIECES 8u /* per step */

void inlay_hash_open(const struct inlay_patcher *p, uint64_t *state)
{
    p->cfg->crypto->sha256_init(p->cfg->crypto->ctx, state);
}

void inlay_hash_add(const struct inlay_patcher *p, uint64_t *state, const void *data, uint32_t len)
{
    p->cfg->crypto->sha256_update(p->cfg->crypto->ctx, state, data, len);
}

void inlay_hash_take(const struct inlay_patcher *p, uint64_t *state, uint8_t *to, size_t len)
{
    uint8_t digest[INLAY_DIGEST_LEN];
    p->cfg->crypto->sha256_final(p->cfg->crypto->ctx, state, digest);
    memcpy(to, digest, len);
}

int inlay_hash_is(const struct inlay_patcher *p, uint64_t *state, const uint8_t *want, size_t len)
{
    uint8_t digest[INLAY_DIGEST_LEN];
    inlay_hash_take(p, state, digest, sizeof digest);
    return memcmp(digest, want, len) == 0;
}

void inlay_identify(const struct inlay_patcher *p, const uint8_t *head,
                    const struct inlay_manifest *m, uint8_t *identity)
{
    uint64_t state[INLAY_SHA_STATE_MAX / 8u];
    inlay_hash_open(p, state);
    inlay_hash_add(p, state, head, m->len);
    inlay_hash_take(p, state, identity, INLAY_DIGEST_LEN);
}

enum inlay_status inlay_hash_image(struct inlay_patcher *p, const struct inlay_flash *f,
                                   uint32_t size)
{
    if (p->at == 0)
        inlay_hash_open(p, p->sha_whole);
    for (unsigned i = 0; i < HASH_PIECES && p->at < size; i++) {
        uint32_t n = size - p->at < INLAY_PIECE ? size - p->at : INLAY_PIECE;
        if (inlay_read(p, f, p->at, p->out.buf, n) != INLAY_OK)
            return INLAY_E_FLASH;
        inlay_hash_add(p, p->sha_whole, p->out.buf, n);
        p->at += n;
    }
    return p->at < size ? INLAY_AGAIN : INLAY_OK;
}
