/* SPDX-License-Identifier: Apache-2.0 */
/* ARM, 32-bit instructions (ARMv7-A Architecture Reference Manual, A8.8). */
#include "arch.h"
#include "bits.h"

enum {
    ARM_PLAIN,
    ARM_CALL,  /* BL, BLX */
    ARM_JUMP,  /* B */
    ARM_LOAD,  /* LDR, LDRB, STR of [pc, #imm12] */
    ARM_LOADX, /* LDRH, LDRD and their kin of [pc, #imm8] */
    ARM_VLOAD, /* VLDR */
    ARM_ADR,   /* ADD or SUB of pc and a rotated byte */
    ARM_LOW,   /* MOVW */
    ARM_HIGH,  /* MOVT */
    ARM_BYTE
};

static uint32_t arm_rotate(uint32_t imm12)
{
    uint32_t v = imm12 & 0xffu, by = (imm12 >> 8 & 15u) * 2u;
    return by ? v >> by | v << (32u - by) : v;
}

static uint32_t arm_half(uint32_t w)
{
    return (w >> 4 & 0xf000u) | (w & 0xfffu);
}

static void arm_set(struct inlay_unit *u, uint8_t type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

/* Branches; bit 24 of a BLX is half a word. */
static void arm_parse_branch(uint32_t w, uint32_t pc, struct inlay_unit *u)
{
    uint32_t off = inlay_sign(w << 2, 26);
    if (w >> 28 == 15u)
        arm_set(u, ARM_CALL, pc + off + (w >> 23 & 2u));
    else
        arm_set(u, w >> 24 & 1u ? ARM_CALL : ARM_JUMP, pc + off);
}

/* The size of the pc-relative offset of a load or address; bit 23 says plus. */
static int arm_parse_literal(uint32_t w, uint8_t *type, uint32_t *size)
{
    if ((w & 0x0f2f0000u) == 0x050f0000u) {
        *type = ARM_LOAD;
        *size = w & 0xfffu;
    } else if ((w & 0x0f6f0090u) == 0x014f0090u && (w & 0x60u)) {
        *type = ARM_LOADX;
        *size = (w >> 4 & 0xf0u) | (w & 0xfu);
    } else if ((w & 0x0f3f0e00u) == 0x0d1f0a00u) {
        *type = ARM_VLOAD;
        *size = (w & 0xffu) << 2;
    } else if ((w & 0x0fff0000u) == 0x028f0000u || (w & 0x0fff0000u) == 0x024f0000u) {
        *type = ARM_ADR;
        *size = arm_rotate(w);
    } else {
        return 0;
    }
    return 1;
}

/* MOVW: looks for the MOVT that completes the address. */
static void arm_parse_low(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t w,
                          struct inlay_unit *u)
{
    uint32_t rd = w >> 12 & 15u;
    st->value[rd] = arm_half(w);
    st->valid |= (uint32_t)1 << rd;
    for (uint32_t i = 4; i + 4u <= n; i += 4) {
        uint32_t next = inlay_get32(b + i);
        if ((next & 0x0ff0f000u) == (0x03400000u | rd << 12)) {
            arm_set(u, ARM_LOW, arm_half(next) << 16 | arm_half(w));
            return;
        }
        if ((next & 0x0ff0f000u) == (0x03000000u | rd << 12))
            return;
    }
}

static void arm_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                      struct inlay_unit *u)
{
    u->len = n < 4 ? 1 : 4;
    u->type = n < 4 ? ARM_BYTE : ARM_PLAIN;
    u->has_target = 0;
    u->target = 0;
    if (n < 4)
        return;
    uint32_t w = inlay_get32(b);
    uint32_t rd = w >> 12 & 15u, size;
    uint8_t type;
    if ((w & 0x0e000000u) == 0x0a000000u) {
        arm_parse_branch(w, addr + 8u, u);
    } else if (arm_parse_literal(w, &type, &size)) {
        uint32_t plus = type == ARM_ADR ? !(w & 0x00400000u) : w >> 23 & 1u;
        uint32_t pc = addr + 8u;
        arm_set(u, type, plus ? pc + size : pc - size);
    } else if ((w & 0x0ff00000u) == 0x03000000u) {
        arm_parse_low(st, b, n, w, u);
    } else if ((w & 0x0ff00000u) == 0x03400000u && (st->valid >> rd & 1u)) {
        arm_set(u, ARM_HIGH, arm_half(w) << 16 | st->value[rd]);
        st->valid &= ~((uint32_t)1 << rd);
    }
}

