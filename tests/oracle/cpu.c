/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FORMAT.md, "Processors": instructions whose offset is a field are rows of
 * tables, the first row that matches counts; the others are in pair.c, x86.c and
 * wasm.c.
 */
#include "oracle.h"

enum { NONE, SIGNED, UNSIGNED, MAGNITUDE };
enum { AT_0, AT_RAM, AT_PC, AT_PC2, AT_PC4, AT_WORD4, AT_PC8, AT_CALL_XT, AT_LITERAL_XT };

struct piece {
    uint8_t to, bits, from; /* bits of the value, how many, bits of the instruction */
};

struct row {
    uint8_t len;
    uint32_t mask, match;
    uint8_t type, kind, origin;
    uint8_t bits, zeros; /* of the offset; so many at its end are zero */
    struct piece piece[9];
    uint32_t plus, minus; /* MAGNITUDE: the bits that say so */
};

/* One row, one line. */
/* clang-format off */
#define BRANCH_T {{1, 11, 0}, {12, 10, 16}, {22, 1, 11}, {23, 1, 13}, {24, 1, 26}}

static const struct row thumb2[] = {
    {4, 0xf800d000, 0xf000d000, 2, SIGNED, AT_PC4, 25, 1, BRANCH_T, 0, 0},
    {4, 0xf800d000, 0xf0009000, 3, SIGNED, AT_PC4, 25, 1, BRANCH_T, 0, 0},
    {4, 0xf800d000, 0xf000c000, 15, SIGNED, AT_WORD4, 25, 1, BRANCH_T, 0, 0},
    {4, 0xfb80d000, 0xf3808000, 1, NONE, 0, 0, 0, {{0}}, 0, 0},
    {4, 0xf800d000, 0xf0008000, 4, SIGNED, AT_PC4, 21, 1,
     {{1, 11, 0}, {12, 6, 16}, {18, 1, 13}, {19, 1, 11}, {20, 1, 26}}, 0, 0},
    {4, 0xfe7f0000, 0xf87f0000, 1, NONE, 0, 0, 0, {{0}}, 0, 0},
    {4, 0xfe1f0000, 0xf81f0000, 10, MAGNITUDE, AT_WORD4, 12, 0, {{0, 12, 0}}, 1u << 23, 0},
    {4, 0xff3f0e00, 0xed1f0a00, 12, MAGNITUDE, AT_WORD4, 10, 2, {{2, 8, 0}}, 1u << 23, 0},
    {4, 0xfbff8000, 0xf20f0000, 11, MAGNITUDE, AT_WORD4, 12, 0,
     {{0, 8, 0}, {8, 3, 12}, {11, 1, 26}}, 0, 0xa00000},
    {4, 0xfbff8000, 0xf2af0000, 11, MAGNITUDE, AT_WORD4, 12, 0,
     {{0, 8, 0}, {8, 3, 12}, {11, 1, 26}}, 0, 0xa00000},
    {4, 0xfb708000, 0xf2400000, 13, NONE, 0, 0, 0, {{0}}, 0, 0},
    {4, 0, 0, 1, NONE, 0, 0, 0, {{0}}, 0, 0},
    {2, 0xf800, 0x4800, 8, UNSIGNED, AT_WORD4, 10, 2, {{2, 8, 0}}, 0, 0},
    {2, 0xf800, 0xa000, 9, UNSIGNED, AT_WORD4, 10, 2, {{2, 8, 0}}, 0, 0},
    {2, 0xf800, 0xe000, 5, SIGNED, AT_PC4, 12, 1, {{1, 11, 0}}, 0, 0},
    {2, 0xfe00, 0xde00, 0, NONE, 0, 0, 0, {{0}}, 0, 0},
    {2, 0xf000, 0xd000, 6, SIGNED, AT_PC4, 9, 1, {{1, 8, 0}}, 0, 0},
    {2, 0xf500, 0xb100, 7, UNSIGNED, AT_PC4, 7, 1, {{1, 5, 3}, {6, 1, 9}}, 0, 0},
    {2, 0, 0, 0, NONE, 0, 0, 0, {{0}}, 0, 0},
    {1, 0, 0, 14, NONE, 0, 0, 0, {{0}}, 0, 0},
};

