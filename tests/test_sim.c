/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator: a sound device passes every search, each seeded bug is found by the right one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim.h"
#include "toy_device.h"

#define SIZE 384u

static const char *const geometries[] = {
    "slot.blocks = 3 x 128\nslot.write_size = 4\nslot.page_len = 32\nwork.blocks = 4 x 128\n",
    "slot.blocks = 3 x 128\nslot.write_size = 8\nslot.ecc = yes\nslot.page_len = 64\n"
    "work.blocks = 3 x 64, 1 x 128\n",
    "slot.blocks = 2 x 64, 1 x 256\nslot.write_size = 1\nslot.page_len = 256\n"
    "work.blocks = 3 x 32, 1 x 256\n",
    "slot.blocks = 3 x 128\nslot.write_size = 4\nslot.erased = 0\nslot.page_len = 64\n"
    "work.blocks = 4 x 128\n",
    "slot.blocks = 3 x 128\nslot.write_size = 32\nslot.ecc = yes\nslot.page_len = 32\n"
    "work.blocks = 4 x 128\n",
    "slot.blocks = 2 x 192\nslot.write_size = 16\nslot.max_writes = 2\nslot.page_len = 64\n"
    "work.blocks = 3 x 64, 1 x 192\n",
};
#define GEOMETRIES (sizeof geometries / sizeof geometries[0])

static uint8_t old[SIZE], new[SIZE], patch[SIZE];
static struct inlay_profile profile;

static void make_images(void)
{
    for (uint32_t i = 0; i < SIZE; i++) {
        old[i] = (uint8_t)inlay_model_mix(1, i);
        new[i] = (uint8_t)inlay_model_mix(2, i);
        patch[i] = old[i] ^ new[i];
    }
}

static void make_profile(const char *geometry)
{
    struct inlay_error err;
    char text[1024];
    snprintf(text, sizeof text,
             "name = t\ntitle = T\nsource = S\narch = none\nmode = in-place\nram = 1K\n"
             "model_ram = 512\nchunk_len = 64\ncheck_len = 4\ncpu_hz = 1000000\ncpu_mw = 4\n"
             "cpu_cycles = 100\nradio_us = 3\nradio_nj = 2000\nslot.erase_us = 1000\n"
             "slot.program_len = 32\nslot.program_us = 10\nslot.busy_mw = 5\n%s",
             geometry);
    if (inlay_profile_parse(text, strlen(text), "t", &profile, &err))
        fail_msg("%s", err.text);
}

static struct inlay_sim *make(const char *geometry, int in_place, const enum toy_bug *bug)
{
    struct inlay_sim *sim;
    struct inlay_error err;
    make_images();
    make_profile(geometry);
    struct inlay_sim_setup setup = {.profile = &profile,
                                    .in_place = in_place,
                                    .old = old,
                                    .old_size = SIZE,
                                    .new = new,
                                    .new_size = SIZE,
                                    .patch = patch,
                                    .patch_len = SIZE,
                                    .seed = 11,
                                    .boot = toy_boot,
                                    .boot_ctx = (void *)(uintptr_t)bug};
    if (inlay_sim_new(&setup, &sim, &err))
        fail_msg("%s", err.text);
    return sim;
}

/* The first search that finds the bug: 0 the run without cuts, then by number of cuts; 9: none. */
static int found_by(enum toy_bug bug, const char *geometry, unsigned torn_mask, char *why,
                    size_t room)
{
    struct inlay_sim *sim = make(geometry, 1, &bug);
    struct inlay_sim_result result;
    struct inlay_sim_cuts cuts = {0};
    struct inlay_error err = {""};
    int depth = 0;
    if (!inlay_sim_run(sim, &result, &err))
        for (depth = 1; depth <= 3; depth++)
            if (inlay_sim_every(sim, (unsigned)depth, torn_mask, 1, NULL, &cuts))
                break;
    snprintf(why, room, "%s", depth ? cuts.failure : err.text);
    if (depth == 4)
        assert_int_equal(cuts.tried, cuts.ok);
    if (depth >= 1 && depth <= 3) {
        struct inlay_sim_cuts again = {0};
        assert_int_equal(cuts.tried, cuts.ok + 1);
        /* What was printed reproduces what was found. */
        assert_int_equal(inlay_sim_replay(sim, cuts.replay, &again, &err), INLAY_EXIT_FAILURE);
        assert_string_equal(again.failure, cuts.failure);
        assert_string_equal(again.replay, cuts.replay);
    }
    inlay_sim_free(sim);
    return depth == 4 ? 9 : depth;
}

