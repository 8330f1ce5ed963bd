/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Addresses in two instructions". */
#include "oracle.h"

static int hit(struct unit *u, unsigned type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
    return 1;
}

static void keep(struct registers *r, unsigned i, uint32_t value)
{
    r->value[i] = value;
    r->valid |= (uint32_t)1 << i;
}

static void drop(struct registers *r, unsigned i)
{
    r->valid &= ~((uint32_t)1 << i);
}

static int has(const struct registers *r, unsigned i)
{
    return r->valid >> i & 1;
}

/* ---- ARM ---- */

static uint32_t arm_imm16(uint32_t w)
{
    return (w >> 16 & 15) << 12 | (w & 0xfff);
}

static uint32_t rotate_right(uint32_t v, unsigned by)
{
    return by ? v >> by | v << (32 - by) : v;
}

static int arm_parse(struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr,
                     struct unit *u)
{
    uint32_t w = get32(b), rd = w >> 12 & 15;
    if ((w & 0x0fff0000) == 0x028f0000)
        return hit(u, 6, addr + 8 + rotate_right(w & 255, 2 * (w >> 8 & 15)));
    if ((w & 0x0fff0000) == 0x024f0000)
        return hit(u, 6, addr + 8 - rotate_right(w & 255, 2 * (w >> 8 & 15)));
    if ((w & 0x0ff00000) == 0x03400000 && has(r, rd)) {
        hit(u, 8, arm_imm16(w) << 16 | r->value[rd]);
        drop(r, rd);
        return 1;
    }
    if ((w & 0x0ff00000) != 0x03000000)
        return 0;
    keep(r, rd, arm_imm16(w));
    for (uint32_t i = 4; i + 4 <= n; i += 4) {
        uint32_t next = get32(b + i);
        if ((next >> 12 & 15) != rd)
            continue;
        if ((next & 0x0ff00000) == 0x03400000)
            return hit(u, 7, arm_imm16(next) << 16 | arm_imm16(w));
        if ((next & 0x0ff00000) == 0x03000000)
            break;
    }
    return 1;
}

/* The rotation that makes size out of a byte: the old one first, then 0 to 15. */
static int arm_rotation(uint32_t size, unsigned old, unsigned *rotation)
{
    for (unsigned i = 0; i <= 16; i++) {
        *rotation = i == 0 ? old : i - 1;
        if (rotate_right(size, (32 - 2 * *rotation) % 32) < 256)
            return 1;
    }
    return 0;
}

static int arm_aim_adr(uint8_t *b, uint32_t off)
{
    uint32_t w = get32(b);
    int was_plus = w >> 23 & 1;
    for (int k = 0; k < 2; k++) {
        int plus = k == 0 ? was_plus : !was_plus;
        uint32_t size = plus ? off : 0 - off;
        unsigned rotation;
        if (!arm_rotation(size, w >> 8 & 15, &rotation))
            continue;
        uint32_t byte = rotate_right(size, (32 - 2 * rotation) % 32);
        w = (w & 0xff3ff000) | (plus ? 0x00800000 : 0x00400000) | rotation << 8 | byte;
        put32(b, w);
        return 1;
    }
    return 0;
}

static int arm_aim(const struct unit *u, uint8_t *b, uint32_t new_addr, uint32_t target,
                   int *reached)
{
    if (u->type < 6 || u->type > 8)
        return 0;
    *reached = 1;
    if (u->type == 6) {
        *reached = arm_aim_adr(b, target - (new_addr + 8));
        return 1;
    }
    uint32_t half = u->type == 8 ? target >> 16 : target & 0xffff;
    put32(b, (get32(b) & 0xfff0f000) | (half >> 12) << 16 | (half & 0xfff));
    return 1;
}

/* ---- RISC-V ---- */

/* 5, 6: something that adds 12 bits to rs1; 12: not. */
static unsigned rv_kind(uint32_t w)
{
    uint32_t op = w & 0x7f;
    if (op == 0x03 || op == 0x07)
        return 5;
    if ((op == 0x13 || op == 0x1b || op == 0x67) && (w >> 12 & 7) == 0)
        return 5;
    return op == 0x23 || op == 0x27 ? 6 : 12;
}

