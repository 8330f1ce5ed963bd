/* SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include <stdlib.h>

int inlay_segments_add(struct inlay_segments *s, struct inlay_segment segment)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        struct inlay_segment *at = realloc(s->at, room * sizeof *at);
        if (!at)
            return -1;
        s->at = at;
        s->room = room;
    }
    s->at[s->count++] = segment;
    return 0;
}

int inlay_segments_copy(const struct inlay_segments *from, struct inlay_segments *to)
{
    *to = (struct inlay_segments){0};
    for (size_t i = 0; i < from->count; i++)
        if (inlay_segments_add(to, from->at[i])) {
            inlay_segments_free(to);
            return -1;
        }
    return 0;
}

void inlay_segments_free(struct inlay_segments *s)
{
    free(s->at);
    *s = (struct inlay_segments){0};
}

static int by_old_pos(const void *a, const void *b)
{
    const struct inlay_segment *x = a, *y = b;
    if (x->old_pos != y->old_pos)
        return x->old_pos < y->old_pos ? -1 : 1;
    if (x->len != y->len)
        return x->len > y->len ? -1 : 1;
    return x->new_pos < y->new_pos ? -1 : x->new_pos > y->new_pos;
}

size_t inlay_segments_drop_echoes(struct inlay_segment *at, size_t count)
{
    size_t kept = 0;
    uint32_t end = 0, len = 0; /* of the one that reaches farthest: another is rarely missed */
    if (count)
        qsort(at, count, sizeof *at, by_old_pos);
    for (size_t i = 0; i < count; i++) {
        struct inlay_segment s = at[i];
        if (s.old_pos + s.len > end) {
            end = s.old_pos + s.len;
            len = s.len;
        } else if (s.len < len / INLAY_ECHO) {
            continue;
        }
        at[kept++] = s;
    }
    return kept;
}
