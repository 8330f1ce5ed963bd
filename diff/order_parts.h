/* SPDX-License-Identifier: Apache-2.0 */
/* What order.c, order_group.c, order_search.c and order_pool.c share. */
#ifndef INLAY_ORDER_PARTS_H
#define INLAY_ORDER_PARTS_H

#include "order.h"

#define ORDER_NONE 0xffffffffu

/* Bytes that one changed block reads of another one's old content. */
struct order_edge {
    uint32_t to; /* the block at the other end, as a rank */
    uint32_t bytes;
};

/*
 * Blocks and what they read of each other.  A rank numbers the changed blocks
 * in ascending order; only they are rewritten, so only they matter here.
 */
struct order_graph {
    uint32_t blocks; /* erase blocks that the new image touches */
    uint32_t *start; /* blocks + 1 of them: where each begins; the last ends the image */
    uint32_t *rank;  /* of each block, ORDER_NONE if unchanged */
    uint32_t *block; /* of each rank */
    uint32_t ranks;
    uint32_t *own;            /* by rank: bytes it reads of its own old content */
    uint32_t *recipe;         /* by rank: bytes of its recipe, if there are any */
    uint32_t *first;          /* ranks + 1 of them: edges of rank r are first[r] .. first[r + 1] */
    struct order_edge *reads; /* what a rank reads */
    uint32_t *first_by;
    struct order_edge *read_by; /* who reads a rank */
};

/* An order of the ranks and how it falls into groups. */
struct order_groups {
    uint32_t *order; /* ranks in the order in which they are rewritten */
    uint32_t *group; /* by rank */
    uint8_t *staged; /* by rank */
    uint32_t count;  /* number of groups */
    uint64_t lost;   /* bytes that are read after they are gone */
};

/* A part of a segment that lies in one block of the new image and one of the old. */
struct order_piece {
    uint32_t reader; /* rank, or ORDER_NONE */
    uint32_t from;   /* rank, or ORDER_NONE */
    uint32_t bytes;
};

/* The block that holds a position; blocks if it lies behind the last. */
uint32_t inlay_order_block(const struct order_graph *g, uint32_t pos);

/* The next part of a segment of which `done` bytes are dealt with. */
struct order_piece inlay_order_piece(const struct order_graph *g, const struct inlay_segment *s,
                                     uint32_t done);

/* 1 if old content of rank `from` is gone when rank `reader` is made; both are ranks. */
int inlay_order_gone(const struct order_groups *s, uint32_t reader, uint32_t from);

/* Forms groups along s->order and counts what is lost. */
void inlay_order_group(const struct order_graph *g, const struct inlay_order_limits *limits,
                       struct order_groups *s);

/* Finds a good order and groups it.  Returns 0, or -1 if memory is out. */
int inlay_order_search(const struct order_graph *g, const struct inlay_order_limits *limits,
                       struct order_groups *s);

/*
 * Puts what is read too late into the pool, and cuts what does not fit there
 * out of the segments.  Returns 0, or -1 if memory is out.
 */
int inlay_order_rescue(const struct order_graph *g, const struct order_groups *s,
                       const struct inlay_order_limits *limits, struct inlay_segments *segments,
                       struct inlay_order *order);

#endif
