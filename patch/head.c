/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

/* Is the new image in the slot already? */
enum inlay_status inlay_do_target(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_hash_image(p, p->cfg->slot, p->man.new_size);
    if (st != INLAY_OK)
        return st;
    if (inlay_hash_is(p, p->sha_whole, p->man.new_digest, INLAY_DIGEST_LEN))
        return inlay_end(p, INLAY_ALREADY);
    return p->old_wrong ? INLAY_E_OLD : inlay_go(p, INLAY_AT_OLD);
}

enum inlay_status inlay_do_old(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_hash_image(p, p->cfg->old, p->man.old_size);
    if (st != INLAY_OK)
        return st;
    if (inlay_hash_is(p, p->sha_whole, p->man.old_digest, p->man.old_digest_len))
        return inlay_go(p, p->journaled ? INLAY_AT_CLEAR : INLAY_AT_HEAD);
    p->old_wrong = 1;
    return p->man.in_place ? inlay_go(p, INLAY_AT_TARGET) : INLAY_E_OLD;
}

/* What the journal says must be certain before what it rests on is overwritten. */
enum inlay_status inlay_do_clear(struct inlay_patcher *p)
{
    p->report.image_pos = 0;
    if (!p->journal.open) {
        enum inlay_status st = inlay_journal_commit(&p->journal, &p->out, &p->rec, NULL);
        if (st != INLAY_OK)
            return st;
    }
    inlay_writer_open(&p->out, p->cfg->work, p->layout.head.pos, 1);
    return inlay_go(p, INLAY_AT_HEAD);
}

enum inlay_status inlay_do_head(struct inlay_patcher *p)
{
    if (p->journaled && p->at < p->man.body_pos) {
        p->at += inlay_writer_add(&p->out, p->room + p->at, p->man.body_pos - p->at);
        return inlay_writer_push(&p->out, 0) < 0 ? inlay_redo(p) : INLAY_AGAIN;
    }
    enum inlay_status st = inlay_open_codec(p);
    inlay_hash_open(p, p->sha_group);
    return st == INLAY_OK ? inlay_go(p, INLAY_AT_PLAN) : st;
}

/* The pool's ranges, checked: ascending, apart, inside the old image, not too long. */
static enum inlay_status check_pool(struct inlay_patcher *p)
{
    size_t count = 0;
    const struct inlay_range *r = p->codec->pool(p->codec_state, &count);
    uint32_t end = 0, left = p->man.pool_len;
    for (size_t i = 0; i < count; i++) {
        if (r[i].pos < end || r[i].pos > p->man.old_size || r[i].len > p->man.old_size - r[i].pos ||
            r[i].len > left)
            return INLAY_E_CORRUPT;
        end = r[i].pos + r[i].len;
        left -= r[i].len;
    }
    return INLAY_OK;
}

enum inlay_status inlay_do_plan(struct inlay_patcher *p)
{
    struct inlay_input in = inlay_input_window(p, p->man.plan_len);
    uint32_t end = p->pos + (uint32_t)in.left;
    if (p->journaled && p->at < end) {
        const uint8_t *from = in.next + (p->at - p->pos);
        uint32_t n = inlay_writer_add(&p->out, from, end - p->at);
        inlay_hash_add(p, p->sha_group, from, n);
        p->at += n;
        return inlay_writer_push(&p->out, 0) < 0 ? inlay_redo(p) : INLAY_AGAIN;
    }
    enum inlay_status st = inlay_input_taken(p, &in, p->codec->plan(p->codec_state, &in));
    if (st == INLAY_OK)
        st = p->pos == p->man.plan_len ? check_pool(p) : INLAY_E_CORRUPT;
    if (st != INLAY_OK)
        return st;
    if (!p->journaled)
        return inlay_group_open(p);
    do
        st = inlay_writer_push(&p->out, 1);
    while (st == INLAY_AGAIN);
    p->left = 0;
    return st < 0 ? inlay_redo(p) : inlay_go(p, INLAY_AT_POOL);
}

