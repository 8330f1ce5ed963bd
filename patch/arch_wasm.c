/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly modules (Core Specification 2.0, 5.4 and 5.5).
 *
 * Code refers to functions, types, globals and table entries by index; data
 * and instructions refer to memory.  All are made addresses here, each kind
 * in a range of its own, and so are positions in the sections that are not
 * data: the top four bits tell what is there.  See enum inlay_wasm_area.
 */
#include "arch.h"
#include "bits.h"

enum {
    WA_PLAIN,
    WA_BLOCK,
    WA_BRANCH,
    WA_GET,
    WA_SET,
    WA_CONST,
    WA_MEMORY,
    WA_RAW,   /* what a prefix left over */
    WA_LABEL, /* of a table of branches */
    WA_PREFIX,
    WA_CALL, /* from here on: types with a target */
    WA_INDIRECT,
    WA_GLOBAL,
    WA_CONST_ADDR,
    WA_MEMORY_ADDR,
    WA_SIZE, /* of a function's body: refers to its last byte */
    WA_ELEMENT,
    WA_SIGNATURE,
    WA_EXPORT,
    WA_INDEX_WORD, /* a word of data that may be an index into the table */
    WA_HALF,
    WA_TEXT
};

/* What the state's values are; all are 0 where a run starts. */
enum {
    WA_RAW_LEFT, /* bytes */
    WA_LABELS_LEFT,
    WA_BODY_END, /* address behind this function's body, 0: unknown */
    WA_INSIDE    /* 1: no function can start here */
};

#define WA_ADDR_MIN  1024u /* lower numbers are no addresses */
#define WA_ADDR_END  0x10000000u
#define WA_INDEX_END 0x4000u

/* Opcodes up to `last` have so many numbers behind them. */
static const struct wa_shape {
    uint8_t last, type, numbers;
} wa_shapes[] = {
    {0x01, WA_PLAIN, 0},    {0x04, WA_BLOCK, 1},  {0x05, WA_PLAIN, 0},    {0x06, WA_BLOCK, 1},
    {0x09, WA_BRANCH, 1},   {0x0b, WA_PLAIN, 0},  {0x0d, WA_BRANCH, 1},   {0x0e, WA_LABEL, 1},
    {0x0f, WA_PLAIN, 0},    {0x10, WA_CALL, 1},   {0x11, WA_INDIRECT, 2}, {0x12, WA_CALL, 1},
    {0x13, WA_INDIRECT, 2}, {0x17, WA_PLAIN, 0},  {0x18, WA_BRANCH, 1},   {0x1b, WA_PLAIN, 0},
    {0x1c, WA_PLAIN, 2},    {0x1f, WA_PLAIN, 0},  {0x20, WA_GET, 1},      {0x22, WA_SET, 1},
    {0x24, WA_GLOBAL, 1},   {0x26, WA_BRANCH, 1}, {0x27, WA_PLAIN, 0},    {0x3e, WA_MEMORY, 2},
    {0x40, WA_PLAIN, 1},    {0x42, WA_CONST, 1},  {0x44, WA_RAW, 0},      {0xcf, WA_PLAIN, 0},
    {0xd0, WA_PLAIN, 1},    {0xd1, WA_PLAIN, 0},  {0xd2, WA_CALL, 1},     {0xfb, WA_PLAIN, 0},
    {0xfe, WA_PREFIX, 1},   {0xff, WA_PLAIN, 0},
};
#define WA_SHAPE_GET 18u /* the place of 0x20: most of the code is from there on */

/* Where the number at `at` ends; 0 if it does not end in sight.  10 bytes are
 * the most. */
static uint32_t wa_end(const uint8_t *b, uint32_t n, uint32_t at)
{
    for (uint32_t i = at; i < n && i < at + 10u; i++)
        if (b[i] < 0x80u)
            return i + 1u;
    return 0;
}

