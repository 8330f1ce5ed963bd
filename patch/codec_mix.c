/* SPDX-License-Identifier: Apache-2.0 */
/* The small codec as a decoder: walk.h behind the patcher's codec interface. */
#include "codec_mix.h"
#include "coder.h"
#include "walk_plan.h"

/* The processors that a build of the codec knows, ends with NULL. */
struct mix_archs {
    const struct inlay_arch *const *list;
};

static const struct inlay_arch *mix_arch(const struct inlay_codec *self, uint8_t id)
{
    const struct mix_archs *archs = self->extra;
    for (const struct inlay_arch *const *a = archs->list; *a; a++)
        if ((*a)->id == id)
            return *a;
    return 0;
}

static size_t mix_need(const struct inlay_codec *self, const uint8_t *params, size_t params_len)
{
    struct inlay_mix_params p;
    if (inlay_mix_params_read(&p, params, params_len) || !mix_arch(self, p.arch))
        return 0;
    return walk_round(sizeof(struct walk)) + walk_tables_len(&p);
}

static int mix_begin(const struct inlay_codec *self, void *state,
                     const struct inlay_codec_setup *setup)
{
    struct walk *s = state;
    memset(s, 0, sizeof *s);
    if (inlay_mix_params_read(&s->params, setup->params, setup->params_len))
        return INLAY_E_CORRUPT;
    s->scene.arch = mix_arch(self, s->params.arch);
    if (!s->scene.arch)
        return INLAY_E_UNSUPPORTED;
    s->setup = *setup;
    if (s->params.large && setup->in_place) /* what they learn from would be overwritten */
        return INLAY_E_CORRUPT;
    walk_lay_out(s, (uint8_t *)s + walk_round(sizeof *s));
    walk_init(s);
    return 0;
}

/* 1 if the next unit might need more input than there is. */
static int mix_starved(const struct inlay_input *in)
{
    return in->left < WALK_MARGIN && !in->last;
}

static int mix_plan(void *state, struct inlay_input *in)
{
    struct walk *s = state;
    s->rc.in = in;
    while (s->phase != PHASE_BODY) {
        if (mix_starved(in))
            return INLAY_MORE;
        if (!s->rc.started) {
            inlay_coder_open(&s->rc);
            s->rc.started = 1;
        }
        int status = walk_plan_item(s);
        if (status)
            return status;
    }
    return 0;
}

static const struct inlay_range *mix_pool(const void *state, size_t *count)
{
    const struct walk *s = state;
    *count = s->pool_count;
    return s->pool;
}

static int mix_next(void *state, struct inlay_input *in, struct inlay_step_cmd *cmd)
{
    struct walk *s = state;
    s->rc.in = in;
    if (mix_starved(in))
        return INLAY_MORE;
    return walk_step(s, cmd);
}

/* Hands out what an earlier unit left over. */
static size_t mix_drain(struct walk *s, uint8_t *out, size_t cap)
{
    size_t left = (size_t)(s->pending_len - s->pending_pos);
    size_t n = left < cap ? left : cap;
    memcpy(out, s->pending + s->pending_pos, n);
    s->pending_pos = (uint8_t)(s->pending_pos + n);
    return n;
}

/* Where the next byte that is pending comes from. */
static uint32_t mix_from(const struct walk *s)
{
    uint32_t left = (uint32_t)(s->pending_len - s->pending_pos);
    return s->run == RUN_NEW ? INLAY_NOWHERE : s->pos - left + s->diagonal;
}

static int mix_produce(void *state, struct inlay_input *in, uint8_t *out, size_t cap, size_t *made,
                       uint32_t *from)
{
    struct walk *s = state;
    s->rc.in = in;
    *from = mix_from(s);
    *made = mix_drain(s, out, cap);
    while (*made < cap && s->pos != s->end && (*made == 0 || s->run_left != 0)) {
        if (mix_starved(in))
            return *made ? INLAY_OK : INLAY_MORE;
        unsigned len = 0;
        int status = walk_unit(s, s->pending, &len);
        if (status)
            return status;
        s->pending_len = (uint8_t)len;
        s->pending_pos = 0;
        if (*made == 0)
            *from = mix_from(s);
        *made += mix_drain(s, out + *made, cap - *made);
    }
    return *made ? INLAY_OK : INLAY_E_CORRUPT;
}