static int arm_aim_branch(uint8_t *b, uint32_t off)
{
    uint32_t w = inlay_get32(b);
    uint32_t exchange = w >> 28 == 15u;
    if (!inlay_fits(off, 26) || (off & (exchange ? 1u : 3u)))
        return 0;
    w = (w & 0xff000000u) | (off >> 2 & 0xffffffu);
    if (exchange)
        w = (w & 0xfe000000u) | (off >> 1 & 1u) << 24 | (w & 0xffffffu);
    inlay_put32(b, w);
    return 1;
}

/* Writes the size of a load's offset, field by field. */
static int arm_put_size(uint32_t *w, uint8_t type, uint32_t size)
{
    if (type == ARM_LOAD) {
        *w = (*w & ~0xfffu) | (size & 0xfffu);
        return size <= 0xfffu;
    }
    if (type == ARM_LOADX) {
        *w = (*w & ~0xf0fu) | (size & 0xf0u) << 4 | (size & 0xfu);
        return size <= 0xffu;
    }
    *w = (*w & ~0xffu) | (size >> 2 & 0xffu);
    return size <= 0x3fcu && !(size & 3u);
}

/* Finds the rotation that gives size; the old one if it can. */
static int arm_put_rotated(uint32_t *w, uint32_t size)
{
    for (uint32_t i = 0; i <= 16u; i++) {
        uint32_t by = i == 0 ? *w >> 8 & 15u : i - 1u;
        uint32_t v = by ? size << 2u * by | size >> (32u - 2u * by) : size;
        if (v <= 0xffu) {
            *w = (*w & ~0xfffu) | by << 8 | v;
            return 1;
        }
    }
    return 0;
}

/* Adds or subtracts; as the old instruction did if it can, since some offsets can be either. */
static int arm_aim_adr(uint8_t *b, uint32_t off)
{
    uint32_t w = inlay_get32(b);
    for (unsigned i = 0; i < 2; i++, w ^= 0x00c00000u) {
        if (arm_put_rotated(&w, w & 0x00800000u ? off : 0u - off)) {
            inlay_put32(b, w);
            return 1;
        }
    }
    return 0;
}

static int arm_aim_literal(uint8_t *b, uint8_t type, uint32_t off)
{
    uint32_t w = inlay_get32(b);
    uint32_t plus = off ? off < 0x80000000u : w >> 23 & 1u; /* there are two zeros */
    w = (w & ~0x00800000u) | plus << 23;
    if (!arm_put_size(&w, type, plus ? off : 0u - off))
        return 0;
    inlay_put32(b, w);
    return 1;
}

static int arm_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                   uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t off = target - (new_addr + 8u), half = target;
    (void)st;
    (void)old_addr;
    switch (u->type) {
    case ARM_CALL:
    case ARM_JUMP:
        return arm_aim_branch(b, off);
    case ARM_LOAD:
    case ARM_LOADX:
    case ARM_VLOAD:
        return arm_aim_literal(b, u->type, off);
    case ARM_ADR:
        return arm_aim_adr(b, off);
    case ARM_HIGH:
        half >>= 16;
        /* fall through */
    case ARM_LOW:
        inlay_put32(b, (inlay_get32(b) & 0xfff0f000u) | (half & 0xf000u) << 4 | (half & 0xfffu));
        return 1;
    default:
        return 0;
    }
}

const struct inlay_arch inlay_arch_arm = {
    .id = INLAY_ARCH_ARM,
    .granule = 4,
    .pointer_len = 4,
    .literal_kind = INLAY_LITERAL_BYTES,
    .parse = arm_parse,
    .aim = arm_aim,
};
