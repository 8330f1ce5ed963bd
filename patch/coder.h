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

#define INLAY_WANT(value)            0u
#define INLAY_ACCOUNT(s, kind)       ((void)0)
#define INLAY_TRACE(s, counter, bit) ((void)0)
#define INLAY_PLANNED(s)             ((void)0)
#define INLAY_GUESS(s, g)            walk_guess_unit(s, g)
#define INLAY_TRUTH

struct inlay_coder {
    uint32_t range;
    uint32_t code;   /* always below range */
    uint8_t started; /* bytes of code read at the start, 0 to 4 */
    struct inlay_input *in;
};

void inlay_coder_open(struct inlay_coder *c);
/* A decision that is 1 with probability p / 65536; `want` is for the differ's counterpart. */
unsigned inlay_coder_bit(struct inlay_coder *c, uint32_t p, unsigned want);

#endif
