/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

/* The block `index` as far as the new image reaches into it.  len 0: it does not. */
struct inlay_span inlay_target_block(const struct inlay_patcher *p, uint32_t index)
{
    struct inlay_span b = {0, index == 0 ? p->man.new_size : 0};
    if (p->man.regions != 0)
        b = inlay_region_at(p->man.region, p->man.regions, index);
    if (b.pos >= p->man.new_size)
        b.len = 0;
    else if (b.len > p->man.new_size - b.pos)
        b.len = p->man.new_size - b.pos;
    return b;
}

enum inlay_status inlay_group_open(struct inlay_patcher *p)
{
    if (!p->cfg->dry_run || p->hashed == 0)
        inlay_hash_open(p, p->sha_whole);
    inlay_hash_open(p, p->sha_group);
    p->stage_at = p->rec.stage_pos;
    p->rec.staged = 0;
    p->made = p->rec.made;
    return inlay_go(p, INLAY_AT_NEXT);
}

static enum inlay_status open_block(struct inlay_patcher *p)
{
    struct inlay_span block = inlay_target_block(p, p->cmd.block);
    if (block.len == 0 || p->cmd.len != block.len)
        return INLAY_E_CORRUPT;
    p->left = block.len;
    p->hashing = p->cfg->dry_run ? block.pos == p->hashed : p->cmd.kind == INLAY_STEP_STAGED;
    if (block.pos > p->hashed && block.pos < p->later)
        p->later = block.pos;
    if (p->cmd.kind == INLAY_STEP_STAGED ? p->rec.staged >= p->man.stage_blocks
                                         : p->man.recipe_len != 0)
        return INLAY_E_CORRUPT;
    if (inlay_describes(p))
        return inlay_describe_open(p);
    inlay_writer_open(&p->out, p->cfg->dry_run ? NULL : p->cfg->slot, block.pos, 1);
    if (p->cmd.kind == INLAY_STEP_STAGED && !p->cfg->dry_run) {
        inlay_writer_open(&p->out, p->cfg->work, p->stage_at, 1);
        p->out.ring = p->layout.stage;
    }
    return INLAY_OK;
}

/* The group is decoded: what it must hash to, and a record of it. */
static enum inlay_status close_group(struct inlay_patcher *p)
{
    struct inlay_record *rec = &p->rec;
    if (p->cmd.check_len > INLAY_CHECK_MAX ||
        !inlay_hash_is(p, p->sha_group, p->cmd.check, p->cmd.check_len))
        return INLAY_E_RESULT;
    if (inlay_describes(p)) {
        if (inlay_writer_end(&p->out) != INLAY_OK)
            return inlay_redo(p);
        rec->recipes = rec->staged;
        rec->recipe_pos = p->layout.recipe.pos;
        rec->staged = 0;
    }
    rec->save_len = (uint32_t)p->codec->save(p->codec_state, rec->save);
    rec->payload_pos = p->pos;
    rec->made = p->made;
    rec->boots = 0;
    memcpy(rec->is.link, inlay_chain_link(&p->chain, p->pos), INLAY_ID_LEN);
    if (rec->staged + rec->recipes == 0 || p->cfg->dry_run)
        return inlay_group_close(p);
    if (rec->staged != 0)
        inlay_hash_take(p, p->sha_whole, rec->is.stage, INLAY_SHORT_LEN);
    return inlay_stage_close(p);
}

static enum inlay_status last_step(struct inlay_patcher *p)
{
    if (p->pos != p->man.payload_len)
        return INLAY_E_CORRUPT;
    return inlay_go(p, p->cfg->dry_run ? INLAY_AT_REST : INLAY_AT_VERIFY);
}

