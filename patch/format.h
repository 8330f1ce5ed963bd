/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the patch format that patcher and differ share; docs/FORMAT.md explains them. */
#ifndef INLAY_FORMAT_H
#define INLAY_FORMAT_H

#define INLAY_LEVEL            1u          /* format level, 1 to 3 */
#define INLAY_SIZE_MAX         0x7fffffffu /* bytes of an image, a payload or a slot */
#define INLAY_LINK_LEN         16u         /* most bytes of digest by which a chunk is named */
#define INLAY_CHUNK_LOG_MIN    9u          /* chunks of 512 bytes ... */
#define INLAY_CHUNK_LOG_MAX    16u         /* ... to 64 KB */
#define INLAY_CHECK_MAX        15u         /* bytes of digest per group */
#define INLAY_CODEC_MAX        3u          /* largest id of a codec */
#define INLAY_PARAMS_MAX       15u         /* bytes of codec parameters */
#define INLAY_COMPONENT_MAX    32u         /* bytes of component id */
#define INLAY_VERSION_MAX      64u         /* bytes of a version's name */
#define INLAY_STAGE_BLOCKS_MAX 1024u
#define INLAY_RECIPE_PAGE      256u /* what recipes take is counted in so many bytes */
#define INLAY_RECIPE_BLOCKS    64u  /* blocks in a group of which recipes are staged, at most */

/*
 * A patch is: manifest, signature block, chunks.
 *
 * Manifest: "IL"; one byte with the level in the top two bits, the codec's id
 * in the next two and flags in the others; one byte with the chunk length's log
 * less INLAY_CHUNK_LOG_MIN in the top three bits, INLAY_SAME_SIZE and the length
 * of the codec's parameters in the others; old size, without INLAY_SAME_SIZE new
 * size less old size (zigzag), payload length, plan length; the parameters;
 * digests of old and new image; with
 * INLAY_FLAG_SIGNED the link of the first chunk; with INLAY_FLAG_GEOMETRY the
 * blocks of the slot; with INLAY_FLAG_FIELDS the length of the fields and they.
 *
 * Signature block: with INLAY_FLAG_SIGNED the signature's length and the
 * signature; else the seal, a link of the first chunk that vouches for the
 * manifest too: no protection from anybody, but from damage.
 *
 * Geometry: one byte with regions less 1 in the top three bits, INLAY_POOL and the
 * bytes of digest per group in the others; for each region the length of its blocks
 * as an odd number times a power of two, (odd - 1) / 2 * 32 + log, and but for the last
 * one, which goes on as far as the images do, their count; in place twice the blocks
 * staged at most, or twice the pages of recipes and one more, and with INLAY_POOL the
 * pool's length.
 */

/* In the third byte. */
#define INLAY_FLAG_IN_PLACE 0x01u /* rewrites the slot that holds the old image */
#define INLAY_FLAG_GEOMETRY 0x02u /* says how the slot is cut into erase blocks; in place that is
                                     always said, and then: all of it, the first byte too */
#define INLAY_FLAG_FIELDS   0x04u /* optional fields follow */
#define INLAY_FLAG_SIGNED   0x08u /* there is a signature, and no digest is short */
/* In the fourth byte. */
#define INLAY_SAME_SIZE 0x10u /* the new image is as long as the old one */
/* The geometry's first byte. */
#define INLAY_POOL  0x10u /* old content is saved before the first commit */
#define INLAY_USUAL 0x02u /* one region, no pool, 2 bytes per group: left out in place */

/* Types of optional fields, ascending; one with the top bit set may be ignored. */
enum inlay_field_type {
    INLAY_FIELD_COMPONENT = 0x01,        /* what this is for, compared byte by byte */
    INLAY_FIELD_SECURITY_COUNTER = 0x02, /* uvarint; a device refuses to go back */
    INLAY_FIELD_OLD_VERSION = 0x81,      /* UTF-8, for people */
    INLAY_FIELD_NEW_VERSION = 0x82,
    INLAY_FIELD_OLD_CHECKS = 0x83 /* log of a length, then a digest of each such piece of old */
};
#define INLAY_OLD_CHECK_LEN  2u /* bytes of it */
#define INLAY_FIELD_OPTIONAL 0x80u

#endif
