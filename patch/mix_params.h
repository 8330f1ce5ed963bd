/* SPDX-License-Identifier: Apache-2.0 */
/* The small codec's parameters as they stand in the manifest. */
#ifndef INLAY_MIX_PARAMS_H
#define INLAY_MIX_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#define INLAY_CODEC_MIX      1u
#define INLAY_MIX_TABLE_MAX  104u /* the largest size of a table: 32768 */
#define INLAY_MIX_RANGES_MAX 4096u
#define INLAY_MIX_PARAMS_MAX 8u /* bytes */
#define INLAY_MIX_VOTES_MIN  2u
#define INLAY_MIX_VOTES_MAX  8u
#define INLAY_MIX_TAUGHT_MAX 9u /* 512 << 9 bytes of the old image */

struct inlay_mix_params {
    uint8_t arch;    /* enum inlay_arch_id */
    uint8_t votes;   /* contexts that predict a byte, INLAY_MIX_VOTES_MIN to _MAX */
    uint8_t large;   /* 1: models for a computer's memory, which learn from the old image first */
    uint8_t flags;   /* size of each of the flag tables, 0 to INLAY_MIX_TABLE_MAX */
    uint8_t rows;    /* size of each of the byte tables, the same */
    uint16_t moves;  /* regions in the map */
    uint16_t ranges; /* ranges in the pool, 0 to INLAY_MIX_RANGES_MAX */
};

/* The n-th size: eight of them for each doubling, from 8 on. */
static inline uint32_t inlay_mix_size(unsigned n)
{
    return (uint32_t)(8u + (n & 7u)) << (n >> 3);
}

/* Counters in each of the flag tables. */
static inline uint32_t inlay_mix_flags(const struct inlay_mix_params *p)
{
    return inlay_mix_size(p->flags);
}

/* Rows of 16 counters in each of the byte tables, an even number. */
static inline uint32_t inlay_mix_rows(const struct inlay_mix_params *p)
{
    return inlay_mix_size(p->rows) & ~(uint32_t)1;
}

/* 0, or -1 if the bytes do not hold valid parameters and nothing else. */
int inlay_mix_params_read(struct inlay_mix_params *p, const uint8_t *b, size_t len);

#endif
