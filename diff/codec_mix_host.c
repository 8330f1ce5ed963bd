/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patcher's decoder of the small codec, its very source, for computers.
 * tests/test_fast.c holds it against the one that devices run.
 */
#include "codec_mix_host.h"
#include "fast_model.h"

/* Its tables of codecs get other names, as the patcher's own are linked too. */
#include "codec_mix.h"
#define inlay_codec_mix_all    inlay_codec_mix_host
#define inlay_codec_mix_thumb2 inlay_codec_mix_host_thumb2
extern const struct inlay_codec inlay_codec_mix_thumb2;
#include "../patch/codec_mix.c"
