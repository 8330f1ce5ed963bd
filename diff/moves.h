/* SPDX-License-Identifier: Apache-2.0 */
/* Which segments stand in the plan as moves, where they say what became of addresses. */
#ifndef INLAY_MOVES_H
#define INLAY_MOVES_H

#include "scene.h"
#include "segment.h"

struct inlay_moves_input {
    const uint8_t *old, *new;
    const struct inlay_scene *scene; /* processor, spaces and tables */
    const struct inlay_segments *segments;
    const struct inlay_segments
        *indices;       /* moves of index spaces, or NULL: half of `most` at most */
    uint32_t block_len; /* a copy that is no move starts anew this often; 0: never */
    uint32_t most;
};

/* Returns *count moves, ascending in new_pos; free() them.  NULL if memory is out. */
struct inlay_segment *inlay_choose_moves(const struct inlay_moves_input *in, uint32_t *count);

#endif
