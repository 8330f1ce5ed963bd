/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patcher's decoder of the small codec for computers: its very source, but
 * for what fast_model.h and fast_byte.h do in another way to the same numbers.
 * tests/test_fast.c holds it against the one that devices run.
 */
#include "codec_mix_host.h"
#include "codec_mix.h"

#define inlay_coder_open inlay_coder_open_host
#define inlay_coder_bit  inlay_coder_bit_host
#include "coder.h"
#include "fast_byte.h"

/* See inlay_codec_mix_host_feed(). */
static _Thread_local void (*host_more)(void *ctx, struct inlay_input *in);
static _Thread_local void *host_more_ctx;

static void host_refill(struct inlay_input *in)
{
    if (host_more)
        host_more(host_more_ctx, in);
}

#define INLAY_REFILL(in) host_refill(in)
#include "../patch/coder.c"

/* Its tables of codecs get other names, as the patcher's own are linked too. */
#define inlay_codec_mix_all    inlay_codec_mix_plain
#define inlay_codec_mix_thumb2 inlay_codec_mix_plain_thumb2
extern const struct inlay_codec inlay_codec_mix_all, inlay_codec_mix_thumb2;
#include "../patch/codec_mix.c"

static size_t host_need(const struct inlay_codec *self, const uint8_t *params, size_t params_len)
{
    struct inlay_mix_params p;
    size_t need = mix_need(self, params, params_len);
    return need && !inlay_mix_params_read(&p, params, params_len) && p.large ? need + FAST_SLACK
                                                                             : need;
}

static int host_begin(const struct inlay_codec *self, void *state,
                      const struct inlay_codec_setup *setup)
{
    struct walk *s = state;
    int status = mix_begin(self, state, setup);
    if (!status && s->params.large)
        fast_lay_out(s, (uint8_t *)state + walk_round(sizeof *s));
    return status;
}

static int host_plan(void *state, struct inlay_input *in)
{
    int status = mix_plan(state, in);
    fast_settle(state);
    return status;
}

static int host_produce(void *state, struct inlay_input *in, uint8_t *out, size_t cap, size_t *made,
                        uint32_t *from)
{
    int status = mix_produce(state, in, out, cap, made, from);
    fast_settle(state);
    return status;
}

void inlay_codec_mix_host_feed(void (*more)(void *ctx, struct inlay_input *in), void *ctx)
{
    host_more = more;
    host_more_ctx = ctx;
}

void inlay_codec_mix_host_shift(void *state, uint32_t by)
{
    struct walk *s = state;
    s->rc.code += by;
}

const struct inlay_codec inlay_codec_mix_host = {.id = INLAY_CODEC_MIX,
                                                 .need = host_need,
                                                 .begin = host_begin,
                                                 .plan = host_plan,
                                                 .pool = mix_pool,
                                                 .next = mix_next,
                                                 .produce = host_produce,
                                                 .save = mix_save,
                                                 .load = mix_load,
                                                 .extra = &mix_archs_all};
