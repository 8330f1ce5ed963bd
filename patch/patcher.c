/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

int inlay_underway(const struct inlay_record *rec)
{
    return rec->kind == INLAY_RECORD_READY || rec->kind == INLAY_RECORD_STAGED ||
           rec->kind == INLAY_RECORD_COMMITTED;
}

void inlay_tell(const struct inlay_patcher *p, enum inlay_event event, uint32_t a, uint32_t b)
{
    if (p->cfg->event != NULL)
        p->cfg->event(p->cfg->event_ctx, event, a, b);
}

enum inlay_status inlay_go(struct inlay_patcher *p, enum inlay_state state)
{
    p->state = (uint8_t)state;
    p->at = p->item = 0;
    return INLAY_AGAIN;
}

enum inlay_status inlay_commit(struct inlay_patcher *p, uint32_t kind)
{
    p->rec.kind = kind;
    p->tries = INLAY_TRIES;
    return p->journaled ? inlay_journal_commit(&p->journal, &p->out, &p->rec, p->staged) : INLAY_OK;
}

enum inlay_status inlay_forget(struct inlay_patcher *p)
{
    p->rec.staged = p->rec.save_len = p->rec.boots = 0;
    return inlay_commit(p, INLAY_RECORD_IDLE);
}

enum inlay_status inlay_read(struct inlay_patcher *p, const struct inlay_flash *f, uint32_t pos,
                             void *buf, uint32_t len)
{
    p->report.image_pos = pos;
    return inlay_flash_read(f, pos, buf, len);
}

enum inlay_status inlay_redo(struct inlay_patcher *p)
{
    p->report.image_pos = p->out.pos;
    if (p->tries == 0)
        return INLAY_E_FLASH;
    p->tries--;
    inlay_tell(p, INLAY_EVENT_RETRY, p->out.pos, p->tries);
    p->want = 0;
    p->got = 0;
    if (p->rec.kind != INLAY_RECORD_STAGED)
        p->rec.staged = 0;
    if (p->journaled && inlay_underway(&p->rec))
        return inlay_go(p, INLAY_AT_REPLAY);
    inlay_go(p, INLAY_AT_MANIFEST);
    return INLAY_MORE;
}

size_t inlay_patcher_size(void)
{
    return sizeof(struct inlay_patcher) + INLAY_MANIFEST_MAX;
}

enum inlay_status inlay_probe(const struct inlay_codec *const *codecs, const uint8_t *head,
                              size_t head_len, struct inlay_needs *needs)
{
    struct inlay_manifest m;
    enum inlay_status st = inlay_manifest_read(&m, head, head_len);
    memset(needs, 0, sizeof *needs);
    if (st != INLAY_OK)
        return st;
    needs->old_size = m.old_size;
    needs->new_size = m.new_size;
    needs->patch_size = inlay_manifest_patch_size(&m);
    needs->chunk_len = (uint32_t)1 << m.chunk_log;
    needs->head_len = m.body_pos + m.plan_len;
    needs->pool_len = m.pool_len;
    needs->recipe_len = m.recipe_len;
    needs->stage_blocks = m.recipe_len != 0 ? 1 : m.stage_blocks;
    needs->in_place = m.in_place;
    needs->level = INLAY_LEVEL;
    needs->codec = m.codec;
    const struct inlay_codec *codec = inlay_find_codec(codecs, m.codec);
    size_t need = codec != NULL ? codec->need(codec, m.params, m.params_len) : 0;
    if (need == 0 || need > INLAY_SIZE_MAX / 2u)
        return INLAY_E_UNSUPPORTED;
    needs->workspace = inlay_workspace(&m, (uint32_t)need);
    return INLAY_OK;
}

static enum inlay_status check_config(const struct inlay_config *cfg)
{
    if (cfg == NULL || cfg->old == NULL || cfg->slot == NULL || cfg->crypto == NULL ||
        cfg->codecs == NULL || (cfg->component == NULL && cfg->component_len != 0))
        return INLAY_E_USAGE;
    if (inlay_flash_check(cfg->slot) != INLAY_OK ||
        (cfg->work != NULL && inlay_flash_check(cfg->work) != INLAY_OK))
        return INLAY_E_USAGE;
    return INLAY_OK;
}

