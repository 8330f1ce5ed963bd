/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The range encoder: the writing side of patch/coder.h, with the same names,
 * so that patch/walk.h compiles as the encoder.
 */
#ifndef INLAY_CODER_OUT_H
#define INLAY_CODER_OUT_H

#include "buffer.h"
#include "codec.h"
#include "encode.h"

#define INLAY_ENCODER                1
#define INLAY_WANT(value)            ((uint32_t)(value))
#define INLAY_ACCOUNT(s, kind)       ((s)->rc.account = &(s)->rc.stats->kind)
#define INLAY_TRACE(s, counter, bit) inlay_trace_bit(counter, bit)
#define INLAY_PLANNED(s)             truth_planned(s)
#define INLAY_GUESS(s, g)            truth_guess(s, g)
#define INLAY_TRUTH                  struct truth *truth;

struct inlay_coder {
    uint64_t low; /* 32 bits and a carry */
    uint32_t range;
    uint8_t cache;
    uint8_t started;    /* cache holds a byte */
    uint64_t cache_run; /* bytes 0xFF behind it */
    struct inlay_buffer *out;
    int failed; /* out of memory */
    uint64_t *account;
    struct inlay_encode_stats *stats;
};

/* For the training tool: called for every decision that has a starting value, unless NULL. */
extern void (*inlay_trace)(unsigned counter, unsigned bit);

static inline void inlay_trace_bit(unsigned counter, unsigned bit)
{
    if (inlay_trace)
        inlay_trace(counter, bit);
}

void inlay_coder_shift(struct inlay_coder *c);

static inline unsigned inlay_coder_bit(struct inlay_coder *c, uint32_t p, unsigned want)
{
    uint32_t bound = (uint32_t)((uint64_t)c->range * p >> 16);
    *c->account += inlay_coder_cost(want ? p : 65536u - p);
    if (want) {
        c->range = bound;
    } else {
        c->low += bound;
        c->range -= bound;
    }
    while (c->range < (uint32_t)1 << 24) {
        c->range <<= 8;
        inlay_coder_shift(c);
    }
    return want;
}

/* Ends the stream with as few bytes as tell it from every other. */
void inlay_coder_finish(struct inlay_coder *c);

#endif
