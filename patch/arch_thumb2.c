/* SPDX-License-Identifier: Apache-2.0 */
/* Thumb-2 (ARMv7-M Architecture Reference Manual, A7.7). */
#include "arch.h"
#include "bits.h"
#include "usual.h"

enum {
    PLAIN16,
    PLAIN32,
    CALL,   /* BL */
    JUMP32, /* B.W */
    COND32, /* Bcc.W */
    JUMP16, /* B */
    COND16, /* Bcc */
    CBZ,
    LOAD16, /* LDR Rt, [pc, #imm] */
    ADR16,
    LOAD32, /* LDR.W Rt, [pc, #imm] and its kin */
    ADR32,
    VLOAD,  /* VLDR */
    MOVE32, /* MOVW, MOVT */
    BYTE,
    CALL_ARM /* BLX: to code that is ARM's */
};

static uint32_t thumb_call_offset(uint32_t hi, uint32_t lo)
{
    uint32_t s = hi >> 10 & 1u;
    uint32_t i1 = ~(lo >> 13 ^ s) & 1u;
    uint32_t i2 = ~(lo >> 11 ^ s) & 1u;
    return inlay_sign(s << 24 | i1 << 23 | i2 << 22 | (hi & 0x3ffu) << 12 | (lo & 0x7ffu) << 1, 25);
}

static uint32_t thumb_cond_offset(uint32_t hi, uint32_t lo)
{
    return inlay_sign((hi >> 10 & 1u) << 20 | (lo >> 11 & 1u) << 19 | (lo >> 13 & 1u) << 18 |
                          (hi & 0x3fu) << 12 | (lo & 0x7ffu) << 1,
                      21);
}

/* The signed offset of a 12-bit or 8-bit literal load with an "add" bit. */
static uint32_t thumb_literal_offset(uint32_t hi, uint32_t imm)
{
    return hi >> 7 & 1u ? imm : 0u - imm;
}

static void thumb_set(struct inlay_unit *u, uint8_t type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

/* BL, BLX, B.W, Bcc.W. */
static void thumb_parse_branch(uint32_t hi, uint32_t lo, uint32_t pc, struct inlay_unit *u)
{
    uint32_t form = lo & 0x5000u;
    uint8_t type = form == 0x5000u ? CALL : form == 0x4000u ? CALL_ARM : JUMP32;
    if (type == CALL_ARM)
        pc &= ~3u;
    if (form)
        thumb_set(u, type, pc + thumb_call_offset(hi, lo));
    else if ((hi & 0x0380u) != 0x0380u)
        thumb_set(u, COND32, pc + thumb_cond_offset(hi, lo));
}

static void thumb_parse32(uint32_t hi, uint32_t lo, uint32_t addr, struct inlay_unit *u)
{
    uint32_t pc = addr + 4u;
    u->len = 4;
    u->type = PLAIN32;
    if ((hi & 0xf800u) == 0xf000u && (lo & 0x8000u)) {
        thumb_parse_branch(hi, lo, pc, u);
    } else if ((hi & 0xfe1fu) == 0xf81fu && (hi & 0x60u) != 0x60u) {
        thumb_set(u, LOAD32, (pc & ~3u) + thumb_literal_offset(hi, lo & 0xfffu));
    } else if ((hi & 0xff3fu) == 0xed1fu && (lo & 0x0e00u) == 0x0a00u) {
        thumb_set(u, VLOAD, (pc & ~3u) + thumb_literal_offset(hi, (lo & 0xffu) << 2));
    } else if (((hi & 0xfbffu) == 0xf20fu || (hi & 0xfbffu) == 0xf2afu) && !(lo & 0x8000u)) {
        uint32_t imm = (hi >> 10 & 1u) << 11 | (lo >> 12 & 7u) << 8 | (lo & 0xffu);
        thumb_set(u, ADR32, (pc & ~3u) + (hi & 0xa0u ? 0u - imm : imm));
    } else if ((hi & 0xfb70u) == 0xf240u && !(lo & 0x8000u)) {
        u->type = MOVE32;
    }
}

static void thumb_parse16(uint32_t op, uint32_t addr, struct inlay_unit *u)
{
    uint32_t pc = addr + 4u;
    u->len = 2;
    u->type = PLAIN16;
    if ((op & 0xf800u) == 0x4800u)
        thumb_set(u, LOAD16, (pc & ~3u) + ((op & 0xffu) << 2));
    else if ((op & 0xf800u) == 0xa000u)
        thumb_set(u, ADR16, (pc & ~3u) + ((op & 0xffu) << 2));
    else if ((op & 0xf800u) == 0xe000u)
        thumb_set(u, JUMP16, pc + inlay_sign((op & 0x7ffu) << 1, 12));
    else if ((op & 0xf000u) == 0xd000u && (op & 0x0e00u) != 0x0e00u)
        thumb_set(u, COND16, pc + inlay_sign((op & 0xffu) << 1, 9));
    else if ((op & 0xf500u) == 0xb100u)
        thumb_set(u, CBZ, pc + ((op >> 9 & 1u) << 6 | (op >> 3 & 0x1fu) << 1));
}

static void thumb_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                        struct inlay_unit *u)
{
    (void)st;
    u->has_target = 0;
    u->target = 0;
    if (n < 2) {
        u->len = 1;
        u->type = BYTE;
        return;
    }
    uint32_t op = inlay_get16(b);
    if (op >= 0xe800u && n >= 4)
        thumb_parse32(op, inlay_get16(b + 2), addr, u);
    else
        thumb_parse16(op, addr, u);
}

