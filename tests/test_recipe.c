/* SPDX-License-Identifier: Apache-2.0 */
/* Recipes: what is written of a block makes the same block, and takes as little as it may. */
#include "codec.h"
#include "recipes.h"
#include "scenario.h"

#define BLOCK 4096u
#define PLACE 8192u /* of the block in the new image */

static uint8_t old_image[4u * BLOCK], block[BLOCK], written[2u * BLOCK];

static const struct inlay_region whole = {4, BLOCK};

/* Writes the recipe of a block that comes from pos + diagonal[i]; returns its length. */
static uint32_t write(const uint32_t *diagonal, const struct inlay_moved *moved)
{
    struct inlay_recipe r;
    uint32_t n = 0;
    inlay_recipe_begin(&r);
    for (uint32_t i = 0; i < BLOCK; i++) {
        uint32_t from = diagonal[i] != INLAY_NOWHERE ? PLACE + i + diagonal[i] : INLAY_NOWHERE;
        uint8_t old = from != INLAY_NOWHERE ? old_image[from] : 0;
        uint32_t more = inlay_recipe_add(&r, moved, PLACE + i, from, old, block[i], written + n);
        assert_true(more <= INLAY_RECIPE_MAX);
        n += more;
        assert_true(n + INLAY_RECIPE_MAX <= sizeof written);
    }
    n += inlay_recipe_end(&r, written + n);
    assert_int_equal(inlay_recipe_end(&r, written + n), 0);
    return n;
}

/* Follows what was written, as the patcher does. */
static void follow(uint32_t len)
{
    struct inlay_recipe_token t = {0};
    uint32_t at = 0, made = 0;
    while (at < len) {
        at += inlay_recipe_read(&t, written + at);
        for (; t.copied > 0; t.copied--, made++)
            assert_int_equal(block[made], old_image[PLACE + made + t.diagonal]);
        for (; t.changed > 0; t.changed--, made++)
            assert_int_equal(block[made], written[at++]);
    }
    assert_int_equal(at, len);
    assert_int_equal(made, BLOCK);
}

/* Random runs on random diagonals, with changed bytes and new ones. */
static void what_is_written_makes_the_block(void **state)
{
    static uint32_t diagonal[BLOCK];
    static const struct inlay_moved none = {&whole, 1, NULL, 0};
    uint64_t seed = 5;
    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        uint32_t values = round % 3 ? 256 : 2, change = 1u + below(&seed, 40);
        for (uint32_t i = 0; i < sizeof old_image; i++)
            old_image[i] = (uint8_t)below(&seed, values);
        for (uint32_t i = 0, end = 0, now = 0; i < BLOCK; i++) {
            if (i == end) {
                end += 1u + below(&seed, round % 2 ? 2000 : 60);
                now = below(&seed, 4) ? below(&seed, 2u * BLOCK) - BLOCK : INLAY_NOWHERE;
            }
            diagonal[i] = now;
            block[i] = (uint8_t)below(&seed, values);
            if (now != INLAY_NOWHERE && below(&seed, change) != 0)
                block[i] = old_image[PLACE + i + now];
        }
        follow(write(diagonal, &none));
    }
}

static void what_it_takes(void **state)
{
    static uint32_t diagonal[BLOCK];
    static const struct inlay_moved none = {&whole, 1, NULL, 0};
    (void)state;
    for (uint32_t i = 0; i < sizeof old_image; i++)
        old_image[i] = (uint8_t)(i * 31u >> 3);
    memcpy(block, old_image + PLACE, BLOCK);
    memset(diagonal, 0, sizeof diagonal);
    assert_int_equal(write(diagonal, &none), 2u * (1u + BLOCK / INLAY_RECIPE_COPY)); /* same */
    block[100] ^= 1;
    block[102] ^= 1; /* one token with three bytes of text: the gap is not worth another */
    assert_int_equal(write(diagonal, &none),
                     2u + 3u + 2u * (1u + (BLOCK - 103u) / INLAY_RECIPE_COPY));
    for (uint32_t i = 0; i < BLOCK; i++)
        diagonal[i] = INLAY_NOWHERE;
    assert_int_equal(write(diagonal, &none), BLOCK + 2u * BLOCK / INLAY_RECIPE_TEXT); /* new */
}

