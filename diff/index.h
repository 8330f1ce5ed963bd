/* SPDX-License-Identifier: Apache-2.0 */
/* Where indices of functions and the like went: moves behind the images. */
#ifndef INLAY_INDEX_H
#define INLAY_INDEX_H

#include "detect.h"
#include "segment.h"

/*
 * Votes with what the units of copied segments refer to, old and new.  Fills
 * *moves, ascending, and drops from *layout the index spaces that have none.
 * Returns 0, or -1 if memory is out; *moves then is empty.
 */
int inlay_index_moves(const uint8_t *old, uint32_t old_size, const uint8_t *new, uint32_t new_size,
                      const struct inlay_segments *segments, struct inlay_layout *layout,
                      struct inlay_segments *moves, struct inlay_segments *pairs);

#endif
