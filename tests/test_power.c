/* SPDX-License-Identifier: Apache-2.0 */
/* The patcher under power cuts: every operation, torn in every way, once and twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inlay.h"
#include "sim/sim.h"

#define SIZE_MAX_IMAGE 24576u

/* A device of the tests: its flash, and whether it updates in place. */
struct device {
    const char *name, *flash;
    uint32_t size; /* of the images */
};

static const struct device devices[] = {
    {"small pages",
     "slot.blocks = 8 x 512\nslot.write_size = 4\nslot.page_len = 512\n"
     "work.blocks = 16 x 512\n",
     3000},
    {"ECC granules of 8",
     "slot.blocks = 8 x 512\nslot.write_size = 8\nslot.ecc = yes\n"
     "work.blocks = 16 x 512\n",
     3000},
    {"mixed blocks",
     "slot.blocks = 4 x 256, 2 x 2048\nslot.write_size = 1\n"
     "work.blocks = 10 x 256, 3 x 2048\n",
     3000},
    {"erased to 0x00",
     "slot.blocks = 16 x 256\nslot.write_size = 4\nslot.erased = 0\n"
     "slot.page_len = 64\nwork.blocks = 32 x 256\n",
     3000},
    {"ECC words of 32",
     "slot.blocks = 2 x 4096\nslot.write_size = 32\nslot.ecc = yes\n"
     "work.blocks = 5 x 4096\n",
     6000},
    {"whole NOR pages", "slot.blocks = 8 x 512\nslot.write_size = 256\nwork.blocks = 16 x 1024\n",
     3000},
};
#define DEVICES (sizeof devices / sizeof devices[0])

struct pair {
    uint8_t old[SIZE_MAX_IMAGE], new[SIZE_MAX_IMAGE];
    uint32_t size;
    struct inlay_diff_result diff;
};

/* An image with the texture of code; the new one has moved parts, fixes, and a new part. */
static void make_pair(struct pair *p, uint32_t size)
{
    uint32_t half = size / 2 & ~3u;
    p->size = size;
    for (uint32_t i = 0; i < size; i++)
        p->old[i] = (uint8_t)(i % 4 == 3 ? 0x20 + i / 16 % 3 : inlay_model_mix(1, i / 2) >> i % 2);
    memcpy(p->new, p->old + half, size - half); /* the halves change places */
    memcpy(p->new + (size - half), p->old, half);
    for (uint32_t i = 100; i + 40 < size; i += 700)
        p->new[i] ^= 0x41;
    for (uint32_t i = 0; i < size / 10; i++)
        p->new[size / 3 + i] = (uint8_t)inlay_model_mix(2, i);
}

static void load(const struct device *d, struct inlay_profile *p)
{
    struct inlay_error err;
    char text[1024];
    snprintf(text, sizeof text,
             "name = t\ntitle = T\nsource = S\narch = thumb2\nmode = in-place\nram = 64K\n"
             "model_ram = 4K\nchunk_len = 256\ncheck_len = 4\n%s",
             d->flash);
    if (inlay_profile_parse(text, strlen(text), d->name, p, &err))
        fail_msg("%s", err.text);
}

static struct inlay_sim *make(struct pair *p, const struct inlay_profile *profile, int in_place)
{
    const struct inlay_image old = {.data = p->old, .size = p->size};
    const struct inlay_image new = {.data = p->new, .size = p->size};
    const struct inlay_diff_options how = {.mode = in_place ? INLAY_DIFF_IN_PLACE : INLAY_DIFF_AB};
    struct inlay_sim *sim;
    struct inlay_error err;
    if (inlay_diff(&old, &new, profile, &how, &p->diff, &err))
        fail_msg("%s", err.text);
    const struct inlay_sim_setup s = {.profile = profile,
                                      .in_place = in_place,
                                      .old = p->old,
                                      .old_size = p->size,
                                      .new = p->new,
                                      .new_size = p->size,
                                      .patch = p->diff.patch.data,
                                      .patch_len = (uint32_t)p->diff.patch.len,
                                      .seed = 5,
                                      .boot = inlay_sim_patcher};
    if (inlay_sim_new(&s, &sim, &err))
        fail_msg("%s", err.text);
    return sim;
}

