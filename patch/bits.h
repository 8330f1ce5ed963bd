/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian loads and stores, and sign extension without undefined behaviour. */
#ifndef INLAY_BITS_H
#define INLAY_BITS_H

#include <stdint.h>

static inline uint32_t inlay_get16(const uint8_t *b)
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

static inline uint32_t inlay_get32(const uint8_t *b)
{
    return inlay_get16(b) | inlay_get16(b + 2) << 16;
}

static inline void inlay_put16(uint8_t *b, uint32_t v)
{
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
}

static inline void inlay_put32(uint8_t *b, uint32_t v)
{
    inlay_put16(b, v);
    inlay_put16(b + 2, v >> 16);
}

/* The low `bits` bits of v as a two's complement number, modulo 2^32. */
static inline uint32_t inlay_sign(uint32_t v, unsigned bits)
{
    uint32_t top = (uint32_t)1 << (bits - 1u);
    v &= (top << 1) - 1u;
    return (v ^ top) - top;
}

/* 1 if v, modulo 2^32, is a two's complement number of `bits` bits. */
static inline int inlay_fits(uint32_t v, unsigned bits)
{
    return inlay_sign(v, bits) == v;
}

#endif
