/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the patch format that patcher and differ share; docs/FORMAT.md explains them. */
#ifndef INLAY_FORMAT_H
#define INLAY_FORMAT_H

#define INLAY_LEVEL            1u          /* format level, the fourth byte of a patch */
#define INLAY_SIZE_MAX         0x7fffffffu /* bytes of an image, a payload or a slot */
#define INLAY_LINK_LEN         16u         /* bytes of digest by which a chunk is named */
#define INLAY_CHUNK_LOG_MIN    9u          /* chunks of 512 bytes ... */
#define INLAY_CHUNK_LOG_MAX    16u         /* ... to 64 KB */
#define INLAY_OLD_DIGEST_MIN   8u          /* bytes of digest of the old image, up to 32 */
#define INLAY_PARAMS_MAX       64u         /* bytes of codec parameters */
#define INLAY_COMPONENT_MAX    32u         /* bytes of component id */
#define INLAY_VERSION_MAX      64u         /* bytes of a version's name */
#define INLAY_STAGE_BLOCKS_MAX 1024u

/* The fifth byte. */
#define INLAY_FLAG_IN_PLACE 0x01u /* rewrites the slot that holds the old image */
#define INLAY_FLAG_GEOMETRY 0x02u /* says how the slot is cut into erase blocks */
#define INLAY_FLAG_FIELDS   0x04u /* optional fields follow */

/* Types of optional fields, ascending; one with the top bit set may be ignored. */
enum inlay_field_type {
    INLAY_FIELD_COMPONENT = 0x01,        /* what this is for, compared byte by byte */
    INLAY_FIELD_SECURITY_COUNTER = 0x02, /* uvarint; a device refuses to go back */
    INLAY_FIELD_OLD_VERSION = 0x81,      /* UTF-8, for people */
    INLAY_FIELD_NEW_VERSION = 0x82
};
#define INLAY_FIELD_OPTIONAL 0x80u

#endif
