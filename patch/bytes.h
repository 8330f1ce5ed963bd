/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded reader.  After the first failure it reads zeros and stays failed;
 * if that was for want of bytes it knows how many more would do.
 */
#ifndef INLAY_BYTES_H
#define INLAY_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct inlay_bytes {
    const uint8_t *at;
    size_t left;
    uint8_t bad;    /* 1: ended too early, or a number was not in its shortest form */
    size_t missing; /* bytes that were wanted behind the end when it went bad */
};

/* 1 if that many bytes are left. */
static inline int inlay_bytes_have(struct inlay_bytes *b, size_t len)
{
    if (!b->bad && b->left >= len)
        return 1;
    if (!b->bad)
        b->missing = len - b->left;
    b->bad = 1;
    return 0;
}

static inline uint8_t inlay_bytes_u8(struct inlay_bytes *b)
{
    if (!inlay_bytes_have(b, 1))
        return 0;
    b->left--;
    return *b->at++;
}

/* Seven bits a byte, low bits first, top bit: more follow.  Only the shortest form counts. */
static inline uint32_t inlay_bytes_uvarint(struct inlay_bytes *b)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35u; shift += 7u) {
        uint8_t byte = inlay_bytes_u8(b);
        if (b->bad)
            return 0;
        if ((shift == 28u && byte > 15u) || (shift > 0 && byte == 0))
            break;
        value |= (uint32_t)(byte & 127u) << shift;
        if (byte < 128u)
            return value;
    }
    b->bad = 1;
    return 0;
}

static inline void inlay_bytes_copy(struct inlay_bytes *b, uint8_t *out, size_t len)
{
    if (!inlay_bytes_have(b, len)) {
        memset(out, 0, len);
        return;
    }
    memcpy(out, b->at, len);
    b->at += len;
    b->left -= len;
}

#endif
