/* SPDX-License-Identifier: Apache-2.0 */
#include "references.h"

#include <stdlib.h>

static int by_target(const void *a, const void *b)
{
    const struct inlay_reference *x = a, *y = b;
    if (x->old_pos != y->old_pos)
        return x->old_pos < y->old_pos ? -1 : 1;
    return x->diagonal < y->diagonal ? -1 : x->diagonal > y->diagonal;
}

static int add_reference(struct inlay_references *c, uint32_t old_pos, uint32_t new_pos)
{
    if (c->count == c->room) {
        uint32_t room = c->room ? 2 * c->room : 1024;
        struct inlay_reference *at = realloc(c->at, room * sizeof *at);
        if (!at)
            return -1;
        c->at = at;
        c->room = room;
    }
    c->at[c->count++] = (struct inlay_reference){old_pos, old_pos - new_pos};
    return 0;
}

/* What a target of either image is, as a position there; 0 if it is outside. */
static int position(const struct inlay_scene *sc, enum inlay_side side, uint32_t target,
                    uint32_t *pos)
{
    uint32_t odd = sc->arch->granule == 2 ? target & 1u : 0u;
    return inlay_scene_pos(sc, side, target - odd, pos);
}

/* Collects the references of one segment, as the codec takes it apart. */
static int scan_segment(const struct inlay_image_pair *in, const struct inlay_segment *s,
                        struct inlay_references *out)
{
    const struct inlay_scene *sc = in->scene;
    struct inlay_arch_state old_state = {0}, new_state = {0};
    for (uint32_t k = 0; k < s->len;) {
        struct inlay_unit was, is;
        uint32_t old_addr, new_addr, from, to, left = s->len - k;
        uint32_t n = left < INLAY_WINDOW ? left : INLAY_WINDOW;
        inlay_scene_addr(sc, INLAY_OLD, s->old_pos + k, &old_addr);
        inlay_scene_addr(sc, INLAY_NEW, s->new_pos + k, &new_addr);
        inlay_scene_parse(sc, INLAY_OLD, &old_state, in->old + s->old_pos + k, n, old_addr, &was);
        inlay_scene_parse(sc, INLAY_NEW, &new_state, in->new + s->new_pos + k, n, new_addr, &is);
        if (was.has_target && is.has_target && was.type == is.type &&
            position(sc, INLAY_OLD, was.target, &from) && position(sc, INLAY_NEW, is.target, &to) &&
            add_reference(out, from, to))
            return -1;
        k += was.len;
    }
    return 0;
}

int inlay_find_references(const struct inlay_image_pair *in, const struct inlay_segments *segments,
                          struct inlay_references *out)
{
    for (size_t i = 0; i < segments->count; i++)
        if (scan_segment(in, &segments->at[i], out))
            return -1;
    if (out->count)
        qsort(out->at, out->count, sizeof *out->at, by_target);
    return 0;
}
