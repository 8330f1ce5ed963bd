/* SPDX-License-Identifier: Apache-2.0 */
/* The small context-mixing codec, by the processors it is linked with. */
#ifndef INLAY_CODEC_MIX_H
#define INLAY_CODEC_MIX_H

#include "codec.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct inlay_codec inlay_codec_mix_all;    /* every processor */
extern const struct inlay_codec inlay_codec_mix_thumb2; /* Thumb-2 and plain data */

#ifdef __cplusplus
}
#endif

#endif
