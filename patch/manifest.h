/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest at the head of a patch, read into a struct. */
#ifndef INLAY_MANIFEST_H
#define INLAY_MANIFEST_H

#include "format.h"
#include "inlay_patch.h"

/* A piece of the manifest, by its place in it; len 0: not there. */
struct inlay_piece {
    uint16_t pos;
    uint16_t len;
};

struct inlay_manifest {
    uint32_t old_size;
    uint32_t new_size;
    uint32_t payload_len;   /* bytes in the chunks, links not counted */
    uint32_t plan_len;      /* of which the first are the plan */
    uint32_t stage_blocks;  /* blocks in a group that are not direct, at most */
    uint32_t recipe_len;    /* bytes of a group's recipes, at most; 0: blocks are staged whole */
    uint16_t len;           /* bytes of manifest, which is what a signature covers */
    uint16_t body_pos;      /* bytes of manifest and signature block: where the chunks start */
    struct inlay_piece sig; /* len 0: unsigned */
    uint8_t in_place;
    uint8_t is_signed;
    uint8_t link_len;       /* bytes of digest by which a chunk is named ... */
    uint8_t first_link_len; /* ... and the first one */
    uint8_t new_digest_len; /* bytes of new_digest that count */
    uint8_t chunk_log;      /* a chunk has at most 1 << chunk_log bytes, its link included */
    uint8_t check_len;      /* bytes of digest per group, 0 without geometry */
    uint8_t old_digest_len; /* bytes of old_digest that count */
    uint8_t codec;
    uint8_t params_len;
    uint8_t regions; /* 0: no geometry, any slot will do */
    uint32_t pool_len;
    uint32_t security_counter; /* 0 if not given */
    uint8_t old_digest[32];
    uint8_t new_digest[32];
    uint8_t first_link[INLAY_LINK_LEN]; /* of the first chunk; unsigned, of the manifest, too */
    uint8_t params[INLAY_PARAMS_MAX];
    struct inlay_region region[INLAY_REGIONS_MAX]; /* no more blocks than the images are in */
    uint32_t longest;                              /* bytes of the longest block */
    struct inlay_piece component, old_version, new_version, old_checks;
};

/*
 * Reads manifest and signature block; pieces point into head.  What the
 * signature block says is not checked.
 * Returns INLAY_OK, INLAY_MORE (len is too short, m->body_pos bytes get on),
 * INLAY_E_CORRUPT, INLAY_E_UNSUPPORTED (level, flag or critical field unknown)
 * or INLAY_E_LIMIT (a size beyond what the format allows).
 */
enum inlay_status inlay_manifest_read(struct inlay_manifest *m, const uint8_t *head, size_t len);

/* Sets how long digests are, by in_place and whether there is a signature. */
void inlay_manifest_digests(struct inlay_manifest *m, int is_signed);

/* Bytes of the slot that the images reach into: the new one, and in place the old one too. */
uint32_t inlay_manifest_reach(const struct inlay_manifest *m);

/* Payload bytes in a chunk that is not the last. */
uint32_t inlay_manifest_step(const struct inlay_manifest *m);
/* Chunks in a patch, 1 or more, and bytes of the whole patch. */
uint32_t inlay_manifest_chunks(const struct inlay_manifest *m);
uint32_t inlay_manifest_patch_size(const struct inlay_manifest *m);

#endif
