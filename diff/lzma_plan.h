/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan of the large codec says, checked. */
#ifndef INLAY_LZMA_PLAN_H
#define INLAY_LZMA_PLAN_H

#include "lzma_predict.h"

struct inlay_lzma_plan {
    struct inlay_lzma_predict *predict; /* gets the scene and the map, up to its room */
    struct inlay_range *pool;           /* room for pool_room */
    uint32_t pool_room, pool_count;
    uint32_t old_size, new_size;
};

/* Reads a plan of len bytes; INLAY_OK or INLAY_E_CORRUPT. */
int inlay_lzma_plan_read(struct inlay_lzma_plan *p, const uint8_t *at, size_t len);

#endif
