/* SPDX-License-Identifier: Apache-2.0 */
#include "rehearsal.h"

#include "codec_mix_host.h"
#include "fast_model.h"
#include "huge.h"

#include <stdlib.h>
#include <string.h>

void inlay_rehearsal_init(struct inlay_rehearsal *r)
{
    *r = (struct inlay_rehearsal){0};
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, NULL);
}

static void clear(struct inlay_rehearsal *r)
{
    inlay_buffer_free(&r->plan);
    inlay_buffer_free(&r->shown);
    inlay_buffer_free(&r->payload);
    inlay_buffer_free(&r->block);
    free(r->state);
    r->state = NULL;
    r->ended = r->failed = r->last = r->ready = 0;
    r->put = r->plan_len = 0;
}

void inlay_rehearsal_free(struct inlay_rehearsal *r)
{
    clear(r);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->more);
}

static int read_old(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct inlay_rehearsal *r = ctx;
    if (pos > r->setup.old_size || len > r->setup.old_size - pos)
        return INLAY_E_CORRUPT;
    memcpy(buf, r->old + pos, len);
    return 0;
}

int inlay_rehearsal_open(struct inlay_rehearsal *r, const struct inlay_codec_setup *setup,
                         const uint8_t *old)
{
    const struct inlay_codec *codec = &inlay_codec_mix_host;
    clear(r);
    if (setup->params_len > sizeof r->params)
        return -1;
    r->setup = *setup;
    memcpy(r->params, setup->params, setup->params_len);
    r->setup.params = r->params;
    r->setup.old = (struct inlay_old){r, read_old, setup->old_size};
    r->old = old;
    size_t need = codec->need(codec, r->params, setup->params_len);
    r->state = need ? inlay_huge_alloc(need) : NULL;
    return r->state ? 0 : -1;
}

/* ---- the encoder ---- */

void inlay_rehearsal_plan(struct inlay_rehearsal *r, struct inlay_buffer *plan, size_t plan_len)
{
    pthread_mutex_lock(&r->lock);
    r->plan = *plan;
    r->plan_len = plan_len;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
}

static void show(struct inlay_rehearsal *r, const struct inlay_buffer *payload, int ended,
                 int failed)
{
    pthread_mutex_lock(&r->lock);
    failed = failed || inlay_buffer_add(&r->shown, payload->data + r->put, payload->len - r->put);
    r->put = payload->len;
    r->ended = ended || failed;
    r->failed = failed;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
}

void inlay_rehearsal_put(struct inlay_rehearsal *r, const struct inlay_buffer *payload)
{
    /* Zeros may be taken back in the end. */
    if (payload->len > r->put && payload->data[payload->len - 1u])
        show(r, payload, 0, 0);
}

void inlay_rehearsal_end(struct inlay_rehearsal *r, const struct inlay_buffer *payload, int failed)
{
    show(r, payload, 1, failed);
}

/* ---- the decoder ---- */

/* Waits for more payload; at its end there is none. */
static void fetch(struct inlay_rehearsal *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->shown.len && !r->ended)
        pthread_cond_wait(&r->more, &r->lock);
    if (inlay_buffer_add(&r->payload, r->shown.data, r->shown.len))
        r->failed = 1;
    r->shown.len = 0;
    r->last = r->ended;
    pthread_mutex_unlock(&r->lock);
}

/* The window ends: puts it where there is more. */
static void refill(void *ctx, struct inlay_input *in)
{
    struct inlay_rehearsal *r = ctx;
    size_t taken = r->payload.len;
    if (!r->last)
        fetch(r);
    if (taken < r->payload.len)
        *in = (struct inlay_input){r->payload.data + taken, r->payload.len - taken, 1};
}

/* Waits for the plan and reads it, which takes as long as what it teaches. */
static int read_plan(struct inlay_rehearsal *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->plan_len && !r->ended)
        pthread_cond_wait(&r->more, &r->lock);
    struct inlay_input in = {r->plan.data, r->plan.len, 1};
    pthread_mutex_unlock(&r->lock);
    return in.left ? inlay_codec_mix_host.plan(r->state, &in) : -1;
}

/* The four bytes before `end`; there are zeros behind a payload. */
static uint32_t word_before(const struct inlay_buffer *b, size_t end)
{
    uint32_t word = 0;
    for (size_t i = end - 4u; i < end; i++)
        word = word << 8 | (i < b->len ? b->data[i] : 0u);
    return word;
}

/* Goes over from the plan to the payload that begins with it. */
static struct inlay_input begin_payload(struct inlay_rehearsal *r)
{
    while (r->payload.len < r->plan_len && !r->last)
        fetch(r);
    inlay_codec_mix_host_shift(r->state, word_before(&r->payload, r->plan_len) -
                                             word_before(&r->plan, r->plan_len));
    r->plan_end = r->plan_len < r->payload.len ? r->plan_len : r->payload.len;
    return (struct inlay_input){r->payload.data + r->plan_end, r->payload.len - r->plan_end, 1};
}

/* Decodes the one block.  Returns 0 if it could. */
static int decode_block(struct inlay_rehearsal *r, struct inlay_input *in)
{
    const struct inlay_codec *codec = &inlay_codec_mix_host;
    if (codec->next(r->state, in, &r->step) || r->step.kind != INLAY_STEP_DIRECT || !r->step.len ||
        inlay_buffer_reserve(&r->block, r->step.len))
        return -1;
    r->step_end = r->payload.len - in->left;
    while (r->block.len < r->step.len) {
        size_t made = 0;
        uint32_t from;
        if (codec->produce(r->state, in, r->block.data + r->block.len, r->step.len - r->block.len,
                           &made, &from))
            return -1;
        r->block.len += made;
    }
    r->block_end = r->payload.len - in->left;
    return r->failed ? -1 : 0;
}

static int decode(struct inlay_rehearsal *r)
{
    const struct inlay_codec *codec = &inlay_codec_mix_host;
    if (codec->begin(codec, r->state, &r->setup) || read_plan(r))
        return -1;
    struct inlay_input in = begin_payload(r);
    inlay_codec_mix_host_feed(refill, r);
    int status = decode_block(r, &in);
    inlay_codec_mix_host_feed(NULL, NULL);
    return status;
}

void inlay_rehearsal_run(void *ctx)
{
    struct inlay_rehearsal *r = ctx;
    inlay_fast_model_init();
    r->ready = !decode(r);
}
