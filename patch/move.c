/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

/* The stage is a ring; len is at most its length. */
static uint32_t ring_add(const struct inlay_patcher *p, uint32_t pos, uint32_t len)
{
    uint32_t to_end = p->layout.stage.pos + p->layout.stage.len - pos;
    return len < to_end ? pos + len : p->layout.stage.pos + (len - to_end);
}

/* Reads up to INLAY_PIECE bytes of the current staged block into buf. */
static enum inlay_status read_stage(struct inlay_patcher *p, uint32_t len, uint8_t *buf,
                                    uint32_t *got)
{
    uint32_t pos = ring_add(p, p->stage_at, p->at);
    uint32_t to_end = p->layout.stage.pos + p->layout.stage.len - pos;
    uint32_t n = len - p->at;
    if (n > *got)
        n = *got;
    if (n > to_end)
        n = to_end;
    *got = n;
    p->report.image_pos = pos;
    return inlay_flash_read(p->cfg->work, pos, buf, n);
}

static void next_staged(struct inlay_patcher *p, uint32_t len)
{
    p->stage_at = ring_add(p, p->stage_at, inlay_flash_align(p->cfg->work, len));
    p->item++;
    p->at = 0;
}

enum inlay_status inlay_do_check_stage(struct inlay_patcher *p)
{
    if (p->item == p->rec.staged) {
        p->stage_at = p->rec.stage_pos;
        return inlay_hash_is(p, p->sha_whole, p->rec.stage_check, INLAY_SHORT_LEN)
                   ? inlay_go(p, INLAY_AT_MOVE)
                   : INLAY_E_FLASH;
    }
    uint32_t len = inlay_target_block(p, p->staged[p->item]).len, n = INLAY_PIECE;
    enum inlay_status st = read_stage(p, len, p->out.buf, &n);
    if (st != INLAY_OK)
        return st;
    inlay_hash_add(p, p->sha_whole, p->out.buf, n);
    p->at += n;
    if (p->at == len)
        next_staged(p, len);
    return INLAY_AGAIN;
}

/* Every block of the group is in its place. */
enum inlay_status inlay_group_close(struct inlay_patcher *p)
{
    struct inlay_record *rec = &p->rec;
    if (p->man.stage_blocks != 0) {
        const struct inlay_flash *work = p->cfg->work;
        struct inlay_span block = inlay_region_block(work->region, work->regions, p->stage_at);
        /* The next group starts at a block of its own. */
        if (block.pos != p->stage_at)
            p->stage_at = ring_add(p, block.pos, block.len);
        rec->stage_pos = p->stage_at;
    }
    rec->kind = INLAY_RECORD_COMMITTED;
    rec->staged = 0;
    enum inlay_status st = inlay_journal_commit(&p->journal, &p->out, rec, NULL);
    p->tries = INLAY_TRIES;
    return st == INLAY_OK ? inlay_group_open(p) : st;
}

/* The block in the slot does not hold its data: once more from its start. */
static enum inlay_status move_again(struct inlay_patcher *p)
{
    p->report.image_pos = p->out.pos;
    if (p->tries == 0)
        return INLAY_E_FLASH;
    p->tries--;
    inlay_tell(p, INLAY_EVENT_RETRY, p->out.pos, p->tries);
    p->at = 0;
    return INLAY_AGAIN;
}

enum inlay_status inlay_do_move(struct inlay_patcher *p)
{
    if (p->item == p->rec.staged)
        return inlay_group_close(p);
    struct inlay_span block = inlay_target_block(p, p->staged[p->item]);
    if (p->at == 0)
        inlay_writer_open(&p->out, p->cfg->slot, block.pos, 1);
    uint32_t n = INLAY_PIECE - p->out.fill;
    enum inlay_status st = read_stage(p, block.len, p->out.buf + p->out.fill, &n);
    if (st != INLAY_OK)
        return st;
    p->out.fill += n;
    p->at += n;
    do
        st = inlay_writer_push(&p->out, p->at == block.len);
    while (st == INLAY_AGAIN);
    if (st < 0)
        return move_again(p);
    if (p->at == block.len) {
        next_staged(p, block.len);
        p->tries = INLAY_TRIES;
    }
    return INLAY_AGAIN;
}

/* Reads the whole new image back. */
enum inlay_status inlay_do_verify(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_hash_image(p, p->cfg->slot, p->man.new_size);
    if (st != INLAY_OK)
        return st;
    if (!inlay_hash_is(p, p->sha_whole, p->man.new_digest, INLAY_DIGEST_LEN))
        return INLAY_E_RESULT;
    inlay_tell(p, INLAY_EVENT_VERIFIED, 0, 0);
    if (p->journaled) {
        p->rec.kind = INLAY_RECORD_DONE;
        p->rec.save_len = 0;
        st = inlay_journal_commit(&p->journal, &p->out, &p->rec, NULL);
    }
    return st == INLAY_OK ? inlay_end(p, INLAY_DONE) : st;
}
