/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof of a patch begins before there is one: the host's decoder follows
 * the encoder on a thread of its own.  Once the patch is packed, the real patcher
 * goes through it with a codec that has decoded the same bytes before, and says so
 * only after it has compared them.
 */
#ifndef INLAY_REHEARSAL_H
#define INLAY_REHEARSAL_H

#include "buffer.h"
#include "codec.h"

#include <pthread.h>

#define INLAY_REHEARSAL_PARAMS_MAX 64u

struct inlay_rehearsal {
    /* Between the encoder and the decoder, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct inlay_buffer plan; /* as if nothing came behind it */
    size_t plan_len;
    struct inlay_buffer shown; /* payload that the decoder has not fetched yet */
    int ended, failed;
    size_t put; /* payload bytes that were shown, of the encoder alone */
    /* What the decoder is opened with. */
    struct inlay_codec_setup setup;
    uint8_t params[INLAY_REHEARSAL_PARAMS_MAX];
    const uint8_t *old;
    /* The decoder's, and when it is done the proof's. */
    struct inlay_buffer payload;
    int last;
    void *state;
    size_t plan_end, step_end, block_end; /* payload bytes that were read when these were done */
    struct inlay_step_cmd step;
    struct inlay_buffer block;
    int ready;
    /* The proof's. */
    struct inlay_codec codec;
    size_t compared, handed;
};

void inlay_rehearsal_init(struct inlay_rehearsal *r);
void inlay_rehearsal_free(struct inlay_rehearsal *r);

/*
 * Begins anew for the mix codec, with these parameters and an old image in
 * memory; setup->old is left alone.  Only patches of one block that are not
 * in place can be rehearsed.  Returns 0, or -1 if memory is out.
 */
int inlay_rehearsal_open(struct inlay_rehearsal *r, const struct inlay_codec_setup *setup,
                         const uint8_t *old);

/*
 * By the encoder: a payload of nothing but the plan, which is taken over, and
 * the plan's length in a longer one, of which only the last four bytes differ.
 */
void inlay_rehearsal_plan(struct inlay_rehearsal *r, struct inlay_buffer *plan, size_t plan_len);

/* By the encoder: shows the payload as far as it is, and in the end all of it or that it failed. */
void inlay_rehearsal_put(struct inlay_rehearsal *r, const struct inlay_buffer *payload);
void inlay_rehearsal_end(struct inlay_rehearsal *r, const struct inlay_buffer *payload, int failed);

/* Follows the encoder until the block is decoded; for a thread.  ctx is the rehearsal. */
void inlay_rehearsal_run(void *ctx);

/* Hands out what was decoded to whoever brings the same payload; NULL if nothing was. */
const struct inlay_codec *inlay_rehearsal_codec(struct inlay_rehearsal *r);

#endif
