/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of a table of stubs, as .plt is, look all alike: if one is added,
 * the stubs behind it seem to have stayed where they were, and the last one to
 * be new.  Calls of them know better.  Each target votes for the diagonal that
 * most references to it agree on; a run of targets that outvote the map is
 * copied along their diagonal.
 */
#include "follow.h"

#include <stdlib.h>

#define TARGETS    8u    /* of a run */
#define REFERENCES 4u    /* for each of them: pointers refer to a target once, and may be wrong */
#define APART      4096u /* bytes from one to the next */
#define ENTRY      64u   /* bytes of the last one, at most */

struct run {
    uint32_t first, before, last; /* targets; before: the last but one */
    uint32_t diagonal;
    uint32_t targets, references;
};

struct follow {
    const struct inlay_image_pair *in;
    uint32_t old_size, new_size;
    struct inlay_segments found;
};

/* 1 if less than half of the bytes differ. */
static int is_alike(const struct inlay_image_pair *in, const struct inlay_segment *s)
{
    uint32_t differ = 0;
    for (uint32_t i = 0; i < s->len; i++)
        differ += in->old[s->old_pos + i] != in->new[s->new_pos + i];
    return differ < s->len / 2u;
}

/* Returns 0, or -1 if memory is out. */
static int end_run(struct follow *f, struct run *r)
{
    uint32_t entry = r->last - r->before < ENTRY ? r->last - r->before : ENTRY;
    struct inlay_segment s = {r->first - r->diagonal, r->first, r->last - r->first + entry};
    int enough = r->targets >= TARGETS && r->references >= REFERENCES * r->targets;
    r->targets = r->references = 0;
    if (!enough || s.old_pos + s.len > f->old_size || s.new_pos >= f->new_size ||
        s.len > f->new_size - s.new_pos || !is_alike(f->in, &s))
        return 0;
    return inlay_segments_add(&f->found, s);
}

/* n references outvote the map. */
static int add_target(struct follow *f, struct run *r, const struct inlay_reference *best,
                      uint32_t n)
{
    if (r->targets && r->diagonal != best->diagonal && end_run(f, r))
        return -1;
    if (r->targets == 0)
        r->first = r->last = best->old_pos;
    r->diagonal = best->diagonal;
    r->before = r->last;
    r->last = best->old_pos;
    r->targets++;
    r->references += n;
    return 0;
}

/* The references to the first one's target: how many, and how many of them agree on the best. */
static uint32_t count_votes(const struct inlay_reference *at, uint32_t left, uint32_t *agree,
                            const struct inlay_reference **best)
{
    uint32_t i = 0, same = 0;
    *agree = 0;
    for (; i < left && at[i].old_pos == at->old_pos; i++) {
        same = i && at[i].diagonal == at[i - 1u].diagonal ? same + 1u : 1u;
        if (same > *agree) {
            *agree = same;
            *best = &at[i];
        }
    }
    return i;
}

static int find_runs(struct follow *f, const struct inlay_references *all,
                     const struct inlay_map *map)
{
    struct run r = {0};
    const struct inlay_reference *best = NULL;
    uint32_t agree, n;
    for (uint32_t i = 0; i < all->count; i += n) {
        enum inlay_map_trust trust;
        uint32_t pos = all->at[i].old_pos, mapped = inlay_map_find(map, pos, &trust);
        n = count_votes(&all->at[i], all->count - i, &agree, &best);
        if (r.targets && pos - r.last > APART && end_run(f, &r))
            return -1;
        if (trust == INLAY_MAP_INSIDE && best->diagonal != pos - mapped &&
            add_target(f, &r, best, agree))
            return -1;
    }
    return end_run(f, &r);
}

/* What is left of segments in new positions from `from` up to `to`. */
static int add_part(struct inlay_segments *out, struct inlay_segment s, uint32_t from, uint32_t to)
{
    uint32_t end = s.new_pos + s.len < to ? s.new_pos + s.len : to;
    uint32_t skip = s.new_pos < from ? from - s.new_pos : 0;
    if (s.new_pos + skip >= end)
        return 0;
    return inlay_segments_add(
        out, (struct inlay_segment){s.new_pos + skip, s.old_pos + skip, end - s.new_pos - skip});
}

/* Puts a segment in the place of what is there.  Returns 0, or -1 if memory is out. */
static int put_segment(struct inlay_segments *all, struct inlay_segment s)
{
    struct inlay_segments out = {0};
    size_t i = 0;
    int status = 0;
    for (; i < all->count && all->at[i].new_pos < s.new_pos && !status; i++)
        status = add_part(&out, all->at[i], 0, s.new_pos);
    status = status || inlay_segments_add(&out, s);
    for (i -= i > 0; i < all->count && !status; i++)
        status = add_part(&out, all->at[i], s.new_pos + s.len, UINT32_MAX);
    inlay_segments_free(status ? &out : all);
    if (status)
        return -1;
    *all = out;
    return 0;
}

int inlay_follow_references(const struct inlay_image_pair *in, uint32_t old_size, uint32_t new_size,
                            const struct inlay_map *map, struct inlay_segments *segments)
{
    struct follow f = {in, old_size, new_size, {0}};
    struct inlay_references all = {0};
    int status = inlay_find_references(in, segments, &all) || find_runs(&f, &all, map);
    for (size_t i = 0; i < f.found.count && !status; i++)
        status = put_segment(segments, f.found.at[i]);
    free(all.at);
    inlay_segments_free(&f.found);
    return status ? -1 : 0;
}
