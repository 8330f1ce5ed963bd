/* SPDX-License-Identifier: Apache-2.0 */
/* The small codec's parameters as they stand in the manifest. */
#ifndef INLAY_MIX_PARAMS_H
#define INLAY_MIX_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#define INLAY_CODEC_MIX      1u
#define INLAY_MIX_FLAG_MIN   4u /* and up to 15 more */
#define INLAY_MIX_BYTE_MIN   5u
#define INLAY_MIX_RANGES_MAX 4096u
#define INLAY_MIX_PARAMS_MAX 8u /* bytes */
#define INLAY_MIX_VOTES_MIN  2u
#define INLAY_MIX_VOTES_MAX  8u
#define INLAY_MIX_TAUGHT_MAX ((uint32_t)1 << 18) /* bytes of the old image */

struct inlay_mix_params {
    uint8_t arch;      /* enum inlay_arch_id */
    uint8_t votes;     /* contexts that predict a byte, INLAY_MIX_VOTES_MIN to _MAX */
    uint8_t large;     /* 1: models for a computer's memory, which learn from the old image first */
    uint8_t flag_log2; /* counters in each of the flag tables, as a power of two: 4 to 19 */
    uint8_t byte_log2; /* the same for byte tables: 5 to 20 */
    uint16_t moves;    /* most regions in the map */
    uint16_t ranges;   /* most ranges in the pool, 0 to INLAY_MIX_RANGES_MAX */
};

/* 0, or -1 if the bytes do not hold valid parameters and nothing else. */
int inlay_mix_params_read(struct inlay_mix_params *p, const uint8_t *b, size_t len);

#endif