static uint32_t rv_low(unsigned kind, uint32_t w)
{
    return sign_extend(kind == 5 ? w >> 20 : w >> 25 << 5 | (w >> 7 & 31), 12);
}

static unsigned rv_writes(uint32_t w)
{
    unsigned rd = w >> 7 & 31, f = w >> 13 & 7, op = w & 0x7f;
    switch (w & 3) {
    case 3:
        return op == 0x63 || op == 0x23 || op == 0x27 || op == 0x07 || op == 0x53 ? 0 : rd;
    case 0:
        return f == 2 || f == 3 ? 8 + (w >> 2 & 7) : 0;
    case 1:
        return f == 4 ? 8 + (rd & 7) : f == 0 || f == 2 || f == 3 ? rd : 0;
    default:
        return f == 4 ? ((w & 0x7c) ? rd : 0) : f < 4 ? rd : 0;
    }
}

static int rv_find(const uint8_t *b, uint32_t n, unsigned rd, uint32_t *low)
{
    for (uint32_t i = 4; i + 4 <= n;) {
        uint32_t w = get32(b + i);
        unsigned kind = rv_kind(w);
        if (kind != 12 && (w >> 15 & 31) == rd) {
            *low = rv_low(kind, w);
            return 1;
        }
        if (rv_writes(w) == rd)
            return 0;
        i += (w & 3) == 3 ? 4 : 2;
    }
    return 0;
}

int riscv_is_code(const uint8_t *b, uint32_t n)
{
    uint32_t w = get32(b), low;
    return ((w & 0x7f) == 0x37 || (w & 0x7f) == 0x17) && (w >> 7 & 31) != 0 &&
           rv_find(b, n, w >> 7 & 31, &low);
}

static int rv_parse(struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr,
                    struct unit *u)
{
    if (u->len != 4)
        return 0;
    uint32_t w = get32(b), rd = w >> 7 & 31, rs1 = w >> 15 & 31, low;
    int from_pc = (w & 0x7f) == 0x17;
    unsigned kind = rv_kind(w);
    if (from_pc || (w & 0x7f) == 0x37) {
        uint32_t value = (w & 0xfffff000) + (from_pc ? addr : 0);
        keep(r, rd, value | (uint32_t)from_pc);
        if (n >= 8) {
            if (rv_find(b, n, rd, &low))
                hit(u, from_pc ? 8 : 7, value + low);
            else
                hit(u, from_pc ? 10 : 9, value);
        }
        drop(r, 0);
        return 1;
    }
    if (kind == 12 || !has(r, rs1))
        return 0;
    r->value[0] = r->value[rs1];
    hit(u, kind, (r->value[rs1] & ~(uint32_t)1) + rv_low(kind, w));
    drop(r, rv_writes(w));
    drop(r, 0);
    return 1;
}

static int rv_aim(const struct registers *r, const struct unit *u, uint8_t *b, uint32_t old_addr,
                  uint32_t new_addr, uint32_t target, int *reached)
{
    if (u->type < 5 || u->type > 10)
        return 0;
    *reached = 1;
    uint32_t w = get32(b), v = target;
    if (u->type >= 7) {
        if (u->type == 8 || u->type == 10)
            v -= new_addr;
        put32(b, (w & 0xfff) | ((v + 0x800) & 0xfffff000));
        return 1;
    }
    if (r->value[0] & 1)
        v = target - (r->value[0] - 1) - (new_addr - old_addr);
    if (u->type == 5)
        w = (w & 0x000fffff) | v << 20;
    else
        w = (w & 0x01fff07f) | (v >> 5 & 127) << 25 | (v & 31) << 7;
    put32(b, w);
    return 1;
}

/* ---- AArch64 ---- */

static int is_add(uint32_t w)
{
    return (w & 0xffc00000) == 0x91000000;
}

static int is_access(uint32_t w)
{
    return (w & 0x3b000000) == 0x39000000;
}

static unsigned a64_shift(uint32_t w)
{
    if (!is_access(w))
        return 0;
    return (w & 0x04800000) == 0x04800000 ? 4 : w >> 30;
}

/* Loads and stores of two registers; the sign of their offset says nothing here. */
static int is_double(uint32_t w)
{
    return (w & 0x3a000000) == 0x28000000 && (w >> 23 & 3) != 0;
}

