/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

/*
 * The first chunk is there, and with it the manifest is known to be whole.
 * Before that nothing may be said about the images.
 */
enum inlay_status inlay_do_first(struct inlay_patcher *p)
{
    size_t none;
    if (p->chain.index == 0) /* it has no bytes to wait for */
        return inlay_input_feed(p, p->room, 0, &none);
    int same =
        p->rec.kind == INLAY_RECORD_DONE && memcmp(p->rec.is.patch, p->identity, INLAY_ID_LEN) == 0;
    return inlay_go(p, same ? INLAY_AT_TARGET : INLAY_AT_OLD);
}

/* Is the new image in the slot already? */
enum inlay_status inlay_do_target(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_hash_image(p, p->cfg->slot, p->man.new_size);
    if (st != INLAY_OK)
        return st;
    if (inlay_hash_is(p, p->sha_whole, p->man.new_digest, p->man.new_digest_len))
        return INLAY_ALREADY;
    return p->old_wrong ? inlay_go(p, INLAY_AT_LOCATE) : INLAY_OK;
}

enum inlay_status inlay_do_old(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_hash_image(p, p->cfg->old, p->man.old_size);
    if (st != INLAY_OK)
        return st;
    if (inlay_hash_is(p, p->sha_whole, p->man.old_digest, p->man.old_digest_len))
        return INLAY_OK;
    p->old_wrong = 1;
    return inlay_go(p, p->man.in_place ? INLAY_AT_TARGET : INLAY_AT_LOCATE);
}

/* The old image is wrong.  Finds out where, if the manifest has checks of its pieces. */
enum inlay_status inlay_do_locate(struct inlay_patcher *p)
{
    const struct inlay_piece *field = &p->man.old_checks;
    const uint8_t *checks = p->room + field->pos;
    uint32_t start = p->item << (checks[0] & 31u), size = p->man.old_size;
    uint32_t check = 1u + INLAY_OLD_CHECK_LEN * p->item, end = start + (1u << (checks[0] & 31u));
    p->report.image_pos = size;
    if (check + INLAY_OLD_CHECK_LEN > field->len || start >= size)
        return INLAY_E_OLD;
    if (end > size)
        end = size;
    if (p->at == start)
        inlay_hash_open(p, p->sha_whole);
    uint32_t n = end - p->at < INLAY_PIECE ? end - p->at : INLAY_PIECE;
    if (inlay_read(p, p->cfg->old, p->at, p->out.buf, n) != INLAY_OK)
        return INLAY_E_FLASH;
    inlay_hash_add(p, p->sha_whole, p->out.buf, n);
    p->at += n;
    if (p->at < end)
        return INLAY_AGAIN;
    p->report.image_pos = start;
    p->item++;
    return inlay_hash_is(p, p->sha_whole, checks + check, INLAY_OLD_CHECK_LEN) ? INLAY_AGAIN
                                                                               : INLAY_E_OLD;
}

/* What the journal says must be certain before what it rests on is overwritten. */
enum inlay_status inlay_do_clear(struct inlay_patcher *p)
{
    inlay_writer_open(&p->out, NULL, 0, 1);
    if (!p->journaled)
        return INLAY_OK;
    enum inlay_status st = inlay_settle(p);
    inlay_writer_open(&p->out, p->cfg->work, p->layout.head.pos, 1);
    return st;
}

/* Collects bytes to be saved, and writes them when they fill a piece; *n: how many it took. */
static enum inlay_status save(struct inlay_patcher *p, const uint8_t *from, uint32_t *n)
{
    *n = inlay_writer_add(&p->out, from, *n);
    p->at += *n;
    return inlay_writer_push(&p->out, 0) < 0 ? inlay_redo(p) : INLAY_AGAIN;
}

