/* SPDX-License-Identifier: Apache-2.0 */
/* Processors: units are taken apart and aimed without loss, and agree with disassemblers. */
#include "arch.h"
#include "bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct inlay_arch *const all[] = {
    &inlay_arch_none,    &inlay_arch_thumb2, &inlay_arch_arm,
    &inlay_arch_aarch64, &inlay_arch_riscv,  &inlay_arch_xtensa,
    &inlay_arch_avr,     &inlay_arch_x86_64, &inlay_arch_wasm,
};
#define COUNT (sizeof all / sizeof *all)

static uint32_t seed;

static uint32_t draw(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8 ^ seed << 13) * 0x9e3779b1u;
}

/* Opcodes with an address, to be sprinkled over random bytes: the bits of `any` are random. */
struct opcode {
    uint8_t arch, len;
    uint32_t bits, any;
};

static const struct opcode opcodes[] = {
    {INLAY_ARCH_THUMB2, 4, 0xd000f000, 0x2fff07ff},
    {INLAY_ARCH_THUMB2, 4, 0x8000f000, 0x2fff07ff},
    {INLAY_ARCH_THUMB2, 4, 0x0000f85f, 0xffff0080},
    {INLAY_ARCH_THUMB2, 4, 0x0b00ed1f, 0xf0ff00c0},
    {INLAY_ARCH_THUMB2, 4, 0x0000f2af, 0x7fff0400},
    {INLAY_ARCH_THUMB2, 2, 0x4800, 0x7ff},
    {INLAY_ARCH_ARM, 4, 0xeb000000, 0xffffff},
    {INLAY_ARCH_ARM, 4, 0xfa000000, 0x1ffffff},
    {INLAY_ARCH_ARM, 4, 0xe51f0000, 0x80ffff},
    {INLAY_ARCH_ARM, 4, 0xe15f00b0, 0x80ff0f},
    {INLAY_ARCH_ARM, 4, 0xe28f0000, 0xffff},
    {INLAY_ARCH_ARM, 4, 0xe24f0000, 0xffff},
    {INLAY_ARCH_ARM, 4, 0xe3000000, 0xf0fff},
    {INLAY_ARCH_ARM, 4, 0xe3400000, 0xf0fff},
    {INLAY_ARCH_ARM, 4, 0xed1f0a00, 0x80f1ff},
    {INLAY_ARCH_AARCH64, 4, 0x94000000, 0x3ffffff},
    {INLAY_ARCH_AARCH64, 4, 0x90000001, 0x60ffffe0},
    {INLAY_ARCH_AARCH64, 4, 0x91000021, 0x3ffc02},
    {INLAY_ARCH_AARCH64, 4, 0xf9400020, 0x3ffc1e},
    {INLAY_ARCH_AARCH64, 4, 0x58000000, 0xffffff},
    {INLAY_ARCH_AARCH64, 4, 0x36000000, 0x1ffffff},
    {INLAY_ARCH_AARCH64, 4, 0x54000000, 0xffffef},
    {INLAY_ARCH_RISCV, 4, 0x0000006f, 0xffffff80},
    {INLAY_ARCH_RISCV, 4, 0x00000063, 0xffffff80},
    {INLAY_ARCH_RISCV, 4, 0x00000517, 0xfffff000},
    {INLAY_ARCH_RISCV, 4, 0x000005b7, 0xfffff000},
    {INLAY_ARCH_RISCV, 4, 0x00050513, 0xfff00080},
    {INLAY_ARCH_RISCV, 4, 0x00b5a023, 0xfe000f80},
    {INLAY_ARCH_RISCV, 4, 0x0005a503, 0xfff00000},
    {INLAY_ARCH_RISCV, 2, 0xa001, 0x1ffc},
    {INLAY_ARCH_RISCV, 2, 0xc001, 0x3ffc},
    {INLAY_ARCH_XTENSA, 3, 0x000005, 0xfffff0},
    {INLAY_ARCH_XTENSA, 3, 0x000001, 0xfffff0},
    {INLAY_ARCH_XTENSA, 3, 0x000006, 0xffffc0},
    {INLAY_ARCH_XTENSA, 2, 0x008c, 0xff70},
    {INLAY_ARCH_XTENSA, 3, 0x000016, 0xffffc0},
    {INLAY_ARCH_AVR, 4, 0x0000940c, 0xffff01f3},
    {INLAY_ARCH_AVR, 2, 0xc000, 0x1fff},
    {INLAY_ARCH_AVR, 4, 0x00009000, 0xffff03f0},
    {INLAY_ARCH_AVR, 4, 0xe090e080, 0x0f0f0f0f},
    {INLAY_ARCH_AVR, 4, 0x40905080, 0x0f0f0f0f},
    {INLAY_ARCH_AVR, 2, 0xf000, 0x07ff},
    {INLAY_ARCH_X86_64, 1, 0xe8, 0},
    {INLAY_ARCH_X86_64, 3, 0x058b48, 0x380000},
    {INLAY_ARCH_X86_64, 2, 0x05c7, 0x0},
    {INLAY_ARCH_X86_64, 2, 0x800f, 0xf00},
    {INLAY_ARCH_WASM, 3, 0x008010, 0x7f7f00},
    {INLAY_ARCH_WASM, 4, 0x04808041, 0x007f7f00},
    {INLAY_ARCH_WASM, 4, 0x08800228, 0x7f7f0016},
    {INLAY_ARCH_WASM, 2, 0x0020, 0x1f03},
    {INLAY_ARCH_WASM, 3, 0x000011, 0x7f00},
    {INLAY_ARCH_WASM, 2, 0x020e, 0x0300},
    {INLAY_ARCH_WASM, 4, 0x017f010b, 0x00000000},
    {INLAY_ARCH_WASM, 2, 0x00fc, 0x1f02},
};

