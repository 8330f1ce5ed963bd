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
    uint32_t end = from;
    int is_old = from != INLAY_NOWHERE, taken = 1;
    for (uint32_t i = 0; i < len; i++) {
        if (is_old && from + i == end)
            taken = inlay_recipe_taken(r->region, r->regions, r->list, r->count, end, &end);
        int same = !taken && r->old[from + i] == r->new[pos + i];
        r->used += inlay_recipe_add(&r->recipe, from - pos, same, r->new[pos + i], out);
    }
}

void inlay_recipes_block_end(struct inlay_recipes *r, uint32_t index)
{
    uint8_t out[INLAY_RECIPE_MAX];
    r->used += inlay_recipe_end(&r->recipe, out) + INLAY_SHORT_LEN;
    if (r->count < INLAY_RECIPE_BLOCKS)
        r->list[r->count++] = index;
}
