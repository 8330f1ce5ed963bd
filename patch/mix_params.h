/* SPDX-License-Identifier: Apache-2.0 */
/* The small codec's parameters as they stand in the manifest. */
#ifndef INLAY_MIX_PARAMS_H
#define INLAY_MIX_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#define INLAY_CODEC_MIX 1u
#define INLAY_MIX_LOG2_MIN 5u
#define INLAY_MIX_LOG2_MAX 22u
#define INLAY_MIX_MOVES_MAX 65535u
#define INLAY_MIX_RANGES_MAX 4096u
#define INLAY_MIX_PARAMS_LEN 7u

struct inlay_mix_params {
    uint8_t arch;      /* enum inlay_arch_id */
    uint8_t flag_log2; /* counters in each of the flag tables, as a power of two */
    uint8_t byte_log2; /* the same for byte tables */
    uint16_t moves;    /* most regions in the map */
    uint16_t ranges;   /* most ranges in the pool */
};

/* Reads INLAY_MIX_PARAMS_LEN bytes; 0, or -1 if they are out of range. */
int inlay_mix_params_read(struct inlay_mix_params *p, const uint8_t *b, size_t len);
void inlay_mix_params_write(const struct inlay_mix_params *p, uint8_t *b);

#endif
