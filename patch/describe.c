/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While a group is decoded its blocks can be described instead of staged:
 * behind each other, from the recipes' first erase block on, each as
 *
 *   index (4), recipe, the first INLAY_SHORT_LEN bytes of the block's SHA-256
 *
 * A recipe copies nothing from the place of a block before it in the group:
 * by the time that it is followed, that block has been moved there.
 */
#include "internal.h"

#include "bits.h"

int inlay_describes(const struct inlay_patcher *p)
{
    return p->man.recipe_len != 0 && !p->cfg->dry_run;
}

/* INLAY_OK, INLAY_E_CORRUPT if the manifest did not promise room for it, or INLAY_E_FLASH. */
static enum inlay_status put(struct inlay_patcher *p, const uint8_t *data, uint32_t len)
{
    uint32_t used = p->out.pos + p->out.fill - p->layout.recipe.pos;
    return len > p->man.recipe_len - used ? INLAY_E_CORRUPT : inlay_writer_put(&p->out, data, len);
}

enum inlay_status inlay_describe_open(struct inlay_patcher *p)
{
    uint8_t index[4];
    if (p->rec.staged == 0)
        inlay_writer_open(&p->out, p->cfg->work, p->layout.recipe.pos, 1);
    inlay_recipe_begin(&p->recipe->written);
    inlay_hash_open(p, p->sha_whole);
    inlay_put32(index, p->cmd.block);
    enum inlay_status st = put(p, index, sizeof index);
    return st == INLAY_E_FLASH ? inlay_redo(p) : st;
}

/* The next len bytes of the block, which are like the old ones at `from`, or new. */
enum inlay_status inlay_describe(struct inlay_patcher *p, const uint8_t *made, uint32_t len,
                                 uint32_t from)
{
    uint8_t old[INLAY_DESCRIBED], out[INLAY_RECIPE_MAX];
    const struct inlay_moved moved = {p->man.region, p->man.regions, p->staged, p->rec.staged};
    uint32_t pos = inlay_target_block(p, p->cmd.block).pos + p->cmd.len - p->left;
    uint32_t step = from != INLAY_NOWHERE;
    enum inlay_status st = INLAY_OK;
    if (step && inlay_read_old(p, from, old, len) != INLAY_OK)
        return INLAY_E_FLASH;
    for (uint32_t i = 0; st == INLAY_OK && i < len; i++, from += step) {
        uint32_t n = inlay_recipe_add(&p->recipe->written, &moved, pos + i, from, step ? old[i] : 0,
                                      made[i], out);
        if (n != 0)
            st = put(p, out, n);
    }
    return st == INLAY_E_FLASH ? inlay_redo(p) : st;
}

enum inlay_status inlay_describe_close(struct inlay_patcher *p)
{
    uint8_t out[INLAY_RECIPE_MAX + INLAY_SHORT_LEN];
    uint32_t n = inlay_recipe_end(&p->recipe->written, out);
    inlay_hash_take(p, p->sha_whole, out + n, INLAY_SHORT_LEN);
    return put(p, out, n + INLAY_SHORT_LEN);
}
