/* SPDX-License-Identifier: Apache-2.0 */
/* The codec for large images on hosts and Linux devices: liblzma behind the codec interface. */
#ifndef INLAY_CODEC_LZMA_H
#define INLAY_CODEC_LZMA_H

#include "codec.h"

#define INLAY_CODEC_LZMA 2u

/* need() is 0 for parameters that ask for more than this. */
#define INLAY_LZMA_MEMORY_MAX ((size_t)96 << 20)

/*
 * Everything, liblzma's memory included, is in the state of need() bytes:
 * liblzma allocates from an arena there, which is as large as it says that it
 * needs, and fails when that is used up.
 */
extern const struct inlay_codec inlay_codec_lzma;

#endif
