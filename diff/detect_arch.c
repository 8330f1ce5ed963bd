/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processor of a raw image.
 *
 * Random bytes are full of "calls", so single opcodes prove nothing.  A call
 * that lands on something that looks like the start of a function is another
 * matter: real code has one every hundred bytes or so, chance has next to
 * none.
 */
#include "bits.h"
#include "detect_parts.h"

#include <string.h>

#define WINDOW    (256u << 10) /* images are looked at in windows this long */
#define LOOK_MAX  (4u << 20)   /* and at most this much of them */
#define DENSITY   4096u        /* a good call per so many bytes is the least */
#define CALLS_MIN 3u

static int starts_thumb(const uint8_t *b, uint32_t left)
{
    uint32_t op = inlay_get16(b);
    if ((op & 0xff00u) == 0xb500u)
        return 1;
    return op == 0xe92du && left >= 4 && (inlay_get16(b + 2) & 0xe000u) == 0x4000u;
}

static int starts_riscv(const uint8_t *b, uint32_t left)
{
    uint32_t op = inlay_get16(b);
    if ((op & 0xff83u) == 0x7101u || ((op & 0xff83u) == 0x1101u && (op & 0x7cu)))
        return 1;
    return left >= 4 && (inlay_get32(b) & 0x800fffffu) == 0x80010113u;
}

static int starts_x86(const uint8_t *b, uint32_t left)
{
    if (left < 4)
        return 0;
    if (b[0] == 0x55 || b[0] == 0x53 || (b[0] == 0x41 && b[1] >= 0x54 && b[1] <= 0x57))
        return 1;
    if (b[0] == 0x48 && (b[1] == 0x83 || b[1] == 0x81) && b[2] == 0xec)
        return 1;
    return b[0] == 0xf3 && b[1] == 0x0f && b[2] == 0x1e && b[3] == 0xfa;
}

static int starts_aarch64(uint32_t w)
{
    return (w & 0xffc07fffu) == 0xa9807bfdu || (w & 0xffc003ffu) == 0xd10003ffu ||
           w == 0xd503233fu || (w & 0xffc003e0u) == 0xa98003e0u;
}

int inlay_detect_prologue(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t pos)
{
    if (pos >= n || n - pos < 4)
        return 0;
    uint32_t left = n - pos;
    b += pos;
    switch (arch) {
    case INLAY_ARCH_THUMB2:
        return !(pos & 1u) && starts_thumb(b, left);
    case INLAY_ARCH_ARM:
        return !(pos & 3u) && (inlay_get32(b) & 0xffff4000u) == 0xe92d4000u;
    case INLAY_ARCH_AARCH64:
        return !(pos & 3u) && starts_aarch64(inlay_get32(b));
    case INLAY_ARCH_RISCV:
        return !(pos & 1u) && starts_riscv(b, left);
    case INLAY_ARCH_XTENSA:
        return (b[0] == 0x12 && b[1] == 0xc1 && b[2] >= 0x80) ||
               (b[0] == 0x36 && (b[1] & 0xfu) == 1);
    case INLAY_ARCH_AVR:
        return !(pos & 1u) && (inlay_get16(b) & 0xfe0fu) == 0x920fu;
    case INLAY_ARCH_X86_64:
        return starts_x86(b, left);
    default:
        return 0;
    }
}

/* Where the call at pos goes, or pos if there is none.  Positions modulo 2^32. */
static uint32_t call_thumb(const uint8_t *b, uint32_t pos)
{
    uint32_t hi = inlay_get16(b), lo = inlay_get16(b + 2);
    if ((hi & 0xf800u) != 0xf000u || (lo & 0xd000u) != 0xd000u)
        return pos;
    uint32_t s = hi >> 10 & 1u;
    uint32_t i1 = ~(lo >> 13 ^ s) & 1u;
    uint32_t i2 = ~(lo >> 11 ^ s) & 1u;
    return pos + 4u +
           inlay_sign(s << 24 | i1 << 23 | i2 << 22 | (hi & 0x3ffu) << 12 | (lo & 0x7ffu) << 1, 25);
}

