/* SPDX-License-Identifier: Apache-2.0 */
/* The small codec's walk as a decoder that keeps accounts. */
#include "explain.h"
#include "container.h"
#include "detect.h"

#include <stdlib.h>
#include <string.h>

/* The counterpart of patch/coder.h for walk.h. */
#define INLAY_WANT(value)            0u
#define INLAY_TRACE(s, counter, bit) ((void)0)
#define INLAY_PLANNED(s)             ((void)0)
#define INLAY_GUESS(s, g)            walk_guess_unit(s, g)
#define INLAY_TRUTH
#define INLAY_ACCOUNT(s, kind) ((s)->rc.account = &(s)->rc.stats->kind)

struct inlay_coder {
    uint32_t range, code;
    const uint8_t *at, *end;
    uint64_t *account;
    struct inlay_encode_stats *stats;
};

static uint32_t next_byte(struct inlay_coder *c)
{
    return c->at < c->end ? *c->at++ : 0;
}

static unsigned inlay_coder_bit(struct inlay_coder *c, uint32_t p, unsigned want)
{
    uint32_t bound = (uint32_t)((uint64_t)c->range * p >> 16);
    unsigned bit = c->code < bound;
    (void)want;
    *c->account += inlay_coder_cost(bit ? p : 65536u - p);
    c->code -= bit ? 0 : bound;
    c->range = bit ? bound : c->range - bound;
    for (; c->range < (uint32_t)1 << 24; c->range <<= 8)
        c->code = c->code << 8 | next_byte(c);
    return bit;
}

#include "walk_plan.h"

struct image {
    const uint8_t *data;
    uint32_t size;
};

static int read_image(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct image *im = ctx;
    if (pos > im->size || len > im->size - pos)
        return INLAY_E_CORRUPT;
    memcpy(buf, im->data + pos, len);
    return 0;
}

/* The payload without the links between the chunks. */
static uint8_t *join(const struct inlay_manifest *m, const uint8_t *patch)
{
    uint32_t step = inlay_manifest_step(m), chunks = inlay_manifest_chunks(m);
    uint8_t *payload = malloc(m->payload_len + 1u);
    if (!payload)
        return NULL;
    patch += m->body_pos;
    for (uint32_t i = 0, at = 0; i < chunks; i++, patch += step + m->link_len) {
        uint32_t len = i + 1u < chunks ? step : m->payload_len - at;
        memcpy(payload + at, patch, len);
        at += len;
    }
    return payload;
}

static int walk_all(struct walk *s)
{
    int status = 0;
    while (!status && s->phase != PHASE_BODY)
        status = walk_plan_item(s);
    while (!status) {
        struct inlay_step_cmd cmd;
        status = walk_step(s, &cmd);
        if (!status && cmd.kind == INLAY_STEP_END)
            return 0;
        while (!status && cmd.kind <= INLAY_STEP_STAGED && s->pos != s->end) {
            uint8_t unit[INLAY_UNIT_MAX];
            unsigned len;
            status = walk_unit(s, unit, &len);
        }
    }
    return status;
}

/* A walk and its tables, in one piece, or NULL. */
static struct walk *new_walk(const struct inlay_manifest *m)
{
    struct inlay_mix_params params;
    if (inlay_mix_params_read(&params, m->params, m->params_len))
        return NULL;
    size_t own = walk_round(sizeof(struct walk));
    struct walk *s = calloc(1, own + walk_tables_len(&params));
    if (s) {
        s->params = params;
        walk_lay_out(s, (uint8_t *)s + own);
    }
    return s;
}

static int explain(struct walk *s, const struct inlay_manifest *m, const uint8_t *payload)
{
    s->scene.arch = inlay_arch_of((enum inlay_arch_id)s->params.arch);
    s->setup.old_size = m->old_size;
    s->setup.new_size = m->new_size;
    s->setup.region = m->region;
    s->setup.regions = m->regions;
    s->setup.in_place = m->in_place;
    s->setup.check_len = m->check_len;
    s->setup.stage_blocks = m->stage_blocks;
    s->setup.recipes = m->recipe_len != 0;
    s->rc.at = payload;
    s->rc.end = payload + m->payload_len;
    s->rc.range = 0xffffffffu;
    for (unsigned i = 0; i < 4; i++)
        s->rc.code = s->rc.code << 8 | next_byte(&s->rc);
    walk_init(s);
    return walk_all(s);
}

int inlay_explain(const struct inlay_manifest *m, const uint8_t *patch, const uint8_t *old,
                  size_t old_size, struct inlay_encode_stats *stats, struct inlay_error *err)
{
    uint8_t digest[32];
    struct image im = {old, (uint32_t)old_size};
    if (m->codec != INLAY_CODEC_MIX)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "only patches of the codec mix can be taken apart; leave --old out");
    inlay_sha256(old, old_size, digest);
    if (old_size != m->old_size || memcmp(digest, m->old_digest, m->old_digest_len) != 0)
        return inlay_fail(err, INLAY_EXIT_OLD,
                          "this is not the old image of the patch; give the one it was made for");
    memset(stats, 0, sizeof *stats);
    inlay_coder_cost_init();
    struct walk *s = new_walk(m);
    uint8_t *payload = join(m, patch);
    int status = -1;
    if (s && payload) {
        s->setup.old = (struct inlay_old){&im, read_image, m->old_size};
        s->rc.stats = stats;
        s->rc.account = &stats->plan;
        status = explain(s, m, payload);
    }
    free(payload);
    free(s);
    return status ? inlay_fail(err, INLAY_EXIT_CORRUPT,
                               "the patch is corrupt: its payload makes no sense; get it again")
                  : 0;
}