static void sprinkle(unsigned id, uint8_t *b, uint32_t n, uint32_t granule)
{
    for (uint32_t i = 0; i < n; i++)
        b[i] = (uint8_t)draw();
    for (uint32_t i = 0; i + 4 <= n;) {
        const struct opcode *o = &opcodes[draw() % (sizeof opcodes / sizeof *opcodes)];
        if (o->arch != id)
            continue;
        if (draw() % 4u) {
            uint8_t w[4];
            inlay_put32(w, o->bits | (draw() & o->any));
            memcpy(b + i, w, o->len);
            i += o->len;
        }
        if (draw() % 8u == 0)
            i += granule;
    }
}

/* Parses b as parse() sees it in the codec: with at most INLAY_WINDOW bytes. */
static void take(const struct inlay_arch *a, struct inlay_arch_state *st, const uint8_t *b,
                 uint32_t left, uint32_t addr, struct inlay_unit *u)
{
    uint32_t n = left < INLAY_WINDOW ? left : INLAY_WINDOW;
    uint8_t *exact = malloc(n); /* so that a sanitizer sees a byte too many */
    memset(u, 0xa5, sizeof *u);
    memcpy(exact, b, n);
    a->parse(st, exact, n, addr, u);
    free(exact);
    assert_in_range(u->len, 1, INLAY_UNIT_MAX);
    assert_true(u->len <= n);
    assert_true(u->type < INLAY_UNIT_TYPES - 8u);
    assert_true(u->has_target <= 1);
}

static void test_total(void **state)
{
    (void)state;
    seed = 1;
    for (unsigned k = 0; k < COUNT; k++) {
        struct inlay_arch_state st = {0};
        for (unsigned round = 0; round < 40000; round++) {
            uint8_t b[INLAY_WINDOW];
            struct inlay_unit u;
            uint32_t n = draw() % INLAY_WINDOW + 1u;
            uint32_t addr = draw() & ~(uint32_t)(all[k]->granule - 1u);
            if (round % 16u == 0) {
                for (unsigned i = 0; i < 32; i++)
                    st.value[i] = draw();
                st.valid = draw();
            }
            sprinkle(k ? k : INLAY_ARCH_ARM, b, n, 1);
            take(all[k], &st, b, n, addr, &u);
            if (all[k]->is_code && n >= 4)
                assert_in_range(all[k]->is_code(b, n, addr), 0, 1);
        }
    }
}