enum inlay_status inlay_do_head(struct inlay_patcher *p)
{
    uint32_t n = p->man.body_pos - p->at;
    return n != 0 ? save(p, p->room + p->at, &n) : inlay_open_codec(p);
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
    struct inlay_input *in = inlay_input_window(p, p->man.plan_len);
    const uint8_t *from = in->next + (p->at - p->pos);
    uint32_t n = (uint32_t)(in->next + in->left - from);
    if (n != 0) {
        enum inlay_status st = save(p, from, &n);
        inlay_hash_add(p, p->sha_group, from, n);
        return st;
    }
    enum inlay_status st = inlay_input_taken(p, p->codec->plan(p->codec_state, in));
    p->left = 0;
    if (st != INLAY_OK)
        return st;
    return p->pos == p->man.plan_len ? check_pool(p) : INLAY_E_CORRUPT;
}

/* Saves a piece of the pool.  p->left: bytes of the range that were saved already. */
enum inlay_status inlay_do_pool(struct inlay_patcher *p)
{
    size_t count = 0;
    const struct inlay_range *r = p->codec->pool(p->codec_state, &count);
    if (p->item == count)
        return inlay_writer_end(&p->out) < 0 ? inlay_redo(p) : INLAY_OK;
    r += p->item;
    uint32_t n = r->len - p->left;
    if (n > INLAY_PIECE - p->out.fill)
        n = INLAY_PIECE - p->out.fill;
    if (inlay_read(p, p->cfg->old, r->pos + p->left, p->out.buf + p->out.fill, n) != INLAY_OK)
        return INLAY_E_FLASH;
    p->out.fill += n;
    p->left += n;
    if (p->left == r->len) {
        p->item++;
        p->left = 0;
    }
    return inlay_writer_push(&p->out, 0) < 0 ? inlay_redo(p) : INLAY_AGAIN;
}

enum inlay_status inlay_do_ready(struct inlay_patcher *p)
{
    struct inlay_record *rec = &p->rec;
    /* Wear: the stage goes on where the last update left it. */
    uint32_t stage_pos = inlay_stage_start(p, rec->stage_pos);
    memset(rec, 0, sizeof *rec);
    rec->head_len = p->man.body_pos;
    rec->payload_pos = p->pos;
    rec->stage_pos = stage_pos;
    memcpy(rec->is.patch, p->identity, INLAY_ID_LEN);
    memcpy(rec->is.link, inlay_chain_link(&p->chain, p->pos), INLAY_ID_LEN);
    inlay_hash_take(p, p->sha_group, rec->is.plan, INLAY_SHORT_LEN);
    enum inlay_status st = inlay_commit(p, INLAY_RECORD_READY);
    return st == INLAY_OK ? inlay_group_open(p) : st;
}

/*
 * The codec's view of the old image: for each stretch, from the pool if it is
 * there, else from the image up to where the pool's next range starts.
 */
int inlay_read_old(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    struct inlay_patcher *p = ctx;
    uint8_t *to = buf;
    size_t count = 0;
    if (pos > p->man.old_size || len > p->man.old_size - pos)
        return INLAY_E_CORRUPT;
    const struct inlay_range *r = p->codec->pool(p->codec_state, &count);
    if (!p->journaled)
        count = 0;
    if (p->pool.range >= count || r[p->pool.range].pos > pos)
        p->pool.range = p->pool.pos = 0;
    while (len > 0) {
        while (p->pool.range < count && pos - r[p->pool.range].pos >= r[p->pool.range].len &&
               pos >= r[p->pool.range].pos)
            p->pool.pos += r[p->pool.range++].len;
        const struct inlay_flash *f = p->cfg->old;
        uint32_t n = len, from = pos;
        if (p->pool.range < count) {
            uint32_t stop = r[p->pool.range].pos;
            if (pos >= stop) {
                f = p->cfg->work;
                from = p->layout.pool_pos + p->pool.pos + (pos - stop);
                stop += r[p->pool.range].len;
            }
            if (n > stop - pos)
                n = stop - pos;
        }
        if (inlay_read(p, f, from, to, n) != INLAY_OK)
            return INLAY_E_FLASH;
        to += n;
        pos += n;
        len -= n;
    }
    return INLAY_OK;
}
