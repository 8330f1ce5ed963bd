/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patcher's model.h for computers: log-odds come out of a table instead of
 * being worked out each time, which is a tenth of the time to make a patch.
 * inlay_stretch() itself fills the table, so the numbers are the same.
 * Include it before walk.h, and call inlay_fast_model_init() before any walk.
 */
#ifndef INLAY_FAST_MODEL_H
#define INLAY_FAST_MODEL_H

#include <stdint.h>

extern int16_t inlay_fast_odds[65536];

/* Fills the table the first time.  Any thread may call it at any time. */
void inlay_fast_model_init(void);

/* Those that coarse counters ask for, one in 16, lie together: 8 KB, which caches hold. */
static inline unsigned inlay_fast_place(uint32_t p)
{
    return (p >> 4 | p << 12) & 0xffffu;
}

static inline int32_t inlay_fast_stretch(uint32_t p)
{
    return inlay_fast_odds[inlay_fast_place(p)];
}

#define inlay_stretch inlay_fast_stretch
#include "model.h"
#undef inlay_stretch

#endif