/* Aimed at its own target, a unit stays as it is. */
static void check_same(const struct inlay_arch *a, const uint8_t *b, uint32_t n, uint32_t addr)
{
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    uint8_t now[INLAY_UNIT_MAX];
    for (uint32_t pos = 0; pos < n; pos += u.len) {
        take(a, &st, b + pos, n - pos, addr + pos, &u);
        memcpy(now, b + pos, u.len);
        if (!u.has_target)
            continue;
        assert_int_equal(a->aim(&st, &u, now, addr + pos, addr + pos, u.target), 1);
        if (memcmp(now, b + pos, u.len) != 0)
            fail_msg("arch %u type %u %08x", a->id, u.type, inlay_get32(b + pos));
    }
}

static void test_same(void **state)
{
    (void)state;
    seed = 2;
    for (unsigned k = 1; k < COUNT; k++) {
        for (unsigned round = 0; round < 20000; round++) {
            uint8_t b[48];
            sprinkle(k, b, sizeof b, all[k]->granule);
            check_same(all[k], b, sizeof b, draw() & ~(uint32_t)(all[k]->granule - 1u));
        }
    }
}

/* Every halfword, alone and before another. */
static void test_same_halfwords(void **state)
{
    (void)state;
    for (unsigned k = 1; k < COUNT; k++) {
        for (uint32_t op = 0; op < 0x10000; op++) {
            uint8_t b[4] = {(uint8_t)op, (uint8_t)(op >> 8), 0x34, 0x92};
            check_same(all[k], b, 4, 0x1000);
            check_same(all[k], b, 2, 0x1000);
            check_same(all[k], b, 4, 0x80001000);
        }
    }
}

/*
 * Moves code by `moved` and everything that it refers to by `shift`: what was
 * aimed must then be parsed with exactly the shifted targets.
 */
static unsigned check_moved(const struct inlay_arch *a, const uint8_t *b, uint32_t n, uint32_t addr,
                            uint32_t moved, uint32_t shift)
{
    struct inlay_arch_state before = {0}, after = {0};
    struct inlay_unit u[64], v;
    uint8_t now[64], aimed[64];
    unsigned units = 0, good = 0;
    /* Where an instruction does not end in b its length may depend on what is aimed behind. */
    uint32_t end = a->id == INLAY_ARCH_X86_64 ? n - 15u : n;
    memcpy(now, b, n);
    for (uint32_t pos = 0; pos < end; pos += u[units++].len) {
        struct inlay_unit *at = &u[units];
        take(a, &before, b + pos, n - pos, addr + pos, at);
        aimed[units] = at->has_target && a->aim(&before, at, now + pos, addr + pos,
                                                addr + moved + pos, at->target + shift);
        if (!aimed[units])
            assert_memory_equal(now + pos, b + pos, at->len);
    }
    uint32_t pos = 0;
    for (unsigned i = 0; i < units; pos += u[i++].len) {
        take(a, &after, now + pos, n - pos, addr + moved + pos, &v);
        assert_int_equal(v.len, u[i].len);
        if (!aimed[i])
            continue;
        uint32_t wrong = v.target ^ (u[i].target + shift);
        if (a->id == INLAY_ARCH_AARCH64 && v.type == 12)
            wrong &= 0x7fffu; /* above its slot is where the code is */
        if (v.type != u[i].type || !v.has_target || wrong)
            fail_msg("arch %u type %u/%u: %08x became %08x, wanted %08x, got %08x", a->id,
                     u[i].type, v.type, inlay_get32(b + pos), inlay_get32(now + pos),
                     u[i].target + shift, v.target);
        good++;
    }
    return good;
}

static void test_moved(void **state)
{
    (void)state;
    seed = 3;
    for (unsigned k = 1; k < INLAY_ARCH_WASM; k++) { /* indices do not move with the code */
        unsigned good = 0;
        for (unsigned round = 0; round < 20000; round++) {
            uint8_t b[48];
            uint32_t addr = draw() >> 4 & ~(uint32_t)(all[k]->granule - 1u);
            uint32_t unit = k == INLAY_ARCH_ARM ? 65536 : 4096; /* no carry between parts */
            uint32_t moved = (draw() % 64u - 32u) * unit;
            sprinkle(k, b, sizeof b, all[k]->granule);
            good += check_moved(all[k], b, sizeof b, addr, moved, moved);
            good += check_moved(all[k], b, sizeof b, addr, 0, k == INLAY_ARCH_AVR ? 256 : unit);
            good += check_moved(all[k], b, sizeof b, addr, moved, 0);
        }
        assert_true(good > 20000);
    }
}