/* The blocks came once.  Those up to the next one are the old image's; it comes again. */
enum inlay_status inlay_do_rest(struct inlay_patcher *p)
{
    uint32_t n = p->later - p->hashed;
    if (n != 0) {
        if (n > INLAY_PIECE)
            n = INLAY_PIECE;
        if (p->later < p->hashed || p->later > p->man.old_size)
            return INLAY_E_RESULT;
        if (inlay_read(p, p->cfg->old, p->hashed, p->out.buf, n) != INLAY_OK)
            return INLAY_E_FLASH;
        inlay_hash_add(p, p->sha_whole, p->out.buf, n);
        p->hashed += n;
        return INLAY_AGAIN;
    }
    if (p->hashed == p->man.new_size) {
        if (!inlay_hash_is(p, p->sha_whole, p->man.new_digest, p->man.new_digest_len))
            return INLAY_E_RESULT;
        inlay_tell(p, INLAY_EVENT_VERIFIED, 0, 0);
        return INLAY_DONE;
    }
    if (p->cfg->dry_run == INLAY_DRY_ONCE)
        return INLAY_DONE;
    inlay_input_seek(p, 0, p->man.first_link);
    enum inlay_status st = inlay_open_codec(p);
    return st == INLAY_OK ? inlay_go(p, INLAY_AT_PLAN) : st;
}

enum inlay_status inlay_do_next(struct inlay_patcher *p)
{
    struct inlay_input *in = inlay_input_window(p, p->man.payload_len);
    enum inlay_status st = inlay_input_taken(p, p->codec->next(p->codec_state, in, &p->cmd));
    if (st != INLAY_OK)
        return st;
    switch (p->cmd.kind) {
    case INLAY_STEP_DIRECT:
    case INLAY_STEP_STAGED:
        return open_block(p);
    case INLAY_STEP_COMMIT:
        return close_group(p);
    case INLAY_STEP_END:
        return last_step(p);
    }
    return INLAY_E_CORRUPT;
}

enum inlay_status inlay_do_produce(struct inlay_patcher *p)
{
    struct inlay_input *in = inlay_input_window(p, p->man.payload_len);
    uint8_t piece[INLAY_DESCRIBED], *to = p->out.buf + p->out.fill;
    size_t cap = sizeof p->out.buf - p->out.fill, made = 0;
    uint32_t from = INLAY_NOWHERE;
    if (inlay_describes(p)) {
        to = piece;
        cap = sizeof piece;
    }
    if (cap > p->left)
        cap = p->left;
    int got = p->codec->produce(p->codec_state, in, to, cap, &made, &from);
    enum inlay_status st = inlay_input_taken(p, got);
    if (st < 0 || made > cap || (st == INLAY_OK && made == 0))
        return st < 0 ? st : INLAY_E_CORRUPT;
    if (p->man.check_len != 0)
        inlay_hash_add(p, p->sha_group, to, (uint32_t)made);
    if (p->hashing)
        inlay_hash_add(p, p->sha_whole, to, (uint32_t)made);
    if (to == piece) {
        enum inlay_status described = inlay_describe(p, piece, (uint32_t)made, from);
        if (described != INLAY_OK)
            return described;
    } else {
        p->out.fill += (uint32_t)made;
    }
    p->left -= (uint32_t)made;
    if (inlay_writer_push(&p->out, 0) < 0)
        return inlay_redo(p);
    if (st == INLAY_MORE)
        return st;
    return p->left == 0 ? INLAY_OK : INLAY_AGAIN;
}

/* Writes what is left of a block. */
enum inlay_status inlay_do_flush(struct inlay_patcher *p)
{
    enum inlay_status st =
        inlay_describes(p) ? inlay_describe_close(p) : inlay_writer_push(&p->out, 1);
    if (st == INLAY_E_FLASH)
        return inlay_redo(p);
    if (st != INLAY_OK)
        return st;
    p->made += p->cmd.len;
    if (p->hashing)
        p->hashed += p->cmd.len;
    if (p->cmd.kind == INLAY_STEP_STAGED) {
        p->staged[p->rec.staged++] = p->cmd.block;
        if (!inlay_describes(p))
            p->stage_at = p->out.pos;
    }
    inlay_tell(p, INLAY_EVENT_BLOCK, p->made, p->man.new_size);
    return inlay_go(p, INLAY_AT_NEXT);
}