/* Ends the update if status is an error; notes it in any case. */
static enum inlay_status note(struct inlay_patcher *p, enum inlay_status status)
{
    p->report.status = status;
    p->report.patch_pos = p->state == INLAY_AT_MANIFEST ? p->got : p->man.body_pos + p->pos;
    if (p->chain.step != 0 && p->state != INLAY_AT_MANIFEST)
        p->report.patch_pos += p->pos / p->chain.step * p->man.link_len;
    if (status < 0 || status >= INLAY_DONE)
        p->state = INLAY_AT_OVER;
    if (status < 0) {
        inlay_tell(p, INLAY_EVENT_FAILED, (uint32_t)(-status), p->report.patch_pos);
    }
    return status;
}

enum inlay_status inlay_begin(struct inlay_patcher **patcher, const struct inlay_config *cfg,
                              void *workspace, size_t workspace_len)
{
    struct inlay_patcher *p = workspace;
    *patcher = NULL;
    enum inlay_status st = check_config(cfg);
    if (st != INLAY_OK || workspace == NULL || ((uintptr_t)workspace & 7u) != 0)
        return INLAY_E_USAGE;
    if (workspace_len < inlay_patcher_size())
        return INLAY_E_WORKSPACE;
    memset(p, 0, sizeof *p);
    p->cfg = cfg;
    p->room = (uint8_t *)workspace + sizeof *p;
    p->room_len = workspace_len - sizeof *p;
    p->state = INLAY_AT_MANIFEST;
    p->tries = INLAY_TRIES;
    p->journaled = cfg->work != NULL && !cfg->dry_run;
    *patcher = p;
    if (cfg->work != NULL)
        st = inlay_journal_find(&p->journal, cfg->work, &p->rec);
    if (st != INLAY_OK)
        return note(p, st);
    if (!inlay_underway(&p->rec))
        return note(p, INLAY_MORE);
    p->doubt = 1;
    return note(p, cfg->dry_run ? INLAY_E_BUSY : inlay_go(p, INLAY_AT_REPLAY));
}

uint32_t inlay_next_offset(const struct inlay_patcher *p)
{
    if (p->state == INLAY_AT_MANIFEST || p->chain.step == 0)
        return p->got;
    uint32_t pos = p->man.body_pos + (p->chain.index << p->man.chunk_log) + p->got;
    uint32_t size = inlay_manifest_patch_size(&p->man);
    return pos < size ? pos : size;
}

/* Is the signature right for the manifest in p->room?  An unsigned one has length 0. */
static enum inlay_status check_signature(const struct inlay_patcher *p)
{
    const struct inlay_crypto *crypto = p->cfg->crypto;
    const struct inlay_manifest *m = &p->man;
    if (crypto->verify == NULL)
        return m->is_signed ? INLAY_E_SIGNATURE : INLAY_OK;
    return crypto->verify(crypto->ctx, p->room, m->len, p->room + m->sig.pos, m->sig.len) == 0
               ? INLAY_OK
               : INLAY_E_SIGNATURE;
}

/* Manifest and signature block are all there. */
static enum inlay_status take_manifest(struct inlay_patcher *p)
{
    inlay_identify(p, p->room, &p->man, p->identity);
    enum inlay_status st = check_signature(p);
    if (st == INLAY_OK)
        st = inlay_accept(p);
    if (st != INLAY_OK)
        return st;
    p->want = p->man.payload_len != 0;
    return inlay_go(p, INLAY_AT_FIRST);
}

static enum inlay_status feed_manifest(struct inlay_patcher *p, const uint8_t *data, size_t len,
                                       size_t *used)
{
    enum inlay_status st;
    while ((st = inlay_manifest_read(&p->man, p->room, p->got)) == INLAY_MORE) {
        size_t n = p->man.body_pos - p->got;
        if (n > len - *used)
            n = len - *used;
        if (n == 0)
            return INLAY_MORE;
        memcpy(p->room + p->got, data + *used, n);
        p->got += (uint32_t)n;
        *used += n;
    }
    return st == INLAY_OK ? take_manifest(p) : st;
}

