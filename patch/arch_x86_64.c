/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64 in 64-bit mode: the lengths of instructions, relative branches and
 * rip-relative operands (Intel Software Developer's Manual, volume 2, 2 and A).
 *
 * An instruction is one unit if it has at most 8 bytes.  A longer one is cut
 * before its displacement, or after 8 bytes; what is left is remembered in the
 * state: value[0] is its address, value[1] its length, value[2] whether it
 * starts with a displacement.  Of an index value[3] is the new address of the
 * symbol table (System V Application Binary Interface, 4, "Symbol Table").
 */
#include "arch.h"
#include "bits.h"

#include <string.h>

enum {
    X86_PLAIN,
    X86_CALL,
    X86_JUMP,
    X86_COND,
    X86_JUMP8, /* offset of one byte */
    X86_COND8,
    X86_DATA,    /* a whole instruction with a rip-relative operand */
    X86_ADDRESS, /* LEA of one */
    X86_SPLIT,   /* the second part of an instruction, with the displacement first */
    X86_REST,    /* the second part of another */
    X86_BYTE,
    X86_WORD, /* of data, or what is left of one */
    X86_INDEX /* of a symbol */
};

/* What may follow an opcode. */
enum {
    X86_M = 1,   /* a ModRM byte, and what that asks for */
    X86_B = 2,   /* an immediate byte */
    X86_W = 4,   /* two */
    X86_D = 8,   /* four, or two after an operand size prefix */
    X86_R8 = 16, /* a branch offset of one byte */
    X86_R32 = 32 /* of four */
};

/* By opcode, two to a byte, the lower first: an index into x86_kinds. */
static const uint8_t x86_opcodes[128] = {
    0x11, 0x11, 0x32, 0,    0x11, 0x11, 0x32, 0,    /* 00: arithmetic */
    0x11, 0x11, 0x32, 0,    0x11, 0x11, 0x32, 0,    /* 10 */
    0x11, 0x11, 0x32, 0,    0x11, 0x11, 0x32, 0,    /* 20 */
    0x11, 0x11, 0x32, 0,    0x11, 0x11, 0x32, 0,    /* 30 */
    0,    0,    0,    0,    0,    0,    0,    0,    /* 40: REX */
    0,    0,    0,    0,    0,    0,    0,    0,    /* 50: PUSH, POP */
    0,    0x10, 0,    0,    0x53, 0x42, 0,    0,    /* 60 */
    0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, 0x77, /* 70: Jcc */
    0x54, 0x40, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, /* 80: MOV, LEA, TEST */
    0,    0,    0,    0,    0,    0,    0,    0,    /* 90 */
    0,    0,    0,    0,    0x32, 0,    0,    0,    /* a0 */
    0x22, 0x22, 0x22, 0x22, 0x33, 0x33, 0x33, 0x33, /* b0: MOV */
    0x44, 0x06, 0,    0x54, 0x09, 0x06, 0x20, 0,    /* c0 */
    0x11, 0x11, 0,    0,    0x11, 0x11, 0x11, 0x11, /* d0 */
    0x77, 0x77, 0x22, 0x22, 0x88, 0x70, 0,    0,    /* e0: CALL, JMP */
    0,    0,    0,    0x11, 0,    0,    0,    0x11, /* f0 */
};

static uint8_t x86_kind(uint32_t op)
{
    static const uint8_t x86_kinds[] = {
        0, X86_M, X86_B, X86_D, X86_M | X86_B, X86_M | X86_D, X86_W, X86_R8, X86_R32, X86_B | X86_W,
    };
    return x86_kinds[x86_opcodes[op >> 1] >> 4u * (op & 1u) & 15u];
}

/* The same for opcodes after 0F. */
static uint8_t x86_kind_0f(uint32_t op)
{
    uint32_t stack = op & 0xf7u; /* PUSH FS, POP FS, CPUID and PUSH GS, POP GS, RSM */
    if ((op & 0xf0u) == 0x80u)
        return X86_R32;
    if ((op & 0xfcu) == 0x70u || stack == 0xa4u || op == 0xbau || op == 0xc2u ||
        (op >= 0xc4u && op <= 0xc6u))
        return X86_M | X86_B;
    if ((op >= 0x05u && op <= 0x0eu && op != 0x0du) || (op & 0xf8u) == 0x30u || op == 0x77u ||
        (stack >= 0xa0u && stack <= 0xa2u) || (op & 0xf8u) == 0xc8u)
        return 0;
    return X86_M;
}

struct x86_insn {
    uint8_t len;
    uint8_t disp; /* where a displacement or branch offset starts that makes a target */
    uint8_t type; /* X86_PLAIN: there is none */
};

/* Where decoding is: at b[at], of 16 bytes. */
struct x86_cursor {
    const uint8_t *b;
    uint32_t at;
    uint32_t map; /* 1: one-byte opcodes, 2: after 0F, 3: after 0F 38, 4: after 0F 3A */
    uint32_t op;
    uint8_t kind; /* what follows the opcode */
    uint8_t half; /* operand size prefix */
    uint8_t wide; /* REX.W */
};

static int x86_is_prefix(uint32_t c)
{
    return c == 0x66u || c == 0x67u || c == 0xf0u || c == 0xf2u || c == 0xf3u || c == 0x64u ||
           c == 0x65u || (c & 0xe7u) == 0x26u;
}

/* Prefixes and the opcode. */
static void x86_opcode(struct x86_cursor *c)
{
    c->map = 1;
    while (c->at < 5u && x86_is_prefix(c->b[c->at])) {
        c->half |= c->b[c->at] == 0x66u;
        c->at++;
    }
    if ((c->b[c->at] & 0xf0u) == 0x40u)
        c->wide = c->b[c->at++] >> 3 & 1u;
    c->op = c->b[c->at++];
    if (c->op == 0x0fu) {
        c->op = c->b[c->at++];
        c->map = 2;
        if (c->op == 0x38u || c->op == 0x3au) {
            c->map = c->op == 0x38u ? 3 : 4;
            c->op = c->b[c->at++];
        }
    } else if (c->op == 0xc4u || c->op == 0xc5u || c->op == 0x62u) { /* VEX, EVEX */
        c->map = c->op == 0xc5u ? 2 : (c->b[c->at] & 3u) + 1u;
        c->at += c->op == 0xc5u ? 1u : c->op == 0xc4u ? 2u : 3u;
        c->op = c->b[c->at++];
    }
}

/* ModRM, SIB and displacement. */
static void x86_operand(struct x86_cursor *c, struct x86_insn *in)
{
    uint32_t modrm = c->b[c->at++];
    uint32_t mod = modrm >> 6, rm = modrm & 7u;
    if (c->map == 1 && (c->op & 0xfeu) == 0xf6u && !(modrm & 0x30u)) /* TEST */
        c->kind |= c->op == 0xf6u ? X86_B : X86_D;
    if (mod == 3)
        return;
    if (rm == 4)
        rm = c->b[c->at++] & 7u;
    else if (mod == 0 && rm == 5) {
        in->disp = (uint8_t)c->at;
        in->type = c->map == 1 && c->op == 0x8du ? X86_ADDRESS : X86_DATA;
    }
    if (mod == 1)
        c->at += 1u;
    else if (mod == 2 || rm == 5)
        c->at += 4u;
}

/* Branch offsets and immediates. */
static void x86_tail(struct x86_cursor *c, struct x86_insn *in)
{
    uint8_t kind = c->kind;
    if (kind & (X86_R8 | X86_R32)) {
        in->disp = (uint8_t)c->at;
        if (kind & X86_R8)
            in->type = c->op == 0xebu ? X86_JUMP8 : X86_COND8;
        else
            in->type = c->map == 2 ? X86_COND : c->op == 0xe8u ? X86_CALL : X86_JUMP;
    }
    c->at +=
        (kind & (X86_B | X86_R8) ? 1u : 0u) + (kind & X86_W ? 2u : 0u) + (kind & X86_R32 ? 4u : 0u);
    if (kind & X86_D)
        c->at += c->half && !c->wide ? 2u : 4u;
    if (c->map == 1 && ((c->wide && (c->op & 0xf8u) == 0xb8u) || (c->op & 0xfcu) == 0xa0u))
        c->at += c->op >= 0xb0u ? 4u : 8u; /* MOV of 64 bits */
}

/* Decodes the instruction at b; of its n bytes 16 matter.  len 0: it goes on behind them. */
static struct x86_insn x86_decode(const uint8_t *b, uint32_t n)
{
    uint8_t padded[16] = {0};
    struct x86_cursor c = {.b = padded};
    struct x86_insn in = {0, 0, X86_PLAIN};
    memcpy(padded, b, n < 16 ? n : 16);
    x86_opcode(&c);
    if (c.map == 1)
        c.kind = x86_kind(c.op);
    else
        c.kind = c.map == 2 ? x86_kind_0f(c.op) : c.map == 3 ? X86_M : X86_M | X86_B;
    if (c.kind & X86_M)
        x86_operand(&c, &in);
    x86_tail(&c, &in);
    if (c.at <= n && c.at <= 15u)
        in.len = (uint8_t)c.at;
    return in;
}

static void x86_set(struct inlay_unit *u, uint8_t type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

/* The second part of an instruction that was cut. */
static void x86_parse_rest(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                           struct inlay_unit *u)
{
    uint32_t len = st->value[1];
    st->valid = 0;
    u->len = (uint8_t)(len < n ? len : n);
    u->type = X86_REST;
    if (st->value[2] && len <= n)
        x86_set(u, X86_SPLIT, addr + len + inlay_get32(b));
}

static void x86_cut(struct inlay_arch_state *st, uint32_t addr, const struct x86_insn *in,
                    struct inlay_unit *u)
{
    uint32_t split = in->type == X86_DATA || in->type == X86_ADDRESS;
    uint32_t len = split ? in->disp : 8u;
    u->len = (uint8_t)len;
    u->type = X86_PLAIN;
    st->value[0] = addr + len;
    st->value[1] = in->len - len;
    st->value[2] = split;
    st->valid = 7;
}

static void x86_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                      struct inlay_unit *u)
{
    u->has_target = 0;
    u->target = 0;
    if (st->valid && st->value[0] == addr) {
        x86_parse_rest(st, b, n, addr, u);
        return;
    }
    struct x86_insn in = x86_decode(b, n);
    u->len = in.len ? in.len : 1;
    u->type = in.len ? X86_PLAIN : X86_BYTE;
    if (in.len > INLAY_UNIT_MAX) {
        x86_cut(st, addr, &in, u);
    } else if (in.len && in.type != X86_PLAIN) {
        uint32_t off = in.type == X86_JUMP8 || in.type == X86_COND8 ? inlay_sign(b[in.disp], 8)
                                                                    : inlay_get32(b + in.disp);
        x86_set(u, in.type, addr + in.len + off);
    }
}

#define X86_SYMBOL 24u /* bytes of a symbol */

/* Data comes in words, whatever instructions they resemble. */
static void x86_parse_data(struct inlay_arch_state *st, const struct inlay_table *t, unsigned side,
                           const uint8_t *b, uint32_t n, uint32_t addr, struct inlay_unit *u)
{
    uint32_t left = 4u - (addr & 3u);
    u->len = (uint8_t)(n < left ? n : left);
    u->type = X86_WORD;
    u->has_target = 0;
    u->target = 0;
    if (t->kind != INLAY_TABLE_INDEX || u->len < 4)
        return;
    const struct inlay_table *symbols = t - 1;
    uint32_t index = inlay_get32(b);
    if (index == 0 || index >= symbols->len[side] / X86_SYMBOL)
        return;
    st->value[3] = symbols->addr[1];
    x86_set(u, X86_INDEX, symbols->addr[side] + X86_SYMBOL * index);
}

static int x86_aim_index(uint8_t *b, uint32_t distance)
{
    if (distance % X86_SYMBOL)
        return 0;
    inlay_put32(b, distance / X86_SYMBOL);
    return 1;
}

static int x86_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                   uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t off = target - (new_addr + u->len);
    uint32_t disp = 0;
    (void)old_addr;
    if (u->type == X86_INDEX)
        return x86_aim_index(b, target - st->value[3]);
    if (u->type != X86_SPLIT)
        disp = x86_decode(b, u->len).disp;
    if (u->type == X86_JUMP8 || u->type == X86_COND8) {
        if (!inlay_fits(off, 8))
            return 0;
        b[disp] = (uint8_t)off;
    } else {
        inlay_put32(b + disp, off);
    }
    return 1;
}

const struct inlay_arch inlay_arch_x86_64 = {
    .id = INLAY_ARCH_X86_64,
    .granule = 1,
    .pointer_len = 8,
    .literal_kind = INLAY_LITERAL_BYTES,
    .parse = x86_parse,
    .aim = x86_aim,
    .parse_data = x86_parse_data,
};
