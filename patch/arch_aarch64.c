/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AArch64 (Arm Architecture Reference Manual, C4.1).
 *
 * ADRP gives the page of an address, an ADD or a load that follows the low 12
 * bits.  At an ADRP we look ahead for the other half; after it, value[r] is
 * the page in register r.
 *
 * Slots of a stack frame have addresses that are made up, outside of images:
 * where one went in the new version tells where its neighbours went.
 */
#include "arch.h"
#include "bits.h"

enum {
    A64_PLAIN,
    A64_CALL,    /* BL */
    A64_JUMP,    /* B */
    A64_COND,    /* B.cond, CBZ, CBNZ */
    A64_TEST,    /* TBZ, TBNZ */
    A64_LITERAL, /* LDR, LDRSW, PRFM of a literal */
    A64_ADR,
    A64_PAGE,    /* ADRP with its other half in sight */
    A64_DISTANT, /* ADRP without */
    A64_ADD,     /* ADD of the low 12 bits */
    A64_ACCESS,  /* load or store at the low 12 bits */
    A64_BYTE,
    A64_SLOT /* ADD, SUB, load or store at an offset from the stack pointer */
};

#define A64_STACK   0xf0000000u
#define A64_SLOTS   0x4000u /* offsets below this one ... */
#define A64_OFFSETS 0x7fffu /* ... are these bits; above them is where in the code it is */

static void a64_set(struct inlay_unit *u, uint8_t type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

/* ADR and ADRP: the 21-bit immediate. */
static uint32_t a64_adr_imm(uint32_t w)
{
    return inlay_sign((w >> 5 & 0x7ffffu) << 2 | (w >> 29 & 3u), 21);
}

static int a64_is_add(uint32_t w)
{
    return (w & 0xffc00000u) == 0x91000000u;
}

/* Loads and stores with a scaled, unsigned 12-bit offset. */
static int a64_is_access(uint32_t w)
{
    return (w & 0x3b000000u) == 0x39000000u;
}

/* log2 of the unit that the offset of a64_is_access() counts. */
static unsigned a64_scale(uint32_t w)
{
    if ((w & 0x04800000u) == 0x04800000u)
        return 4; /* a whole vector register */
    return w >> 30;
}

/* The 12 bits that w adds to its base register. */
static uint32_t a64_low(uint32_t w)
{
    uint32_t imm = w >> 10 & 0xfffu;
    return a64_is_access(w) ? imm << a64_scale(w) : imm;
}

/* LDP, STP and their kin, with a scaled, signed 7-bit offset. */
static int a64_is_pair(uint32_t w)
{
    return (w & 0x3a000000u) == 0x28000000u && (w & 0x01800000u);
}

static unsigned a64_pair_scale(uint32_t w)
{
    return 2u + (w & 0x04000000u ? w >> 30 : w >> 31);
}

/* Which slot w refers to, or A64_SLOTS. */
static uint32_t a64_slot(uint32_t w)
{
    uint32_t off = A64_SLOTS;
    if ((w >> 5 & 31u) != 31u)
        return off;
    if (a64_is_pair(w)) {
        off = inlay_sign(w >> 15, 7);
        off = (off >> 31 ? 0u - off : off) << a64_pair_scale(w);
    } else if (a64_is_access(w) || (w & 0xbfc00000u) == 0x91000000u) {
        off = a64_low(w);
    }
    return off;
}

/* 1 if w leaves a general register in its lowest five bits. */
static int a64_writes(uint32_t w)
{
    if ((w & 0x1c000000u) == 0x14000000u)
        return 0; /* branches and system */
    if ((w & 0x3b000000u) == 0x18000000u)
        return !(w & 0x04000000u); /* literals */
    if ((w & 0x0a000000u) == 0x08000000u)
        return (w & 0x04400000u) == 0x00400000u; /* of loads and stores, integer loads */
    return (w & 0x0e000000u) != 0x0e000000u;     /* not vector arithmetic */
}

/* Looks for an instruction that uses the page in rd.  Returns its low bits, or 0x1000. */
static uint32_t a64_find_low(const uint8_t *b, uint32_t n, uint32_t rd)
{
    for (uint32_t i = 4; i + 4u <= n; i += 4) {
        uint32_t w = inlay_get32(b + i);
        if ((a64_is_add(w) || a64_is_access(w)) && (w >> 5 & 31u) == rd)
            return a64_low(w);
        if (a64_writes(w) && (w & 31u) == rd)
            break;
    }
    return 0x1000u;
}

static void a64_parse_page(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                           struct inlay_unit *u)
{
    uint32_t w = inlay_get32(b), rd = w & 31u;
    uint32_t imm = a64_adr_imm(w);
    u->type = A64_DISTANT;
    st->valid &= ~((uint32_t)1 << rd);
    if (!inlay_fits(imm, 20)) /* beyond 2 GB */
        return;
    uint32_t page = (addr & ~0xfffu) + (imm << 12);
    st->value[rd] = page;
    st->valid |= (uint32_t)1 << rd;
    if (n < 8) /* nothing to look at */
        return;
    uint32_t low = a64_find_low(b, n, rd);
    if (low < 0x1000u)
        a64_set(u, A64_PAGE, page + low);
    else
        a64_set(u, A64_DISTANT, page);
}

static int a64_parse_branch(uint32_t w, uint32_t addr, struct inlay_unit *u)
{
    if ((w & 0x7c000000u) == 0x14000000u)
        a64_set(u, w >> 31 ? A64_CALL : A64_JUMP, addr + inlay_sign(w << 2, 28));
    else if ((w & 0xff000010u) == 0x54000000u || (w & 0x7e000000u) == 0x34000000u)
        a64_set(u, A64_COND, addr + inlay_sign(w >> 3 & 0x1ffffcu, 21));
    else if ((w & 0x7e000000u) == 0x36000000u)
        a64_set(u, A64_TEST, addr + inlay_sign(w >> 3 & 0xfffcu, 16));
    else
        return 0;
    return 1;
}

static void a64_parse_other(struct inlay_arch_state *st, uint32_t w, uint32_t addr,
                            struct inlay_unit *u)
{
    uint32_t rn = w >> 5 & 31u, slot = a64_slot(w);
    if ((w & 0x3b000000u) == 0x18000000u) {
        a64_set(u, A64_LITERAL, addr + inlay_sign(w >> 3 & 0x1ffffcu, 21));
    } else if ((w & 0x9f000000u) == 0x10000000u) {
        a64_set(u, A64_ADR, addr + a64_adr_imm(w));
    } else if ((a64_is_add(w) || a64_is_access(w)) && (st->valid >> rn & 1u)) {
        uint32_t low = a64_low(w);
        if (low < 0x1000u)
            a64_set(u, a64_is_add(w) ? A64_ADD : A64_ACCESS, st->value[rn] + low);
    } else if (slot < A64_SLOTS) {
        a64_set(u, A64_SLOT, A64_STACK + ((addr & 0xfff000u) << 3) + slot);
    }
    if (a64_writes(w))
        st->valid &= ~((uint32_t)1 << (w & 31u));
}

static void a64_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                      struct inlay_unit *u)
{
    u->len = n < 4 ? 1 : 4;
    u->type = n < 4 ? A64_BYTE : A64_PLAIN;
    u->has_target = 0;
    u->target = 0;
    if (n < 4)
        return;
    uint32_t w = inlay_get32(b);
    if ((w & 0x9f000000u) == 0x90000000u)
        a64_parse_page(st, b, n, addr, u);
    else if (a64_parse_branch(w, addr, u))
        st->valid &= u->type == A64_CALL ? 0x1ff80000u : 0xffffffffu; /* what a callee keeps */
    else
        a64_parse_other(st, w, addr, u);
}