static const struct row arm[] = {
    {4, 0xfe000000, 0xfa000000, 1, SIGNED, AT_PC8, 26, 1, {{1, 1, 24}, {2, 24, 0}}, 0, 0},
    {4, 0x0f000000, 0x0b000000, 1, SIGNED, AT_PC8, 26, 2, {{2, 24, 0}}, 0, 0},
    {4, 0x0f000000, 0x0a000000, 2, SIGNED, AT_PC8, 26, 2, {{2, 24, 0}}, 0, 0},
    {4, 0x0f2f0000, 0x050f0000, 3, MAGNITUDE, AT_PC8, 12, 0, {{0, 12, 0}}, 1u << 23, 0},
    {4, 0x0f6f00f0, 0x014f0090, 0, NONE, 0, 0, 0, {{0}}, 0, 0},
    {4, 0x0f6f0090, 0x014f0090, 4, MAGNITUDE, AT_PC8, 8, 0, {{0, 4, 0}, {4, 4, 8}}, 1u << 23, 0},
    {4, 0x0f3f0e00, 0x0d1f0a00, 5, MAGNITUDE, AT_PC8, 10, 2, {{2, 8, 0}}, 1u << 23, 0},
    {4, 0, 0, 0, NONE, 0, 0, 0, {{0}}, 0, 0},
    {1, 0, 0, 9, NONE, 0, 0, 0, {{0}}, 0, 0},
};

static const struct row aarch64[] = {
    {4, 0xfc000000, 0x94000000, 1, SIGNED, AT_PC, 28, 2, {{2, 26, 0}}, 0, 0},
    {4, 0xfc000000, 0x14000000, 2, SIGNED, AT_PC, 28, 2, {{2, 26, 0}}, 0, 0},
    {4, 0xff000010, 0x54000000, 3, SIGNED, AT_PC, 21, 2, {{2, 19, 5}}, 0, 0},
    {4, 0x7e000000, 0x34000000, 3, SIGNED, AT_PC, 21, 2, {{2, 19, 5}}, 0, 0},
    {4, 0x7e000000, 0x36000000, 4, SIGNED, AT_PC, 16, 2, {{2, 14, 5}}, 0, 0},
    {4, 0x3b000000, 0x18000000, 5, SIGNED, AT_PC, 21, 2, {{2, 19, 5}}, 0, 0},
    {4, 0x9f000000, 0x10000000, 6, SIGNED, AT_PC, 21, 0, {{0, 2, 29}, {2, 19, 5}}, 0, 0},
    {4, 0, 0, 0, NONE, 0, 0, 0, {{0}}, 0, 0},
    {1, 0, 0, 11, NONE, 0, 0, 0, {{0}}, 0, 0},
};

#define JUMP_RV \
    {{1, 3, 3}, {4, 1, 11}, {5, 1, 2}, {6, 1, 7}, {7, 1, 6}, {8, 2, 9}, {10, 1, 8}, {11, 1, 12}}
#define COND_RV {{1, 2, 3}, {3, 2, 10}, {5, 1, 2}, {6, 2, 5}, {8, 1, 12}}

static const struct row riscv[] = {
    {4, 0x7f, 0x6f, 0, SIGNED, AT_PC, 21, 1,
     {{1, 10, 21}, {11, 1, 20}, {12, 8, 12}, {20, 1, 31}}, 0, 0},
    {4, 0x7f, 0x63, 1, SIGNED, AT_PC, 13, 1,
     {{1, 4, 8}, {5, 6, 25}, {11, 1, 7}, {12, 1, 31}}, 0, 0},
    {4, 3, 3, 12, NONE, 0, 0, 0, {{0}}, 0, 0},
    {2, 0xe003, 0xa001, 2, SIGNED, AT_PC, 12, 1, JUMP_RV, 0, 0},
    {2, 0xe003, 0x2001, 3, SIGNED, AT_PC, 12, 1, JUMP_RV, 0, 0},
    {2, 0xe003, 0xc001, 4, SIGNED, AT_PC, 9, 1, COND_RV, 0, 0},
    {2, 0xe003, 0xe001, 4, SIGNED, AT_PC, 9, 1, COND_RV, 0, 0},
    {2, 0, 0, 11, NONE, 0, 0, 0, {{0}}, 0, 0},
    {1, 0, 0, 13, NONE, 0, 0, 0, {{0}}, 0, 0},
};

