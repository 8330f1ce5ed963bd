/* SPDX-License-Identifier: Apache-2.0 */
/* Where indices of functions and the like went: moves behind the images. */
#ifndef INLAY_INDEX_H
#define INLAY_INDEX_H

#include "detect.h"
#include "segment.h"

/*
 * By position in the old and the new image: the address that a unit here
 * refers to, 0 if it is none or one of the image's bytes.  Owned; NULL where
 * nothing has an index.
 */
struct inlay_index {
    uint32_t *target[2];
};

/* Uses at most jobs threads.  Returns 0, or -1 if memory is out; *index then is empty. */
int inlay_index_open(const uint8_t *old, uint32_t old_size, const uint8_t *new, uint32_t new_size,
                     const struct inlay_layout *layout, unsigned jobs, struct inlay_index *index);
void inlay_index_free(struct inlay_index *index);

/*
 * Votes with what the units of copied segments refer to, old and new.  Fills
 * *moves, ascending, and drops from *layout, which the index was opened with,
 * the index spaces that have none.
 * Returns 0, or -1 if memory is out; *moves then is empty.
 */
int inlay_index_moves(const struct inlay_index *index, const struct inlay_segments *segments,
                      struct inlay_layout *layout, struct inlay_segments *moves,
                      struct inlay_segments *pairs);

#endif
