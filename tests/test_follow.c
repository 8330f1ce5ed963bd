/* SPDX-License-Identifier: Apache-2.0 */
/* Copies follow the calls of what they copy. */
#include "bits.h"
#include "follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE   0x2000u
#define STUBS  0x1000u /* what is in front of them are calls of x86-64 */
#define STUB   16u
#define COUNT  20u
#define ADDED  5u  /* the place of the new stub */
#define ROUNDS 10u /* calls of each */

static uint8_t old[SIZE], new[SIZE];
static struct inlay_scene scene = {
    .arch = &inlay_arch_x86_64,
    .spaces = {1, 1},
    .space = {{{0x10000, 0, SIZE}}, {{0x10000, 0, SIZE}}},
};
static const struct inlay_image_pair pair = {old, new, &scene};

/* Calls, and stubs that tell no more than their number; one was added at a place. */
static void fill(uint8_t *b, uint32_t added)
{
    memset(b, 0x90, SIZE);
    for (uint32_t i = 0; i < COUNT + 1u; i++)
        b[STUBS + STUB * i] = (uint8_t)i;
    for (uint32_t i = 0; i < COUNT * ROUNDS; i++) {
        uint32_t stub = i % COUNT;
        stub += stub >= added;
        b[5u * i] = 0xe8;
        inlay_put32(b + 5u * i + 1u, STUBS + STUB * stub - 5u * (i + 1u));
    }
}

static struct inlay_segments follow(void)
{
    static struct inlay_move move = {0, 0, SIZE};
    static uint16_t by_old;
    const struct inlay_map map = {&move, &by_old, 1, 1};
    struct inlay_segments s = {0};
    assert_int_equal(inlay_segments_add(&s, (struct inlay_segment){0, 0, SIZE}), 0);
    assert_int_equal(inlay_follow_references(&pair, SIZE, SIZE, &map, &s), 0);
    return s;
}

static void expect(struct inlay_segment s, uint32_t new_pos, uint32_t old_pos, uint32_t len)
{
    assert_int_equal(s.new_pos, new_pos);
    assert_int_equal(s.old_pos, old_pos);
    assert_int_equal(s.len, len);
}

static void stubs_behind_a_new_one_moved(void **state)
{
    const uint32_t at = STUBS + STUB * ADDED, len = STUB * (COUNT - ADDED);
    (void)state;
    fill(old, COUNT);
    fill(new, ADDED);
    struct inlay_segments s = follow();
    assert_int_equal(s.count, 3);
    expect(s.at[0], 0, 0, at + STUB);
    expect(s.at[1], at + STUB, at, len);
    expect(s.at[2], at + STUB + len, at + STUB + len, SIZE - (at + STUB + len));
    inlay_segments_free(&s);
}

/* What looks like something else did not go there, whoever says so; nor if nobody does. */
static void others_stay(void **state)
{
    (void)state;
    fill(old, COUNT);
    fill(new, COUNT);
    struct inlay_segments s = follow();
    assert_int_equal(s.count, 1);
    inlay_segments_free(&s);
    fill(new, ADDED);
    memset(new + STUBS, 0x55, SIZE - STUBS);
    s = follow();
    assert_int_equal(s.count, 1);
    inlay_segments_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stubs_behind_a_new_one_moved),
        cmocka_unit_test(others_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