/* Pairs that make up one address, moved by amounts that carry from the low part to the high. */
static void test_pairs(void **state)
{
    static const struct {
        uint8_t arch;
        uint32_t first, second, any_first, any_second, step;
    } pairs[] = {
        {INLAY_ARCH_ARM, 0xe3001000, 0xe3401000, 0xf0fff, 0xf0fff, 1},
        {INLAY_ARCH_AARCH64, 0x90000001, 0x91000021, 0x600fffe0, 0x3ffc00, 1},
        {INLAY_ARCH_AARCH64, 0x90000001, 0xf9400020, 0x600fffe0, 0x07fc00, 8},
        {INLAY_ARCH_AARCH64, 0x90000001, 0x3dc00020, 0x600fffe0, 0x03fc00, 16},
        {INLAY_ARCH_AARCH64, 0x90000001, 0xb9000020, 0x600fffe0, 0x0ffc00, 4},
        {INLAY_ARCH_RISCV, 0x00000517, 0x00050513, 0xfffff000, 0xfff00000, 1},
        {INLAY_ARCH_RISCV, 0x00000517, 0x000500e7, 0xfffff000, 0xfff00000, 1},
        {INLAY_ARCH_RISCV, 0x000005b7, 0x00b5a023, 0xfffff000, 0xfe000f80, 1},
        {INLAY_ARCH_RISCV, 0x000005b7, 0x0005a503, 0xfffff000, 0xfff00000, 1},
    };
    (void)state;
    seed = 4;
    for (unsigned round = 0; round < 100000; round++) {
        unsigned p = draw() % (sizeof pairs / sizeof *pairs);
        uint8_t b[8];
        uint32_t step = pairs[p].step;
        inlay_put32(b, pairs[p].first | (draw() & pairs[p].any_first));
        inlay_put32(b + 4, pairs[p].second | (draw() & pairs[p].any_second));
        uint32_t addr = draw() & 0xffffffcu, moved = draw() & 0xffffcu;
        unsigned good =
            check_moved(all[pairs[p].arch], b, 8, addr, moved, draw() % 0x100000u / step * step);
        assert_int_equal(good, 2);
    }
}

