/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the patch format that patcher and differ share; docs/FORMAT.md explains them. */
#ifndef INLAY_FORMAT_H
#define INLAY_FORMAT_H

#define INLAY_LEVEL          1u          /* format level, the fourth byte of a patch */
#define INLAY_SIZE_MAX       0x7fffffffu /* bytes of an image, a payload or a slot */
#define INLAY_LINK_LEN       16u         /* bytes of digest by which a chunk is named */
#define INLAY_NEW_DIGEST_LEN 32u         /* bytes of digest of the new image */
/* Without a signature digests are against damage only: */
#define INLAY_LINK_SHORT       4u
#define INLAY_NEW_DIGEST_SHORT 16u
#define INLAY_UNSIGNED_LEN     4u  /* bytes of digest in place of a signature */
#define INLAY_CHUNK_LOG_MIN    9u  /* chunks of 512 bytes ... */
#define INLAY_CHUNK_LOG_MAX    16u /* ... to 64 KB */
#define INLAY_OLD_DIGEST_MIN   8u  /* bytes of digest of the old image, up to 32 */
#define INLAY_CHECK_MAX        16u /* bytes of digest per group */
#define INLAY_PARAMS_MAX       64u /* bytes of codec parameters */
#define INLAY_COMPONENT_MAX    32u /* bytes of component id */
#define INLAY_VERSION_MAX      64u /* bytes of a version's name */
#define INLAY_STAGE_BLOCKS_MAX 1024u

/*
 * A patch is: manifest, signature block, chunks.
 *
 * Manifest: "INL", level, flags, its length in bytes, old size, new size less
 * old size (zigzag), payload length; one byte with the chunk length's log less
 * INLAY_CHUNK_LOG_MIN in the top three bits and the bytes of digest per group
 * in the others; with INLAY_FLAG_LONG_OLD the bytes of digest of the old image;
 * plan length, codec id, length of its parameters, the parameters; digests of
 * old image, new image and first chunk; with INLAY_FLAG_GEOMETRY how the slot
 * is cut, blocks staged at most, pool length; with INLAY_FLAG_FIELDS the fields.
 *
 * Signature block: the signature's length and the signature.  Without one the
 * length is 0 and the first INLAY_UNSIGNED_LEN bytes of the SHA-256 of manifest
 * and that byte follow: no protection from anybody, but from damage.
 *
 * Geometry: one byte with regions less 1 in the top three bits, bit 4 for an
 * erased byte of 0, the write size's log below; then for each region the count
 * of its blocks, and their length as an odd number times a power of two:
 * (odd - 1) / 2 * 32 + log.
 */

/* The fifth byte. */
#define INLAY_FLAG_IN_PLACE 0x01u /* rewrites the slot that holds the old image */
#define INLAY_FLAG_GEOMETRY 0x02u /* says how the slot is cut into erase blocks */
#define INLAY_FLAG_FIELDS   0x04u /* optional fields follow */
#define INLAY_FLAG_SHORT    0x08u /* links and new digest are short; never with a signature */
#define INLAY_FLAG_LONG_OLD 0x10u /* more than INLAY_OLD_DIGEST_MIN bytes of old digest */

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
