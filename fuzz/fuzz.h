/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stops with the place if something that always holds does not. */
#define REQUIRE(x) ((x) ? (void)0 : fuzz_fail(#x, __FILE__, __LINE__))

static inline void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "FUZZ: %s:%d: %s does not hold\n", file, line, what);
    abort();
}

/* The input, taken from its front; zeros when it is used up. */
struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->data++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
    uint16_t low = fuzz_u8(in);
    return (uint16_t)(low | fuzz_u8(in) << 8);
}

static inline uint32_t fuzz_u32(struct fuzz_input *in)
{
    uint32_t low = fuzz_u16(in);
    return low | (uint32_t)fuzz_u16(in) << 16;
}

/* A run of at most len bytes; *got says how many there are. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t len, size_t *got)
{
    const uint8_t *at = in->data;
    *got = len < in->left ? len : in->left;
    in->data += *got;
    in->left -= *got;
    return at;
}

#endif
