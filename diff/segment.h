/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of the new image are (approximate) copies of the old one. */
#ifndef INLAY_SEGMENT_H
#define INLAY_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

/* new[new_pos .. +len) resembles old[old_pos .. +len); bytes may differ. */
struct inlay_segment {
    uint32_t new_pos;
    uint32_t old_pos;
    uint32_t len; /* 1 or more */
};

/* Ascending in new_pos and apart; what lies between them is new data. */
struct inlay_segments {
    struct inlay_segment *at; /* owned, free() */
    size_t count;
    size_t room;
};

int inlay_segments_add(struct inlay_segments *s,
                       struct inlay_segment segment); /* 0, or -1: no memory */
void inlay_segments_free(struct inlay_segments *s);

/*
 * Finds segments with a suffix array of `old` and a cost-based choice.
 * old_view and new_view are what is compared (images after normalisation, or
 * the images themselves); both have the sizes given.  Deterministic.
 * hint may hold segments of an earlier pass (their diagonals become
 * candidates), or be NULL.  Returns 0, or -1 if memory is out.
 */
int inlay_match_images(const uint8_t *old_view, size_t old_size, const uint8_t *new_view,
                       size_t new_size, const struct inlay_segments *hint,
                       struct inlay_segments *out);

#endif
