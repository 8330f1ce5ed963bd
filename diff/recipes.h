/* SPDX-License-Identifier: Apache-2.0 */
/* How long the recipes of blocks will be on the device: recipe.h, counted instead of written. */
#ifndef INLAY_RECIPES_H
#define INLAY_RECIPES_H

#include "format.h"
#include "recipe.h"

struct inlay_recipes {
    const uint8_t *old, *new; /* the images */
    const struct inlay_region *region;
    uint8_t regions;
    struct inlay_recipe recipe;
    uint32_t list[INLAY_RECIPE_BLOCKS]; /* blocks of the group that are described */
    uint32_t count;
    uint32_t used; /* bytes, of the group so far */
};

/* A new group, or a block of it. */
void inlay_recipes_group(struct inlay_recipes *r);
void inlay_recipes_block(struct inlay_recipes *r);
/* The next len bytes of the block, at pos of the new image; from: as inlay_codec's produce. */
void inlay_recipes_bytes(struct inlay_recipes *r, uint32_t pos, uint32_t from, uint32_t len);
/* The block is complete; index is its number in the slot. */
void inlay_recipes_block_end(struct inlay_recipes *r, uint32_t index);

#endif