static int thumb_aim_call(uint8_t *b, uint32_t off)
{
    if (!inlay_fits(off, 25) || (off & 1u))
        return 0;
    uint32_t s = off >> 24 & 1u;
    uint32_t j1 = (~(off >> 23) ^ s) & 1u;
    uint32_t j2 = (~(off >> 22) ^ s) & 1u;
    inlay_put16(b, (inlay_get16(b) & 0xf800u) | s << 10 | (off >> 12 & 0x3ffu));
    inlay_put16(b + 2, (inlay_get16(b + 2) & 0xd000u) | j1 << 13 | j2 << 11 | (off >> 1 & 0x7ffu));
    return 1;
}

static int thumb_aim_cond32(uint8_t *b, uint32_t off)
{
    if (!inlay_fits(off, 21) || (off & 1u))
        return 0;
    inlay_put16(b, (inlay_get16(b) & 0xfbc0u) | (off >> 20 & 1u) << 10 | (off >> 12 & 0x3fu));
    inlay_put16(b + 2, (inlay_get16(b + 2) & 0xd000u) | (off >> 18 & 1u) << 13 |
                           (off >> 19 & 1u) << 11 | (off >> 1 & 0x7ffu));
    return 1;
}

/* A 16-bit instruction whose low `bits` bits are an offset in units of 1 << shift. */
static int thumb_aim_field(uint8_t *b, uint32_t off, unsigned bits, unsigned shift, int is_signed)
{
    uint32_t mask = ((uint32_t)1 << bits) - 1u;
    uint32_t low = ((uint32_t)1 << shift) - 1u;
    if (off & low)
        return 0;
    if (is_signed ? !inlay_fits(off, bits + shift) : off > (mask << shift))
        return 0;
    inlay_put16(b, (inlay_get16(b) & ~mask) | (off >> shift & mask));
    return 1;
}

static int thumb_aim_cbz(uint8_t *b, uint32_t off)
{
    if (off > 126u || (off & 1u))
        return 0;
    inlay_put16(b, (inlay_get16(b) & 0xfd07u) | (off >> 6 & 1u) << 9 | (off >> 1 & 0x1fu) << 3);
    return 1;
}

static int thumb_aim_literal(uint8_t *b, uint32_t off, uint32_t max, unsigned shift)
{
    uint32_t add = off ? off < 0x80000000u : inlay_get16(b) >> 7 & 1u; /* there are two zeros */
    uint32_t imm = add ? off : 0u - off;
    if (imm > max || (imm & (((uint32_t)1 << shift) - 1u)))
        return 0;
    inlay_put16(b, (inlay_get16(b) & 0xff7fu) | add << 7);
    inlay_put16(b + 2, (inlay_get16(b + 2) & ~(max >> shift)) | imm >> shift);
    return 1;
}

static int thumb_aim_adr32(uint8_t *b, uint32_t off)
{
    uint32_t add = off ? off < 0x80000000u : !(inlay_get16(b) & 0xa0u);
    uint32_t imm = add ? off : 0u - off;
    if (imm > 0xfffu)
        return 0;
    inlay_put16(b, (inlay_get16(b) & 0xfb5fu) | (add ? 0u : 0xa0u) | (imm >> 11 & 1u) << 10);
    inlay_put16(b + 2, (inlay_get16(b + 2) & 0x8f00u) | (imm >> 8 & 7u) << 12 | (imm & 0xffu));
    return 1;
}

static int thumb_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                     uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t off = target - (new_addr + 4u);
    uint32_t aligned = target - ((new_addr + 4u) & ~3u);
    (void)st;
    (void)old_addr;
    switch (u->type) {
    case CALL_ARM:
        off = aligned;
        /* fall through */
    case CALL:
    case JUMP32:
        return thumb_aim_call(b, off);
    case COND32:
        return thumb_aim_cond32(b, off);
    case JUMP16:
        return thumb_aim_field(b, off, 11, 1, 1);
    case COND16:
        return thumb_aim_field(b, off, 8, 1, 1);
    case CBZ:
        return thumb_aim_cbz(b, off);
    case LOAD16:
    case ADR16:
        return thumb_aim_field(b, aligned, 8, 2, 0);
    case LOAD32:
        return thumb_aim_literal(b, aligned, 0xfffu, 0);
    case VLOAD:
        return thumb_aim_literal(b, aligned, 0x3fcu, 2);
    case ADR32:
        return thumb_aim_adr32(b, aligned);
    default:
        return 0;
    }
}

const struct inlay_arch inlay_arch_thumb2 = {
    .id = INLAY_ARCH_THUMB2,
    .granule = 2,
    .pointer_len = 4,
    .literal_kind = INLAY_LITERAL_HALVES,
    .usual = &inlay_usual_thumb2,
    .parse = thumb_parse,
    .aim = thumb_aim,
};
