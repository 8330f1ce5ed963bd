/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "WebAssembly": areas of addresses, numbers of 7 bits a byte, function headers. */
#include "oracle.h"

enum { RAW, LABELS, BODY_END, INSIDE }; /* what registers hold */

/* By opcode: a letter, which stands for a type and so many numbers. */
static const char *const types_by_opcode[16] = {
    /* 0 1 2 3 4 5 6 7 8 9 a b c d e f */
    "..bbb.brrr..rrl.", "cIcI....r...X...", "gssvvrr.MMMMMMMM", "MMMMMMMMMMMMMMMo",
    "okk44...........", "................", "................", "................",
    "................", "................", "................", "................",
    "................", "o.c.............", "................", "............ppp.",
};

static const struct {
    char letter;
    unsigned type, numbers;
} kinds[] = {
    {'.', 0, 0},  {'b', 1, 1}, {'r', 2, 1}, {'l', 8, 1}, {'c', 10, 1},
    {'I', 11, 2}, {'X', 0, 2}, {'g', 3, 1}, {'s', 4, 1}, {'v', 12, 1},
    {'M', 6, 2},  {'o', 0, 1}, {'k', 5, 1}, {'4', 7, 0}, {'p', 9, 1},
};

/* A number's bytes at b[at]; 0: none in sight. */
static unsigned number_len(const uint8_t *b, uint32_t n, uint32_t at)
{
    for (unsigned len = 1; len <= 10 && at + len <= n; len++)
        if (b[at + len - 1] < 128)
            return len;
    return 0;
}

/* Short enough to be written again. */
static int is_small(const uint8_t *b, unsigned len)
{
    return len <= 4 || (len == 5 && b[4] == 0);
}

static uint32_t number_at(const uint8_t *b, unsigned len, int with_sign)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < len && i < 5; i++)
        v |= (uint64_t)(b[i] % 128) << 7 * i;
    return with_sign && len < 5 ? sign_extend((uint32_t)v, 7 * len) : (uint32_t)v;
}

