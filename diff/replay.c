/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rehearsal as a codec: for the plan and the block it compares the payload
 * with the one that was decoded; from there on the decoder itself goes on.
 */
#include "rehearsal.h"

#include "codec_mix_host.h"
#include "mix_params.h"

#include <string.h>

/* The codec's state is where the rehearsal is. */
static struct inlay_rehearsal *of(const void *state)
{
    struct inlay_rehearsal *r;
    memcpy(&r, state, sizeof r);
    return r;
}

static size_t replay_need(const struct inlay_codec *self, const uint8_t *params, size_t params_len)
{
    (void)self;
    return inlay_codec_mix_host.need(&inlay_codec_mix_host, params, params_len);
}

static int replay_begin(const struct inlay_codec *self, void *state,
                        const struct inlay_codec_setup *setup)
{
    struct inlay_rehearsal *r = (void *)(uintptr_t)self->extra;
    const struct inlay_codec_setup *was = &r->setup;
    if (setup->params_len != was->params_len ||
        memcmp(setup->params, was->params, was->params_len) || setup->old_size != was->old_size ||
        setup->new_size != was->new_size || setup->regions != was->regions ||
        setup->in_place != was->in_place || setup->stage_blocks != was->stage_blocks ||
        setup->check_len != was->check_len)
        return INLAY_E_CORRUPT;
    r->compared = r->handed = 0;
    memcpy(state, &r, sizeof r);
    return 0;
}

/* Reads the payload up to byte `end`, which must be as it was.  Returns a status. */
static int compare(struct inlay_rehearsal *r, struct inlay_input *in, size_t end)
{
    size_t left = end - r->compared, n = left < in->left ? left : in->left;
    if (memcmp(in->next, r->payload.data + r->compared, n))
        return INLAY_E_CORRUPT;
    in->next += n;
    in->left -= n;
    r->compared += n;
    return r->compared < end ? INLAY_MORE : INLAY_OK;
}

static int replay_plan(void *state, struct inlay_input *in)
{
    struct inlay_rehearsal *r = of(state);
    return compare(r, in, r->plan_end);
}

static const struct inlay_range *replay_pool(const void *state, size_t *count)
{
    return inlay_codec_mix_host.pool(of(state)->state, count);
}

static int replay_next(void *state, struct inlay_input *in, struct inlay_step_cmd *cmd)
{
    struct inlay_rehearsal *r = of(state);
    if (r->handed)
        return inlay_codec_mix_host.next(r->state, in, cmd);
    *cmd = r->step;
    return compare(r, in, r->step_end);
}

static int replay_produce(void *state, struct inlay_input *in, uint8_t *out, size_t cap,
                          size_t *made, uint32_t *from)
{
    struct inlay_rehearsal *r = of(state);
    *from = INLAY_NOWHERE; /* which only matters in place */
    size_t left = r->block.len - r->handed;
    int status = compare(r, in, r->block_end);
    *made = status ? 0 : left < cap ? left : cap;
    memcpy(out, r->block.data + r->handed, *made);
    r->handed += *made;
    return status;
}

static size_t replay_save(const void *state, uint8_t *buf)
{
    return inlay_codec_mix_host.save(of(state)->state, buf);
}

/* Memory has no resets. */
static int replay_load(void *state, const uint8_t *buf, size_t len)
{
    (void)state;
    (void)buf;
    (void)len;
    return INLAY_E_UNSUPPORTED;
}

const struct inlay_codec *inlay_rehearsal_codec(struct inlay_rehearsal *r)
{
    r->codec = (struct inlay_codec){.id = INLAY_CODEC_MIX,
                                    .need = replay_need,
                                    .begin = replay_begin,
                                    .plan = replay_plan,
                                    .pool = replay_pool,
                                    .next = replay_next,
                                    .produce = replay_produce,
                                    .save = replay_save,
                                    .load = replay_load,
                                    .extra = r};
    return r->ready ? &r->codec : NULL;
}
