/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The range decoder: binary decisions out of payload bytes (after G. N. N.
 * Martin, "Range encoding", 1979; the carry-free reading side as in LZMA).
 *
 * walk.h is written once for both directions: it says "code this decision,
 * which wants to be x".  Here wants are unknown and fold to nothing; the
 * differ has a struct inlay_coder of its own that writes what is wanted.
 */
#ifndef INLAY_CODER_H
#define INLAY_CODER_H

#include "codec.h"

#define INLAY_WANT(value)      0u
#define INLAY_ACCOUNT(s, kind) ((void)0)
#define INLAY_TRUTH

struct inlay_coder {
    uint32_t range;
    uint32_t code;   /* always below range */
    uint8_t started; /* bytes of code read at the start, 0 to 4 */
    struct inlay_input *in;
};

static inline uint32_t coder_byte(struct inlay_coder *c)
{
    if (c->in->left == 0)
        return 0; /* the differ leaves trailing zeros out */
    c->in->left--;
    return *c->in->next++;
}

static inline void coder_open(struct inlay_coder *c)
{
    c->range = 0xffffffffu;
    c->code = 0;
    for (unsigned i = 0; i < 4; i++)
        c->code = c->code << 8 | coder_byte(c);
    if (c->code == c->range)
        c->code--; /* no differ writes this; keep the invariant */
}

/* A decision that is 1 with probability p / 65536. */
static inline unsigned coder_bit(struct inlay_coder *c, uint32_t p, unsigned want)
{
    uint32_t bound = (uint32_t)((uint64_t)c->range * p >> 16);
    unsigned bit = c->code < bound;
    (void)want;
    if (bit) {
        c->range = bound;
    } else {
        c->code -= bound;
        c->range -= bound;
    }
    while (c->range < ((uint32_t)1 << 24)) {
        c->range <<= 8;
        c->code = c->code << 8 | coder_byte(c);
    }
    return bit;
}

#endif
