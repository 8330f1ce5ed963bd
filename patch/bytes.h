/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded reader.  After the first failure it reads zeros and stays failed. */
#ifndef INLAY_BYTES_H
#define INLAY_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct inlay_bytes {
    const uint8_t *at;
    size_t left;
    uint8_t bad; /* 1: ended too early, or a number was not in its shortest form */
};

static inline uint8_t inlay_bytes_u8(struct inlay_bytes *b)
{
    if (b->left == 0) {
        b->bad = 1;
        return 0;
    }
    b->left--;
    return *b->at++;
}

/* Seven bits a byte, low bits first, top bit: more follow.  Only the shortest form counts. */
static inline uint32_t inlay_bytes_uvarint(struct inlay_bytes *b)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35u; shift += 7u) {
        uint8_t byte = inlay_bytes_u8(b);
        if ((shift == 28u && byte > 15u) || (shift > 0 && byte == 0))
            break;
        value |= (uint32_t)(byte & 127u) << shift;
        if (byte < 128u)
            return b->bad ? 0 : value;
    }
    b->bad = 1;
    return 0;
}

static inline void inlay_bytes_copy(struct inlay_bytes *b, uint8_t *out, size_t len)
{
    if (b->left < len) {
        b->bad = 1;
        b->left = 0;
        memset(out, 0, len);
        return;
    }
    memcpy(out, b->at, len);
    b->at += len;
    b->left -= len;
}

#endif