/* The low 32 bits of the number in b[at .. end). */
static uint32_t wa_number(const uint8_t *b, uint32_t at, uint32_t end, int is_signed)
{
    uint32_t v = 0;
    unsigned shift = 0;
    for (uint32_t i = at; i < end && shift < 32u; i++, shift += 7u)
        v |= (uint32_t)(b[i] & 0x7fu) << shift;
    return is_signed && shift < 32u ? inlay_sign(v, shift) : v;
}

/* 1 if it is short enough to be written again: below 2^28, and at most five
 * bytes. */
static int wa_is_small(const uint8_t *b, uint32_t at, uint32_t end)
{
    return end - at < 5u || (end - at == 5u && b[end - 1u] == 0);
}

/* Bytes that v takes at least. */
static unsigned wa_shortest(uint32_t v, int is_signed)
{
    unsigned len = 1;
    while (len < 5u && (is_signed ? !inlay_fits(v, 7u * len) : v >> 7u * len != 0))
        len++;
    return len;
}

/* Replaces the number in b[at .. end); one that was as short as can be stays
 * so. */
static int wa_replace(uint8_t *b, uint32_t at, uint32_t end, int is_signed, uint32_t v)
{
    unsigned len = end - at, need = wa_shortest(v, is_signed);
    int padded = wa_shortest(wa_number(b, at, end, is_signed), is_signed) < len;
    uint32_t sign = is_signed && v >> 31 ? 0xfe000000u : 0;
    if (len > 5u || (padded ? need > len : need != len))
        return 0;
    for (uint32_t i = at; i < end; i++, v = v >> 7 | sign)
        b[i] = (uint8_t)((v & 0x7fu) | (i + 1u < end ? 0x80u : 0u));
    return 1;
}

static void wa_set(struct inlay_unit *u, uint32_t len, uint8_t type)
{
    u->len = (uint8_t)len;
    u->type = type;
}

