/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

#define REPLAN_PIECE 512u /* not more than the smallest chunk: that is where it goes */

/* Manifest and signature block as they were saved before the first record. */
enum inlay_status inlay_do_replay(struct inlay_patcher *p)
{
    const struct inlay_record *rec = &p->rec;
    const struct inlay_kept kept = {.head = rec->head_len};
    if (rec->head_len > INLAY_MANIFEST_MAX ||
        inlay_divide_work(&p->layout, p->cfg->work, &kept) != INLAY_OK)
        return INLAY_E_JOURNAL;
    if (inlay_read(p, p->cfg->work, p->layout.head.pos, p->room, rec->head_len) != INLAY_OK ||
        inlay_manifest_read(&p->man, p->room, rec->head_len) != INLAY_OK)
        return INLAY_E_FLASH;
    inlay_identify(p, p->room, &p->man, p->identity);
    if (memcmp(p->identity, rec->is.patch, INLAY_ID_LEN) != 0)
        return INLAY_E_FLASH;
    enum inlay_status st = inlay_accept(p);
    return st == INLAY_OK ? inlay_open_codec(p) : st;
}

/* The plan, read from the work area instead of from the patch. */
enum inlay_status inlay_do_replan(struct inlay_patcher *p)
{
    struct inlay_input *in = inlay_input_window(p, p->man.plan_len);
    enum inlay_status st = inlay_input_taken(p, p->codec->plan(p->codec_state, in));
    p->want = 0;
    if (st == INLAY_OK)
        return inlay_hash_is(p, p->sha_group, p->rec.is.plan, INLAY_SHORT_LEN) ? INLAY_OK
                                                                               : INLAY_E_FLASH;
    if (st != INLAY_MORE)
        return st;
    uint8_t *to = p->chunk + INLAY_CARRY_MAX;
    uint32_t from = p->pos + (uint32_t)in->left, n = p->man.plan_len - from;
    if (n > REPLAN_PIECE)
        n = REPLAN_PIECE;
    if (inlay_read(p, p->cfg->work, p->layout.head.pos + p->rec.head_len + from, to, n) != INLAY_OK)
        return INLAY_E_FLASH;
    inlay_hash_add(p, p->sha_group, to, n);
    p->in_end = to + n;
    return INLAY_AGAIN;
}

static enum inlay_status load_staged(struct inlay_patcher *p)
{
    uint32_t most = p->rec.kind == INLAY_RECORD_STAGED ? p->man.stage_blocks : 0;
    const struct inlay_span *recipe = &p->layout.recipe;
    if (p->rec.staged > most || p->rec.recipes > most ||
        (p->rec.recipes != 0 && p->rec.recipe_pos - recipe->pos >= recipe->len))
        return INLAY_E_JOURNAL;
    enum inlay_status st = inlay_journal_staged(&p->journal, &p->rec, p->staged);
    for (uint32_t i = 0; st == INLAY_OK && i < p->rec.staged; i++)
        if (inlay_target_block(p, p->staged[i]).len == 0)
            st = INLAY_E_JOURNAL;
    return st;
}

enum inlay_status inlay_do_load(struct inlay_patcher *p)
{
    const struct inlay_record *rec = &p->rec;
    if (rec->payload_pos > p->man.payload_len || rec->payload_pos < p->man.plan_len ||
        inlay_stage_start(p, rec->stage_pos) != rec->stage_pos)
        return INLAY_E_JOURNAL;
    enum inlay_status st = load_staged(p);
    if (st == INLAY_OK && rec->save_len != 0)
        st = (enum inlay_status)p->codec->load(p->codec_state, rec->save, rec->save_len);
    inlay_input_seek(p, rec->payload_pos, rec->is.link);
    return st;
}

/*
 * Nothing was changed since the reset; from here on something may be.  Makes
 * what the journal says certain, and counts this boot.
 */
enum inlay_status inlay_settle(struct inlay_patcher *p)
{
    uint32_t most = p->cfg->boots_max != 0 ? p->cfg->boots_max : INLAY_BOOTS_MAX;
    if (p->journal.open)
        return INLAY_OK;
    if (p->rec.boots >= most || p->cfg->boots_lost >= most)
        return INLAY_E_PROGRESS;
    p->rec.boots++;
    return inlay_commit(p, p->rec.kind);
}

enum inlay_status inlay_do_settle(struct inlay_patcher *p)
{
    enum inlay_status st = inlay_settle(p);
    if (st != INLAY_OK)
        return st;
    inlay_tell(p, INLAY_EVENT_RESUMED, inlay_next_offset(p), p->rec.boots);
    if (p->rec.kind != INLAY_RECORD_STAGED)
        return inlay_group_open(p);
    p->stage_at = p->rec.stage_pos;
    inlay_hash_open(p, p->sha_whole);
    return INLAY_OK;
}