static struct inlay_sim_result run(struct inlay_sim *sim, const char *name)
{
    struct inlay_sim_result r;
    struct inlay_error err;
    if (inlay_sim_run(sim, &r, &err))
        fail_msg("%s: %s", name, err.text);
    return r;
}

static uint64_t cut(struct inlay_sim *sim, const char *name, unsigned depth, unsigned modes)
{
    struct inlay_sim_cuts cuts = {0};
    if (inlay_sim_every(sim, depth, modes, 1, NULL, &cuts))
        fail_msg("%s: %s; replay %s", name, cuts.failure, cuts.replay);
    assert_int_equal(cuts.tried, cuts.ok);
    assert_int_equal(cuts.most_boots, depth + 1);
    return cuts.tried;
}

/* All shipped profiles, in each mode they have: one cut at every operation, in all modes. */
static void one_cut_on_every_shipped_profile(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    size_t count;
    const struct inlay_profile_file *list = inlay_profile_list(&count);
    uint64_t tried = 0;
    (void)state;
    assert_non_null(p);
    make_pair(p, 4500);
    for (size_t i = 0; i < count; i++)
        for (int in_place = 0; in_place < 2; in_place++) {
            struct inlay_profile profile;
            assert_int_equal(inlay_profile_load(list[i].name, &profile, NULL), 0);
            if (!inlay_profile_target(&profile, in_place))
                continue;
            struct inlay_sim *sim = make(p, &profile, in_place);
            run(sim, list[i].name);
            tried += cut(sim, list[i].name, 1, INLAY_TORN_ALL);
            inlay_sim_free(sim);
            inlay_diff_result_free(&p->diff);
        }
    print_message("%llu histories of one cut\n", (unsigned long long)tried);
    free(p);
}

/* Every pair of operations; how each is torn is drawn. */
static void two_cuts_on_six_geometries(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    uint64_t tried = 0;
    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < DEVICES; i++) {
        struct inlay_profile profile;
        make_pair(p, devices[i].size);
        load(&devices[i], &profile);
        struct inlay_sim *sim = make(p, &profile, 1);
        run(sim, devices[i].name);
        cut(sim, devices[i].name, 1, INLAY_TORN_ALL);
        tried += cut(sim, devices[i].name, 2, INLAY_TORN_ALL | INLAY_TORN_DRAWN);
        inlay_sim_free(sim);
        inlay_diff_result_free(&p->diff);
    }
    print_message("%llu histories of up to two cuts\n", (unsigned long long)tried);
    free(p);
}

/* The searches stop where the end is known: they must find what they find without that. */
static void known_ends_change_nothing(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < DEVICES; i++) {
        struct inlay_profile profile;
        struct inlay_sim_cuts cuts[2] = {{0}};
        make_pair(p, devices[i].size);
        load(&devices[i], &profile);
        struct inlay_sim *sim = make(p, &profile, 1);
        run(sim, devices[i].name);
        for (int whole = 0; whole < 2; whole++) {
            inlay_sim_set_whole(sim, whole);
            inlay_sim_every(sim, 1, INLAY_TORN_ALL, 1, NULL, &cuts[whole]);
            inlay_sim_every(sim, 2, INLAY_TORN_ALL | INLAY_TORN_DRAWN, 7, NULL, &cuts[whole]);
            inlay_sim_random(sim, 500, 9, INLAY_TORN_ALL, NULL, &cuts[whole]);
        }
        assert_true(cuts[0].known > cuts[0].tried / 2);
        assert_int_equal(cuts[1].known, 0);
        cuts[0].known = 0;
        assert_memory_equal(&cuts[0], &cuts[1], sizeof cuts[0]);
        assert_int_equal(cuts[0].tried, cuts[0].ok);
        inlay_sim_free(sim);
        inlay_diff_result_free(&p->diff);
    }
    free(p);
}

