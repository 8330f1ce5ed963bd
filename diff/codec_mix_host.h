/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INLAY_CODEC_MIX_HOST_H
#define INLAY_CODEC_MIX_HOST_H

#include "codec.h"

/* inlay_codec_mix_all, compiled with fast_byte.h; needs inlay_fast_model_init(). */
extern const struct inlay_codec inlay_codec_mix_host;

/*
 * For windows that grow: calls on this thread ask `more` where one ends, which
 * puts what comes behind it there, or nothing at the end of the payload.  NULL: no more.
 */
void inlay_codec_mix_host_feed(void (*more)(void *ctx, struct inlay_input *in), void *ctx);

/* Behind the plan: the four bytes that were read last are others, by so much as a number. */
void inlay_codec_mix_host_shift(void *state, uint32_t by);

#endif
