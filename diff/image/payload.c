/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed or encrypted data inside an image.
 *
 * A magic number counts only if what follows it is as even as compressed
 * data is: decompressors carry the same magic numbers in their code.
 */
#include "inlay.h"

#include <string.h>

#define WINDOW     4096u
#define WINDOW_MIN 256u

struct magic {
    const char *kind;
    uint8_t len;
    uint8_t bytes[6];
    /* Looks closer; left counts from the magic on.  NULL: nothing more to see. */
    int (*fits)(const uint8_t *b, size_t left);
};

static int fits_gzip(const uint8_t *b, size_t left)
{
    return left >= 18 && b[3] < 0x20 && (b[9] <= 13 || b[9] == 255);
}

static int fits_lz4(const uint8_t *b, size_t left)
{
    return left >= 7 && (b[4] & 0xc2) == 0x40 && (b[5] & 0x8f) == 0;
}

static int fits_squashfs(const uint8_t *b, size_t left)
{
    return left >= 96 && b[28] == 4 && b[29] == 0 && b[20] >= 1 && b[20] <= 6;
}

/* Bytes in a squashfs, 1 or more, as its superblock says. */
static size_t squashfs_len(const uint8_t *b)
{
    uint64_t len = 0;
    for (size_t i = 0; i < 6; i++)
        len |= (uint64_t)b[40 + i] << (8 * i);
    return len ? (size_t)len : 1;
}

/*
 * A zlib header, then a block with Huffman codes of its own.  The lengths of
 * its first code must fill the code space exactly; chance hardly does that.
 */
static int fits_zlib(const uint8_t *b, size_t left)
{
    if (left < 64 || (b[2] >> 1 & 3) != 2 || (b[2] >> 3) > 29 || (b[3] & 31) > 29)
        return 0;
    uint32_t space = 0;
    size_t count = 4u + (size_t)((b[3] >> 5 | b[4] << 3) & 15), bit = 8 * 2 + 17;
    for (; count; count--, bit += 3) {
        uint32_t len = (uint32_t)((b[bit / 8] | b[bit / 8 + 1] << 8) >> bit % 8) & 7;
        space += len ? 128u >> len : 0;
    }
    return space == 128;
}

static int fits_lzma(const uint8_t *b, size_t left)
{
    /* A power of two from 64 KB to 64 MB as dictionary, then a size or "unknown". */
    uint32_t dictionary = (uint32_t)b[3] << 16 | (uint32_t)b[4] << 24;
    return left >= 64 && b[1] == 0 && b[2] == 0 && dictionary && !(dictionary & (dictionary - 1)) &&
           dictionary <= 64u << 20 && b[13] == 0 &&
           ((b[9] | b[10] | b[11] | b[12]) == 0 || (b[5] & b[8] & b[12]) == 0xff);
}

static const struct magic magics[] = {
    {"gzip", 3, {0x1f, 0x8b, 8}, fits_gzip},
    {"xz", 6, {0xfd, '7', 'z', 'X', 'Z', 0}, NULL},
    {"lz4", 4, {4, 0x22, 0x4d, 0x18}, fits_lz4},
    {"lz4", 4, {2, 0x21, 0x4c, 0x18}, NULL},
    {"zstd", 4, {0x28, 0xb5, 0x2f, 0xfd}, NULL},
    {"squashfs", 4, {'h', 's', 'q', 's'}, fits_squashfs},
    {"zlib", 2, {0x78, 0x01}, fits_zlib},
    {"zlib", 2, {0x78, 0x5e}, fits_zlib},
    {"zlib", 2, {0x78, 0x9c}, fits_zlib},
    {"zlib", 2, {0x78, 0xda}, fits_zlib},
    {"lzma", 3, {0x5d, 0, 0}, fits_lzma},
};

/*
 * 1 if bytes are spread as evenly as in compressed data.  Two bytes picked
 * at random are equal once in 256 pairs there; in code or text several times
 * as often.
 */
static int is_even(const uint8_t *b, size_t len)
{
    uint32_t count[256] = {0};
    uint64_t pairs = 0;
    for (size_t i = 0; i < len; i++)
        count[b[i]]++;
    for (size_t i = 0; i < 256; i++)
        pairs += (uint64_t)count[i] * (count[i] ? count[i] - 1 : 0);
    return pairs * 256 * 100 < (uint64_t)len * (len - 1) * 135;
}

static size_t window_at(size_t pos, size_t size)
{
    return size - pos < WINDOW ? size - pos : WINDOW;
}

/* The magic at b, or NULL. */
static const struct magic *match(const uint8_t *b, size_t left)
{
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        const struct magic *m = &magics[i];
        if (left < WINDOW_MIN || b[0] != m->bytes[0] || memcmp(b, m->bytes, m->len))
            continue;
        /* The first bytes behind a magic are headers. */
        size_t skip = m->fits == fits_squashfs ? 96 : 32;
        if ((!m->fits || m->fits(b, left)) && is_even(b + skip, window_at(skip, left)))
            return m;
    }
    return NULL;
}

/* 1 if most of the image is even, magic or not. */
static int is_mostly_even(const uint8_t *data, size_t size)
{
    size_t even = 0, all = 0;
    for (size_t pos = 0; pos + WINDOW_MIN <= size; pos += WINDOW, all++)
        even += (size_t)is_even(data + pos, window_at(pos, size));
    return all && even * 2 > all;
}

size_t inlay_image_payloads(const uint8_t *data, size_t size, struct inlay_payload *found,
                            size_t max)
{
    size_t count = 0;
    uint8_t is_first[256] = {0};
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
        is_first[magics[i].bytes[0]] = 1;
    for (size_t pos = 0; pos < size; pos++) {
        if (!is_first[data[pos]])
            continue;
        const struct magic *m = match(data + pos, size - pos);
        if (!m)
            continue;
        if (count < max)
            found[count] = (struct inlay_payload){m->kind, pos};
        count++;
        /* What is inside this one says nothing new. */
        size_t len = m->fits == fits_squashfs ? squashfs_len(data + pos) : WINDOW;
        pos += len < size - pos ? len - 1 : size - pos - 1;
    }
    if (!count && is_mostly_even(data, size)) {
        if (max)
            found[0] = (struct inlay_payload){"high entropy", 0};
        count = 1;
    }
    return count;
}
