/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INLAY_CODEC_MIX_HOST_H
#define INLAY_CODEC_MIX_HOST_H

#include "codec.h"

/* inlay_codec_mix_all, compiled with fast_byte.h; needs inlay_fast_model_init(). */
extern const struct inlay_codec inlay_codec_mix_host;

/* Behind the plan: the four bytes that were read last are others, by so much as a number. */
void inlay_codec_mix_host_shift(void *state, uint32_t by);

#endif