/* Puts off, in words, into `bits` bits at `at`. */
static int a64_aim_words(uint8_t *b, uint32_t off, unsigned bits, unsigned at)
{
    uint32_t mask = (((uint32_t)1 << bits) - 1u) << at;
    if (!inlay_fits(off, bits + 2u) || (off & 3u))
        return 0;
    inlay_put32(b, (inlay_get32(b) & ~mask) | (off >> 2 << at & mask));
    return 1;
}

static int a64_aim_adr(uint8_t *b, uint32_t imm)
{
    if (!inlay_fits(imm, 21))
        return 0;
    inlay_put32(b, (inlay_get32(b) & 0x9f00001fu) | (imm & 3u) << 29 | (imm >> 2 & 0x7ffffu) << 5);
    return 1;
}

static int a64_aim_low(uint8_t *b, uint32_t low)
{
    uint32_t w = inlay_get32(b);
    unsigned scale = a64_is_access(w) ? a64_scale(w) : 0;
    uint32_t imm = low >> scale;
    if (imm << scale != low || imm > 0xfffu)
        return 0;
    inlay_put32(b, (w & 0xffc003ffu) | imm << 10);
    return 1;
}

/* Before or behind the stack pointer, as it was. */
static int a64_aim_slot(uint8_t *b, uint32_t slot)
{
    uint32_t w = inlay_get32(b);
    if (slot >= A64_SLOTS)
        return 0;
    if (!a64_is_pair(w))
        return a64_aim_low(b, slot);
    unsigned scale = a64_pair_scale(w);
    uint32_t off = w >> 21 & 1u ? 0u - slot : slot, imm = slot >> scale;
    if (imm << scale != slot || !inlay_fits(off, 7u + scale))
        return 0;
    inlay_put32(b, (w & 0xffc07fffu) | (off >> scale & 0x7fu) << 15);
    return 1;
}

static int a64_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                   uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t off = target - new_addr;
    (void)st;
    (void)old_addr;
    switch (u->type) {
    case A64_CALL:
    case A64_JUMP:
        return a64_aim_words(b, off, 26, 0);
    case A64_COND:
    case A64_LITERAL:
        return a64_aim_words(b, off, 19, 5);
    case A64_TEST:
        return a64_aim_words(b, off, 14, 5);
    case A64_ADR:
        return a64_aim_adr(b, off);
    case A64_PAGE:
    case A64_DISTANT:
        return a64_aim_adr(b, inlay_sign(((target >> 12) - (new_addr >> 12)) & 0xfffffu, 20));
    case A64_ADD:
    case A64_ACCESS:
        return a64_aim_low(b, target & 0xfffu);
    case A64_SLOT:
        return a64_aim_slot(b, target & A64_OFFSETS);
    default:
        return 0;
    }
}

const struct inlay_arch inlay_arch_aarch64 = {
    .id = INLAY_ARCH_AARCH64,
    .granule = 4,
    .pointer_len = 8,
    .literal_kind = INLAY_LITERAL_BYTES,
    .parse = a64_parse,
    .aim = a64_aim,
};
