/* SPDX-License-Identifier: Apache-2.0 */
/* In which order blocks are rewritten so that no old byte is needed after it is gone. */
#ifndef INLAY_ORDER_H
#define INLAY_ORDER_H

#include "codec.h"
#include "segment.h"

/* One step of the plan: DIRECT or STAGED with a block index, or COMMIT. */
struct inlay_order_step {
    enum inlay_step_kind kind;
    uint32_t block;
};

struct inlay_order {
    struct inlay_order_step *at; /* owned; unchanged blocks do not appear */
    size_t count;
    struct inlay_range *pool; /* owned; ascending in pos and apart */
    size_t pool_count;
    uint32_t pool_len;     /* bytes, the sum of the pool's lengths */
    uint32_t stage_blocks; /* most STAGED steps between two COMMITs */
    uint64_t lost;         /* copied bytes that had to become new data */
};

struct inlay_order_limits {
    const struct inlay_region *region; /* the slot's geometry */
    uint8_t regions;                   /* 0: one block, which is the whole image */
    uint8_t in_place;
    uint32_t stage_blocks; /* most blocks staged per group, 1 or more */
    uint32_t recipe_len;   /* 0, or blocks are staged as recipes of at most so many bytes a group,
                              none is direct, and lengths of recipes are reckoned (recipes.h) */
    uint32_t group_blocks; /* most blocks, staged or direct, between two COMMITs */
    uint32_t pool_len;     /* most bytes of old content saved before the first commit */
    uint32_t pool_ranges;  /* most ranges of them */
};

/*
 * Plans the order and removes from *segments what that order destroys before
 * it is read and the pool cannot hold (segments are cut at the borders of
 * such bytes; the rest stays).  For A/B the order is ascending.
 * Every group ends with COMMIT; if no block changes the list is empty.
 * Returns 0, or -1 if memory is out.
 */
int inlay_order_plan(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                     const struct inlay_order_limits *limits, struct inlay_segments *segments,
                     struct inlay_order *order);
void inlay_order_free(struct inlay_order *order);

#endif
