/* SPDX-License-Identifier: Apache-2.0 */
/* The table of moved regions: where a piece of the old image is in the new one. */
#ifndef INLAY_MAP_H
#define INLAY_MAP_H

#include <stdint.h>

/* old[old_pos .. +len) went to new_pos. */
struct inlay_move {
    uint32_t new_pos;
    uint32_t old_pos;
    uint32_t len;
};

struct inlay_map {
    struct inlay_move *move; /* ascending in new_pos and apart */
    uint16_t *by_old;        /* indices into move, ascending in old_pos */
    uint32_t count;
    uint32_t room;
};

/* How far a mapped position can be trusted. */
enum inlay_map_trust {
    INLAY_MAP_INSIDE, /* a region holds it */
    INLAY_MAP_NEAR,   /* the nearest region is less than 64 bytes away */
    INLAY_MAP_FAR,
    INLAY_MAP_EMPTY /* there are no regions: the position itself */
};

/* Call once after the last move was added; fills by_old. */
void inlay_map_sort(struct inlay_map *map);

/* The new position of an old one, modulo 2^32; *trust says how sure that is. */
uint32_t inlay_map_find(const struct inlay_map *map, uint32_t old_pos, enum inlay_map_trust *trust);

#endif
