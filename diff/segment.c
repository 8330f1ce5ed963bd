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

void inlay_segments_free(struct inlay_segments *s)
{
    free(s->at);
    *s = (struct inlay_segments){0};
}
