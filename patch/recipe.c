/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "bits.h"
#include <string.h>

#define COPIED_MORE  31u
#define CHANGED_MORE 7u
#define TAIL_MAX     1u /* bytes between two changes that make them two tokens */

void inlay_recipe_begin(struct inlay_recipe *r)
{
    r->diagonal = r->copied = 0;
    r->changed = r->tail = 0;
}

/* Writes the token but for the tail of its text, which is left to be copied. */
static uint32_t flush(struct inlay_recipe *r, uint8_t *out)
{
    uint32_t copied = r->copied, changed = r->changed - (uint32_t)r->tail;
    uint8_t *to = out + 1;
    if (copied + changed == 0)
        return 0;
    *out = (uint8_t)((copied < COPIED_MORE ? copied : COPIED_MORE) |
                     (changed < CHANGED_MORE ? changed : CHANGED_MORE) << 5);
    if (copied >= COPIED_MORE)
        *to++ = (uint8_t)(copied - COPIED_MORE);
    if (changed >= CHANGED_MORE)
        *to++ = (uint8_t)(changed - CHANGED_MORE);
    memcpy(to, r->text, changed);
    r->copied = r->tail;
    r->changed = r->tail = 0;
    return (uint32_t)(to - out) + changed;
}

uint32_t inlay_recipe_add(struct inlay_recipe *r, uint32_t diagonal, int same, uint8_t byte,
                          uint8_t *out)
{
    uint32_t n = 0;
    if (same && diagonal != r->diagonal) {
        n = inlay_recipe_end(r, out);
        r->diagonal = diagonal;
        out[n] = 0;
        inlay_put32(out + n + 1u, diagonal);
        n += 5u;
    }
    if (r->changed == 0 && same)
        return ++r->copied == INLAY_RECIPE_COPY ? n + flush(r, out + n) : n;
    r->text[r->changed++] = byte;
    r->tail = (uint8_t)(same ? r->tail + 1u : 0);
    if (r->tail > TAIL_MAX || r->changed == INLAY_RECIPE_TEXT)
        n += flush(r, out + n);
    return n;
}

uint32_t inlay_recipe_end(struct inlay_recipe *r, uint8_t *out)
{
    uint32_t n = flush(r, out);
    return n + flush(r, out + n);
}

uint32_t inlay_recipe_read(struct inlay_recipe_token *t, const uint8_t *b)
{
    uint32_t len = 1;
    t->copied = *b & 31u;
    t->changed = *b >> 5;
    if (*b == 0) {
        t->diagonal = inlay_get32(b + 1);
        return INLAY_RECIPE_HEAD;
    }
    if (t->copied == COPIED_MORE)
        t->copied += b[len++];
    if (t->changed == CHANGED_MORE)
        t->changed += b[len++];
    return len;
}

int inlay_recipe_taken(const struct inlay_region *region, unsigned regions, const uint32_t *blocks,
                       uint32_t count, uint32_t pos, uint32_t *end)
{
    struct inlay_span block = inlay_region_block(region, regions, pos);
    *end = block.pos + block.len;
    for (uint32_t i = 0; i < count; i++)
        if (inlay_region_at(region, regions, blocks[i]).pos == block.pos)
            return 1;
    return 0;
}
