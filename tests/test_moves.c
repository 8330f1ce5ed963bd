/* SPDX-License-Identifier: Apache-2.0 */
/* Which segments become moves: those that say what addresses became. */
#include "align.h"
#include "moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE  4096u
#define BASE  0x10000u
#define WORDS 16u

static uint8_t old[SIZE], new[SIZE];
static struct inlay_scene scene;

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/*
 * At 0 a table of pointers to 0x800.. on; what is at 0x800 moved up by 32
 * bytes, except for 0x840 to 0x860, which went to 0xc00.
 */
static void set_up(void)
{
    static const struct inlay_layout layout = {.arch = INLAY_ARCH_THUMB2,
                                               .old_space = {{BASE, 0, SIZE}},
                                               .new_space = {{BASE, 0, SIZE}},
                                               .old_spaces = 1,
                                               .new_spaces = 1};
    inlay_layout_scene(&layout, &scene);
    memset(old, 0, sizeof old);
    memset(new, 0, sizeof new);
    for (uint32_t i = 0; i < WORDS; i++) {
        uint32_t pos = 0x800u + 8u * i;
        uint32_t to = pos - 0x840u < 0x20u ? pos - 0x840u + 0xc00u : pos + 32u;
        put32(old + 4u * i, BASE + pos);
        put32(new + 4u * i, BASE + to);
    }
}

static struct inlay_segment *choose(struct inlay_segment *at, size_t n, uint32_t most,
                                    uint32_t *count)
{
    const struct inlay_segments s = {at, n, n};
    const struct inlay_moves_input in = {
        .old = old, .new = new, .scene = &scene, .segments = &s, .most = most};
    struct inlay_segment *moves = inlay_choose_moves(&in, count);
    assert_non_null(moves);
    return moves;
}

static int holds(const struct inlay_segment *moves, uint32_t count, uint32_t new_pos)
{
    for (uint32_t i = 0; i < count; i++)
        if (moves[i].new_pos == new_pos)
            return 1;
    return 0;
}

/* The table; what moved; the part that went elsewhere; a long one that nothing refers to. */
static struct inlay_segment segments[] = {{0, 0, 64},
                                          {0x820, 0x800, 0x40},
                                          {0x880, 0x860, 0x20},
                                          {0xa00, 0xa00, 0x180},
                                          {0xc00, 0x840, 0x1c}};

static void test_referred(void **unused)
{
    uint32_t count;
    (void)unused;
    set_up();
    struct inlay_segment *moves = choose(segments, 5, 3, &count);
    assert_int_equal(count, 3);
    assert_true(holds(moves, count, 0x820) && holds(moves, count, 0x880));
    assert_true(holds(moves, count, 0xc00));
    assert_false(holds(moves, count, 0xa00));
    free(moves);
}

static void test_misleading(void **unused)
{
    uint32_t count;
    struct inlay_segment wrong[] = {{0, 0, 64}, {0x820, 0x800, 0x40}, {0x900, 0x840, 0x10}};
    (void)unused;
    set_up();
    struct inlay_segment *moves = choose(wrong, 3, 10, &count);
    assert_false(holds(moves, count, 0x900));
    assert_true(holds(moves, count, 0x820));
    free(moves);
}

/* What was copied as part of something long, and once more alone. */
static void test_echo(void **unused)
{
    uint32_t count;
    struct inlay_segment twice[] = {
        {0, 0, 64}, {0x820, 0x800, 0x400}, {0xd00, 0xa00, 0x40}, {0xe00, 0xa00, 0x90}};
    (void)unused;
    set_up();
    struct inlay_segment *moves = choose(twice, 4, 10, &count);
    assert_true(holds(moves, count, 0x820));
    assert_false(holds(moves, count, 0xd00));
    assert_true(holds(moves, count, 0xe00)); /* too long to be an echo */
    free(moves);
}

static void test_echoes_are_sorted_out(void **unused)
{
    struct inlay_segment s[] = {{0, 0x100, 0x800},     {0x900, 0x8f0, 0x20}, {0xa00, 0x100, 0xff},
                                {0xb00, 0x100, 0x100}, {0xc00, 0x80, 0x10},  {0xd00, 0x800, 8}};
    static const uint32_t left[] = {0xc00, 0, 0xb00, 0x900};
    (void)unused;
    assert_int_equal(inlay_segments_drop_echoes(s, 6), 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(s[i].new_pos, left[i]);
    assert_int_equal(inlay_segments_drop_echoes(NULL, 0), 0);
}

static void test_none(void **unused)
{
    uint32_t count;
    (void)unused;
    set_up();
    free(choose(segments, 0, 10, &count));
    assert_int_equal(count, 0);
    free(choose(segments, 5, 0, &count));
    assert_int_equal(count, 0);
}

static void test_ascending(void **unused)
{
    uint32_t count;
    (void)unused;
    set_up();
    struct inlay_segment *moves = choose(segments, 5, 10, &count);
    for (uint32_t i = 1; i < count; i++)
        assert_true(moves[i - 1].new_pos + moves[i - 1].len <= moves[i].new_pos);
    assert_true(count >= 4);
    free(moves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_referred), cmocka_unit_test(test_misleading),
        cmocka_unit_test(test_echo),     cmocka_unit_test(test_echoes_are_sorted_out),
        cmocka_unit_test(test_none),     cmocka_unit_test(test_ascending)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
