/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Conventions". */
#include "oracle.h"

unsigned take_byte(struct bytes *b)
{
    if (b->at == b->end)
        die(EXIT_CORRUPT, "a field ends too early");
    return *b->at++;
}

uint32_t take_uvarint(struct bytes *b)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 5; i++) {
        unsigned byte = take_byte(b);
        value |= (uint64_t)(byte & 127) << 7 * i;
        if (byte < 128) {
            if ((byte == 0 && i > 0) || value > UINT32_MAX)
                break;
            return (uint32_t)value;
        }
    }
    die(EXIT_CORRUPT, "a number is not in its shortest form");
}

const uint8_t *take_bytes(struct bytes *b, size_t len)
{
    if ((size_t)(b->end - b->at) < len)
        die(EXIT_CORRUPT, "a field ends too early");
    b->at += len;
    return b->at - len;
}

uint32_t get16(const uint8_t *b)
{
    return b[0] + 256u * b[1];
}

uint32_t get32(const uint8_t *b)
{
    return get16(b) + 65536u * get16(b + 2);
}

void put16(uint8_t *b, uint32_t v)
{
    b[0] = v & 255;
    b[1] = v >> 8 & 255;
}

void put32(uint8_t *b, uint32_t v)
{
    put16(b, v);
    put16(b + 2, v >> 16);
}

uint32_t sign_extend(uint32_t v, unsigned bits)
{
    uint64_t size = (uint64_t)1 << bits;
    uint64_t low = v & (size - 1);
    return (uint32_t)(low >= size / 2 ? low - size : low);
}

int fits(uint32_t v, unsigned bits)
{
    int64_t as_signed = v < 0x80000000u ? (int64_t)v : (int64_t)v - ((int64_t)1 << 32);
    int64_t half = (int64_t)1 << (bits - 1);
    return as_signed >= -half && as_signed < half;
}
