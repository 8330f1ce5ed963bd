/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds which parts of the new image are copies of the old one, in two steps:
 * candidates (match_seed.c), then the cheapest choice among them (match_path.c).
 */
#include "match_parts.h"

#include <stdlib.h>
#include <string.h>

uint32_t inlay_match_run(const uint8_t *a, const uint8_t *b, uint32_t max)
{
    uint32_t n = 0;
    uint64_t x, y;

    while (max - n >= 8) {
        memcpy(&x, a + n, 8);
        memcpy(&y, b + n, 8);
        if (x != y)
            break;
        n += 8;
    }
    while (n < max && a[n] == b[n])
        n++;
    return n;
}

int inlay_match_add(struct match_seeds *seeds, struct match_seed seed)
{
    if (seeds->count == seeds->room) {
        size_t room = seeds->room ? seeds->room + seeds->room / 2 : 256;
        struct match_seed *at = realloc(seeds->at, room * sizeof *at);
        if (!at)
            return -1;
        seeds->at = at;
        seeds->room = room;
    }
    seeds->at[seeds->count++] = seed;
    return 0;
}

static int add_hints(const struct match_views *v, const struct inlay_segments *hint,
                     struct match_seeds *seeds)
{
    for (size_t i = 0; hint && i < hint->count; i++) {
        const struct inlay_segment *s = &hint->at[i];
        if (s->len == 0 || s->new_pos >= v->new_size || s->old_pos >= v->old_size)
            continue;
        uint32_t len = s->len;
        if (len > v->new_size - s->new_pos)
            len = v->new_size - s->new_pos;
        struct match_seed seed = {s->new_pos, s->new_pos + len, s->old_pos - s->new_pos};
        if (inlay_match_add(seeds, seed))
            return -1;
    }
    return 0;
}

/* A total order, so that the result does not depend on the sorting algorithm. */
static int compare(const void *x, const void *y)
{
    const struct match_seed *a = x, *b = y;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    if (a->diagonal != b->diagonal)
        return a->diagonal < b->diagonal ? -1 : 1;
    return 0;
}

int inlay_match_images(const uint8_t *old_view, size_t old_size, const uint8_t *new_view,
                       size_t new_size, const struct inlay_segments *hint,
                       struct inlay_segments *out)
{
    struct match_seeds seeds = {0};
    struct match_views v = {old_view, new_view, 0, 0};
    int failed = 0;

    *out = (struct inlay_segments){0};
    v.old_size = (uint32_t)(old_size < MATCH_SIZE_MAX ? old_size : MATCH_SIZE_MAX);
    v.new_size = (uint32_t)(new_size < MATCH_SIZE_MAX ? new_size : MATCH_SIZE_MAX);
    if (v.old_size == 0 || v.new_size == 0)
        return 0;
    failed = inlay_match_seeds(&v, &seeds) || add_hints(&v, hint, &seeds);
    if (!failed && seeds.count > 1)
        qsort(seeds.at, seeds.count, sizeof *seeds.at, compare);
    if (!failed)
        failed = inlay_match_path(&v, &seeds, out);
    free(seeds.at);
    if (failed)
        inlay_segments_free(out);
    return failed ? -1 : 0;
}