/* Two cuts in all modes, at every operation on one geometry and every other one elsewhere. */
static void a_sound_device_passes_one_and_two_cuts(void **state)
{
    uint64_t tried = 0;
    (void)state;
    for (size_t g = 0; g < GEOMETRIES; g++) {
        enum toy_bug bug = TOY_SOUND;
        struct inlay_sim *sim = make(geometries[g], 1, &bug);
        struct inlay_sim_result r;
        struct inlay_sim_cuts cuts = {0};
        struct inlay_error err;
        if (inlay_sim_run(sim, &r, &err) ||
            inlay_sim_every(sim, 2, INLAY_TORN_ALL, 1 + (g > 0), NULL, &cuts))
            fail_msg("geometry %zu: %s%s at %s", g, err.text, cuts.failure, cuts.replay);
        assert_int_equal(cuts.tried, cuts.ok);
        assert_true(cuts.tried > r.ops * r.ops * 4);
        assert_int_equal(cuts.most_boots, 3);
        tried += cuts.tried;
        inlay_sim_free(sim);
    }
    print_message("%llu histories\n", (unsigned long long)tried);
}

static void a_sound_device_passes_three_cuts(void **state)
{
    char why[400];
    (void)state;
    assert_int_equal(found_by(TOY_SOUND, geometries[0], INLAY_TORN_NONE, why, sizeof why), 9);
    assert_int_equal(found_by(TOY_SOUND, geometries[1], 1u << INLAY_TORN_RANDOM, why, sizeof why),
                     9);
}

