/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVR (AVR Instruction Set Manual).
 *
 * Addresses of RAM are those of the compiler: 0x800000 and up.  A pair of LDI,
 * or of SUBI and SBCI with the address negated, for two registers in a row is
 * taken for one.  At the first we look ahead for the second; value[r] is then
 * the low byte in register r.
 */
#include "arch.h"
#include "bits.h"

enum {
    AVR_PLAIN,
    AVR_CALL,  /* CALL */
    AVR_JUMP,  /* JMP */
    AVR_RCALL, /* RCALL */
    AVR_RJUMP, /* RJMP */
    AVR_COND,  /* BREQ and its kin */
    AVR_LOAD,  /* LDS */
    AVR_STORE, /* STS */
    AVR_LOW,   /* LDI */
    AVR_HIGH,
    AVR_LOW_MINUS,  /* SUBI */
    AVR_HIGH_MINUS, /* SBCI */
    AVR_BYTE
};

#define AVR_RAM     0x800000u
#define AVR_RAM_MIN 0x100u /* registers are below */

static void avr_set(struct inlay_unit *u, uint8_t type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

/* CALL, JMP, LDS, STS: two words. */
static void avr_parse_wide(uint32_t op, uint32_t word, struct inlay_unit *u)
{
    u->len = 4;
    if ((op & 0xfc0fu) == 0x9000u)
        avr_set(u, op & 0x200u ? AVR_STORE : AVR_LOAD, AVR_RAM + word);
    else
        avr_set(u, op & 2u ? AVR_CALL : AVR_JUMP,
                ((op >> 3 & 0x3eu) | (op & 1u)) << 17 | word << 1);
}

static int avr_is_wide(uint32_t op)
{
    return (op & 0xfc0fu) == 0x9000u || (op & 0xfe0cu) == 0x940cu;
}

/* The register of LDI, SUBI and SBCI, and their byte. */
static uint32_t avr_register(uint32_t op)
{
    return 16u + (op >> 4 & 15u);
}

static uint32_t avr_value(uint32_t op)
{
    return (op >> 4 & 0xf0u) | (op & 15u);
}

static void avr_pair(struct inlay_unit *u, uint8_t type, uint32_t low, uint32_t high)
{
    uint32_t v = high << 8 | low;
    if (type >= AVR_LOW_MINUS)
        v = (0u - v) & 0xffffu;
    if (v >= AVR_RAM_MIN)
        avr_set(u, type, AVR_RAM + v);
}

/* LDI and SUBI: looks for the same of the next register.  1 if there is one. */
static int avr_parse_low(struct inlay_arch_state *st, const uint8_t *b, uint32_t n,
                         struct inlay_unit *u)
{
    uint32_t op = inlay_get16(b), r = avr_register(op);
    uint32_t minus = (op & 0xf000u) == 0x5000u;
    uint32_t want = (minus ? 0x4000u : 0xe000u) | ((r + 1u) & 15u) << 4;
    if (r & 1u)
        return 0;
    st->valid &= ~((uint32_t)1 << r);
    for (uint32_t i = 2; i + 2u <= n && i <= 8u; i += 2) {
        uint32_t next = inlay_get16(b + i), top = next >> 12;
        if ((next & 0xf0f0u) == want) {
            st->value[r] = minus << 8 | avr_value(op);
            st->valid |= (uint32_t)1 << r;
            avr_pair(u, minus ? AVR_LOW_MINUS : AVR_LOW, avr_value(op), avr_value(next));
            return 1;
        }
        if ((top == 5u || top == 0xeu) && avr_register(next) == r)
            break; /* changed again */
        if (avr_is_wide(next))
            i += 2;
    }
    return 0;
}

/* LDI and SBCI: completes what avr_parse_low() began. */
static void avr_parse_high(struct inlay_arch_state *st, uint32_t op, struct inlay_unit *u)
{
    uint32_t low = avr_register(op) - 1u;
    uint32_t minus = (op & 0xf000u) == 0x4000u;
    if ((low & 1u) || !(st->valid >> low & 1u) || st->value[low] >> 8 != minus)
        return;
    avr_pair(u, minus ? AVR_HIGH_MINUS : AVR_HIGH, st->value[low] & 0xffu, avr_value(op));
    st->valid &= ~((uint32_t)1 << low);
}

static void avr_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                      struct inlay_unit *u)
{
    u->len = n < 2 ? 1 : 2;
    u->type = n < 2 ? AVR_BYTE : AVR_PLAIN;
    u->has_target = 0;
    u->target = 0;
    if (n < 2)
        return;
    uint32_t op = inlay_get16(b);
    uint32_t top = op >> 12;
    if (n >= 4 && avr_is_wide(op))
        avr_parse_wide(op, inlay_get16(b + 2), u);
    else if (top == 0xcu || top == 0xdu)
        avr_set(u, top == 0xdu ? AVR_RCALL : AVR_RJUMP, addr + 2u + inlay_sign(op << 1, 13));
    else if ((op & 0xf800u) == 0xf000u)
        avr_set(u, AVR_COND, addr + 2u + inlay_sign(op >> 2 & 0xfeu, 8));
    else if (top == 0xeu || top == 5u) {
        if (!avr_parse_low(st, b, n, u) && top == 0xeu)
            avr_parse_high(st, op, u);
    } else if (top == 4u)
        avr_parse_high(st, op, u);
}

