/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

/* The stage is a ring; len is at most its length. */
static uint32_t ring_add(const struct inlay_patcher *p, uint32_t pos, uint32_t len)
{
    const struct inlay_span *stage = &p->layout.stage;
    pos += len;
    return pos < stage->pos + stage->len ? pos : pos - stage->len;
}

/* pos, or the next place in the stage where a block starts. */
uint32_t inlay_stage_start(const struct inlay_patcher *p, uint32_t pos)
{
    if (p->man.stage_blocks == 0)
        return pos;
    const struct inlay_flash *work = p->cfg->work;
    struct inlay_span block = inlay_region_block(work->region, work->regions, pos);
    if (block.len == 0 || block.pos < p->layout.stage.pos)
        return p->layout.stage.pos;
    return block.pos == pos ? pos : ring_add(p, block.pos, block.len);
}

/* A piece of a staged block: hashed, or moved to its place. */
static enum inlay_status take_staged(struct inlay_patcher *p)
{
    int moving = p->state == INLAY_AT_MOVE;
    struct inlay_span block = inlay_target_block(p, p->staged[p->item]);
    if (p->at == 0)
        inlay_writer_open(&p->out, p->cfg->slot, block.pos, 1);
    uint32_t pos = ring_add(p, p->stage_at, p->at);
    uint32_t n = p->layout.stage.pos + p->layout.stage.len - pos;
    if (n > INLAY_PIECE - p->out.fill)
        n = INLAY_PIECE - p->out.fill;
    if (n > block.len - p->at)
        n = block.len - p->at;
    uint8_t *to = p->out.buf + p->out.fill;
    enum inlay_status st = inlay_read(p, p->cfg->work, pos, to, n);
    if (st != INLAY_OK)
        return st;
    p->at += n;
    if (moving) {
        p->out.fill += n;
        st = p->at == block.len ? inlay_writer_end(&p->out) : inlay_writer_push(&p->out, 0);
        if (st < 0)
            return inlay_redo(p);
    } else {
        inlay_hash_add(p, p->sha_whole, to, n);
    }
    if (p->at == block.len) {
        p->stage_at = ring_add(p, p->stage_at, inlay_flash_align(p->cfg->work, block.len));
        p->item++;
        p->at = 0;
    }
    return INLAY_AGAIN;
}

enum inlay_status inlay_do_check_stage(struct inlay_patcher *p)
{
    if (p->item < p->rec.staged)
        return take_staged(p);
    p->stage_at = p->rec.stage_pos;
    if (p->rec.staged == 0) /* recipes are checked one by one */
        return INLAY_OK;
    return inlay_hash_is(p, p->sha_whole, p->rec.is.stage, INLAY_SHORT_LEN) ? INLAY_OK
                                                                            : INLAY_E_FLASH;
}

/* What is to be moved is known: a record of it. */
enum inlay_status inlay_stage_close(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_commit(p, INLAY_RECORD_STAGED);
    p->stage_at = p->rec.stage_pos;
    return st == INLAY_OK ? inlay_go(p, INLAY_AT_MOVE) : st;
}

enum inlay_status inlay_do_move(struct inlay_patcher *p)
{
    if (p->item < p->rec.staged)
        return take_staged(p);
    return p->rec.staged == 0 && p->rec.recipes != 0 ? inlay_rebuild_open(p) : inlay_group_close(p);
}

/* What was staged of the group is in its place. */
enum inlay_status inlay_group_close(struct inlay_patcher *p)
{
    if (p->rec.staged != 0 && !p->cfg->dry_run)
        inlay_tell(p, INLAY_EVENT_MOVED, p->rec.staged, p->rec.recipes);
    /* What comes next starts at a block of its own. */
    p->rec.stage_pos = inlay_stage_start(p, p->stage_at);
    p->rec.staged = 0;
    if (p->rec.recipes != 0)
        return inlay_stage_close(p);
    enum inlay_status st = inlay_commit(p, INLAY_RECORD_COMMITTED);
    return st == INLAY_OK ? inlay_group_open(p) : st;
}

/* Reads the whole new image back. */
enum inlay_status inlay_do_verify(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_hash_image(p, p->cfg->slot, p->man.new_size);
    if (st != INLAY_OK)
        return st;
    if (!inlay_hash_is(p, p->sha_whole, p->man.new_digest, p->man.new_digest_len)) {
        /* Beside it the old image is whole: any patch may begin anew. */
        st = p->cfg->slot != p->cfg->old ? inlay_forget(p) : INLAY_OK;
        return st == INLAY_OK ? INLAY_E_RESULT : st;
    }
    inlay_tell(p, INLAY_EVENT_VERIFIED, 0, 0);
    p->rec.save_len = 0;
    st = inlay_commit(p, INLAY_RECORD_DONE);
    return st == INLAY_OK ? INLAY_DONE : st;
}