/*
 * Operations until a boot is counted: two areas erased where no record is
 * found, else one, and two copies of a record; see DESIGN-journal.md.
 */
static uint32_t settle_ops(const struct inlay_profile *p, const struct inlay_needs *needs)
{
    uint32_t record = 100 + 256 + 4 * needs->stage_blocks;
    uint32_t blocks = (2048 + p->work.region[0].block_len - 1) / p->work.region[0].block_len;
    return 2 * blocks + 2 * ((record + 255) / 256);
}

/* At most so many for what lies between two records, whatever is in it. */
static uint32_t unit_ops(const struct inlay_profile *p, const struct inlay_diff_result *d)
{
    uint32_t longest = 0, shortest = UINT32_MAX, blocks = d->direct + d->needs.stage_blocks;
    if (d->needs.recipe_len) /* at most all that are staged, as they are made by recipe */
        blocks = d->staged;
    for (unsigned r = 0; r < p->slot.regions; r++)
        longest = p->slot.region[r].block_len > longest ? p->slot.region[r].block_len : longest;
    for (unsigned r = 0; r < p->work.regions; r++)
        shortest = p->work.region[r].block_len < shortest ? p->work.region[r].block_len : shortest;
    uint32_t head = d->needs.head_len + d->needs.pool_len;
    uint32_t block = 2 * (longest / shortest + 1) + longest / 256 + 1;
    head += d->needs.recipe_len;
    return blocks * block > head / 128 + 2 ? blocks * block : head / 128 + 2;
}

/*
 * Boots that survive only so many operations: with enough of them for one
 * step between two records the number of boots is bounded; with fewer the
 * update ends or says that it makes no progress; and with too few to write a
 * record nothing can be known (test_journal.c: the integrator counts).
 */
static void short_boots_on(const struct device *dev, struct pair *p)
{
    struct inlay_profile profile;
    struct inlay_error err = {""};
    uint32_t boots, least = 0, stuck = 0, silent = 0;
    make_pair(p, dev->size);
    load(dev, &profile);
    struct inlay_sim *sim = make(p, &profile, 1);
    struct inlay_sim_result r = run(sim, dev->name);
    uint32_t settle = settle_ops(&profile, &p->diff.needs);
    uint32_t enough = 2 * settle + unit_ops(&profile, &p->diff), most = 2 * p->diff.groups + 2;
    if (p->diff.needs.recipe_len) /* a record of each block's move, if the stage holds no more */
        most += 2 * p->diff.staged;
    for (uint32_t ops = 1; ops <= r.ops + enough; ops++) {
        if (!inlay_sim_stutter(sim, ops, 300, INLAY_TORN_RANDOM, &boots, &err)) {
            least = least ? least : ops;
            if (ops >= enough && boots > most)
                fail_msg("%s: %u boots of %u operations, not %u", dev->name, boots, ops, most);
            continue;
        }
        if (strstr(err.text, "too many boots without progress"))
            stuck++;
        else if (ops < settle && strstr(err.text, "not done after 300 boots"))
            silent++;
        else
            fail_msg("%s: %u operations: %s", dev->name, ops, err.text);
        if (ops >= enough)
            fail_msg("%s: %u operations are enough, but %s", dev->name, ops, err.text);
    }
    print_message("%s: %u operations a boot are enough, %u at most; %llu in one boot; %u + %u "
                  "numbers are too few\n",
                  dev->name, least, enough, (unsigned long long)r.ops, stuck, silent);
    assert_true(least > 0 && least < r.ops && stuck > 0);
    inlay_sim_free(sim);
    inlay_diff_result_free(&p->diff);
}