static const struct row xtensa[] = {
    {3, 0x0f, 0x01, 4, UNSIGNED, AT_LITERAL_XT, 18, 2, {{2, 16, 8}}, 0, 0},
    {3, 0x0f, 0x05, 2, SIGNED, AT_CALL_XT, 20, 2, {{2, 18, 6}}, 0, 0},
    {3, 0x3f, 0x06, 3, SIGNED, AT_PC4, 18, 0, {{0, 18, 6}}, 0, 0},
    {3, 0x3f, 0x16, 5, SIGNED, AT_PC4, 12, 0, {{0, 12, 12}}, 0, 0},
    {3, 0xff, 0x36, 1, NONE, 0, 0, 0, {{0}}, 0, 0},
    {3, 0xe0ff, 0x0076, 6, SIGNED, AT_PC4, 8, 0, {{0, 8, 16}}, 0, 0},
    {3, 0xe0ff, 0x8076, 7, UNSIGNED, AT_PC4, 8, 0, {{0, 8, 16}}, 0, 0},
    {3, 0xf0ff, 0xa076, 7, UNSIGNED, AT_PC4, 8, 0, {{0, 8, 16}}, 0, 0},
    {3, 0xff, 0x76, 1, NONE, 0, 0, 0, {{0}}, 0, 0},
    {3, 0x2f, 0x26, 6, SIGNED, AT_PC4, 8, 0, {{0, 8, 16}}, 0, 0},
    {3, 0x0f, 0x07, 6, SIGNED, AT_PC4, 8, 0, {{0, 8, 16}}, 0, 0},
    {3, 0, 0, 1, NONE, 0, 0, 0, {{0}}, 0, 0},
    {2, 0x8f, 0x8c, 8, UNSIGNED, AT_PC4, 6, 0, {{0, 4, 12}, {4, 2, 4}}, 0, 0},
    {2, 0, 0, 0, NONE, 0, 0, 0, {{0}}, 0, 0},
    {1, 0, 0, 9, NONE, 0, 0, 0, {{0}}, 0, 0},
};

#define FAR_AVR {{1, 17, 0}, {18, 5, 20}}

static const struct row avr[] = {
    {4, 0xfe0e0000, 0x940e0000, 1, UNSIGNED, AT_0, 23, 1, FAR_AVR, 0, 0},
    {4, 0xfe0e0000, 0x940c0000, 2, UNSIGNED, AT_0, 23, 1, FAR_AVR, 0, 0},
    {4, 0xfe0f0000, 0x90000000, 6, UNSIGNED, AT_RAM, 16, 0, {{0, 16, 0}}, 0, 0},
    {4, 0xfe0f0000, 0x92000000, 7, UNSIGNED, AT_RAM, 16, 0, {{0, 16, 0}}, 0, 0},
    {2, 0xf000, 0xd000, 3, SIGNED, AT_PC2, 13, 1, {{1, 12, 0}}, 0, 0},
    {2, 0xf000, 0xc000, 4, SIGNED, AT_PC2, 13, 1, {{1, 12, 0}}, 0, 0},
    {2, 0xf800, 0xf000, 5, SIGNED, AT_PC2, 8, 1, {{1, 7, 3}}, 0, 0},
    {2, 0, 0, 0, NONE, 0, 0, 0, {{0}}, 0, 0},
    {1, 0, 0, 12, NONE, 0, 0, 0, {{0}}, 0, 0},
};

/* clang-format on */

static const struct row *const rows[8] = {
    [CPU_THUMB2] = thumb2, [CPU_ARM] = arm,       [CPU_AARCH64] = aarch64,
    [CPU_RISCV] = riscv,   [CPU_XTENSA] = xtensa, [CPU_AVR] = avr,
};

static const struct cpu cpus[9] = {
    [CPU_NONE] = {1, 0, 0, BY_BYTES},    [CPU_THUMB2] = {2, 4, 0, BY_HALVES},
    [CPU_ARM] = {4, 4, 0, BY_BYTES},     [CPU_AARCH64] = {4, 8, 0, BY_BYTES},
    [CPU_RISCV] = {2, 4, 0, BY_PARCELS}, [CPU_XTENSA] = {1, 4, 1, BY_PARCELS},
    [CPU_AVR] = {2, 0, 0, BY_HALVES},    [CPU_X86_64] = {1, 8, 0, BY_BYTES},
    [CPU_WASM] = {1, 4, 0, BY_BYTES},
};

const struct cpu *cpu_of(unsigned id)
{
    return id < 9 ? &cpus[id] : NULL;
}

/* The length of the instruction at b; 1 if it does not fit. */
static unsigned length(unsigned id, const uint8_t *b, uint32_t n)
{
    unsigned len = 4;
    uint32_t op = n < 2 ? b[0] : get16(b);
    if (id == CPU_THUMB2)
        len = op >= 0xe800 && n >= 4 ? 4 : 2;
    if (id == CPU_RISCV)
        len = (op & 3) == 3 ? 4 : 2;
    if (id == CPU_XTENSA)
        len = (op & 15) >= 8 && (op & 15) < 14 ? 2 : 3;
    if (id == CPU_AVR)
        len = ((op & 0xfc0f) == 0x9000 || (op & 0xfe0c) == 0x940c) && n >= 4 ? 4 : 2;
    return len <= n ? len : 1;
}

static int halves_swapped(unsigned id)
{
    return id == CPU_THUMB2 || id == CPU_AVR;
}