#define MIX_LESSONS  (LESSONS_KEPT_IN + LESSONS_KEPT_OUT)
#define MIX_SAVE_LEN (8u + 4u + 1u + 4u * RECENT + 2u * 8u + 8u * MIX_LESSONS)

/* The i-th lesson that is kept: list and place. */
static unsigned mix_list(unsigned i)
{
    return i >= LESSONS_KEPT_IN;
}

static unsigned mix_place(unsigned i)
{
    return i < LESSONS_KEPT_IN ? i : i - LESSONS_KEPT_IN;
}

static void mix_load_lessons(struct walk *s, const uint8_t *b)
{
    memset(s->lesson, 0, sizeof s->lesson);
    memset(s->lessons, 0, sizeof s->lessons);
    for (unsigned i = 0; i < MIX_LESSONS; i++, b += 8) {
        struct walk_lesson *l = &s->lesson[mix_list(i)][mix_place(i)];
        l->from = inlay_get32(b);
        l->to = inlay_get32(b + 4);
        uint8_t *count = &s->lessons[mix_list(i)];
        *count = (uint8_t)(*count + (l->to != 0));
    }
}

static size_t mix_save(const void *state, uint8_t *buf)
{
    const struct walk *s = state;
    uint8_t *b = buf;
    inlay_put32(b, s->rc.range);
    inlay_put32(b + 4, s->rc.code);
    inlay_put32(b + 8, s->next_block);
    b[12] = (uint8_t)(s->down << 1 | s->trend);
    b += 13;
    for (unsigned i = 0; i < RECENT; i++, b += 4)
        inlay_put32(b, s->recent[i]);
    for (unsigned i = 0; i < 8u; i++, b += 2)
        inlay_put16(b, s->control[FLAG_STEP + i]);
    for (unsigned i = 0; i < MIX_LESSONS; i++, b += 8) {
        const struct walk_lesson *l = &s->lesson[mix_list(i)][mix_place(i)];
        inlay_put32(b, l->from);
        inlay_put32(b + 4, l->to);
    }
    return MIX_SAVE_LEN;
}

static int mix_load(void *state, const uint8_t *buf, size_t len)
{
    struct walk *s = state;
    const uint8_t *b = buf;
    if (len != MIX_SAVE_LEN || s->phase != PHASE_BODY || b[12] > 3u)
        return INLAY_E_JOURNAL;
    s->rc.range = inlay_get32(b);
    s->rc.code = inlay_get32(b + 4);
    s->next_block = inlay_get32(b + 8);
    s->down = b[12] >> 1;
    s->trend = b[12] & 1u;
    b += 13;
    for (unsigned i = 0; i < RECENT; i++, b += 4)
        s->recent[i] = inlay_get32(b);
    for (unsigned i = 0; i < 8u; i++, b += 2)
        s->control[FLAG_STEP + i] = (uint16_t)inlay_get16(b);
    if (s->rc.range < ((uint32_t)1 << 24) || s->rc.code >= s->rc.range)
        return INLAY_E_JOURNAL;
    walk_reset_models(s); /* what the plan taught large models is forgotten */
    mix_load_lessons(s, b);
    return 0;
}

#define MIX_CODEC(archs)                                                                           \
    {                                                                                              \
        .id = INLAY_CODEC_MIX, .need = mix_need, .begin = mix_begin, .plan = mix_plan,             \
        .pool = mix_pool, .next = mix_next, .produce = mix_produce, .save = mix_save,              \
        .load = mix_load, .extra = &archs                                                          \
    }

static const struct inlay_arch *const mix_list_all[] = {&inlay_arch_none,  &inlay_arch_thumb2,
                                                        &inlay_arch_arm,   &inlay_arch_aarch64,
                                                        &inlay_arch_riscv, &inlay_arch_xtensa,
                                                        &inlay_arch_avr,   &inlay_arch_x86_64,
                                                        &inlay_arch_wasm,  0};
static const struct mix_archs mix_archs_all = {mix_list_all};
const struct inlay_codec inlay_codec_mix_all = MIX_CODEC(mix_archs_all);

static const struct inlay_arch *const mix_list_thumb2[] = {&inlay_arch_none, &inlay_arch_thumb2, 0};
static const struct mix_archs mix_archs_thumb2 = {mix_list_thumb2};
const struct inlay_codec inlay_codec_mix_thumb2 = MIX_CODEC(mix_archs_thumb2);
