/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a byte came after the one and the two before it, in the old image
 * and so far in the new one, the upper byte of each halfword first, as the
 * codec has them.  The rarer context's counts are blended into those of the
 * more frequent one, as in PPM: Cleary, Witten, "Data Compression Using
 * Adaptive Coding and Partial String Matching", 1984.
 */
#include "price.h"

#include <stdlib.h>

#define BLEND      4u /* the shorter context counts as much as so many bytes */
#define PAIRS_LOG2 19u

/*
 * The codec knows more than these counts, and less of what is rare: a price
 * goes only so far with them.  These did best over Cortex-M pairs.
 */
#define PRICE_FLAT  42u /* 1/16 bit */
#define PRICE_SHARE 70u /* of 256 of what the counts say */

struct counts {
    uint32_t all[2], one[2][256];     /* by half of the halfword */
    uint32_t after_all[2][256];       /* by half and the byte before */
    uint32_t after[2][256][256];      /* ... and the byte */
    uint32_t pairs_all[2][1u << 16];  /* by half and the two bytes before */
    uint16_t pairs[1u << PAIRS_LOG2]; /* ... and the byte, hashed */
};

/* Where a byte is counted. */
struct place {
    uint32_t *all, *one, *after_all, *after, *pairs_all;
    uint16_t *pairs;
};

static struct place place_of(struct counts *c, unsigned half, uint32_t before, unsigned byte)
{
    uint32_t pair = before & 0xffffu, hash = ((half << 16 | pair) << 8 | byte) * 0x9e3779b1u;
    return (struct place){&c->all[half],
                          &c->one[half][byte],
                          &c->after_all[half][pair & 255u],
                          &c->after[half][pair & 255u][byte],
                          &c->pairs_all[half][pair],
                          &c->pairs[hash >> (32u - PAIRS_LOG2)]};
}

static void count(const struct place *p)
{
    ++*p->all;
    ++*p->one;
    ++*p->after_all;
    ++*p->after;
    ++*p->pairs_all;
    *p->pairs = (uint16_t)(*p->pairs + (*p->pairs < UINT16_MAX));
}

/* log2 of x, 1 or more, in 1/16. */
static unsigned log2_of(uint32_t x)
{
    unsigned n = 31u - (unsigned)__builtin_clz(x);
    uint32_t f = x << (31u - n) >> 23 & 255u;
    return 16u * n + ((f + (f * (256u - f) * 89u >> 16)) >> 4);
}

static uint64_t blend(uint32_t count, uint32_t all, uint64_t shorter)
{
    return (((uint64_t)count << 16) + BLEND * shorter) / (all + BLEND);
}

static uint8_t price_at(const struct place *p)
{
    uint64_t chance = (((uint64_t)*p->one << 16) + 32768u) / (*p->all + 128u);
    chance = blend(*p->after, *p->after_all, chance);
    chance = blend(*p->pairs, *p->pairs_all, chance);
    unsigned bits = chance == 0 ? 256u : chance < 65536u ? 256u - log2_of((uint32_t)chance) : 0;
    return (uint8_t)(PRICE_FLAT + (bits * PRICE_SHARE >> 8));
}

/* Goes through an image; prices, or NULL. */
static void go_through(struct counts *c, const uint8_t *image, size_t size, uint8_t *prices)
{
    uint32_t before = 0;
    for (size_t i = 0; i < size; i++) {
        size_t at = (i ^ 1u) < size ? i ^ 1u : i;
        struct place p = place_of(c, i & 1u, before, image[at]);
        if (prices)
            prices[at] = price_at(&p);
        count(&p);
        before = before << 8 | image[at];
    }
}

uint8_t *inlay_price_halfwords(const uint8_t *old_image, size_t old_size, const uint8_t *new_image,
                               size_t new_size)
{
    struct counts *c = calloc(1, sizeof *c);
    uint8_t *prices = malloc(new_size + 1u);
    if (c && prices) {
        go_through(c, old_image, old_size, NULL);
        go_through(c, new_image, new_size, prices);
    } else {
        free(prices);
        prices = NULL;
    }
    free(c);
    return prices;
}