static int avr_aim_far(uint8_t *b, uint32_t target)
{
    uint32_t high = target >> 17;
    if (target >> 23 || (target & 1u))
        return 0;
    inlay_put16(b, (inlay_get16(b) & 0xfe0eu) | (high & 0x3eu) << 3 | (high & 1u));
    inlay_put16(b + 2, target >> 1);
    return 1;
}

/* Puts off, in words, into `bits` bits at `at`. */
static int avr_aim_near(uint8_t *b, uint32_t off, unsigned bits, unsigned at)
{
    uint32_t mask = (((uint32_t)1 << bits) - 1u) << at;
    if (!inlay_fits(off, bits + 1u) || (off & 1u))
        return 0;
    inlay_put16(b, (inlay_get16(b) & ~mask) | (off >> 1 << at & mask));
    return 1;
}

static int avr_aim_byte(uint8_t *b, uint32_t v)
{
    inlay_put16(b, (inlay_get16(b) & 0xf0f0u) | (v & 0xf0u) << 4 | (v & 15u));
    return 1;
}

static int avr_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                   uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t off = target - (new_addr + 2u), ram = target - AVR_RAM;
    (void)st;
    (void)old_addr;
    if (u->type >= AVR_LOAD && (ram >> 16 || (u->type >= AVR_LOW && ram < AVR_RAM_MIN)))
        return 0;
    switch (u->type) {
    case AVR_CALL:
    case AVR_JUMP:
        return avr_aim_far(b, target);
    case AVR_RCALL:
    case AVR_RJUMP:
        return avr_aim_near(b, off, 12, 0);
    case AVR_COND:
        return avr_aim_near(b, off, 7, 3);
    case AVR_LOAD:
    case AVR_STORE:
        inlay_put16(b + 2, ram);
        return 1;
    case AVR_LOW:
        return avr_aim_byte(b, ram);
    case AVR_HIGH:
        return avr_aim_byte(b, ram >> 8);
    case AVR_LOW_MINUS:
        return avr_aim_byte(b, 0u - ram);
    case AVR_HIGH_MINUS:
        return avr_aim_byte(b, (0u - ram) >> 8);
    default:
        return 0;
    }
}

const struct inlay_arch inlay_arch_avr = {
    .id = INLAY_ARCH_AVR,
    .granule = 2,
    .pointer_len = 0,
    .literal_kind = INLAY_LITERAL_HALVES,
    .parse = avr_parse,
    .aim = avr_aim,
};
