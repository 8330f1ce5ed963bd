/* SPDX-License-Identifier: Apache-2.0 */
#include "recipes.h"
#include "codec.h"
#include "journal.h"

#define INDEX_LEN 4u

void inlay_recipes_group(struct inlay_recipes *r)
{
    r->count = r->used = 0;
}

void inlay_recipes_block(struct inlay_recipes *r)
{
    inlay_recipe_begin(&r->recipe);
    r->used += INDEX_LEN;
}

void inlay_recipes_bytes(struct inlay_recipes *r, uint32_t pos, uint32_t from, uint32_t len)
{
    uint8_t out[INLAY_RECIPE_MAX];
    const struct inlay_moved moved = {r->region, r->regions, r->list, r->count};
    uint32_t step = from != INLAY_NOWHERE;
    for (uint32_t i = 0; i < len; i++, from += step)
        r->used += inlay_recipe_add(&r->recipe, &moved, pos + i, from, step ? r->old[from] : 0,
                                    r->new[pos + i], out);
}

void inlay_recipes_block_end(struct inlay_recipes *r, uint32_t index)
{
    uint8_t out[INLAY_RECIPE_MAX];
    r->used += inlay_recipe_end(&r->recipe, out) + INLAY_SHORT_LEN;
    if (r->count < INLAY_RECIPE_BLOCKS)
        r->list[r->count++] = index;
}