static void wa_refer(struct inlay_unit *u, uint8_t type, uint32_t target)
{
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

static uint32_t wa_index(enum inlay_wasm_area area, uint32_t index)
{
    return (uint32_t)area << 28 | (index & 0x0fffffffu);
}

/*
 * The length of the declarations of locals at `at`, 0 if they are not wholly in
 * sight or no declarations.
 */
static uint32_t wa_locals(const uint8_t *b, uint32_t n, uint32_t at)
{
    uint32_t i = at + 1u;
    if (at >= n || b[at] > 15u)
        return 0;
    for (unsigned left = b[at]; left > 0; left--) {
        i = wa_end(b, n, i);
        if (i == 0 || i >= n || b[i] < 0x6fu || b[i] > 0x7fu)
            return 0;
        i++;
    }
    return i - at;
}

/*
 * A function's size and locals, if there are any here.  Behind an `end` whose
 * depth is unknown only locals or an `end` where the body ends prove it.
 */
static int wa_header(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                     struct inlay_unit *u)
{
    uint32_t *end = &st->value[WA_BODY_END];
    uint32_t at = wa_end(b, n, 0);
    int certain = *end == addr;
    if (*end && addr - *end < 0x80000000u)
        *end = 0;
    if (*end || (st->value[WA_INSIDE] && !certain) || at == 0 || !wa_is_small(b, 0, at))
        return 0;
    uint32_t locals = wa_locals(b, n, at), size = wa_number(b, 0, at, 0);
    if (!certain && (locals == 0 || size <= locals))
        return 0;
    if (!certain && locals == 1 && (size > n - at || b[at + size - 1u] != 0x0bu))
        return 0;
    wa_set(u, at, WA_SIZE);
    wa_refer(u, WA_SIZE, addr + at + size - 1u);
    *end = addr + at + size;
    st->value[WA_RAW_LEFT] = locals;
    st->value[WA_INSIDE] = 1;
    return 1;
}

/* What an earlier unit left over. */
static int wa_rest(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, struct inlay_unit *u)
{
    uint32_t *raw = &st->value[WA_RAW_LEFT], *labels = &st->value[WA_LABELS_LEFT];
    uint32_t len = *raw < 4u ? *raw : 4u;
    if (*raw) {
        wa_set(u, len < n ? len : n, WA_RAW);
        *raw -= u->len;
        return 1;
    }
    if (*labels == 0)
        return 0;
    len = wa_end(b, n, 0);
    wa_set(u, len && len <= INLAY_UNIT_MAX ? len : 1u, WA_LABEL);
    --*labels;
    return 1;
}

/* Bytes behind a prefix and its number: whole immediates of any kind. */
static uint32_t wa_prefixed(const uint8_t *b, uint32_t n, uint32_t at)
{
    uint32_t sub = wa_number(b, 1, at, 0);
    unsigned numbers = 0, bytes = 0;
    if (b[0] == 0xfcu) {
        numbers = sub < 8u ? 0 : sub == 9u || sub == 11u || sub == 13u || sub > 14u ? 1 : 2;
    } else if (b[0] == 0xfeu) {
        numbers = sub == 3u ? 1 : 2;
    } else {
        numbers = sub < 12u || (sub >= 84u && sub < 94u) ? 2 : 0;
        bytes =
            sub == 12u || sub == 13u ? 16 : (sub >= 21u && sub < 35u) || (sub >= 84u && sub < 92u);
    }
    for (; numbers && at; numbers--)
        at = wa_end(b, n, at);
    return at ? at + bytes : 0;
}

/* Local v of this function: what it became is a lesson for the rest of the
 * function. */
static uint32_t wa_local(const struct inlay_arch_state *st, uint32_t v)
{
    uint32_t function = st->value[WA_BODY_END] * 0x9e3779b1u >> 14;
    return wa_index(INLAY_WASM_LOCAL, function << 10 | v);
}

/* Has the instruction an address?  end: where its last number ends. */
static void wa_target(const struct inlay_arch_state *st, const uint8_t *b, uint32_t end,
                      struct inlay_unit *u)
{
    static const uint8_t areas[] = {INLAY_WASM_FUNC, INLAY_WASM_TYPE, INLAY_WASM_GLOBAL};
    uint32_t first = wa_end(b, end, 1);
    uint32_t v = wa_number(b, 1, first, b[0] == 0x41u);
    if (first == 0 ||
        !wa_is_small(b, u->type == WA_MEMORY ? first : 1u, u->type == WA_MEMORY ? end : first))
        return;
    if ((u->type == WA_GET || u->type == WA_SET) && v < 1024u)
        wa_refer(u, u->type, wa_local(st, v));
    if (u->type >= WA_CALL && u->type <= WA_GLOBAL)
        wa_refer(u, u->type, wa_index((enum inlay_wasm_area)areas[u->type - WA_CALL], v));
    if (b[0] == 0x41u && v - WA_ADDR_MIN < WA_ADDR_END - WA_ADDR_MIN)
        wa_refer(u, WA_CONST_ADDR, v);
    v = wa_number(b, first, end, 0);
    if (u->type == WA_MEMORY && first == 2u && v - WA_ADDR_MIN < WA_ADDR_END - WA_ADDR_MIN)
        wa_refer(u, WA_MEMORY_ADDR, v);
}

static void wa_code(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                    struct inlay_unit *u)
{
    const struct wa_shape *shape = wa_shapes + (b[0] < 0x20u ? 0 : WA_SHAPE_GET);
    uint32_t end = 1;
    if (wa_rest(st, b, n, u) || wa_header(st, b, n, addr, u))
        return;
    while (shape->last < b[0])
        shape++;
    for (unsigned i = 0; i < shape->numbers && end; i++)
        end = wa_end(b, n, end);
    wa_set(u, 1, WA_PLAIN);
    st->value[WA_INSIDE] = b[0] != 0x0bu;
    if (shape->type == WA_PREFIX && end)
        end = wa_prefixed(b, n, end);
    if (shape->type == WA_RAW)
        end = b[0] == 0x43u ? 5u : 9u;
    if (end == 0) /* not wholly in sight */
        return;
    if (shape->type == WA_LABEL)
        st->value[WA_LABELS_LEFT] = wa_number(b, 1, end, 0) + 1u;
    wa_set(u, end < INLAY_UNIT_MAX ? end : INLAY_UNIT_MAX, shape->type);
    if (u->len > n)
        u->len = (uint8_t)n;
    st->value[WA_RAW_LEFT] = end - u->len;
    if (u->len == end)
        wa_target(st, b, end, u);
}

/* Aligned words that may be indices into the table of functions; else
 * halfwords. */
static void wa_data(const uint8_t *b, uint32_t n, uint32_t addr, struct inlay_unit *u)
{
    uint32_t edge = 2u - (addr & 1u);
    if (n >= 4 && !(addr & 3u) && inlay_get32(b) - 1u < WA_INDEX_END) {
        wa_refer(u, WA_INDEX_WORD, wa_index(INLAY_WASM_TABLE, inlay_get32(b)));
        u->len = 4;
    } else {
        wa_set(u, n < edge ? n : edge, WA_HALF);
    }
}

/* A section that lists indices: of functions, of types, or behind what else an export has. */
static void wa_list(const uint8_t *b, uint32_t n, uint32_t area, struct inlay_unit *u)
{
    uint32_t at = area == INLAY_WASM_EXPORTS ? 1 : 0;
    uint32_t end = wa_end(b, n, at);
    if (end == 0 || !wa_is_small(b, at, end) || (at && b[0])) {
        wa_set(u, 1, WA_TEXT);
        return;
    }
    uint32_t v = wa_number(b, at, end, 0);
    u->len = (uint8_t)end;
    if (area == INLAY_WASM_SIGNATURES)
        wa_refer(u, WA_SIGNATURE, wa_index(INLAY_WASM_TYPE, v));
    else
        wa_refer(u, at ? WA_EXPORT : WA_ELEMENT, wa_index(INLAY_WASM_FUNC, v));
}

static void wa_parse(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                     struct inlay_unit *u)
{
    uint32_t area = addr >> 28;
    u->has_target = 0;
    u->target = 0;
    if (area < INLAY_WASM_CODE)
        wa_data(b, n, addr, u);
    else if (area == INLAY_WASM_CODE || area == INLAY_WASM_EXPRESSIONS)
        wa_code(st, b, n, addr, u);
    else
        wa_list(b, n, area, u);
}

static int wa_aim(const struct inlay_arch_state *st, const struct inlay_unit *u, uint8_t *b,
                  uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    uint32_t at = 1, v = target & 0x0fffffffu;
    (void)st;
    (void)old_addr;
    switch (u->type) {
    case WA_INDEX_WORD:
        inlay_put32(b, v);
        return 1;
    case WA_SIZE:
        v = target + 1u - new_addr - u->len;
        at = 0;
        break;
    case WA_ELEMENT:
    case WA_SIGNATURE:
        at = 0;
        break;
    case WA_GET:
    case WA_SET:
        v = target & 1023u;
        break;
    case WA_CONST_ADDR:
        v = target;
        break;
    case WA_MEMORY_ADDR:
        v = target;
        at = 2;
        break;
    default:
        if (u->type < WA_CALL || u->type > WA_EXPORT)
            return 0;
        break;
    }
    return wa_replace(b, at, wa_end(b, u->len, at), u->type == WA_CONST_ADDR, v);
}

/* Pointers are words of data, whatever code looks like. */
static int wa_is_code(const uint8_t *b, uint32_t n, uint32_t addr)
{
    (void)b;
    (void)n;
    return addr >> 28 >= INLAY_WASM_CODE;
}

const struct inlay_arch inlay_arch_wasm = {
    .id = INLAY_ARCH_WASM,
    .granule = 1,
    .pointer_len = 4,
    .literal_kind = INLAY_LITERAL_BYTES,
    .parse = wa_parse,
    .aim = wa_aim,
    .is_code = wa_is_code,
};