static void bugs_without_cuts_are_found(void **state)
{
    static const struct {
        enum toy_bug bug;
        const char *says;
    } bugs[] = {
        {TOY_OUTSIDE, "outside the slot area"},
        {TOY_REWRITES, "which was not erased before"},
        {TOY_RAM, "outside its RAM"},
        {TOY_NOT_ALL, "does not hold the new image"},
        {TOY_NEVER_ALREADY, "again after the end"},
        {TOY_ENDLESS, "without end"},
        {TOY_RETURNS_ERROR, "status -10"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        char why[400];
        assert_int_equal(found_by(bugs[i].bug, geometries[0], INLAY_TORN_NONE, why, sizeof why), 0);
        if (!strstr(why, bugs[i].says))
            fail_msg("bug %d: %s", (int)bugs[i].bug, why);
    }
}

/* Which bugs a search must find, and which only a stronger one can. */
static void bugs_with_cuts_are_found(void **state)
{
    static const struct {
        enum toy_bug bug;
        unsigned mask;
        size_t geometry;
        int cuts;
    } bugs[] = {
        {TOY_NO_STAGE, INLAY_TORN_NONE, 0, 1},
        {TOY_EARLY_RECORD, INLAY_TORN_NONE, 0, 1},
        {TOY_LATE_RECORD, INLAY_TORN_NONE, 0, 1},
        {TOY_NO_CHECK, INLAY_TORN_NONE, 0, 9},
        {TOY_NO_CHECK, INLAY_TORN_ALL, 0, 1},
        {TOY_NO_READ_CHECK, INLAY_TORN_NONE, 1, 9},
        {TOY_NO_READ_CHECK, INLAY_TORN_ALL, 1, 1},
        {TOY_TRUSTS_ERASED, INLAY_TORN_NONE, 0, 9},
        {TOY_TRUSTS_ERASED, 1u << INLAY_TORN_WEAK, 0, 1},
        {TOY_NO_REWRITE, INLAY_TORN_NONE, 0, 9},
        {TOY_NO_REWRITE, 1u << INLAY_TORN_UNSTABLE, 0, 2},
        {TOY_TWO_JOURNALS, INLAY_TORN_NONE, 0, 9},
        {TOY_TWO_JOURNALS, 1u << INLAY_TORN_UNSTABLE, 0, 3},
        {TOY_LEAVES_GHOSTS, INLAY_TORN_NONE, 0, 9},
        {TOY_LEAVES_GHOSTS, 1u << INLAY_TORN_UNSTABLE | INLAY_TORN_NONE, 2, 2},
        {TOY_THREE_STRIKES, INLAY_TORN_NONE, 0, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++) {
        char why[400];
        int by = found_by(bugs[i].bug, geometries[bugs[i].geometry], bugs[i].mask, why, sizeof why);
        if (by != bugs[i].cuts)
            fail_msg("line %zu, bug %d: found by %d cuts instead of %d: %s", i, (int)bugs[i].bug,
                     by, bugs[i].cuts, why);
    }
}

/* A search that stops where the end is known finds exactly what one finds that does not. */
static void known_ends_change_nothing(void **state)
{
    uint64_t known = 0, tried = 0;
    (void)state;
    for (size_t i = 0; i < GEOMETRIES * (TOY_NOT_ALL + 1u); i++) {
        enum toy_bug bug = (enum toy_bug)(i / GEOMETRIES);
        struct inlay_sim_cuts cuts[2] = {{0}};
        for (int whole = 0; whole < 2; whole++) {
            struct inlay_sim *sim = make(geometries[i % GEOMETRIES], 1, &bug);
            struct inlay_sim_result r;
            struct inlay_error err;
            inlay_sim_set_whole(sim, whole);
            if (!inlay_sim_run(sim, &r, &err)) {
                if (!inlay_sim_every(sim, 1, INLAY_TORN_ALL, 1, NULL, &cuts[whole]) &&
                    !inlay_sim_every(sim, 2, INLAY_TORN_ALL | INLAY_TORN_DRAWN, 1, NULL,
                                     &cuts[whole]))
                    inlay_sim_random(sim, 500, 3, INLAY_TORN_ALL, NULL, &cuts[whole]);
            }
            inlay_sim_free(sim);
        }
        assert_int_equal(cuts[1].known, 0);
        known += cuts[0].known;
        tried += cuts[0].tried;
        cuts[0].known = 0;
        assert_memory_equal(&cuts[0], &cuts[1], sizeof cuts[0]);
    }
    print_message("%llu of %llu ends were known\n", (unsigned long long)known,
                  (unsigned long long)tried);
    assert_true(known > tried / 3);
}

/* What is not a function of flash cannot be known, and is no good in a device. */
static void a_device_with_a_memory_is_found(void **state)
{
    enum toy_bug bug = TOY_REMEMBERS;
    struct inlay_sim *sim = make(geometries[0], 1, &bug);
    struct inlay_sim_result r;
    struct inlay_sim_cuts cuts = {0};
    (void)state;
    assert_int_equal(inlay_sim_run(sim, &r, NULL), 0);
    assert_int_equal(inlay_sim_every(sim, 1, INLAY_TORN_ALL, 1, NULL, &cuts), INLAY_EXIT_FAILURE);
    if (!strstr(cuts.failure, "two different things in the same state"))
        fail_msg("%s", cuts.failure);
    inlay_sim_free(sim);
}

static void a_run_is_measured(void **state)
{
    enum toy_bug bug = TOY_SOUND;
    struct inlay_sim *sim = make(geometries[0], 1, &bug);
    struct inlay_sim_result r;
    struct inlay_error err;
    (void)state;
    assert_int_equal(inlay_sim_run(sim, &r, &err), 0);
    /* Per block: stage, record, move, record; each an erase and two programs; before
     * that three erases for the garbage in the journal. */
    assert_int_equal(r.ops, 3 + 3 * 4 * 3);
    assert_int_equal(r.counts.erases, 3 + 12);
    assert_int_equal(r.counts.writes, 24);
    assert_int_equal(r.counts.written, 12 * 128);
    assert_int_equal(r.counts.rewrites, 0);
    assert_int_equal(r.target_blocks, 3);
    assert_int_equal(r.target_erases, 3);
    assert_int_equal(r.target[0].erases, 1);
    assert_int_equal(r.work_blocks, 4);
    assert_int_equal(r.work_erases, 12);
    assert_int_equal(r.work[3].erases, 3);
    assert_int_equal(r.most_erases, 3);
    assert_int_equal(r.fed, SIZE);
    assert_int_equal(r.ram, 256);
    assert_int_equal(r.flash_us, 15 * 1000 + 48 * 10);
    assert_int_equal(r.cpu_us, SIZE * 100);
    assert_int_equal(r.radio_us, SIZE * 3);
    assert_int_equal(r.energy_uj, 77 + 153 + 768);
    inlay_sim_free(sim);
}

static void recoveries_are_measured(void **state)
{
    enum toy_bug bug = TOY_SOUND;
    struct inlay_sim *sim = make(geometries[0], 1, &bug);
    struct inlay_sim_result r;
    struct inlay_sim_cuts cuts = {0};
    struct inlay_error err;
    (void)state;
    assert_int_equal(inlay_sim_run(sim, &r, &err), 0);
    assert_int_equal(inlay_sim_every(sim, 1, INLAY_TORN_NONE, 1, NULL, &cuts), 0);
    assert_int_equal(cuts.tried, r.ops + 1);
    assert_int_equal(cuts.boots, 2 * cuts.tried);
    assert_int_equal(cuts.most_again, 128); /* one block again at most */
    /* What is done again: one erase, and up to three for the journal; one record more. */
    assert_in_range(cuts.most_erases, r.counts.erases + 1, r.counts.erases + 5);
    inlay_sim_free(sim);
}

static void short_boots_end_or_say_so(void **state)
{
    enum toy_bug bug = TOY_SOUND;
    struct inlay_sim *sim = make(geometries[0], 1, &bug);
    struct inlay_sim_result r;
    struct inlay_error err = {""};
    uint32_t boots;
    (void)state;
    assert_int_equal(inlay_sim_run(sim, &r, &err), 0);
    assert_int_equal(inlay_sim_stutter(sim, r.ops, 10, INLAY_TORN_BEFORE, &boots, &err), 0);
    assert_int_equal(boots, 1);
    assert_int_equal(inlay_sim_stutter(sim, 12, 100, INLAY_TORN_BEFORE, &boots, &err), 0);
    assert_in_range(boots, 4, 12);
    assert_int_equal(inlay_sim_stutter(sim, 3, 100, INLAY_TORN_BEFORE, &boots, &err),
                     INLAY_EXIT_FAILURE);
    assert_string_equal(err.text, "not done after 100 boots of 3 operations each");
    inlay_sim_free(sim);
}

static void random_histories_depend_on_their_seed(void **state)
{
    enum toy_bug bug = TOY_SOUND;
    struct inlay_sim_result r;
    struct inlay_sim_cuts cuts[3] = {{0}};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct inlay_sim *sim = make(geometries[1], 1, &bug);
        assert_int_equal(inlay_sim_run(sim, &r, NULL), 0);
        assert_int_equal(inlay_sim_random(sim, 3000, i / 2, INLAY_TORN_ALL, NULL, &cuts[i]), 0);
        assert_int_equal(cuts[i].tried, 3000);
        assert_int_equal(cuts[i].ok, 3000);
        assert_in_range(cuts[i].most_boots, 4, 8);
        inlay_sim_free(sim);
    }
    assert_memory_equal(&cuts[0], &cuts[1], sizeof cuts[0]);
    assert_true(cuts[0].boots != cuts[2].boots);

    bug = TOY_NO_REWRITE;
    struct inlay_sim *sim = make(geometries[0], 1, &bug);
    struct inlay_sim_cuts found = {0}, again = {0};
    struct inlay_error err;
    assert_int_equal(inlay_sim_run(sim, &r, NULL), 0);
    assert_int_equal(inlay_sim_random(sim, 100000, 1, INLAY_TORN_ALL, NULL, &found),
                     INLAY_EXIT_FAILURE);
    assert_int_equal(inlay_sim_replay(sim, found.replay, &again, &err), INLAY_EXIT_FAILURE);
    assert_string_equal(found.failure, again.failure);
    inlay_sim_free(sim);
}

static void replay_wants_a_history(void **state)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "1:before",
                                      "1:sideways:1",
                                      "1:before:x",
                                      "1:before:1,",
                                      "1:before:1 ",
                                      ",1:before:1",
                                      "1:before:1,2:before:1,3:before:1,4:before:1"};
    enum toy_bug bug = TOY_SOUND;
    struct inlay_sim *sim = make(geometries[0], 1, &bug);
    struct inlay_sim_result r;
    struct inlay_sim_cuts cuts = {0};
    struct inlay_error err;
    (void)state;
    assert_int_equal(inlay_sim_run(sim, &r, &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(inlay_sim_replay(sim, bad[i], &cuts, &err), INLAY_EXIT_USAGE);
    assert_int_equal(inlay_sim_replay(sim, "1:before:1,2:all-but-one:7,3:weak:9", &cuts, &err), 0);
    assert_int_equal(inlay_sim_replay(sim, "999:before:1", &cuts, &err), 0); /* after the end */
    assert_int_equal(cuts.ok, 2);
    inlay_sim_free(sim);
}

static const char two_slots[] = "slot.blocks = 3 x 128\nslot.write_size = 4\nsecond.blocks = 1 x "
                                "256, 1 x 128\nslot.page_len = 64\n";

static void a_second_slot_is_filled_and_the_first_left_alone(void **state)
{
    char text[300];
    (void)state;
    snprintf(text, sizeof text, "%swork.blocks = 1 x 128\n", two_slots);
    for (enum toy_bug bug = TOY_SOUND; bug <= TOY_DAMAGES_OLD; bug += TOY_DAMAGES_OLD) {
        struct inlay_sim *sim = make(text, 0, &bug);
        struct inlay_sim_result r;
        struct inlay_sim_cuts cuts = {0};
        struct inlay_error err = {""};
        int code = inlay_sim_run(sim, &r, &err);
        assert_int_equal(code, INLAY_EXIT_FAILURE);
        /* The toy keeps no journal for A/B, so it cannot know that it is done. */
        assert_non_null(strstr(err.text, bug ? "only to be read" : "again after the end"));
        if (!bug) {
            assert_int_equal(r.target_blocks, 2);
            assert_int_equal(inlay_sim_every(sim, 1, INLAY_TORN_ALL, 1, NULL, &cuts), 0);
            assert_int_equal(cuts.tried, cuts.ok);
        }
        inlay_sim_free(sim);
    }
}

/* More draws of the torn bits are more histories, and other ones. */
static void draws_multiply_the_modes_that_have_bits_to_choose(void **state)
{
    enum toy_bug bug = TOY_SOUND;
    uint64_t tried[2];
    (void)state;
    for (uint32_t draws = 1; draws <= 3; draws += 2) {
        struct inlay_sim *sim = make(geometries[0], 1, &bug);
        struct inlay_sim_result r;
        struct inlay_sim_cuts cuts = {0};
        assert_int_equal(inlay_sim_run(sim, &r, NULL), 0);
        inlay_sim_set_draws(sim, draws);
        assert_int_equal(
            inlay_sim_every(sim, 1, 1u << INLAY_TORN_UNSTABLE | INLAY_TORN_NONE, 1, NULL, &cuts),
            0);
        assert_int_equal(cuts.tried, r.ops + 1 + r.ops * draws);
        tried[draws / 2] = cuts.boots;
        inlay_sim_free(sim);
    }
    assert_true(tried[1] > tried[0]);
}

static void one_drawn_mode_per_operation(void **state)
{
    enum toy_bug bug = TOY_SOUND;
    struct inlay_sim *sim = make(geometries[0], 1, &bug);
    struct inlay_sim_result r;
    struct inlay_sim_cuts all = {0}, drawn = {0};
    (void)state;
    assert_int_equal(inlay_sim_run(sim, &r, NULL), 0);
    assert_int_equal(inlay_sim_every(sim, 1, INLAY_TORN_ALL | INLAY_TORN_DRAWN, 1, NULL, &drawn),
                     0);
    assert_int_equal(drawn.tried, r.ops + 1);
    inlay_sim_free(sim);

    bug = TOY_NO_CHECK; /* which needs a torn program */
    sim = make(geometries[0], 1, &bug);
    assert_int_equal(inlay_sim_run(sim, &r, NULL), 0);
    assert_int_equal(inlay_sim_every(sim, 2, INLAY_TORN_ALL | INLAY_TORN_DRAWN, 1, NULL, &all),
                     INLAY_EXIT_FAILURE);
    inlay_sim_free(sim);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct inlay_sim *sim;
    struct inlay_error err;
    (void)state;
    make_images();
    make_profile(geometries[0]);
    struct inlay_sim_setup s = {.profile = &profile, .in_place = 1, .old = old, .boot = toy_boot};
    s.old_size = SIZE + 1;
    assert_int_equal(inlay_sim_new(&s, &sim, &err), INLAY_EXIT_LIMIT);
    assert_non_null(strstr(err.text, "the old image has 385 bytes"));
    s.old_size = SIZE;
    s.new_size = SIZE + 1;
    assert_int_equal(inlay_sim_new(&s, &sim, &err), INLAY_EXIT_LIMIT);
    assert_non_null(strstr(err.text, "the new image has 385 bytes"));
    s.in_place = 0;
    assert_int_equal(inlay_sim_new(&s, &sim, &err), INLAY_EXIT_LIMIT);
    assert_non_null(strstr(err.text, "second.blocks"));
    assert_null(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_device_passes_one_and_two_cuts),
        cmocka_unit_test(a_sound_device_passes_three_cuts),
        cmocka_unit_test(bugs_without_cuts_are_found),
        cmocka_unit_test(bugs_with_cuts_are_found),
        cmocka_unit_test(known_ends_change_nothing),
        cmocka_unit_test(a_device_with_a_memory_is_found),
        cmocka_unit_test(a_run_is_measured),
        cmocka_unit_test(recoveries_are_measured),
        cmocka_unit_test(short_boots_end_or_say_so),
        cmocka_unit_test(random_histories_depend_on_their_seed),
        cmocka_unit_test(replay_wants_a_history),
        cmocka_unit_test(a_second_slot_is_filled_and_the_first_left_alone),
        cmocka_unit_test(draws_multiply_the_modes_that_have_bits_to_choose),
        cmocka_unit_test(one_drawn_mode_per_operation),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
