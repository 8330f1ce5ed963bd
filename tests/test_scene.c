/* SPDX-License-Identifier: Apache-2.0 */
/* What the scene adds to a processor: words of tables are told apart, and aimed. */
#include "bits.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TEXT   0x1000u /* functions are from here on */
#define FRAMES 0x8000u /* .eh_frame */
#define SIZE   0x200u
#define MOVED  0x300u /* where .eh_frame is in the new image, less where it was */
#define ENTRY  24u

static uint8_t frames[SIZE];

static const struct inlay_table frame_table[] = {
    {INLAY_TABLE_FROM_HERE, {FRAMES, FRAMES + MOVED}, {SIZE, SIZE}}};

static const struct inlay_scene scene = {
    .arch = &inlay_arch_x86_64,
    .spaces = {1, 1},
    .space = {{{0, 0, FRAMES + SIZE}}, {{0, 0, 0x10000}}},
    .tables = 1,
    .table = frame_table,
};

/* A CIE, and entries of as many bytes behind it. */
static void set_up(void)
{
    memset(frames, 0x4c, sizeof frames); /* REX.WR: an x86 instruction would go on */
    inlay_put32(frames, ENTRY - 4u);
    inlay_put32(frames + 4, 0);
    for (uint32_t at = ENTRY; at + ENTRY <= SIZE; at += ENTRY) {
        uint8_t *b = frames + at;
        inlay_put32(b, ENTRY - 4u);
        inlay_put32(b + 4, at + 4u);
        inlay_put32(b + 8, TEXT + at - (FRAMES + at + 8u));
        inlay_put32(b + 12, 0x4cu);
    }
}

static struct inlay_unit parse(uint32_t at, uint32_t n)
{
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    inlay_scene_parse(&scene, INLAY_OLD, &st, frames + at, n, FRAMES + at, &u);
    return u;
}

static void expect(struct inlay_unit u, unsigned type, unsigned len)
{
    assert_int_equal(u.type, type);
    assert_int_equal(u.len, len);
}

static void entries_are_words(void **state)
{
    (void)state;
    set_up();
    for (uint32_t at = ENTRY; at + 2u * ENTRY <= SIZE; at += ENTRY) {
        expect(parse(at, 32), INLAY_TYPE_FRAME, 4);
        struct inlay_unit cie = parse(at + 4u, 32), start = parse(at + 8u, 32);
        expect(cie, INLAY_TYPE_BACK, 4);
        assert_int_equal(cie.target, FRAMES);
        expect(start, INLAY_TYPE_FROM_HERE, 4);
        assert_int_equal(start.target, TEXT + at);
        expect(parse(at + 12u, 32), INLAY_TYPE_FRAME, 4);
        expect(parse(at + 16u, 32), INLAY_TYPE_FRAME, 4);
    }
    expect(parse(0, 32), INLAY_TYPE_FRAME, 4);
    expect(parse(4, 32), INLAY_TYPE_FRAME, 4);
}

/* A run may start and end anywhere; what is not in sight tells nothing. */
static void pieces_of_entries(void **state)
{
    (void)state;
    set_up();
    expect(parse(ENTRY + 1u, 32), INLAY_TYPE_EDGE, 3);
    expect(parse(ENTRY + 1u, 2), INLAY_TYPE_EDGE, 2);
    expect(parse(ENTRY + 4u, 3), INLAY_TYPE_EDGE, 3);
    expect(parse(ENTRY + 4u, 11), INLAY_TYPE_FRAME, 4);
    expect(parse(ENTRY + 4u, 12), INLAY_TYPE_BACK, 4);
    expect(parse(ENTRY + 8u, 4), INLAY_TYPE_FROM_HERE, 4);
}

/* A distance of 0, one to what is before the table, and one that no function follows. */
static void other_words(void **state)
{
    (void)state;
    uint8_t *entry = frames + 2u * ENTRY;
    set_up();
    inlay_put32(entry + 4, 0);
    expect(parse(2u * ENTRY + 4u, 32), INLAY_TYPE_FRAME, 4);
    inlay_put32(entry + 4, 2u * ENTRY + 8u);
    expect(parse(2u * ENTRY + 4u, 32), INLAY_TYPE_FRAME, 4);
    inlay_put32(entry + 4, 2u * ENTRY + 4u);
    expect(parse(2u * ENTRY + 4u, 32), INLAY_TYPE_BACK, 4);
    inlay_put32(entry + 8, 0x40000000u);
    expect(parse(2u * ENTRY + 4u, 32), INLAY_TYPE_FRAME, 4);
}

static void aimed_words_refer_there(void **state)
{
    (void)state;
    struct inlay_arch_state st = {0};
    set_up();
    for (uint32_t k = 4; k <= 8; k += 4) {
        uint32_t addr = FRAMES + ENTRY + k, new_addr = addr + MOVED + 0x40u;
        struct inlay_unit u = parse(ENTRY + k, 32);
        uint8_t b[4];
        memcpy(b, frames + ENTRY + k, sizeof b);
        assert_int_equal(
            inlay_scene_word_target(&scene, (enum inlay_scene_type)u.type, b, addr, addr),
            u.target);
        assert_true(inlay_scene_aim(&scene, &st, &u, b, addr, new_addr, u.target + MOVED));
        assert_int_equal(
            inlay_scene_word_target(&scene, (enum inlay_scene_type)u.type, b, addr, new_addr),
            u.target + MOVED);
    }
}

