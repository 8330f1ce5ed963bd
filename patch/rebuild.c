/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group that was described: as many blocks as the stage holds are made by
 * their recipes, a record says so, they are moved, and a record says that the
 * stage is free again, until no recipe is left.
 */
#include "internal.h"

#include "bits.h"
#include <string.h>

enum inlay_status inlay_rebuild_open(struct inlay_patcher *p)
{
    p->left = 0;
    p->stage_at = p->rec.stage_pos;
    p->recipe_pos = p->rec.recipe_pos;
    inlay_hash_open(p, p->sha_whole);
    return inlay_go(p, INLAY_AT_REBUILD);
}

/* Reads what is next among the recipes. */
static enum inlay_status take(struct inlay_patcher *p, uint8_t *to, uint32_t len)
{
    uint32_t pos = p->recipe_pos;
    p->recipe_pos += len;
    return inlay_read(p, p->cfg->work, pos, to, len);
}

/* 1 if something is left of the token. */
static int has_token(const struct inlay_patcher *p)
{
    return (p->recipe->followed.copied | p->recipe->followed.changed) != 0;
}

static enum inlay_status open_recipe(struct inlay_patcher *p)
{
    uint8_t index[4];
    if (take(p, index, sizeof index) != INLAY_OK)
        return inlay_redo(p);
    uint32_t block = p->staged[p->item] = inlay_get32(index);
    struct inlay_span span = inlay_target_block(p, block);
    p->at = span.pos;
    p->left = span.len;
    memset(&p->recipe->followed, 0, sizeof p->recipe->followed);
    inlay_hash_open(p, p->sha_group);
    inlay_writer_open(&p->out, p->cfg->work, p->stage_at, 1);
    p->out.ring = p->layout.stage;
    return span.len != 0 ? INLAY_AGAIN : inlay_redo(p);
}

static enum inlay_status next_token(struct inlay_patcher *p)
{
    uint8_t head[INLAY_RECIPE_HEAD];
    if (inlay_read(p, p->cfg->work, p->recipe_pos, head, sizeof head) != INLAY_OK)
        return inlay_redo(p);
    p->recipe_pos += inlay_recipe_read(&p->recipe->followed, head);
    return INLAY_AGAIN;
}

/* The block is made.  Is it the one that was described? */
static enum inlay_status close_recipe(struct inlay_patcher *p)
{
    uint8_t digest[INLAY_SHORT_LEN];
    if (take(p, digest, sizeof digest) != INLAY_OK || has_token(p) ||
        !inlay_hash_is(p, p->sha_group, digest, sizeof digest) ||
        inlay_writer_end(&p->out) != INLAY_OK)
        return inlay_redo(p);
    p->stage_at = p->out.pos;
    p->item++;
    return INLAY_AGAIN;
}

/* A piece of the block. */
static enum inlay_status follow(struct inlay_patcher *p)
{
    struct inlay_recipe_token *t = &p->recipe->followed;
    uint8_t *to = p->out.buf + p->out.fill;
    uint32_t *count = t->copied != 0 ? &t->copied : &t->changed;
    uint32_t n = INLAY_PIECE - p->out.fill;
    if (n > *count)
        n = *count;
    if (n > p->left)
        n = p->left;
    int st = t->copied != 0 ? inlay_read_old(p, p->at + t->diagonal, to, n) : take(p, to, n);
    if (st != INLAY_OK)
        return inlay_redo(p);
    inlay_hash_add(p, p->sha_group, to, n);
    inlay_hash_add(p, p->sha_whole, to, n);
    *count -= n;
    p->out.fill += n;
    p->at += n;
    p->left -= n;
    if (p->left == 0)
        return close_recipe(p);
    return inlay_writer_push(&p->out, 0) < 0 ? inlay_redo(p) : INLAY_AGAIN;
}

/* The stage is full, or all is in it. */
static enum inlay_status close_batch(struct inlay_patcher *p)
{
    struct inlay_record *rec = &p->rec;
    rec->staged = p->item;
    rec->recipes -= p->item;
    rec->recipe_pos = p->recipe_pos;
    rec->boots = 0;
    inlay_hash_take(p, p->sha_whole, rec->is.stage, INLAY_SHORT_LEN);
    return inlay_stage_close(p);
}

enum inlay_status inlay_do_rebuild(struct inlay_patcher *p)
{
    if (p->left == 0)
        return p->item == p->rec.recipes || p->item == p->batch ? close_batch(p) : open_recipe(p);
    return has_token(p) ? follow(p) : next_token(p);
}