static unsigned double_shift(uint32_t w)
{
    return w >> 26 & 1 ? 2 + (w >> 30) : 2 + (w >> 31);
}

static uint32_t a64_low(uint32_t w)
{
    return (w >> 10 & 0xfff) << a64_shift(w);
}

static int a64_writes(uint32_t w)
{
    if ((w & 0x1c000000) == 0x14000000)
        return 0;
    if ((w & 0x3b000000) == 0x18000000)
        return !(w & 0x04000000);
    if ((w & 0x0a000000) == 0x08000000)
        return (w & 0x04400000) == 0x00400000;
    return (w & 0x0e000000) != 0x0e000000;
}

static int a64_find(const uint8_t *b, uint32_t n, uint32_t rd, uint32_t *low)
{
    for (uint32_t i = 4; i + 4 <= n; i += 4) {
        uint32_t w = get32(b + i);
        if ((is_add(w) || is_access(w)) && (w >> 5 & 31) == rd) {
            *low = a64_low(w);
            return *low < 0x1000;
        }
        if (a64_writes(w) && (w & 31) == rd)
            return 0;
    }
    return 0;
}

static int a64_parse(struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr,
                     struct unit *u)
{
    uint32_t w = get32(b), rd = w & 31, rn = w >> 5 & 31, low;
    if ((w & 0x9f000000) == 0x90000000) {
        uint32_t imm = sign_extend((w >> 5 & 0x7ffff) << 2 | (w >> 29 & 3), 21);
        u->type = 8;
        drop(r, rd);
        if (!fits(imm, 20))
            return 1;
        uint32_t page = (addr & 0xfffff000) + (imm << 12);
        keep(r, rd, page);
        if (n < 8)
            return 1;
        return a64_find(b, n, rd, &low) ? hit(u, 7, page + low) : hit(u, 8, page);
    }
    if ((is_add(w) || is_access(w)) && has(r, rn)) {
        low = a64_low(w);
        if (low < 0x1000)
            hit(u, is_add(w) ? 9 : 10, r->value[rn] + low);
        if (a64_writes(w))
            drop(r, rd);
        return 1;
    }
    if (rn == 31 && (is_double(w) || is_access(w) || (w & 0xbfc00000) == 0x91000000)) {
        uint32_t imm = sign_extend(w >> 15 & 127, 7);
        low = is_double(w) ? (imm >> 31 ? 0 - imm : imm) << double_shift(w) : a64_low(w);
        if (low < 0x4000)
            hit(u, 12, 0xf0000000 + (addr >> 12 & 0xfff) * 0x8000 + low);
        if (a64_writes(w))
            drop(r, rd);
        return 1;
    }
    return 0;
}

static void a64_aim_slot(uint8_t *b, uint32_t slot, int *reached)
{
    uint32_t w = get32(b), off = w >> 21 & 1 ? 0 - slot : slot;
    unsigned shift = is_double(w) ? double_shift(w) : a64_shift(w);
    *reached = slot < 0x4000 && slot % (1u << shift) == 0 &&
               (is_double(w) ? fits(off, 7 + shift) : slot >> shift < 0x1000);
    if (!*reached)
        return;
    if (is_double(w))
        put32(b, (w & ~(127u << 15)) | (off >> shift & 127) << 15);
    else
        put32(b, (w & ~(0xfffu << 10)) | slot >> shift << 10);
}

static int a64_aim(const struct unit *u, uint8_t *b, uint32_t new_addr, uint32_t target,
                   int *reached)
{
    if (u->type < 7)
        return 0;
    uint32_t w = get32(b);
    *reached = 1;
    if (u->type <= 8) {
        uint32_t imm = sign_extend((target >> 12) - (new_addr >> 12), 20);
        put32(b, (w & 0x9f00001f) | (imm & 3) << 29 | (imm >> 2 & 0x7ffff) << 5);
        return 1;
    }
    if (u->type == 12) {
        a64_aim_slot(b, target & 0x7fff, reached);
        return 1;
    }
    uint32_t low = target & 0xfff;
    *reached = low % ((uint32_t)1 << a64_shift(w)) == 0;
    if (*reached)
        put32(b, (w & 0xffc003ff) | low >> a64_shift(w) << 10);
    return 1;
}

/* ---- AVR ---- */