/* Encodings worked out by hand from the manuals. */
static void test_known(void **state)
{
    static const struct {
        uint8_t arch, len;
        uint8_t b[8];
        uint32_t addr, target;
    } known[] = {
        {INLAY_ARCH_AVR, 4, {0x0e, 0x94, 0x1a, 0x09}, 0x100, 0x1234},     /* CALL 0x1234 */
        {INLAY_ARCH_AVR, 4, {0x0d, 0x94, 0x00, 0x00}, 0x100, 0x20000},    /* JMP 0x20000 */
        {INLAY_ARCH_AVR, 2, {0xff, 0xcf}, 0x100, 0x100},                  /* RJMP .-2 */
        {INLAY_ARCH_AVR, 2, {0x01, 0xd0}, 0x100, 0x104},                  /* RCALL .+2 */
        {INLAY_ARCH_AVR, 2, {0xa1, 0xf0}, 0x3a, 0x64},                    /* BREQ .+40 */
        {INLAY_ARCH_AVR, 2, {0xf1, 0xf7}, 0x3a, 0x38},                    /* BRNE .-4 */
        {INLAY_ARCH_AVR, 4, {0x80, 0x91, 0x92, 0x10}, 0, 0x801092},       /* LDS r24, 0x1092 */
        {INLAY_ARCH_AVR, 2, {0x80, 0xe9, 0x90, 0xe1}, 0, 0x801090},       /* LDI r24 with r25 */
        {INLAY_ARCH_AVR, 2, {0x80, 0x57, 0x9f, 0x4e}, 0, 0x801090},       /* SUBI r24, SBCI r25 */
        {INLAY_ARCH_XTENSA, 3, {0x05, 0x00, 0x00}, 0x1002, 0x1004},       /* CALL0 */
        {INLAY_ARCH_XTENSA, 3, {0xd5, 0xff, 0xff}, 0x1002, 0x1000},       /* CALL4, one word back */
        {INLAY_ARCH_XTENSA, 3, {0x06, 0xff, 0xff}, 0x1000, 0x1000},       /* J to itself */
        {INLAY_ARCH_XTENSA, 3, {0x21, 0xff, 0xff}, 0x1001, 0x1000},       /* L32R a2 */
        {INLAY_ARCH_XTENSA, 3, {0x16, 0x22, 0x00}, 0x1000, 0x1006},       /* BEQZ a2, .+6 */
        {INLAY_ARCH_XTENSA, 3, {0x37, 0x92, 0xfc}, 0x1000, 0x1000},       /* BNE a2, a3, . */
        {INLAY_ARCH_XTENSA, 3, {0x76, 0x82, 0x0a}, 0x1000, 0x100e},       /* LOOP a2, .+14 */
        {INLAY_ARCH_XTENSA, 2, {0x9c, 0xf2}, 0x1000, 0x1023},             /* BEQZ.N a2, .+35 */
        {INLAY_ARCH_ARM, 4, {0xfe, 0xff, 0xff, 0xfb}, 0x1000, 0x1002},    /* BLX .+2 */
        {INLAY_ARCH_THUMB2, 4, {0xff, 0xf7, 0xfe, 0xef}, 0x1000, 0x1000}, /* BLX . */
        {INLAY_ARCH_THUMB2, 4, {0xff, 0xf7, 0xfe, 0xef}, 0x1002, 0x1000}, /* BLX .-2 */
        {INLAY_ARCH_AARCH64,
         4,
         {0xe1, 0x0b, 0x40, 0xf9},
         0x5000,
         0xf0028010}, /* LDR x1, [sp, #16] */
        {INLAY_ARCH_AARCH64,
         4,
         {0xfd, 0x7b, 0xba, 0xa9},
         0x5ffc,
         0xf0028060}, /* STP x29, x30, [sp, #-96]! */
        {INLAY_ARCH_AARCH64, 4, {0xff, 0x83, 0x01, 0xd1}, 0x6000, 0xf0030060}, /* SUB sp, sp, #96 */
        {INLAY_ARCH_AARCH64,
         4,
         {0xe8, 0xa7, 0x42, 0x6d},
         0x6000,
         0xf0030028},                                                  /* LDP d8, d9, [sp, #40] */
        {INLAY_ARCH_ARM, 4, {0x10, 0x10, 0x1f, 0xe5}, 0x1000, 0xff8},  /* LDR r1, [pc, #-16] */
        {INLAY_ARCH_ARM, 4, {0xd4, 0x21, 0xcf, 0xe1}, 0x1000, 0x101c}, /* LDRD r2, [pc, #20] */
        {INLAY_ARCH_ARM, 4, {0x01, 0x1c, 0x4f, 0xe2}, 0x1000, 0xf08},  /* SUB r1, pc, #256 */
        {INLAY_ARCH_ARM, 4, {0x04, 0x0b, 0x9f, 0xed}, 0x1000, 0x1018}, /* VLDR d0, [pc, #16] */
        {INLAY_ARCH_X86_64, 7, {0x48, 0x8d, 0x3d, 1, 0, 0, 0}, 0x10, 0x18}, /* LEA rdi, [rip+1] */
        {INLAY_ARCH_X86_64, 2, {0x74, 0xfe}, 0x10, 0x10},                   /* JE . */
    };
    (void)state;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        struct inlay_arch_state st = {0};
        struct inlay_unit u;
        take(all[known[i].arch], &st, known[i].b, sizeof known[i].b, known[i].addr, &u);
        assert_int_equal(u.len, known[i].len);
        assert_int_equal(u.has_target, 1);
        if (u.target != known[i].target)
            fail_msg("%u: target %x, expected %x", i, u.target, known[i].target);
    }
}

