/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <string.h>

uint32_t inlay_chain_len(const struct inlay_chain *c, const struct inlay_manifest *m)
{
    if (c->index + 1u < c->count)
        return c->step + m->link_len;
    return m->payload_len - (c->count - 1u) * c->step;
}

static uint32_t chunk_of(const struct inlay_chain *c, uint32_t pos)
{
    uint32_t index = pos / c->step;
    return index < c->count ? index : c->count - 1u;
}

void inlay_chain_seek(struct inlay_chain *c, const struct inlay_manifest *m,
                      const uint8_t *identity, uint32_t pos, const uint8_t *link)
{
    c->count = inlay_manifest_chunks(m);
    c->step = inlay_manifest_step(m);
    c->link_len = m->link_len;
    c->first_len = m->first_link_len;
    c->identity = m->is_signed ? NULL : identity;
    c->index = chunk_of(c, pos);
    memcpy(c->link[2], link, INLAY_LINK_LEN);
}

const uint8_t *inlay_chain_link(const struct inlay_chain *c, uint32_t pos)
{
    /* A link lags by as many chunks as pos does; the input never lags by more than two. */
    return c->link[2u - (c->index - chunk_of(c, pos))];
}

enum inlay_status inlay_chain_take(struct inlay_chain *c, const struct inlay_crypto *crypto,
                                   const uint8_t *chunk, uint32_t len)
{
    uint64_t state[INLAY_SHA_STATE_MAX / 8u];
    uint8_t digest[INLAY_DIGEST_LEN];
    crypto->sha256_init(crypto->ctx, state);
    if (c->index == 0 && c->identity != NULL)
        crypto->sha256_update(crypto->ctx, state, c->identity, INLAY_DIGEST_LEN);
    crypto->sha256_update(crypto->ctx, state, chunk, len);
    crypto->sha256_final(crypto->ctx, state, digest);
    if (memcmp(digest, c->link[2], c->index == 0 ? c->first_len : c->link_len) != 0)
        return INLAY_E_CHAIN;
    memmove(c->link[0], c->link[1], 2u * INLAY_LINK_LEN);
    if (c->index + 1u < c->count)
        memcpy(c->link[2], chunk + c->step, c->link_len);
    c->index++;
    return INLAY_OK;
}
