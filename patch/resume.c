/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

#define REPLAN_PIECE 1024u

/* The manifest as it was saved before the first record. */
enum inlay_status inlay_do_replay(struct inlay_patcher *p)
{
    const struct inlay_record *rec = &p->rec;
    struct inlay_layout layout;
    if (rec->head_len > INLAY_MANIFEST_MAX ||
        inlay_layout_make(&layout, p->cfg->work, rec->head_len, 0) != INLAY_OK)
        return INLAY_E_JOURNAL;
    p->report.image_pos = layout.head.pos;
    if (inlay_flash_read(p->cfg->work, layout.head.pos, p->room, rec->head_len) != INLAY_OK)
        return INLAY_E_FLASH;
    enum inlay_status st = inlay_manifest_read(&p->man, p->room, rec->head_len);
    if (st != INLAY_OK)
        return INLAY_E_FLASH;
    inlay_identify(p, p->room, &p->man, p->identity);
    if (memcmp(p->identity, rec->identity, INLAY_ID_LEN) != 0)
        return INLAY_E_FLASH;
    st = inlay_accept(p);
    if (st == INLAY_OK)
        st = inlay_open_codec(p);
    inlay_hash_open(p, p->sha_group);
    return st == INLAY_OK ? inlay_go(p, INLAY_AT_REPLAN) : st;
}

/* The plan, read from the work area instead of from the patch. */
enum inlay_status inlay_do_replan(struct inlay_patcher *p)
{
    struct inlay_input in = inlay_input_window(p, p->man.plan_len);
    enum inlay_status st = inlay_input_taken(p, &in, p->codec->plan(p->codec_state, &in));
    p->want = 0;
    if (st == INLAY_OK)
        return inlay_hash_is(p, p->sha_group, p->rec.plan_check, INLAY_SHORT_LEN)
                   ? inlay_go(p, INLAY_AT_LOAD)
                   : INLAY_E_FLASH;
    if (st != INLAY_MORE)
        return st;
    uint32_t from = p->pos + (uint32_t)p->in.left;
    uint32_t n = p->man.plan_len - from;
    uint32_t chunk = p->chain.step + p->man.link_len;
    if (n > REPLAN_PIECE)
        n = REPLAN_PIECE;
    if (n > chunk)
        n = chunk;
    p->report.image_pos = p->layout.head.pos + p->man.body_pos + from;
    if (inlay_flash_read(p->cfg->work, p->report.image_pos, p->chunk + INLAY_CARRY_MAX, n) !=
        INLAY_OK)
        return INLAY_E_FLASH;
    inlay_hash_add(p, p->sha_group, p->chunk + INLAY_CARRY_MAX, n);
    p->in.left += n;
    return INLAY_AGAIN;
}

static enum inlay_status load_staged(struct inlay_patcher *p)
{
    if (p->rec.kind != INLAY_RECORD_STAGED)
        return p->rec.staged == 0 ? INLAY_OK : INLAY_E_JOURNAL;
    if (p->rec.staged > p->man.stage_blocks)
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
    struct inlay_span block =
        inlay_region_block(p->cfg->work->region, p->cfg->work->regions, rec->stage_pos);
    if (rec->payload_pos > p->man.payload_len || rec->payload_pos < p->man.plan_len ||
        (p->man.stage_blocks != 0 &&
         (block.len == 0 || block.pos != rec->stage_pos || block.pos < p->layout.stage.pos)))
        return INLAY_E_JOURNAL;
    enum inlay_status st = load_staged(p);
    if (st == INLAY_OK && rec->save_len != 0)
        st = (enum inlay_status)p->codec->load(p->codec_state, rec->save, rec->save_len);
    inlay_input_seek(p, rec->payload_pos, rec->link);
    return st == INLAY_OK ? inlay_go(p, INLAY_AT_SETTLE) : st;
}

/* Nothing was changed since the reset; from here on something may be. */
enum inlay_status inlay_do_settle(struct inlay_patcher *p)
{
    if (!p->journal.open) {
        if (p->rec.boots < 0xFFFFu)
            p->rec.boots++;
        enum inlay_status st = inlay_journal_commit(&p->journal, &p->out, &p->rec, p->staged);
        if (st != INLAY_OK)
            return st;
    }
    inlay_tell(p, INLAY_EVENT_RESUMED, inlay_next_offset(p), p->rec.boots);
    if (p->rec.kind != INLAY_RECORD_STAGED)
        return inlay_group_open(p);
    p->stage_at = p->rec.stage_pos;
    inlay_hash_open(p, p->sha_whole);
    return inlay_go(p, INLAY_AT_CHECK_STAGE);
}