/* Saves a piece of the pool.  p->left: bytes of the range that were saved already. */
enum inlay_status inlay_do_pool(struct inlay_patcher *p)
{
    size_t count = 0;
    const struct inlay_range *r = p->codec->pool(p->codec_state, &count);
    if (p->item < count) {
        uint32_t pos = r[p->item].pos + p->left;
        uint32_t n = r[p->item].len - p->left;
        if (n > INLAY_PIECE - p->out.fill)
            n = INLAY_PIECE - p->out.fill;
        p->report.image_pos = pos;
        if (inlay_flash_read(p->cfg->old, pos, p->out.buf + p->out.fill, n) != INLAY_OK)
            return INLAY_E_FLASH;
        p->out.fill += n;
        p->left += n;
        if (p->left == r[p->item].len) {
            p->item++;
            p->left = 0;
        }
        return inlay_writer_push(&p->out, 0) < 0 ? inlay_redo(p) : INLAY_AGAIN;
    }
    enum inlay_status st = inlay_writer_push(&p->out, 1);
    if (st < 0)
        return inlay_redo(p);
    return st == INLAY_AGAIN ? st : inlay_go(p, INLAY_AT_READY);
}

enum inlay_status inlay_do_ready(struct inlay_patcher *p)
{
    struct inlay_record *rec = &p->rec;
    uint32_t stage_pos = rec->stage_pos;
    uint8_t digest[INLAY_DIGEST_LEN];
    p->cfg->crypto->sha256_final(p->cfg->crypto->ctx, p->sha_group, digest);
    memset(rec, 0, sizeof *rec);
    rec->kind = INLAY_RECORD_READY;
    rec->head_len = p->man.body_pos;
    rec->payload_pos = p->pos;
    /* Wear: the stage goes on where the last update left it. */
    struct inlay_span block =
        inlay_region_block(p->cfg->work->region, p->cfg->work->regions, stage_pos);
    rec->stage_pos =
        block.len != 0 && block.pos > p->layout.stage.pos ? block.pos : p->layout.stage.pos;
    memcpy(rec->identity, p->identity, INLAY_ID_LEN);
    memcpy(rec->result, p->man.new_digest, INLAY_ID_LEN);
    memcpy(rec->link, inlay_chain_link(&p->chain, p->pos), INLAY_ID_LEN);
    memcpy(rec->plan_check, digest, INLAY_SHORT_LEN);
    enum inlay_status st = inlay_journal_commit(&p->journal, &p->out, rec, NULL);
    p->tries = INLAY_TRIES;
    return st == INLAY_OK ? inlay_group_open(p) : st;
}

/* Reads from the pool what is there; sets *len to what was read or to where the pool starts. */
static enum inlay_status read_pool(struct inlay_patcher *p, uint32_t pos, uint8_t *to,
                                   uint32_t *len, int *done)
{
    size_t count = 0;
    const struct inlay_range *r = p->codec->pool(p->codec_state, &count);
    if (p->pool.range >= count || r[p->pool.range].pos > pos)
        p->pool.range = p->pool.pos = 0;
    while (p->pool.range < count && pos >= r[p->pool.range].pos + r[p->pool.range].len)
        p->pool.pos += r[p->pool.range++].len;
    *done = 0;
    if (p->pool.range >= count)
        return INLAY_OK;
    uint32_t start = r[p->pool.range].pos, end = start + r[p->pool.range].len;
    uint32_t stop = pos < start ? start : end;
    if (*len > stop - pos)
        *len = stop - pos;
    if (pos < start)
        return INLAY_OK;
    *done = 1;
    return inlay_flash_read(p->cfg->work, p->layout.pool_pos + p->pool.pos + (pos - start), to,
                            *len);
}

/* The codec's view of the old image. */
int inlay_read_old(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    struct inlay_patcher *p = ctx;
    uint8_t *to = buf;
    if (pos > p->man.old_size || len > p->man.old_size - pos)
        return INLAY_E_CORRUPT;
    while (len > 0) {
        uint32_t n = len;
        int done = 0;
        enum inlay_status st = INLAY_OK;
        if (p->journaled)
            st = read_pool(p, pos, to, &n, &done);
        if (st == INLAY_OK && !done)
            st = inlay_flash_read(p->cfg->old, pos, to, n);
        p->report.image_pos = pos;
        if (st != INLAY_OK)
            return st;
        to += n;
        pos += n;
        len -= n;
    }
    return INLAY_OK;
}
