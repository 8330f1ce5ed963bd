/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

const struct inlay_codec *inlay_find_codec(const struct inlay_codec *const *codecs, uint8_t id)
{
    for (; codecs != NULL && *codecs != NULL; codecs++)
        if ((*codecs)->id == id)
            return *codecs;
    return NULL;
}

/* What recipes take in front, then the list of staged blocks. */
static uint32_t recipe_room(const struct inlay_manifest *m)
{
    return m->recipe_len != 0 ? (uint32_t)sizeof(union inlay_in_recipe) : 0;
}

static uint32_t staged_room(const struct inlay_manifest *m)
{
    return (recipe_room(m) + m->stage_blocks * 4u + 7u) & ~7u;
}

static uint32_t chunk_room(const struct inlay_manifest *m)
{
    uint32_t chunk = (uint32_t)1 << m->chunk_log;
    return INLAY_CARRY_MAX + (m->payload_len < chunk ? m->payload_len : chunk);
}

/* Where in the workspace chunks go: behind the codec, and behind the manifest, which is first. */
static uint32_t chunk_place(const struct inlay_manifest *m, uint32_t codec_need)
{
    uint32_t place = staged_room(m) + ((codec_need + 7u) & ~7u);
    return place > m->body_pos ? place : (m->body_pos + 7u) & ~7u;
}

uint32_t inlay_workspace(const struct inlay_manifest *m, uint32_t codec_need)
{
    uint32_t room = chunk_place(m, codec_need) + chunk_room(m);
    return (uint32_t)sizeof(struct inlay_patcher) +
           (room > INLAY_MANIFEST_MAX ? room : INLAY_MANIFEST_MAX);
}

static int same_geometry(const struct inlay_manifest *m, const struct inlay_flash *slot)
{
    if (m->regions > slot->regions)
        return 0;
    /* The slot may go on behind what the patch uses of it. */
    unsigned last = m->regions - 1u;
    return memcmp(m->region, slot->region, last * sizeof m->region[0]) == 0 &&
           m->region[last].block_len == slot->region[last].block_len &&
           m->region[last].count <= slot->region[last].count;
}

static enum inlay_status fits_work(struct inlay_patcher *p)
{
    const struct inlay_manifest *m = &p->man;
    const struct inlay_flash *work = p->cfg->work;
    const struct inlay_kept kept = {m->body_pos + m->plan_len, m->pool_len, m->recipe_len,
                                    p->identity[0] & 1u};
    enum inlay_status st = inlay_divide_work(&p->layout, work, &kept);
    if (st != INLAY_OK)
        return st;
    p->batch = m->stage_blocks;
    if (p->batch != 0 && p->batch > p->layout.stage.len / inlay_flash_align(work, m->longest))
        p->batch = p->layout.stage.len / inlay_flash_align(work, m->longest);
    uint32_t least = m->recipe_len != 0 ? 1 : m->stage_blocks;
    while (p->batch > least && !inlay_journal_fits(&p->journal, p->batch)) /* a record lists them */
        p->batch--;
    return p->batch >= least && inlay_journal_fits(&p->journal, p->batch) ? INLAY_OK
                                                                          : INLAY_E_LIMIT;
}

/* Does the patch fit codecs, slot, work area and workspace?  If so, the workspace is dealt out. */
static enum inlay_status fits_device(struct inlay_patcher *p)
{
    const struct inlay_config *cfg = p->cfg;
    const struct inlay_manifest *m = &p->man;
    p->codec = inlay_find_codec(cfg->codecs, m->codec);
    size_t need = p->codec != NULL ? p->codec->need(p->codec, m->params, m->params_len) : 0;
    if (need == 0)
        return INLAY_E_UNSUPPORTED;
    if (need > INLAY_SIZE_MAX / 2u || inlay_workspace(m, (uint32_t)need) > sizeof *p + p->room_len)
        return INLAY_E_WORKSPACE;
    if (m->in_place != (cfg->slot == cfg->old) || (m->in_place && cfg->work == NULL) ||
        m->new_size > inlay_region_size(cfg->slot->region, cfg->slot->regions) ||
        (m->regions != 0 && !same_geometry(m, cfg->slot)))
        return INLAY_E_LIMIT;
    p->recipe = (union inlay_in_recipe *)(void *)p->room;
    p->staged = (uint32_t *)(void *)(p->room + recipe_room(m));
    p->codec_state = p->room + staged_room(m);
    p->chunk = p->room + chunk_place(m, (uint32_t)need);
    return cfg->work != NULL ? fits_work(p) : INLAY_OK;
}

/* Is it for this device, and not too old? */
static enum inlay_status meant_for_device(const struct inlay_patcher *p)
{
    const struct inlay_config *cfg = p->cfg;
    const struct inlay_manifest *m = &p->man;
    if (cfg->component != NULL &&
        (m->component.len != cfg->component_len ||
         memcmp(p->room + m->component.pos, cfg->component, cfg->component_len) != 0))
        return INLAY_E_POLICY;
    return m->security_counter < cfg->security_counter ? INLAY_E_POLICY : INLAY_OK;
}

/* What is accepted stands before its first chunk. */
enum inlay_status inlay_accept(struct inlay_patcher *p)
{
    enum inlay_status st = meant_for_device(p);
    if (st == INLAY_OK)
        st = fits_device(p);
    if (st == INLAY_OK)
        inlay_input_seek(p, 0, p->man.first_link);
    return st;
}

/* The codec's memory may be where the manifest was, which then is gone. */
enum inlay_status inlay_open_codec(struct inlay_patcher *p)
{
    const struct inlay_manifest *m = &p->man;
    p->pool.range = p->pool.pos = 0;
    p->later = m->new_size;
    inlay_hash_open(p, p->sha_group);
    struct inlay_codec_setup setup;
    memset(&setup, 0, sizeof setup);
    setup.params = m->params;
    setup.params_len = m->params_len;
    setup.old_size = m->old_size;
    setup.new_size = m->new_size;
    setup.region = m->region;
    setup.regions = m->regions;
    setup.in_place = m->in_place;
    setup.check_len = m->check_len;
    setup.stage_blocks = m->stage_blocks;
    setup.recipes = m->recipe_len != 0;
    setup.old.ctx = p;
    setup.old.read = inlay_read_old;
    setup.old.size = m->old_size;
    return (enum inlay_status)p->codec->begin(p->codec, p->codec_state, &setup);
}
