/* SPDX-License-Identifier: Apache-2.0 */
/* UF2: blocks of 512 bytes, each with its address, number and the processor family. */
#include "image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK       512u
#define PAYLOAD_MAX 476u
#define NOT_FLASH   0x1u
#define IS_FILE     0x1000u
#define HAS_FAMILY  0x2000u
/* RP2350 tools put one block of this family first, to work around erratum E10. */
#define FAMILY_ABSOLUTE 0xe48bff57u
#define ADDRESS_E10     0x10ffff00u

struct uf2_block {
    uint32_t flags, addr, len, number, total, family;
};

static const struct {
    uint32_t family;
    const char *arch;
} families[] = {
    {0xe48bff56u, "thumb2"}, /* RP2040 */
    {0xe48bff59u, "thumb2"}, /* RP2350, Arm, secure */
    {0xe48bff5bu, "thumb2"}, /* RP2350, Arm, non-secure */
    {0xe48bff5au, "riscv"},  /* RP2350, RISC-V */
    {0xada52840u, "thumb2"}, /* nRF52840 */
    {0x68ed2b88u, "thumb2"}, /* SAMD21 */
    {0x55114460u, "thumb2"}, /* SAMD51 */
    {0x57755a57u, "thumb2"}, /* STM32F4 */
    {0x1c5f21b0u, "xtensa"}, /* ESP32 */
    {0xbfdd4eeeu, "xtensa"}, /* ESP32-S2 */
    {0xc47e5767u, "xtensa"}, /* ESP32-S3 */
    {0xd42ba06cu, "riscv"},  /* ESP32-C3 */
};

static uint32_t word(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static int has_magic(const uint8_t *b)
{
    return word(b) == 0x0a324655u && word(b + 4) == 0x9e5d5157u && word(b + 508) == 0x0ab16f30u;
}

int image_is_uf2(const struct image_file *f)
{
    return f->len >= BLOCK && has_magic(f->data);
}

/* What a block says about itself; NULL, or what is wrong with it. */
static const char *decode(const uint8_t *b, struct uf2_block *k)
{
    if (!has_magic(b))
        return "has no UF2 magic; the file is damaged";
    *k = (struct uf2_block){word(b + 8),  word(b + 12), word(b + 16),
                            word(b + 20), word(b + 24), word(b + 28)};
    if (!(k->flags & HAS_FAMILY))
        k->family = 0;
    if (k->flags & IS_FILE)
        return "holds a file, not flash content; use the image that is written to flash";
    if (k->len > PAYLOAD_MAX)
        return "says that it holds more than a block can; the file is damaged";
    if (k->number >= k->total)
        return "is numbered beyond the count of blocks; the file is damaged";
    return NULL;
}

struct uf2_state {
    struct image_pieces pieces;
    struct uf2_block first; /* of those that count */
    size_t taken;
};

static int take(struct uf2_state *s, const struct uf2_block *k, const uint8_t *data, size_t index,
                const struct image_file *f, struct inlay_error *err)
{
    if (!s->taken)
        s->first = *k;
    if (k->family != s->first.family)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "%s: block %zu is for processor family 0x%08" PRIx32
                          ", the first for 0x%08" PRIx32 "; make a UF2 for one processor",
                          f->where, index, k->family, s->first.family);
    s->taken++;
    if (image_pieces_add(&s->pieces, k->addr, data, k->len, index))
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for %s", f->where);
    return 0;
}

static int read_blocks(const struct image_file *f, struct uf2_state *s, struct inlay_error *err)
{
    if (f->len % BLOCK)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "%s: %zu bytes are not whole UF2 blocks of 512; the file was cut off",
                          f->where, f->len);
    for (size_t i = 0; i < f->len / BLOCK; i++) {
        const uint8_t *b = f->data + i * BLOCK;
        struct uf2_block k;
        const char *wrong = decode(b, &k);
        if (wrong)
            return inlay_fail(err, INLAY_EXIT_USAGE, "%s: block %zu %s", f->where, i, wrong);
        if (k.flags & NOT_FLASH || (k.family == FAMILY_ABSOLUTE && k.addr == ADDRESS_E10))
            continue;
        int code = take(s, &k, b + 32, i, f, err);
        if (code)
            return code;
    }
    if (s->taken && s->taken < s->first.total && s->taken == f->len / BLOCK)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "%s: %zu of %" PRIu32 " UF2 blocks are there; the file was cut off",
                          f->where, s->taken, s->first.total);
    return 0;
}

int image_read_uf2(const struct image_file *f, struct inlay_image *image, struct inlay_error *err)
{
    struct uf2_state s = {.pieces.unit = "block"};
    int code = read_blocks(f, &s, err);
    if (!code)
        code = image_pieces_join(&s.pieces, f->where, image, err);
    image_pieces_free(&s.pieces);
    for (size_t i = 0; !code && i < sizeof families / sizeof families[0]; i++)
        if (families[i].family == s.first.family)
            image->arch = families[i].arch;
    return code;
}