static void short_boots_make_progress_or_say_so(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < DEVICES; i++)
        short_boots_on(&devices[i], p);
    free(p);
}

/* Erases in the stage, where each block that is staged costs one, and in head and journal. */
static void check_work_erases(const struct inlay_sim_result *r, const struct inlay_diff_result *d)
{
    uint32_t head = 8 + (d->needs.head_len + d->needs.pool_len + 511) / 512;
    uint32_t journal = 0, stage = 0, most = 0, least = UINT32_MAX;
    for (uint32_t b = 0; b < r->work_blocks; b++) {
        uint32_t n = r->work[b].erases;
        journal += b < 8 ? n : 0;
        if (b >= 8 && b < head)
            assert_int_equal(n, 1);
        if (b < head)
            continue;
        stage += n;
        most = n > most ? n : most;
        least = n < least ? n : least;
    }
    assert_int_equal(stage, d->staged);
    assert_true(most <= least + 1); /* a ring wears evenly */
    /* Four records to an area, the first one twice; two areas of four blocks at the start. */
    uint32_t records = 2 + 2 * d->groups;
    assert_true(journal <= 8 + 4 * ((records + 2) / 3));
}

/* What a single cut may cost more: one group again, the journal settled, and perhaps the head. */
static void check_cost_of_a_cut(struct inlay_sim *sim, const struct inlay_sim_result *r,
                                const struct inlay_diff_result *d)
{
    struct inlay_sim_cuts cuts = {0};
    uint32_t head = (d->needs.head_len + d->needs.pool_len + 511) / 512;
    assert_int_equal(inlay_sim_every(sim, 1, INLAY_TORN_ALL, 1, NULL, &cuts), 0);
    assert_true(cuts.most_erases > r->counts.erases);
    assert_true(cuts.most_erases <=
                r->counts.erases + d->needs.stage_blocks + d->direct + head + 12);
}

/* What an update may cost: unchanged blocks nothing, direct ones one erase, staged ones two. */
static void blocks_are_erased_as_seldom_as_can_be(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    struct inlay_profile profile;
    (void)state;
    assert_non_null(p);
    p->size = 6000;
    make_pair(p, p->size);
    memcpy(p->new + 2048, p->old + 2048, 1024); /* two blocks stay as they are */
    for (uint32_t i = 3072; i < 4096; i++)      /* and two have nothing to do with old ones */
        p->new[i] = (uint8_t)inlay_model_mix(3, i);
    load(&(struct device){"d",
                          "slot.blocks = 16 x 512\nslot.write_size = 4\n"
                          "work.blocks = 16 x 512\n",
                          0},
         &profile);
    struct inlay_sim *sim = make(p, &profile, 1);
    struct inlay_sim_result r = run(sim, "d");
    for (uint32_t b = 0; b < r.target_blocks; b++) {
        uint32_t pos = b * 512, len = pos < p->size ? p->size - pos : 0;
        int changed = len && memcmp(p->old + pos, p->new + pos, len < 512 ? len : 512) != 0;
        assert_int_equal(r.target[b].erases, changed);
    }
    assert_int_equal(r.target[4].erases, 0);
    assert_int_equal(r.target[5].erases, 0);
    assert_int_equal(r.counts.rewrites, 0);
    assert_int_equal(r.target_erases, p->diff.direct + p->diff.staged);
    assert_true(p->diff.direct >= 2 && p->diff.staged >= 4);
    check_work_erases(&r, &p->diff);
    check_cost_of_a_cut(sim, &r, &p->diff);
    inlay_sim_free(sim);
    inlay_diff_result_free(&p->diff);
    free(p);
}

/* With a name: that case alone. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_cut_on_every_shipped_profile),
        cmocka_unit_test(two_cuts_on_six_geometries),
        cmocka_unit_test(known_ends_change_nothing),
        cmocka_unit_test(short_boots_make_progress_or_say_so),
        cmocka_unit_test(blocks_are_erased_as_seldom_as_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
