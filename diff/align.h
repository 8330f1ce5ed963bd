/* SPDX-License-Identifier: Apache-2.0 */
/* Segments for a pair of images whose layout is known: matching in two passes. */
#ifndef INLAY_ALIGN_H
#define INLAY_ALIGN_H

#include "detect.h"
#include "index.h"
#include "segment.h"

/*
 * index: opened for the images and their layout.
 * taught: 1 if the codec will know the old image when it codes new data.  Uses at most jobs threads
 * (0 is 1).  Returns 0, or -1 if memory is out; *out then is empty.
 */
int inlay_find_segments(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                        const struct inlay_layout *layout, const struct inlay_index *index,
                        int taught, unsigned jobs, struct inlay_segments *out);

#endif
