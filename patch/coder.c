/* SPDX-License-Identifier: Apache-2.0 */
#include "coder.h"

#ifndef INLAY_REFILL
#define INLAY_REFILL(in) ((void)0) /* a window holds what a call may ask for */
#endif

static uint32_t coder_byte(struct inlay_coder *c)
{
    if (c->in->left == 0)
        INLAY_REFILL(c->in);
    if (c->in->left == 0)
        return 0; /* the differ leaves trailing zeros out */
    c->in->left--;
    return *c->in->next++;
}

void inlay_coder_open(struct inlay_coder *c)
{
    c->range = 0xffffffffu;
    c->code = 0;
    for (unsigned i = 0; i < 4; i++)
        c->code = c->code << 8 | coder_byte(c);
    if (c->code == c->range)
        c->code--; /* no differ writes this; keep the invariant */
}

unsigned inlay_coder_bit(struct inlay_coder *c, uint32_t p, unsigned want)
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