static uint32_t avr_byte(uint32_t op)
{
    return (op >> 4 & 0xf0) | (op & 15);
}

static void avr_pair(struct unit *u, unsigned type, uint32_t low, uint32_t high)
{
    uint32_t v = high << 8 | low;
    if (type >= 10)
        v = (0 - v) & 0xffff;
    if (v >= 0x100)
        hit(u, type, 0x800000 + v);
}

/* LDI or SUBI to an even register: 1 if the other half is in sight. */
static int avr_parse_low(struct registers *r, const uint8_t *b, uint32_t n, struct unit *u)
{
    uint32_t op = get16(b), reg = 16 + (op >> 4 & 15), minus = op >> 12 == 5;
    if (reg & 1)
        return 0;
    drop(r, reg);
    for (uint32_t i = 2; i <= 8 && i + 2 <= n; i += 2) {
        uint32_t next = get16(b + i), top = next >> 12, to = 16 + (next >> 4 & 15);
        if (top == (minus ? 4u : 14u) && to == reg + 1) {
            keep(r, reg, minus << 8 | avr_byte(op));
            avr_pair(u, minus ? 10 : 8, avr_byte(op), avr_byte(next));
            return 1;
        }
        if ((top == 5 || top == 14) && to == reg)
            return 0;
        if ((next & 0xfc0f) == 0x9000 || (next & 0xfe0c) == 0x940c)
            i += 2;
    }
    return 0;
}

static int avr_parse(struct registers *r, const uint8_t *b, uint32_t n, struct unit *u)
{
    uint32_t op = get16(b), top = op >> 12, low = 15 + (op >> 4 & 15), minus = top == 4;
    if (u->len != 2 || (top != 4 && top != 5 && top != 14))
        return 0;
    if (top != 4 && avr_parse_low(r, b, n, u))
        return 1;
    if (top == 5 || low % 2 != 0 || !has(r, low) || r->value[low] >> 8 != minus)
        return 1;
    avr_pair(u, minus ? 11 : 9, r->value[low] & 255, avr_byte(op));
    drop(r, low);
    return 1;
}

static int avr_aim(const struct unit *u, uint8_t *b, uint32_t target, int *reached)
{
    uint32_t v = target - 0x800000;
    if (u->type < 8)
        return 0;
    *reached = v <= 0xffff && v >= 0x100;
    if (!*reached)
        return 1;
    if (u->type >= 10)
        v = 0 - v;
    if (u->type & 1)
        v >>= 8;
    put16(b, (get16(b) & 0xf0f0) | (v & 0xf0) << 4 | (v & 15));
    return 1;
}

/* ---- by processor ---- */

int pair_parse(unsigned id, struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr,
               struct unit *u)
{
    switch (id) {
    case CPU_ARM:
        return arm_parse(r, b, n, addr, u);
    case CPU_RISCV:
        return rv_parse(r, b, n, addr, u);
    case CPU_AARCH64:
        return a64_parse(r, b, n, addr, u);
    case CPU_AVR:
        return avr_parse(r, b, n, u);
    default:
        return 0;
    }
}

int pair_aim(unsigned id, const struct registers *r, const struct unit *u, uint8_t *b,
             uint32_t old_addr, uint32_t new_addr, uint32_t target, int *reached)
{
    switch (id) {
    case CPU_ARM:
        return arm_aim(u, b, new_addr, target, reached);
    case CPU_RISCV:
        return rv_aim(r, u, b, old_addr, new_addr, target, reached);
    case CPU_AARCH64:
        return a64_aim(u, b, new_addr, target, reached);
    case CPU_AVR:
        return avr_aim(u, b, target, reached);
    default:
        return 0;
    }
}

/* What other instructions do to the registers. */
void pair_after(unsigned id, struct registers *r, const uint8_t *b, const struct unit *u)
{
    if (u->len == 1)
        return;
    if (id == CPU_RISCV) {
        drop(r, rv_writes(u->len == 4 ? get32(b) : get16(b)));
        drop(r, 0);
    }
    if (id == CPU_AARCH64) {
        uint32_t w = get32(b);
        if (u->type == 1)
            r->valid &= 0x1ff80000;
        else if ((u->type == 0 || u->type > 4) && a64_writes(w))
            drop(r, w & 31);
    }
}
