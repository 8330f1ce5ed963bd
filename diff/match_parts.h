/* SPDX-License-Identifier: Apache-2.0 */
/* What match.c, match_seed.c and match_path.c share: candidates for copies. */
#ifndef INLAY_MATCH_PARTS_H
#define INLAY_MATCH_PARTS_H

#include "segment.h"

/*
 * A diagonal is old_pos - new_pos modulo 2^32.  Sizes are below 2^31, so a
 * position outside the old image wraps to something that is not below its
 * size, and the middle value stands for "no diagonal".
 */
#define MATCH_NO_DIAGONAL 0x80000000u
#define MATCH_SIZE_MAX    0x7fffffffu

struct match_views {
    const uint8_t *old, *new;
    uint32_t old_size, new_size;
    const uint8_t *prices; /* of each byte of new as new data, in 1/16 bit; NULL: all are alike */
};

/* new[start .. end) is likely to resemble old on this diagonal. */
struct match_seed {
    uint32_t start;
    uint32_t end;
    uint32_t diagonal;
};

struct match_seeds {
    struct match_seed *at; /* owned, free() */
    size_t count;
    size_t room;
};

/* Number of equal bytes at a and b, at most max. */
uint32_t inlay_match_run(const uint8_t *a, const uint8_t *b, uint32_t max);

/* Adds a candidate.  Returns 0, or -1 if memory is out. */
int inlay_match_add(struct match_seeds *seeds, struct match_seed seed);

struct match_feed;

/* Finds candidates and hands them over.  Returns 0, or -1 if memory is out. */
int inlay_match_seeds(const struct match_views *v, struct match_feed *feed);

/* Chooses among the candidates that come.  Returns 0, or -1 if memory is out there or here. */
int inlay_match_path(const struct match_views *v, struct match_feed *feed,
                     struct inlay_segments *out);

#endif
