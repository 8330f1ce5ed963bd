/* SPDX-License-Identifier: Apache-2.0 */
/* Copies that follow what is said about them. */
#ifndef INLAY_FOLLOW_H
#define INLAY_FOLLOW_H

#include "map.h"
#include "references.h"

/*
 * Where many calls agree that what they lead to went elsewhere than `map`
 * says, it is copied from there, if it looks like that at all.  Returns 0, or
 * -1 if memory is out; segments then are whole, too.
 */
int inlay_follow_references(const struct inlay_image_pair *in, uint32_t old_size, uint32_t new_size,
                            const struct inlay_map *map, struct inlay_segments *segments);

#endif