/* The places of blocks that are moved first are not copied from, and all others are. */
static void what_is_moved_first_is_said_in_full(void **state)
{
    static const struct inlay_region region[2] = {{2, 1024}, {4, 3584}}; /* 2048, 5632, 9216 */
    static const uint32_t blocks[2] = {1, 3};                            /* from 1024, from 5632 */
    static uint32_t diagonal[BLOCK];
    (void)state;
    for (uint32_t i = 0; i < sizeof old_image; i++)
        old_image[i] = (uint8_t)(i * 31u >> 3);
    for (uint32_t from = 0; from <= sizeof old_image - BLOCK; from += 64) {
        uint32_t text = 0, least = 0;
        for (uint32_t i = 0; i < BLOCK; i++) {
            uint32_t at = from + i;
            diagonal[i] = from - PLACE;
            block[i] = old_image[at];
            text += (at >= 1024 && at < 2048) || (at >= 5632 && at < 9216);
            least += at >= 1024 && at < 2048;
        }
        uint32_t none = write(diagonal, &(struct inlay_moved){region, 2, blocks, 0});
        uint32_t one = write(diagonal, &(struct inlay_moved){region, 2, blocks, 1});
        uint32_t both = write(diagonal, &(struct inlay_moved){region, 2, blocks, 2});
        assert_in_range(none, 1, 64);
        assert_in_range(one, least, least + least / 16u + 64u);
        assert_in_range(both, text, text + text / 16u + 64u);
        follow(both);
    }
}

/* The scenario's patch, but with so many bytes of recipes in its manifest. */
static void promise(struct scenario *s, uint32_t recipe_len)
{
    struct inlay_error err = {{0}};
    s->man.recipe_len = recipe_len;
    inlay_buffer_free(&s->patch);
    inlay_container_images(&s->man, s->old_image, s->old_size, s->new_image, s->new_size);
    assert_int_equal(inlay_container_write(&s->man, &signed_fields, s->payload.data, s->payload.len,
                                           &s->patch, &err),
                     0);
}

static const struct shape *with_recipes(void)
{
    const struct shape *shape = shapes;
    while (shape->recipe_len == 0)
        shape++;
    return shape;
}

/* More recipes than the manifest promises are not written, and one byte less is too little. */
static void a_promise_is_kept_to(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct scenario *s = make_scenario(with_recipes(), 1, seed);
        struct device d;
        int st = INLAY_DONE;
        for (uint32_t len = INLAY_RECIPE_PAGE; len <= 12288; len += INLAY_RECIPE_PAGE) {
            promise(s, len);
            device_open(&d, s);
            st = run(&d, &s->patch, 1, 700);
            device_close(&d);
            assert_true(st == INLAY_DONE || st == INLAY_E_CORRUPT);
            if (st == INLAY_DONE)
                assert_true(len + INLAY_RECIPE_PAGE > s->recipes_most);
            else
                assert_true(len < s->recipes_most);
        }
        assert_int_equal(st, INLAY_DONE);
        free_scenario(s);
    }
}

/* Recipes that no longer read as they were written make no block. */
static void damaged_recipes_are_found(void **state)
{
    unsigned found = 0;
    uint64_t seed = 3;
    (void)state;
    struct scenario *s = make_scenario(with_recipes(), 1, 2);
    for (uint32_t cut = 1; cut < 400; cut += 3) {
        struct device d;
        device_open(&d, s);
        if (run_powered(&d, s, cut, CUT_AFTER, 1) == POWER_FAILED) {
            for (unsigned i = 0; i < 40; i++) { /* anywhere behind journal and head */
                uint32_t at = 3u * 4096u + below(&seed, 6u * 4096u);
                d.work.data[at] ^= 1u;
            }
            enum inlay_status st = run(&d, &s->patch, 1, 700);
            assert_true(st == INLAY_DONE || st == INLAY_ALREADY || st == INLAY_E_FLASH);
            if (st == INLAY_E_FLASH)
                found++;
            else
                check_result(&d, s);
        }
        device_close(&d);
    }
    assert_true(found > 3);
    free_scenario(s);
}

/* A work area without room for recipes and one block is refused before anything is written. */
static void too_small_a_work_area_is_refused(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 9; seed++) { /* recipes at either end of the work area */
        struct scenario *s = make_scenario(with_recipes(), 1, seed);
        struct device d;
        device_open(&d, s);
        uint32_t blocks = d.work.f.region[0].count;
        /* Two for the journal, one for the head, three for recipes. */
        for (d.work.f.region[0].count = 3; d.work.f.region[0].count < 7; d.work.f.region[0].count++)
            assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_LIMIT);
        assert_int_equal(d.power.ops, 0);
        assert_true(d.work.f.region[0].count < blocks);
        assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE); /* with one block to stage */
        check_result(&d, s);
        device_close(&d);
        free_scenario(s);
    }
}

/* With a name: that case alone. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_makes_the_block),
        cmocka_unit_test(what_it_takes),
        cmocka_unit_test(what_is_moved_first_is_said_in_full),
        cmocka_unit_test(a_promise_is_kept_to),
        cmocka_unit_test(damaged_recipes_are_found),
        cmocka_unit_test(too_small_a_work_area_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
