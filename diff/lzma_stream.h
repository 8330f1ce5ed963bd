/* SPDX-License-Identifier: Apache-2.0 */
/* liblzma in a piece of memory of its own, and waiting for its input. */
#ifndef INLAY_LZMA_STREAM_H
#define INLAY_LZMA_STREAM_H

#include "lzma_format.h"

struct inlay_lzma_stream {
    lzma_stream lzma;
    lzma_allocator allocator;
    uint8_t *memory; /* all that liblzma gets, 16-aligned */
    size_t used, size;
    uint8_t open; /* between the start and the end of a stream */
};

/* What it means that input is used up: INLAY_MORE, or INLAY_E_CORRUPT at its end. */
int inlay_lzma_starve(const struct inlay_input *in);
/* Starts a stream with an empty dictionary; INLAY_OK or INLAY_E_LIMIT. */
int inlay_lzma_open(struct inlay_lzma_stream *s, const struct inlay_lzma_params *params);
/* Appends to out until *got is want: INLAY_OK then.  Otherwise INLAY_MORE or an error. */
int inlay_lzma_inflate(struct inlay_lzma_stream *s, struct inlay_input *in, uint8_t *out,
                       uint32_t want, uint32_t *got);
/* Reads the end of a stream; bytes before it would belong to nothing. */
int inlay_lzma_close(struct inlay_lzma_stream *s, struct inlay_input *in);

#endif
