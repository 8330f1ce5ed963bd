/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "x86-64": how long an instruction is, and where its displacement is. */
#include "oracle.h"

#include <string.h>

enum { PLAIN, CALL, JUMP, COND, JUMP8, COND8, DATA, ADDRESS, SPLIT, REST, BYTE, WORD, INDEX };

/* What follows an opcode: m ModRM, b, w, d an immediate of 1, 2, 4 bytes, r, R a branch offset. */
static const char *const one_byte[16] = {
    /* 0 1 2 3  4 5 6 7  8 9 a b  c d e f */
    "m m m m b d - - m m m m b d - - ", "m m m m b d - - m m m m b d - - ",
    "m m m m b d - - m m m m b d - - ", "m m m m b d - - m m m m b d - - ",
    "- - - - - - - - - - - - - - - - ", "- - - - - - - - - - - - - - - - ",
    "- - - m - - - - d mdb mb- - - - ", "r r r r r r r r r r r r r r r r ",
    "mbmd- mbm m m m m m m m m m m m ", "- - - - - - - - - - - - - - - - ",
    "- - - - - - - - b d - - - - - - ", "b b b b b b b b d d d d d d d d ",
    "mbmbw - - - mbmdbw- w - - b - - ", "m m m m - - - - m m m m m m m m ",
    "r r r r b b b b R R - r - - - - ", "- - - - - - m m - - - - - - m m ",
};

struct insn {
    unsigned len, disp, type;
};

static int is_prefix(unsigned c)
{
    return (c >= 0x64 && c <= 0x67) || c == 0xf0 || c == 0xf2 || c == 0xf3 || c == 0x26 ||
           c == 0x2e || c == 0x36 || c == 0x3e;
}

static int has_flag(const char *what, char flag)
{
    return what[0] == flag || what[1] == flag;
}

/* Opcodes after 0F. */
static const char *two_byte(unsigned op)
{
    if (op >> 4 == 8)
        return "R ";
    if ((op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba || op == 0xc2 ||
        (op >= 0xc4 && op <= 0xc6))
        return "mb";
    if ((op >= 0x05 && op <= 0x0e && op != 0x0d) || (op >= 0x30 && op <= 0x37) || op == 0x77 ||
        (op >= 0xa0 && op <= 0xa2) || (op >= 0xa8 && op <= 0xaa) || (op >= 0xc8 && op <= 0xcf))
        return "- ";
    return "m ";
}

static struct insn decode(const uint8_t *from, uint32_t n)
{
    uint8_t b[16] = {0};
    struct insn in = {0, 0, PLAIN};
    unsigned at = 0, half = 0, wide = 0, map = 1, op, extra = 0;
    memcpy(b, from, n < 16 ? n : 16);
    while (at < 5 && is_prefix(b[at]))
        half |= b[at++] == 0x66;
    if (b[at] >> 4 == 4)
        wide = b[at++] >> 3 & 1;
    op = b[at++];
    if (op == 0x0f) {
        map = 2;
        op = b[at++];
        if (op == 0x38 || op == 0x3a) {
            map = op == 0x38 ? 3 : 4;
            op = b[at++];
        }
    } else if (op == 0xc4 || op == 0xc5 || op == 0x62) {
        map = op == 0xc5 ? 2 : (b[at] & 3) + 1;
        at += op == 0xc5 ? 1 : op == 0xc4 ? 2 : 3;
        op = b[at++];
    }
    const char *what = map == 1   ? one_byte[op >> 4] + 2 * (op & 15)
                       : map == 2 ? two_byte(op)
                       : map == 3 ? "m "
                                  : "mb";
    if (has_flag(what, 'm')) {
        unsigned modrm = b[at++], mod = modrm >> 6, rm = modrm & 7;
        if (map == 1 && (op == 0xf6 || op == 0xf7) && (modrm & 0x30) == 0)
            extra = op == 0xf6 ? 'b' : 'd';
        if (mod != 3 && rm == 4) {
            rm = b[at++] & 7;
        } else if (mod == 0 && rm == 5) {
            in.disp = at;
            in.type = map == 1 && op == 0x8d ? ADDRESS : DATA;
        }
        if (mod == 1)
            at += 1;
        else if (mod == 2 || (mod == 0 && rm == 5))
            at += 4;
    }
    if (has_flag(what, 'r') || has_flag(what, 'R')) {
        in.disp = at;
        if (has_flag(what, 'r'))
            in.type = op == 0xeb ? JUMP8 : COND8;
        else
            in.type = map == 2 ? COND : op == 0xe8 ? CALL : JUMP;
    }
    if (has_flag(what, 'b') || has_flag(what, 'r') || extra == 'b')
        at += 1;
    if (has_flag(what, 'w'))
        at += 2;
    if (has_flag(what, 'R'))
        at += 4;
    if (has_flag(what, 'd') || extra == 'd')
        at += half && !wide ? 2 : 4;
    if (map == 1 && wide && op >= 0xb8 && op <= 0xbf)
        at += 4;
    if (map == 1 && op >= 0xa0 && op <= 0xa3)
        at += 8;
    if (at <= n && at <= 15)
        in.len = at;
    return in;
}

void x86_parse(struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr, struct unit *u)
{
    if (r->valid && r->value[0] == addr) { /* the second part of an instruction */
        uint32_t len = r->value[1];
        r->valid = 0;
        u->len = len < n ? len : n;
        u->type = REST;
        if (r->value[2] && len <= n) {
            u->type = SPLIT;
            u->has_target = 1;
            u->target = addr + len + get32(b);
        }
        return;
    }
    struct insn in = decode(b, n);
    int operand = in.type == DATA || in.type == ADDRESS;
    u->len = in.len ? in.len : 1;
    u->type = in.len ? PLAIN : BYTE;
    if (in.len > 8) {
        u->len = operand ? in.disp : 8;
        r->value[0] = addr + u->len;
        r->value[1] = in.len - u->len;
        r->value[2] = (uint32_t)operand;
        r->valid = 7;
    } else if (in.len && in.type != PLAIN) {
        int small = in.type == JUMP8 || in.type == COND8;
        u->type = in.type;
        u->has_target = 1;
        u->target = addr + in.len + (small ? sign_extend(b[in.disp], 8) : get32(b + in.disp));
    }
}

/* What no other rule knows of the bytes in a table. */
void x86_parse_data(struct registers *r, const struct table *t, const uint8_t *b, uint32_t n,
                    uint32_t addr, struct unit *u)
{
    struct unit word = {4 - addr % 4, WORD, 0, 0};
    if (word.len > n)
        word.len = n;
    *u = word;
    if (t->kind != 4 || u->len != 4 || get32(b) == 0 || get32(b) >= t[-1].len / 24)
        return;
    u->type = INDEX;
    u->has_target = 1;
    u->target = t[-1].old_addr + 24 * get32(b);
    r->value[3] = t[-1].new_addr;
}

int x86_aim(const struct registers *r, const struct unit *u, uint8_t *b, uint32_t new_addr,
            uint32_t target)
{
    if (u->type == INDEX) {
        if ((target - r->value[3]) % 24 != 0)
            return 0;
        put32(b, (target - r->value[3]) / 24);
        return 1;
    }
    uint32_t off = target - (new_addr + u->len);
    unsigned disp = u->type == SPLIT ? 0 : decode(b, u->len).disp;
    if (u->type != JUMP8 && u->type != COND8) {
        put32(b + disp, off);
        return 1;
    }
    if (!fits(off, 8))
        return 0;
    b[disp] = off & 255;
    return 1;
}
