/* SPDX-License-Identifier: Apache-2.0 */
/* What copied code and tables refer to, in both images. */
#ifndef INLAY_REFERENCES_H
#define INLAY_REFERENCES_H

#include "scene.h"
#include "segment.h"

/* A target in the old image, and which diagonal leads to what it became. */
struct inlay_reference {
    uint32_t old_pos;
    uint32_t diagonal; /* old less new position */
};

struct inlay_references {
    struct inlay_reference *at; /* owned, free() */
    uint32_t count, room;
};

struct inlay_image_pair {
    const uint8_t *old, *new;
    const struct inlay_scene *scene; /* processor, spaces and tables */
};

/* All of them, by target and then by diagonal.  Returns 0, or -1 if memory is out. */
int inlay_find_references(const struct inlay_image_pair *in, const struct inlay_segments *segments,
                          struct inlay_references *out);

#endif