/* Each word is relative to the table that it is in, where there are several. */
static void bases_are_of_their_tables(void **state)
{
    static const struct inlay_table tables[] = {
        {INLAY_TABLE_FROM_BASE, {0x2000, 0x2100}, {64, 64}},
        {INLAY_TABLE_FROM_BASE, {0x3000, 0x3300}, {64, 64}}};
    static const struct inlay_scene two = {.arch = &inlay_arch_x86_64,
                                           .spaces = {1, 1},
                                           .space = {{{0, 0, 0x10000}}, {{0, 0, 0x10000}}},
                                           .tables = 2,
                                           .table = tables};
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct inlay_arch_state st = {0};
        struct inlay_unit u;
        uint32_t old_addr = two.table[i].addr[0] + 8u, base = two.table[i].addr[1];
        uint8_t b[4] = {0, 0x10, 0, 0};
        inlay_scene_parse(&two, INLAY_OLD, &st, b, 4, old_addr, &u);
        expect(u, INLAY_TYPE_FROM_BASE, 4);
        assert_int_equal(u.target, two.table[i].addr[0] + 0x1000u);
        assert_true(inlay_scene_aim(&two, &st, &u, b, old_addr, base + 8u, 0x5000));
        assert_int_equal(inlay_get32(b), 0x5000u - base);
        assert_int_equal(
            inlay_scene_word_target(&two, INLAY_TYPE_FROM_BASE, b, old_addr, base + 8u), 0x5000);
    }
}

static const struct inlay_table data_tables[] = {
    {INLAY_TABLE_DATA, {0x2000, 0x2400}, {24u * 10u, 24u * 12u}}, /* ten symbols, then twelve */
    {INLAY_TABLE_INDEX, {0x3000, 0x3400}, {0x100, 0x100}},
};

static const struct inlay_scene data_scene = {
    .arch = &inlay_arch_x86_64,
    .spaces = {1, 1},
    .space = {{{0, 0, 0x10000}}, {{0, 0, 0x10000}}},
    .tables = 2,
    .table = data_tables,
};

/* Parses a call of x86-64, or the words of a relocation, at an address. */
static struct inlay_unit parse_at(uint32_t addr, uint32_t n, const uint8_t *b)
{
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    inlay_scene_parse(&data_scene, INLAY_OLD, &st, b, n, addr, &u);
    return u;
}

/* What looks like an instruction is a word in data, and elsewhere an instruction. */
static void data_is_no_code(void **state)
{
    static const uint8_t call[8] = {0xe8, 0, 1, 0, 0, 0x90, 0x90, 0x90};
    static const uint8_t pointer[8] = {0x34, 0x12};
    (void)state;
    assert_int_equal(parse_at(0x5000, 8, call).len, 5);
    for (uint32_t addr = 0x2004; addr < 0x3100; addr += 0x1000) {
        struct inlay_unit u = parse_at(addr, 8, call);
        assert_int_equal(u.len, 4);
        assert_false(u.has_target);
        assert_int_equal(parse_at(addr + 1u, 8, call).len, 3);
        assert_int_equal(parse_at(addr + 1u, 2, call).len, 2);
        expect(parse_at(addr + 4u, 8, pointer), INLAY_TYPE_POINTER, 8);
    }
}

/* A symbol's index is an address of the symbol table. */
static void indices_are_addresses(void **state)
{
    uint8_t entry[8] = {9};
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    (void)state;
    assert_false(parse_at(0x2004, 8, entry).has_target);
    inlay_scene_parse(&data_scene, INLAY_OLD, &st, entry, 8, 0x3004, &u);
    assert_int_equal(u.len, 4);
    assert_true(u.has_target);
    assert_int_equal(u.target, 0x2000u + 24u * 9u);
    assert_false(inlay_scene_aim(&data_scene, &st, &u, entry, 0x3004, 0x3404, 0x2401));
    assert_int_equal(entry[0], 9);
    assert_true(inlay_scene_aim(&data_scene, &st, &u, entry, 0x3004, 0x3404, 0x2400 + 24u * 11u));
    assert_int_equal(entry[0], 11);
    entry[0] = 0; /* no symbol, and none of the ten */
    assert_false(parse_at(0x3004, 8, entry).has_target);
    entry[0] = 10;
    assert_false(parse_at(0x3004, 8, entry).has_target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_words),
        cmocka_unit_test(pieces_of_entries),
        cmocka_unit_test(other_words),
        cmocka_unit_test(aimed_words_refer_there),
        cmocka_unit_test(bases_are_of_their_tables),
        cmocka_unit_test(data_is_no_code),
        cmocka_unit_test(indices_are_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