/* What of the stack frame cannot be reached, and the sign of what is in front of it. */
static void test_slots(void **state)
{
    static const struct {
        uint32_t word, slot, then; /* then 0: out of reach */
    } slots[] = {
        {0xf9400be1, 32, 0xf94013e1},  {0xf9400be1, 20, 0},              /* LDR x1, [sp, #16] */
        {0xb9400be1, 20, 0xb94017e1},  {0xb9400be1, 0x3ffc, 0xb97fffe1}, /* LDR w1, [sp, #8] */
        {0xa9ba7bfd, 64, 0xa9bc7bfd},  {0xa9ba7bfd, 520, 0}, /* STP x29, x30, [sp, #-96]! */
        {0xa9ba7bfd, 512, 0xa9a07bfd}, {0xa8c67bfd, 504, 0xa8dffbfd}, /* LDP x29, x30, [sp], #96 */
        {0xa8c67bfd, 512, 0},          {0x910183e0, 0xfff, 0x913fffe0}, /* ADD x0, sp, #96 */
        {0x910183e0, 0x1000, 0},       {0xf9400be1, 0x4000, 0},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof slots / sizeof *slots; i++) {
        struct inlay_arch_state st = {0};
        struct inlay_unit u;
        uint8_t b[4];
        inlay_put32(b, slots[i].word);
        inlay_arch_aarch64.parse(&st, b, 4, 0x1000, &u);
        int reached =
            inlay_arch_aarch64.aim(&st, &u, b, 0x1000, 0x2000, 0xf0000000u + slots[i].slot);
        assert_int_equal(reached, slots[i].then != 0);
        assert_int_equal(inlay_get32(b), reached ? slots[i].then : slots[i].word);
    }
}

/* ---- against a disassembler ---- */

struct line {
    uint32_t addr, target;
    int has_target;
};

static char dir[] = "/tmp/inlay-arch-XXXXXX";

/* Runs a command whose words may hold {}, the directory; 0 if all went well. */
static int run(const char *command)
{
    char full[2048];
    size_t out = (size_t)sprintf(full, "( ");
    for (const char *c = command; *c && out + sizeof dir < sizeof full - 32; c++) {
        if (c[0] == '{' && c[1] == '}') {
            out += (size_t)sprintf(full + out, "%s", dir);
            c++;
        } else {
            full[out++] = *c;
        }
    }
    strcpy(full + out, " ) >/dev/null 2>&1");
    return system(full);
}

/* One line of objdump -d; 0 if it holds no instruction. */
static int read_line(const char *text, struct line *l)
{
    char *end;
    memset(l, 0, sizeof *l);
    l->addr = (uint32_t)strtoull(text, &end, 16);
    if (end == text || *end != ':')
        return 0;
    const char *open = strrchr(text, '<');
    if (open && open > text + 1 && open[-1] == ' ') {
        const char *from = open - 1;
        while (from > text && strchr("0123456789abcdef", from[-1]))
            from--;
        l->target = (uint32_t)strtoull(from, NULL, 16);
        l->has_target = from < open - 1;
    }
    return 1;
}

/* Units and objdump's lines must start at the same addresses and agree on targets. */
static unsigned compare(const struct inlay_arch *a, const uint8_t *b, uint32_t n, FILE *listing)
{
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    struct line l;
    char text[512];
    uint32_t pos = 0;
    unsigned agreed = 0;
    int data = 0;
    while (fgets(text, sizeof text, listing)) {
        if (!read_line(text, &l))
            continue;
        if (strstr(text, "\t.")) { /* data between the code */
            pos = l.addr + 1u;
            data = 1;
            continue;
        }
        if (data)
            pos = l.addr;
        data = 0;
        assert_true(l.addr < n);
        while (pos < l.addr) { /* the rest of a line of continued bytes */
            take(a, &st, b + pos, n - pos, pos, &u);
            pos += u.len;
        }
        if (pos != l.addr)
            fail_msg("arch %u: unit at %x, expected one at: %s", a->id, pos, text);
        take(a, &st, b + pos, n - pos, pos, &u);
        pos += u.len;
        if (!l.has_target || !u.has_target)
            continue;
        uint32_t mask = strstr(text, "adrp") ? ~0xfffu : ~0u;
        if ((u.target & mask) != l.target)
            fail_msg("arch %u: target %x, expected: %s", a->id, u.target, text);
        agreed++;
    }
    return agreed;
}

static uint8_t *read_file(const char *name, uint32_t *n)
{
    char path[64];
    uint8_t *b = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (uint32_t)ftell(f);
    rewind(f);
    b = malloc(*n + 1u);
    assert_int_equal(fread(b, 1, *n, f), *n);
    fclose(f);
    return b;
}

