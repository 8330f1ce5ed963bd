/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "bits.h"
#include <string.h>

#define COPIED_MORE  31u
#define CHANGED_MORE 7u
#define TAIL_MAX     1u /* bytes between two changes that make them two tokens */

void inlay_recipe_begin(struct inlay_recipe *r)
{
    r->from.len = 0;
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

/* Will the old image still have this position when the recipe is followed? */
static int is_kept(struct inlay_recipe *r, const struct inlay_moved *moved, uint32_t from)
{
    if (from == INLAY_NOWHERE)
        return 0;
    if (from - r->from.pos >= r->from.len) {
        r->from = inlay_region_block(moved->region, moved->regions, from);
        r->is_moved = 0;
        for (uint32_t i = 0; i < moved->count; i++)
            if (inlay_region_at(moved->region, moved->regions, moved->blocks[i]).pos == r->from.pos)
                r->is_moved = 1;
    }
    return !r->is_moved;
}

uint32_t inlay_recipe_add(struct inlay_recipe *r, const struct inlay_moved *moved, uint32_t pos,
                          uint32_t from, uint8_t old, uint8_t byte, uint8_t *out)
{
    uint32_t n = 0;
    int same = old == byte && is_kept(r, moved, from);
    if (same && from - pos != r->diagonal) {
        n = inlay_recipe_end(r, out);
        r->diagonal = from - pos;
        out[n] = 0;
        inlay_put32(out + n + 1u, r->diagonal);
        n += INLAY_RECIPE_HEAD;
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
