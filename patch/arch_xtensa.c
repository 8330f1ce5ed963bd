/* SPDX-License-Identifier: Apache-2.0 */
/* Xtensa, little-endian, with instructions of 3 and 2 bytes (ISA Reference Manual, 7.3). */
#include "arch.h"
#include "bits.h"

enum {
    XT_PLAIN16,
    XT_PLAIN24,
    XT_CALL,    /* CALL0, CALL4, CALL8, CALL12 */
    XT_JUMP,    /* J */
    XT_LITERAL, /* L32R */
    XT_COND12,  /* BEQZ and its kin */
    XT_COND8,   /* branches that compare */
    XT_LOOP,    /* LOOP: only forward */
    XT_COND16,  /* BEQZ.N, BNEZ.N: only forward */
    XT_BYTE
};

static uint32_t xt_get24(const uint8_t *b)
{
    return inlay_get16(b) | (uint32_t)b[2] << 16;
}

/* The types with n (bits 4 and 5) = 2 or 3 and m (bits 6 and 7) of opcode 6. */
static uint8_t xt_compare_type(uint32_t w)
{
    uint32_t r = w >> 12 & 15u;
    if ((w & 0xf0u) == 0x30u)
        return XT_PLAIN24; /* ENTRY */
    if ((w & 0xf0u) == 0x70u) {
        if (r < 2u)
            return XT_COND8; /* BF, BT */
        return r >= 8u && r <= 10u ? XT_LOOP : XT_PLAIN24;
    }
    return XT_COND8;
}

static uint8_t xt_type(uint32_t w)
{
    switch (w & 15u) {
    case 1:
        return XT_LITERAL;
    case 5:
        return XT_CALL;
    case 6:
        if (!(w & 0x20u))
            return w & 0x10u ? XT_COND12 : XT_JUMP;
        return xt_compare_type(w);
    case 7:
        return XT_COND8;
    case 12:
        return (w & 0x80u) ? XT_COND16 : XT_PLAIN16;
    default:
        return (w & 15u) >= 8u && (w & 15u) < 14u ? XT_PLAIN16 : XT_PLAIN24;
    }
}

/* What the offset of an instruction at addr counts from. */
static uint32_t xt_origin(uint8_t type, uint32_t addr)
{
    if (type == XT_LITERAL)
        return ((addr + 3u) & ~3u) - 0x40000u;
    return type == XT_CALL ? (addr & ~3u) + 4u : addr + 4u;
}

/* The offset by type: bits of the field, where it is, log2 of what it counts. */
static const struct xt_field {
    uint8_t bits, at, shift, is_signed;
} xt_fields[] = {
    {18, 6, 2, 1},  /* XT_CALL */
    {18, 6, 0, 1},  /* XT_JUMP */
    {16, 8, 2, 0},  /* XT_LITERAL */
    {12, 12, 0, 1}, /* XT_COND12 */
    {8, 16, 0, 1},  /* XT_COND8 */
    {8, 16, 0, 0},  /* XT_LOOP */
};

static uint32_t xt_offset(uint8_t type, uint32_t w)
{
    if (type == XT_COND16)
        return (w & 0x30u) | w >> 12;
    const struct xt_field *f = &xt_fields[type - XT_CALL];
    uint32_t v = w >> f->at & (((uint32_t)1 << f->bits) - 1u);
    return (f->is_signed ? inlay_sign(v, f->bits) : v) << f->shift;
}

static void xt_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                     struct inlay_unit *u)
{
    (void)st;
    uint32_t narrow = (b[0] & 15u) >= 8u && (b[0] & 15u) < 14u;
    u->len = narrow ? 2 : 3;
    u->has_target = 0;
    u->target = 0;
    if (n < u->len) {
        u->len = 1;
        u->type = XT_BYTE;
        return;
    }
    uint32_t w = narrow ? inlay_get16(b) : xt_get24(b);
    u->type = xt_type(w);
    if (u->type >= XT_CALL) {
        u->has_target = 1;
        u->target = xt_origin(u->type, addr) + xt_offset(u->type, w);
    }
}

static int xt_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                  uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t off = target - xt_origin(u->type, new_addr);
    (void)st;
    (void)old_addr;
    if (u->type == XT_COND16) {
        if (off > 63u)
            return 0;
        inlay_put16(b, (inlay_get16(b) & 0x0fcfu) | (off & 0x30u) | (off & 15u) << 12);
        return 1;
    }
    if (u->type < XT_CALL || u->type > XT_LOOP)
        return 0;
    const struct xt_field *f = &xt_fields[u->type - XT_CALL];
    uint32_t mask = ((uint32_t)1 << f->bits) - 1u;
    unsigned bits = (unsigned)f->bits + f->shift;
    if (f->is_signed ? !inlay_fits(off, bits) : off >> bits != 0)
        return 0;
    if (off & (((uint32_t)1 << f->shift) - 1u))
        return 0;
    uint32_t w = (xt_get24(b) & ~(mask << f->at)) | (off >> f->shift & mask) << f->at;
    inlay_put16(b, w);
    b[2] = (uint8_t)(w >> 16);
    return 1;
}

const struct inlay_arch inlay_arch_xtensa = {
    .id = INLAY_ARCH_XTENSA,
    .granule = 1,
    .pointer_len = 4,
    .cut_at_pointer = 1,
    .literal_kind = INLAY_LITERAL_PARCELS,
    .parse = xt_parse,
    .aim = xt_aim,
};