static const char branches[] =
    "int g(int), t[100]; int h(int a, int b) { int s = 0;\n"
    "for (int i = 0; i < b; i++) { if (a & i) s += g(i); else if (s > a) s ^= t[i & 63];\n"
    "switch (s & 7) { case 0: s += 3; break; case 1: s *= b; break; case 2: s ^= g(s); break;\n"
    "case 5: s = 9; break; case 6: t[3] = s; break; } while (s > 900 && g(s)) s -= t[5]; }\n"
    "return s; }\n"
    "__attribute__((noinline)) int g(int a) { return a ? h(a, a - 1) * 77 + t[a & 31] : t[2]; }\n"
    "#if defined __x86_64__ || defined __aarch64__\n"
    "double k(double x, unsigned *p) { while (x > 2.5) { x -= 1.25e-3 * *p++; if (*p == "
    "0x12345678)\n"
    "p[1] = 0xfedcba98; } return x + g((int)x); }\n"
    "#else\nint k(int x, unsigned *p) { return x + (int)p[1]; }\n#endif\n"
    "void _start(void) { t[1] = (int)k(h(1, t[0]), (unsigned *)t); }\n";

struct toolchain {
    uint8_t arch;
    const char *compile, *link, *tools;
};

static const struct toolchain toolchains[] = {
    {INLAY_ARCH_THUMB2, "arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb", "arm-none-eabi-ld",
     "arm-none-eabi-"},
    {INLAY_ARCH_ARM, "arm-none-eabi-gcc -march=armv7-a -marm", "arm-none-eabi-ld",
     "arm-none-eabi-"},
    {INLAY_ARCH_RISCV, "riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32",
     "riscv64-unknown-elf-ld -melf32lriscv", "riscv64-unknown-elf-"},
    {INLAY_ARCH_RISCV, "riscv64-unknown-elf-gcc -march=rv64gc -mabi=lp64d -mcmodel=medany",
     "riscv64-unknown-elf-ld", "riscv64-unknown-elf-"},
    {INLAY_ARCH_X86_64, "cc -m64 -fcf-protection=none", "ld", ""},
    {INLAY_ARCH_X86_64, "cc -m64 -mavx2 -mfma -O3", "ld", ""},
    {INLAY_ARCH_AARCH64, "clang --target=aarch64-none-elf", "ld.lld", "llvm-"},
    {INLAY_ARCH_AVR, "avr-gcc -mmcu=atmega328p", "avr-ld", "avr-"},
};

/* Links the text at 0 and compares it; returns agreed targets, 0 if there is no such toolchain. */
static unsigned try_toolchain(const struct toolchain *t, const char *level)
{
    char command[512], line[256];
    snprintf(
        command, sizeof command,
        "%s %s -w -ffreestanding -fno-pic -fno-asynchronous-unwind-tables -c -o {}/o {}/a.c && "
        "%s -Ttext=0 -e _start -o {}/elf {}/o",
        t->compile, level, t->link);
    if (run(command) != 0)
        return 0;
    snprintf(command, sizeof command, "%sobjcopy -O binary -j .text {}/elf {}/bin", t->tools);
    if (run(command) != 0)
        return 0;
    snprintf(line, sizeof line, "%sobjdump -d -w -j .text %s/elf 2>/dev/null", t->tools, dir);
    FILE *listing = popen(line, "r");
    assert_non_null(listing);
    uint32_t n;
    uint8_t *b = read_file("bin", &n);
    unsigned agreed = compare(all[t->arch], b, n, listing);
    pclose(listing);
    free(b);
    return agreed;
}

static void test_disassembler(void **state)
{
    static const char *const levels[] = {"-O0", "-O2", "-Os"};
    (void)state;
    assert_non_null(mkdtemp(dir));
    char path[64];
    snprintf(path, sizeof path, "%s/a.c", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(branches, f);
    fclose(f);
    for (unsigned i = 0; i < sizeof toolchains / sizeof *toolchains; i++) {
        unsigned agreed = 0;
        for (unsigned k = 0; k < 3; k++)
            agreed += try_toolchain(&toolchains[i], levels[k]);
        print_message("%s: %u targets agree\n", toolchains[i].compile, agreed);
    }
    run("rm -r {}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_total),          cmocka_unit_test(test_same),
        cmocka_unit_test(test_same_halfwords), cmocka_unit_test(test_moved),
        cmocka_unit_test(test_pairs),          cmocka_unit_test(test_known),
        cmocka_unit_test(test_slots),          cmocka_unit_test(test_disassembler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
