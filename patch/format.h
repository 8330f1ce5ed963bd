/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the patch format that patcher and differ share; docs/FORMAT.md explains them. */
#ifndef INLAY_FORMAT_H
#define INLAY_FORMAT_H

#define INLAY_LEVEL            1u          /* format level, 1 to 7 */
#define INLAY_SIZE_MAX         0x7fffffffu /* bytes of an image, a payload or a slot */
#define INLAY_LINK_LEN         16u         /* most bytes of digest by which a chunk is named */
#define INLAY_CHUNK_LOG_MIN    9u          /* chunks of 512 bytes ... */
#define INLAY_CHUNK_LOG_MAX    16u         /* ... to 64 KB */
#define INLAY_CHECK_MAX        16u         /* bytes of digest per group */
#define INLAY_CODEC_MAX        7u          /* largest id of a codec */
#define INLAY_PARAMS_MAX       31u         /* bytes of codec parameters */
#define INLAY_COMPONENT_MAX    32u         /* bytes of component id */
#define INLAY_VERSION_MAX      64u         /* bytes of a version's name */
#define INLAY_STAGE_BLOCKS_MAX 1024u

/*
 * A patch is: manifest, signature block, chunks.
 *
 * Manifest: "IL"; one byte with the level in the top three bits and flags in
 * the others; its length in bytes, old size, new size less old size (zigzag),
 * payload length; one byte with the chunk length's log less INLAY_CHUNK_LOG_MIN
 * in the top three bits and the bytes of digest per group in the others; plan
 * length; one byte with the codec's id in the top three bits and the length of its
 * parameters in the others, the parameters; digests of old image, new image and
 * first chunk; with INLAY_FLAG_GEOMETRY how the slot is cut, blocks staged at
 * most, pool length; with INLAY_FLAG_FIELDS the fields.
 *
 * Signature block: with INLAY_FLAG_SIGNED the signature's length and the
 * signature; else the seal, the first bytes of the SHA-256 of the manifest: no
 * protection from anybody, but from damage.
 *
 * Geometry: one byte with regions less 1 in the top three bits, bit 4 for an
 * erased byte of 0, the write size's log below; then for each region the count
 * of its blocks, and their length as an odd number times a power of two:
 * (odd - 1) / 2 * 32 + log.
 */

/* In the third byte. */
#define INLAY_FLAG_IN_PLACE 0x01u /* rewrites the slot that holds the old image */
#define INLAY_FLAG_GEOMETRY 0x02u /* says how the slot is cut into erase blocks */
#define INLAY_FLAG_FIELDS   0x04u /* optional fields follow */
#define INLAY_FLAG_SIGNED   0x08u /* there is a signature, and no digest is short */

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
