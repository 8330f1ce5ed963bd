/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What new code of a processor usually looks like, for models that are too
 * small to find out: log-odds of the bits of an instruction's first two bytes
 * in the order of coding, by the byte before (usual_thumb2.c is made by `make usual`).
 */
#ifndef INLAY_USUAL_H
#define INLAY_USUAL_H

#include <stdint.h>

#define INLAY_USUAL_KINDS 15u /* of bytes before; and one of which nothing is known */

/* Two values in each byte, the lower one first. */
struct inlay_usual {
    uint8_t kind[2][128];                 /* by place and byte before */
    uint8_t odds[INLAY_USUAL_KINDS][128]; /* by node, in steps from the lowest */
};
#define INLAY_USUAL_STEP 200
#define INLAY_USUAL_LOW  (-1500)

extern const struct inlay_usual inlay_usual_thumb2;

static inline unsigned inlay_usual_at(const uint8_t *table, unsigned i)
{
    return table[i >> 1] >> 4u * (i & 1u) & 15u;
}

static inline int32_t inlay_usual_odds(const struct inlay_usual *u, unsigned kind, unsigned node)
{
    return INLAY_USUAL_LOW + INLAY_USUAL_STEP * (int32_t)inlay_usual_at(u->odds[kind], node);
}

#endif
