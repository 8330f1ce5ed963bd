/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the large codec's two directions share: parameters and the shape of
 * the payload.
 *
 *   payload = plan_len (4 bytes, little-endian), plan (LZMA2), group ...,
 *             byte 0 unless a group ended with OP_END
 *   group   = byte 1, sections (one LZMA2 stream, new dictionary), check
 *   section = length of the header, header, parts
 *   header  = bytes of image, length of each part (uvarints)
 *
 * The parts of a section are kept until they are used up, but for the last,
 * new data, which goes from liblzma straight to the image.  A step's op is
 * read from the section that is open if its control part has bytes left.
 */
#ifndef INLAY_LZMA_FORMAT_H
#define INLAY_LZMA_FORMAT_H

#include "codec.h"

#include <lzma.h>

enum inlay_lzma_part {
    LZMA_PART_CONTROL, /* steps; runs in the gaps between moves */
    LZMA_PART_HITS,    /* units predicted right before each miss */
    LZMA_PART_KINDS,   /* what each missed unit became */
    LZMA_PART_TARGETS, /* by how much targets are off */
    LZMA_PART_BYTES,   /* by how much other units are off */
    LZMA_PARTS_KEPT,
    LZMA_PART_NEW = LZMA_PARTS_KEPT,
    LZMA_PARTS
};

enum inlay_lzma_op { LZMA_OP_COMMIT, LZMA_OP_END, LZMA_OP_DIRECT, LZMA_OP_STAGED, LZMA_OPS };
#define LZMA_OP_JUMP 4u /* + DIRECT or STAGED: a signed distance follows */

#define LZMA_HEADER_MAX (5u * (1u + LZMA_PARTS))
#define LZMA_KEPT_MIN   64u
#define LZMA_KEPT_MAX   (16u << 20)
#define LZMA_DICT_MIN   12u
#define LZMA_DICT_MAX   26u
#define LZMA_TABLE_MAX  20u

struct inlay_lzma_params {
    uint8_t arch;       /* enum inlay_arch_id */
    uint8_t dict_log2;  /* LZMA_DICT_MIN to LZMA_DICT_MAX */
    uint8_t props;      /* (pb * 5 + lp) * 9 + lc, as LZMA has it */
    uint8_t table_log2; /* entries in what the predictor learns, as a power of two */
    uint16_t moves;     /* most regions in the map */
    uint16_t ranges;    /* most ranges in the pool */
    uint32_t kept;      /* most bytes of plan, or of one section's kept parts */
};
#define LZMA_PARAMS_LEN 12u

/* 0, or -1 if they are out of range. */
int inlay_lzma_params_read(struct inlay_lzma_params *p, const uint8_t *b, size_t len);
void inlay_lzma_params_write(const struct inlay_lzma_params *p, uint8_t *b);

/* liblzma's name for them.  filters has room for 2. */
void inlay_lzma_filters(const struct inlay_lzma_params *p, lzma_options_lzma *options,
                        lzma_filter *filters);

/* Small negative numbers as small numbers too. */
static inline uint32_t inlay_lzma_fold(uint32_t v)
{
    return v << 1 ^ (0u - (v >> 31));
}

static inline uint32_t inlay_lzma_unfold(uint32_t v)
{
    return v >> 1 ^ (0u - (v & 1u));
}

/* Position and length of a block of the slot; len 0: there is no such block. */
void inlay_lzma_block(const struct inlay_codec_setup *setup, uint32_t block, uint32_t *pos,
                      uint32_t *len);

#endif
