/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash chain: each chunk carries the link (digest) of the next one.  The
 * first one's is in the manifest; without a signature it vouches for that, too.
 */
#ifndef INLAY_CHAIN_H
#define INLAY_CHAIN_H

#include "manifest.h"

struct inlay_chain {
    uint32_t index; /* the next chunk to take; inlay_manifest_chunks() when all were */
    uint32_t count;
    uint32_t step; /* payload bytes in a chunk that is not the last */
    uint32_t link_len;
    uint32_t first_len;      /* bytes of the first chunk's link */
    const uint8_t *identity; /* what goes before the first chunk into its digest, or NULL */
    /* Links of chunks index - 2, index - 1 and index, as far as they were seen. */
    uint8_t link[3][INLAY_LINK_LEN];
};

/* Bytes of chunk `index` in the patch, its link to the next included. */
uint32_t inlay_chain_len(const struct inlay_chain *c, const struct inlay_manifest *m);
/*
 * Stands before the chunk that holds payload byte pos and is named by link.
 * identity: the SHA-256 of the manifest, INLAY_DIGEST_LEN bytes, which stay the caller's.
 */
void inlay_chain_seek(struct inlay_chain *c, const struct inlay_manifest *m,
                      const uint8_t *identity, uint32_t pos, const uint8_t *link);
/* The link of the chunk that holds payload byte pos, at most INLAY_CARRY_MAX bytes back. */
const uint8_t *inlay_chain_link(const struct inlay_chain *c, uint32_t pos);
/* Moves on to the next chunk if these bytes are the expected ones, else INLAY_E_CHAIN. */
enum inlay_status inlay_chain_take(struct inlay_chain *c, const struct inlay_crypto *crypto,
                                   const uint8_t *chunk, uint32_t len);

#endif
