/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

/* Is the i-th of by_old behind the k-th?  Of two equals the later move is. */
static int map_behind(const struct inlay_map *map, uint32_t i, uint32_t k)
{
    uint16_t x = map->by_old[i], y = map->by_old[k];
    uint32_t x_pos = map->move[x].old_pos, y_pos = map->move[y].old_pos;
    return x_pos != y_pos ? x_pos > y_pos : x > y;
}

/* Restores the heap below `root`: the hindmost on top. */
static void map_sift(struct inlay_map *map, uint32_t root, uint32_t count)
{
    for (;;) {
        uint32_t child = 2u * root + 1u;
        if (child >= count)
            return;
        if (child + 1u < count && map_behind(map, child + 1u, child))
            child++;
        if (!map_behind(map, child, root))
            return;
        uint16_t swap = map->by_old[root];
        map->by_old[root] = map->by_old[child];
        map->by_old[child] = swap;
        root = child;
    }
}

void inlay_map_sort(struct inlay_map *map)
{
    for (uint32_t i = 0; i < map->count; i++)
        map->by_old[i] = (uint16_t)i;
    for (uint32_t i = map->count / 2u; i-- > 0;)
        map_sift(map, i, map->count);
    for (uint32_t left = map->count; left-- > 1;) {
        uint16_t swap = map->by_old[0];
        map->by_old[0] = map->by_old[left];
        map->by_old[left] = swap;
        map_sift(map, 0, left);
    }
}

/* The number of moves whose old_pos is at most `old_pos`. */
static uint32_t map_rank(const struct inlay_map *map, uint32_t old_pos)
{
    uint32_t lo = 0, hi = map->count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2u;
        if (map->move[map->by_old[mid]].old_pos <= old_pos)
            lo = mid + 1u;
        else
            hi = mid;
    }
    return lo;
}

/* How far old_pos lies outside the move, 0 if inside. */
static uint32_t map_distance(const struct inlay_move *m, uint32_t old_pos)
{
    if (old_pos < m->old_pos)
        return m->old_pos - old_pos;
    return old_pos - m->old_pos < m->len ? 0u : old_pos - m->old_pos - m->len + 1u;
}

uint32_t inlay_map_find(const struct inlay_map *map, uint32_t old_pos, enum inlay_map_trust *trust)
{
    if (map->count == 0) {
        *trust = INLAY_MAP_EMPTY;
        return old_pos;
    }
    uint32_t rank = map_rank(map, old_pos);
    const struct inlay_move *best = 0;
    uint32_t best_distance = 0xffffffffu;
    /* Moves may overlap in the old image: a few before the rank can hold old_pos. */
    uint32_t first = rank > 4u ? rank - 4u : 0u;
    uint32_t last = rank < map->count ? rank + 1u : map->count;
    for (uint32_t i = first; i < last; i++) {
        const struct inlay_move *m = &map->move[map->by_old[i]];
        uint32_t distance = map_distance(m, old_pos);
        if (best == 0 || distance < best_distance ||
            (distance == best_distance && m->len > best->len)) {
            best = m;
            best_distance = distance;
        }
    }
    *trust = best_distance == 0    ? INLAY_MAP_INSIDE
             : best_distance < 64u ? INLAY_MAP_NEAR
                                   : INLAY_MAP_FAR;
    return old_pos + (best->new_pos - best->old_pos);
}