static uint32_t call_riscv(const uint8_t *b, uint32_t pos)
{
    uint32_t w = inlay_get32(b);
    if ((w & 0xfffu) == 0x0efu)
        return pos + inlay_sign((w >> 31) << 20 | (w & 0xff000u) | (w >> 20 & 1u) << 11 |
                                    (w >> 20 & 0x7feu),
                                21);
    if ((w & 0xe003u) == 0x2001u) /* C.JAL of RV32 */
        return pos + inlay_sign((w >> 12 & 1u) << 11 | (w >> 11 & 1u) << 4 | (w >> 9 & 3u) << 8 |
                                    (w >> 8 & 1u) << 10 | (w >> 7 & 1u) << 6 | (w >> 6 & 1u) << 7 |
                                    (w >> 3 & 7u) << 1 | (w >> 2 & 1u) << 5,
                                12);
    if ((w & 0xfffu) == 0x097u && (inlay_get32(b + 4) & 0xfffffu) == 0x080e7u) /* AUIPC, JALR ra */
        return pos + (w & 0xfffff000u) + inlay_sign(inlay_get32(b + 4) >> 20, 12);
    return pos;
}

static uint32_t call_xtensa(const uint8_t *b, uint32_t pos)
{
    uint32_t op = b[0] & 0x3fu;
    if (op != 0x05u && op != 0x15u && op != 0x25u)
        return pos;
    uint32_t imm = (inlay_get16(b) | (uint32_t)b[2] << 16) >> 6;
    return (pos & ~3u) + 4u + (inlay_sign(imm, 18) << 2);
}

static uint32_t call_avr(const uint8_t *b, uint32_t pos)
{
    uint32_t op = inlay_get16(b);
    if ((op & 0xfffeu) == 0x940eu)
        return inlay_get16(b + 2) << 1;
    if ((op & 0xf000u) == 0xd000u)
        return pos + 2u + (inlay_sign(op, 12) << 1);
    return pos;
}

static uint32_t call_at(enum inlay_arch_id arch, const uint8_t *b, uint32_t pos)
{
    uint32_t w = inlay_get32(b);
    switch (arch) {
    case INLAY_ARCH_THUMB2:
        return call_thumb(b, pos);
    case INLAY_ARCH_ARM:
        return w >> 24 == 0xebu ? pos + 8u + (inlay_sign(w, 24) << 2) : pos;
    case INLAY_ARCH_AARCH64:
        return w >> 26 == 0x25u ? pos + (inlay_sign(w, 26) << 2) : pos;
    case INLAY_ARCH_RISCV:
        return call_riscv(b, pos);
    case INLAY_ARCH_XTENSA:
        return call_xtensa(b, pos);
    case INLAY_ARCH_AVR:
        return call_avr(b, pos);
    case INLAY_ARCH_X86_64:
        return b[0] == 0xe8 ? pos + 5u + inlay_get32(b + 1) : pos;
    default:
        return pos;
    }
}

static uint32_t good_calls(enum inlay_arch_id arch, const uint8_t *b, uint32_t n, uint32_t from,
                           uint32_t to)
{
    static const uint8_t step[] = {1, 2, 4, 4, 2, 1, 2, 1, 1};
    uint32_t good = 0;
    for (uint32_t pos = from; pos < to && n - pos >= 8; pos += step[arch]) {
        uint32_t target = call_at(arch, b + pos, pos);
        if (target != pos && target < n && inlay_detect_prologue(arch, b, n, target))
            good++;
    }
    return good;
}

/* Bytes that are not padding: code is not to be called sparse for what surrounds it. */
static uint32_t count_used(const uint8_t *b, uint32_t from, uint32_t to)
{
    uint32_t used = 0;
    for (uint32_t i = from; i + 16u <= to; i += 16u) {
        if (memcmp(b + i, b + i + 1, 15) != 0)
            used += 16u;
    }
    return used;
}

enum inlay_arch_id inlay_detect_arch(const uint8_t *b, uint32_t n)
{
    uint32_t good[INLAY_ARCH_WASM] = {0};
    uint32_t used = 0;
    uint32_t stride = n <= LOOK_MAX ? WINDOW : n / (LOOK_MAX / WINDOW);
    for (uint32_t from = 0; from < n; from += stride & ~3u) {
        uint32_t to = n - from < WINDOW ? n : from + WINDOW;
        used += count_used(b, from, to);
        for (unsigned a = INLAY_ARCH_THUMB2; a < INLAY_ARCH_WASM; a++)
            good[a] += good_calls((enum inlay_arch_id)a, b, n, from, to);
        if (n - from <= WINDOW)
            break;
    }
    unsigned best = INLAY_ARCH_NONE;
    for (unsigned a = INLAY_ARCH_THUMB2; a < INLAY_ARCH_WASM; a++) {
        if (good[a] >= CALLS_MIN && good[a] >= used / DENSITY && good[a] > good[best])
            best = a;
    }
    return (enum inlay_arch_id)best;
}