enum inlay_status inlay_feed(struct inlay_patcher *p, const uint8_t *data, size_t len, size_t *used)
{
    *used = 0;
    if (p->state == INLAY_AT_OVER)
        return p->report.status;
    if (p->state == INLAY_AT_MANIFEST)
        return note(p, feed_manifest(p, data, len, used));
    if (!p->want)
        return INLAY_AGAIN;
    return note(p, inlay_input_feed(p, data, len, used));
}

static enum inlay_status take_step(struct inlay_patcher *p)
{
    static enum inlay_status (*const step[])(struct inlay_patcher *) = {
        [INLAY_AT_FIRST] = inlay_do_first,
        [INLAY_AT_TARGET] = inlay_do_target,
        [INLAY_AT_OLD] = inlay_do_old,
        [INLAY_AT_CLEAR] = inlay_do_clear,
        [INLAY_AT_HEAD] = inlay_do_head,
        [INLAY_AT_PLAN] = inlay_do_plan,
        [INLAY_AT_POOL] = inlay_do_pool,
        [INLAY_AT_READY] = inlay_do_ready,
        [INLAY_AT_REPLAY] = inlay_do_replay,
        [INLAY_AT_REPLAN] = inlay_do_replan,
        [INLAY_AT_LOAD] = inlay_do_load,
        [INLAY_AT_SETTLE] = inlay_do_settle,
        [INLAY_AT_CHECK_STAGE] = inlay_do_check_stage,
        [INLAY_AT_NEXT] = inlay_do_next,
        [INLAY_AT_PRODUCE] = inlay_do_produce,
        [INLAY_AT_FLUSH] = inlay_do_flush,
        [INLAY_AT_MOVE] = inlay_do_move,
        [INLAY_AT_REBUILD] = inlay_do_rebuild,
        [INLAY_AT_VERIFY] = inlay_do_verify,
        [INLAY_AT_LOCATE] = inlay_do_locate,
        [INLAY_AT_REST] = inlay_do_rest,
    };
    enum inlay_status st = step[p->state](p);
    return st == INLAY_OK ? inlay_go(p, (enum inlay_state)(p->state + 1)) : st;
}

enum inlay_status inlay_step(struct inlay_patcher *p)
{
    if (p->state == INLAY_AT_OVER)
        return p->report.status;
    if (p->state == INLAY_AT_MANIFEST || p->want)
        return INLAY_MORE;
    return note(p, take_step(p));
}

struct inlay_report inlay_report(const struct inlay_patcher *p)
{
    return p->report;
}

enum inlay_status inlay_match(struct inlay_patcher *p, const uint8_t *head, size_t head_len)
{
    struct inlay_manifest m;
    uint8_t identity[INLAY_DIGEST_LEN];
    enum inlay_status st = inlay_manifest_read(&m, head, head_len);
    if (st != INLAY_OK || !inlay_underway(&p->rec))
        return st;
    inlay_identify(p, head, &m, identity);
    if (memcmp(identity, p->rec.is.patch, INLAY_ID_LEN) != 0)
        return INLAY_E_BUSY;
    p->doubt = 0;
    return INLAY_OK;
}

/* Before the first commit in place: did no direct block change anything yet? */
static enum inlay_status old_is_whole(struct inlay_patcher *p)
{
    enum inlay_status st = INLAY_AGAIN;
    if (p->rec.kind != INLAY_RECORD_READY)
        return INLAY_E_BUSY;
    if (p->state == INLAY_AT_REPLAY)
        st = inlay_do_replay(p); /* what the old image was is in the manifest */
    if (st < 0)
        return st;
    p->at = 0;
    do
        st = inlay_hash_image(p, p->cfg->old, p->man.old_size);
    while (st == INLAY_AGAIN);
    if (st != INLAY_OK)
        return st;
    return inlay_hash_is(p, p->sha_whole, p->man.old_digest, p->man.old_digest_len) ? INLAY_OK
                                                                                    : INLAY_E_BUSY;
}

enum inlay_status inlay_abort(struct inlay_patcher *p)
{
    enum inlay_status st = INLAY_OK;
    if (p->journaled && inlay_underway(&p->rec)) {
        if (p->cfg->slot == p->cfg->old)
            st = old_is_whole(p);
        if (st == INLAY_OK)
            st = inlay_forget(p);
    }
    p->state = INLAY_AT_OVER;
    p->report.status = st == INLAY_OK ? INLAY_E_USAGE : st;
    return st;
}