static uint32_t load(unsigned id, const uint8_t *b, unsigned len)
{
    if (len == 4)
        return halves_swapped(id) ? get16(b) << 16 | get16(b + 2) : get32(b);
    return len == 1 ? b[0] : len == 2 ? get16(b) : get16(b) | (uint32_t)b[2] << 16;
}

static void store(unsigned id, uint8_t *b, unsigned len, uint32_t w)
{
    if (len == 4 && halves_swapped(id))
        w = w << 16 | w >> 16;
    for (unsigned i = 0; i < len; i++)
        b[i] = w >> 8 * i & 255;
}

static const struct row *find_row(unsigned id, unsigned len, uint32_t w)
{
    const struct row *r = rows[id];
    while (r->len != len || (w & r->mask) != r->match)
        r++;
    return r;
}

static uint32_t origin(const struct row *r, uint32_t addr)
{
    switch (r->origin) {
    case AT_RAM:
        return 0x800000;
    case AT_PC:
        return addr;
    case AT_PC2:
        return addr + 2;
    case AT_PC4:
        return addr + 4;
    case AT_WORD4:
        return (addr + 4) / 4 * 4;
    case AT_PC8:
        return addr + 8;
    case AT_CALL_XT:
        return addr / 4 * 4 + 4;
    case AT_LITERAL_XT:
        return ((addr + 3) & 0xfffffffc) - 0x40000;
    default:
        return 0;
    }
}

static uint32_t ones(unsigned bits)
{
    return bits < 32 ? ((uint32_t)1 << bits) - 1 : 0xffffffff;
}

/* The J bits of a Thumb branch are inverted where the sign is 0. */
static uint32_t untwist(unsigned id, const struct row *r, uint32_t v)
{
    if (id == CPU_THUMB2 && r->bits == 25 && !(v >> 24 & 1))
        return v ^ 0xc00000;
    return v;
}

void cpu_parse(unsigned id, struct registers *regs, const uint8_t *b, uint32_t n, uint32_t addr,
               struct unit *u)
{
    u->has_target = 0;
    u->target = 0;
    if (id == CPU_NONE) {
        u->len = n < 4 - addr % 4 ? n : 4 - addr % 4;
        u->type = 0;
        return;
    }
    if (id == CPU_X86_64) {
        x86_parse(regs, b, n, addr, u);
        return;
    }
    if (id == CPU_WASM) {
        wasm_parse(regs, b, n, addr, u);
        return;
    }
    u->len = length(id, b, n);
    uint32_t w = load(id, b, u->len);
    const struct row *r = find_row(id, u->len, w);
    u->type = r->type;
    if (u->len > 1 && pair_parse(id, regs, b, n, addr, u))
        return;
    if (r->kind == NONE) {
        pair_after(id, regs, b, u);
        return;
    }
    uint32_t v = 0;
    for (const struct piece *p = r->piece; p->bits; p++)
        v |= (w >> p->from & ones(p->bits)) << p->to;
    v = untwist(id, r, v);
    if (r->kind == SIGNED)
        v = sign_extend(v, r->bits);
    if (r->kind == MAGNITUDE && (w & (r->plus | r->minus)) != r->plus)
        v = 0 - v;
    u->has_target = 1;
    u->target = origin(r, addr) + v;
    pair_after(id, regs, b, u);
}

int cpu_aim(unsigned id, const struct registers *regs, const struct unit *u, uint8_t *b,
            uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    int reached;
    if (id == CPU_X86_64)
        return x86_aim(regs, u, b, new_addr, target);
    if (id == CPU_WASM)
        return wasm_aim(u, b, new_addr, target);
    if (pair_aim(id, regs, u, b, old_addr, new_addr, target, &reached))
        return reached;
    uint32_t w = load(id, b, u->len);
    const struct row *r = find_row(id, u->len, w);
    uint32_t v = target - origin(r, new_addr);
    if (r->kind == NONE)
        return 0;
    if (r->kind == MAGNITUDE) {
        uint32_t sign = r->plus | r->minus;
        int plus = v ? v < 0x80000000 : (w & sign) == r->plus;
        w = (w & ~sign) | (plus ? r->plus : r->minus);
        v = plus ? v : 0 - v;
    }
    if (r->kind == SIGNED ? !fits(v, r->bits) : v > ones(r->bits))
        return 0;
    if (v & ones(r->zeros))
        return 0;
    v = untwist(id, r, v);
    for (const struct piece *p = r->piece; p->bits; p++)
        w = (w & ~(ones(p->bits) << p->from)) | (v >> p->to & ones(p->bits)) << p->from;
    store(id, b, u->len, w);
    return 1;
}

int cpu_is_code(unsigned id, const uint8_t *b, uint32_t n, uint32_t addr)
{
    if (id == CPU_WASM)
        return addr >= 0x80000000;
    return id == CPU_RISCV && riscv_is_code(b, n);
}