static void refer(struct unit *u, unsigned type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

static uint32_t indexed(uint32_t area, uint32_t v)
{
    return area * 0x10000000 + v % 0x10000000;
}

/* The bytes of a body's declarations of locals, 0 if there are none. */
static uint32_t locals_len(const uint8_t *b, uint32_t n)
{
    uint32_t at = 1;
    if (n == 0 || b[0] > 15)
        return 0;
    for (unsigned i = 0; i < b[0]; i++) {
        unsigned len = number_len(b, n, at);
        if (len == 0 || at + len >= n || b[at + len] < 0x6f || b[at + len] > 0x7f)
            return 0;
        at += len + 1;
    }
    return at;
}

static int parse_header(uint32_t *state, const uint8_t *b, uint32_t n, uint32_t addr,
                        struct unit *u)
{
    uint32_t end = state[BODY_END];
    int certain = end == addr;
    if (end && addr - end < 0x80000000)
        state[BODY_END] = 0;
    if (state[BODY_END] || (state[INSIDE] && !certain))
        return 0;
    unsigned len = number_len(b, n, 0);
    if (len == 0 || !is_small(b, len))
        return 0;
    uint32_t size = number_at(b, len, 0), locals = locals_len(b + len, n - len);
    if (!certain) {
        if (locals == 0 || size <= locals)
            return 0;
        if (locals == 1 && (size > n - len || b[len + size - 1] != 0x0b))
            return 0;
    }
    u->len = len;
    refer(u, 15, addr + len + size - 1);
    state[BODY_END] = addr + len + size;
    state[RAW] = locals;
    state[INSIDE] = 1;
    return 1;
}

/* Numbers and bytes behind those of a prefix. */
static void prefixed(unsigned prefix, uint32_t sub, unsigned *numbers, unsigned *bytes)
{
    *numbers = *bytes = 0;
    if (prefix == 0xfc)
        *numbers = sub <= 7 ? 0 : sub == 8 || sub == 10 || sub == 12 || sub == 14 ? 2 : 1;
    else if (prefix == 0xfe)
        *numbers = sub == 3 ? 1 : 2;
    else if (sub <= 11 || (sub >= 84 && sub <= 93))
        *numbers = 2;
    if (prefix == 0xfd && (sub == 12 || sub == 13))
        *bytes = 16;
    if (prefix == 0xfd && ((sub >= 21 && sub <= 34) || (sub >= 84 && sub <= 91)))
        *bytes = 1;
}

/* The bytes of an instruction; 0 if its numbers are not in sight. */
static uint32_t instruction_len(const uint8_t *b, uint32_t n, unsigned type, unsigned numbers)
{
    unsigned bytes = b[0] == 0x43 ? 4 : b[0] == 0x44 ? 8 : 0, more = 0;
    uint32_t at = 1;
    for (unsigned i = 0; i < numbers; i++) {
        unsigned len = number_len(b, n, at);
        if (len == 0)
            return 0;
        at += len;
    }
    if (type == 9)
        prefixed(b[0], number_at(b + 1, at - 1, 0), &more, &bytes);
    for (; more; more--) {
        unsigned len = number_len(b, n, at);
        if (len == 0)
            return 0;
        at += len;
    }
    return at + bytes;
}

static int is_address(uint32_t v)
{
    return v >= 1024 && v < 0x10000000;
}

static void find_target(const uint32_t *state, const uint8_t *b, struct unit *u)
{
    unsigned len = u->len > 1 ? number_len(b, u->len, 1) : 0;
    uint32_t v = number_at(b + 1, len, b[0] == 0x41);
    unsigned second = u->type == 6 ? len : 0;
    if (!is_small(b + 1 + second, second ? u->len - 1 - second : len))
        return;
    if ((u->type == 3 || u->type == 4) && v < 1024)
        refer(u, u->type, indexed(13, (state[BODY_END] * 0x9e3779b1 >> 14) * 1024 + v));
    if (u->type == 10)
        refer(u, 10, indexed(4, v));
    if (u->type == 11)
        refer(u, 11, indexed(6, v));
    if (u->type == 12)
        refer(u, 12, indexed(7, v));
    if (b[0] == 0x41 && is_address(v))
        refer(u, 13, v);
    if (u->type == 6 && len == 1) {
        v = number_at(b + 2, u->len - 2, 0);
        if (is_address(v))
            refer(u, 14, v);
    }
}

static void parse_code(uint32_t *state, const uint8_t *b, uint32_t n, uint32_t addr, struct unit *u)
{
    unsigned k = 0;
    if (state[RAW]) {
        u->len = state[RAW] < 4 ? state[RAW] : 4;
        u->len = u->len < n ? u->len : n;
        u->type = 7;
        state[RAW] -= u->len;
        return;
    }
    if (state[LABELS]) {
        u->len = number_len(b, n, 0);
        if (u->len == 0 || u->len > UNIT_MAX)
            u->len = 1;
        u->type = 8;
        state[LABELS]--;
        return;
    }
    if (parse_header(state, b, n, addr, u))
        return;
    while (kinds[k].letter != types_by_opcode[b[0] / 16][b[0] % 16])
        k++;
    state[INSIDE] = b[0] != 0x0b;
    uint32_t len = instruction_len(b, n, kinds[k].type, kinds[k].numbers);
    u->len = 1;
    u->type = 0;
    if (len == 0)
        return;
    u->type = kinds[k].type;
    if (u->type == 8)
        state[LABELS] = number_at(b + 1, len - 1, 0) + 1;
    u->len = len < UNIT_MAX ? len : UNIT_MAX;
    u->len = u->len < n ? u->len : n;
    state[RAW] = len - u->len;
    if (state[RAW] == 0)
        find_target(state, b, u);
}

void wasm_parse(struct registers *r, const uint8_t *b, uint32_t n, uint32_t addr, struct unit *u)
{
    uint32_t area = addr / 0x10000000, at = area == 11;
    u->has_target = 0;
    u->target = 0;
    if (area < 8) {
        u->len = addr % 2 || n < 2 ? 1 : 2;
        u->type = 20;
        if (addr % 4 == 0 && n >= 4 && get32(b) >= 1 && get32(b) <= 0x4000) {
            u->len = 4;
            refer(u, 19, indexed(5, get32(b)));
        }
        return;
    }
    if (area == 8 || area == 12) {
        parse_code(r->value, b, n, addr, u);
        return;
    }
    unsigned len = number_len(b, n, at);
    u->len = 1;
    u->type = 21;
    if (len == 0 || !is_small(b + at, len) || (at && b[0] != 0))
        return;
    u->len = at + len;
    uint32_t v = number_at(b + at, len, 0);
    refer(u, area == 10 ? 17 : area == 11 ? 18 : 16, indexed(area == 10 ? 6 : 4, v));
}

static unsigned shortest(uint32_t v, int with_sign)
{
    for (unsigned len = 1; len < 5; len++)
        if (with_sign ? fits(v, 7 * len) : v >> 7 * len == 0)
            return len;
    return 5;
}

int wasm_aim(const struct unit *u, uint8_t *b, uint32_t new_addr, uint32_t target)
{
    int with_sign = u->type == 13;
    unsigned at = u->type >= 15 && u->type <= 17 ? 0 : u->type == 14 ? 2 : 1;
    uint32_t v = target % 0x10000000;
    if (u->type == 19) {
        put32(b, v);
        return 1;
    }
    if (u->type != 3 && u->type != 4 && (u->type < 10 || u->type > 18))
        return 0;
    if (u->type == 3 || u->type == 4)
        v = target % 1024;
    if (u->type == 13 || u->type == 14)
        v = target;
    if (u->type == 15)
        v = target + 1 - new_addr - u->len;
    unsigned len = number_len(b, u->len, at), need = shortest(v, with_sign);
    unsigned was = shortest(number_at(b + at, len, with_sign), with_sign);
    if (len > 5 || need > len || (was == len && need < len))
        return 0;
    for (unsigned i = 0; i < len; i++) {
        uint32_t part = 7 * i < 32 ? v >> 7 * i : 0;
        if (i == 4 && with_sign && v >> 31)
            part |= 0x70;
        b[at + i] = (part & 127) | (i + 1 < len ? 128 : 0);
    }
    return 1;
}
