/* SPDX-License-Identifier: Apache-2.0 */
/* The patcher end to end, with a codec that spells everything out. */
#include "scenario.h"

#define SEEDS 6u

static void each(void (*body)(const struct scenario *s))
{
    for (size_t i = 0; i < SHAPES; i++)
        for (int in_place = 0; in_place < 2; in_place++)
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                struct scenario *s = make_scenario(&shapes[i], in_place, seed);
                body(s);
                free_scenario(s);
            }
}

static void applies_one(const struct scenario *s)
{
    static const uint32_t pieces[] = {1, 7, 100, 5000};
    for (unsigned i = 0; i < 4; i++) {
        struct device d;
        device_open(&d, s);
        assert_int_equal(run(&d, &s->patch, i, pieces[i]), INLAY_DONE);
        check_result(&d, s);
        device_close(&d);
    }
}

static void any_chunking_gives_the_new_image(void **state)
{
    (void)state;
    each(applies_one);
}

static void frugal_one(const struct scenario *s)
{
    struct device d;
    device_open(&d, s);
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
    const struct flash_double *slot = s->in_place ? &d.a : &d.b;
    struct inlay_span b;
    for (uint32_t i = 0; (b = inlay_region_at(s->shape->slot, s->shape->slot_regions, i)).len != 0;
         i++)
        assert_int_equal(slot->erases[b.pos], s->kind[i] != 0);
    device_close(&d);
}

static void unchanged_blocks_are_never_erased_and_others_once(void **state)
{
    (void)state;
    each(frugal_one);
}

static void again_one(const struct scenario *s)
{
    struct device d;
    device_open(&d, s);
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
    uint32_t ops = d.power.ops;
    assert_int_equal(run(&d, &s->patch, 2, 700), INLAY_ALREADY);
    assert_int_equal(d.power.ops, ops);
    check_result(&d, s);
    device_close(&d);
}

static void the_same_patch_again_is_a_no_op(void **state)
{
    (void)state;
    each(again_one);
}

/* The same patch with another digest of the new image, signed again. */
static void forge_result(const struct scenario *s, struct inlay_buffer *patch)
{
    struct inlay_manifest m = s->man;
    struct inlay_error err = {{0}};
    m.new_digest[0] ^= 1;
    *patch = (struct inlay_buffer){0};
    assert_int_equal(
        inlay_container_write(&m, &signed_fields, s->payload.data, s->payload.len, patch, &err), 0);
}

/* Beside the old image a wrong result costs the update and nothing else. */
static void wrong_result_one(const struct scenario *s)
{
    struct inlay_buffer forged;
    struct device d;
    if (s->in_place)
        return;
    forge_result(s, &forged);
    device_open(&d, s);
    assert_int_equal(run(&d, &forged, 1, 300), INLAY_E_RESULT);
    assert_memory_equal(d.a.data, s->old_image, s->old_size);
    assert_int_equal(run(&d, &s->patch, 1, 300), INLAY_DONE);
    check_result(&d, s);
    device_close(&d);
    inlay_buffer_free(&forged);
}

static void a_wrong_result_beside_the_old_image_begins_anew(void **state)
{
    (void)state;
    each(wrong_result_one);
}

static unsigned dry_once_unsure;

static void dry_one(const struct scenario *s)
{
    struct inlay_buffer forged;
    forge_result(s, &forged);
    for (uint8_t how = INLAY_DRY_WHOLE; how <= INLAY_DRY_ONCE; how++) {
        struct device d;
        device_open(&d, s);
        d.cfg.dry_run = how;
        assert_int_equal(run(&d, &s->patch, 1, 300), INLAY_DONE);
        /* Without the event the digest was not checked, and a wrong one is not found. */
        unsigned sure = d.verified;
        assert_true(sure == 1 || how == INLAY_DRY_ONCE);
        dry_once_unsure += !sure;
        assert_int_equal(run(&d, &forged, 1, 300), sure ? INLAY_E_RESULT : INLAY_DONE);
        assert_int_equal(d.power.ops, 0);
        device_close(&d);
    }
    inlay_buffer_free(&forged);
}

static void dry_run_decodes_all_and_writes_nothing(void **state)
{
    (void)state;
    each(dry_one);
    assert_true(dry_once_unsure > 10); /* else the orders were too easy */
}

static void wrong_old_one(const struct scenario *s)
{
    struct device d;
    device_open(&d, s);
    d.a.data[s->old_size / 2u] ^= 16;
    assert_int_equal(run(&d, &s->patch, 1, 300), INLAY_E_OLD);
    assert_int_equal(d.power.ops, 0);
    device_close(&d);
}

static void a_wrong_old_image_is_refused_before_anything_is_written(void **state)
{
    (void)state;
    each(wrong_old_one);
}

/* With checks of its pieces the first wrong one is named. */
static void named_one(const struct scenario *s)
{
    struct inlay_buffer checks = {0}, patch = {0};
    struct inlay_container_fields fields = signed_fields;
    struct inlay_error err;
    fields.old_checks = &checks;
    assert_int_equal(inlay_container_old_checks(s->old_image, s->old_size, 512, &checks), 0);
    assert_int_equal(checks.data[0], 9);
    assert_int_equal(
        inlay_container_write(&s->man, &fields, s->payload.data, s->payload.len, &patch, &err), 0);
    for (uint32_t pos = 0; pos < s->old_size; pos += pos < 600 ? 1u + pos / 2u : s->old_size / 3u) {
        struct device d;
        device_open(&d, s);
        d.a.data[pos] ^= 16;
        d.a.data[s->old_size - 1u] ^= pos + 1u == s->old_size ? 0 : 1;
        assert_int_equal(run(&d, &patch, 1, 300), INLAY_E_OLD);
        assert_int_equal(d.at.image_pos, pos & ~511u);
        struct inlay_manifest m;
        assert_int_equal(inlay_manifest_read(&m, patch.data, patch.len), INLAY_OK);
        assert_int_equal(inlay_container_wrong_at(&m, patch.data, d.a.data, s->old_size),
                         pos & ~511u);
        assert_int_equal(inlay_container_wrong_at(&m, patch.data, s->old_image, s->old_size),
                         s->old_size);
        /* The patch without checks can't tell. */
        assert_int_equal(run(&d, &s->patch, 1, 300), INLAY_E_OLD);
        assert_int_equal(d.at.image_pos, s->old_size);
        assert_int_equal(d.power.ops, 0);
        memcpy(d.a.data, s->old_image, s->old_size);
        assert_int_equal(run(&d, &patch, 1, 300), INLAY_DONE);
        device_close(&d);
    }
    inlay_buffer_free(&checks);
    inlay_buffer_free(&patch);
}

/* Without a cut each staged block is reported once, and in the end none is left. */
static void staged_blocks_are_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2u * SHAPES; i++) {
        struct scenario *s = make_scenario(&shapes[i / 2u], (int)(i & 1u), 6);
        struct device d;
        uint32_t staged = 0;
        for (uint32_t k = 0; k < BLOCKS_MAX; k++)
            staged += s->kind[k] == 'S';
        device_open(&d, s);
        assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
        assert_int_equal(d.moved, staged);
        assert_int_equal(d.to_move, 0);
        device_close(&d);
        free_scenario(s);
    }
}

static void the_first_wrong_piece_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++)
        for (int in_place = 0; in_place < 2; in_place++) {
            struct scenario *s = make_scenario(&shapes[i], in_place, 3);
            named_one(s);
            free_scenario(s);
        }
}

/* A damaged patch ends in an error, and what reached the slot came from whole chunks only. */
static void damage_one(const struct scenario *s)
{
    uint64_t seed = 99;
    for (unsigned i = 0; i < 20; i++) {
        struct device d;
        struct inlay_buffer bad = {0};
        assert_int_equal(inlay_buffer_add(&bad, s->patch.data, s->patch.len), 0);
        uint32_t pos = below(&seed, (uint32_t)bad.len);
        bad.data[pos] ^= (uint8_t)(1u << below(&seed, 8));
        device_open(&d, s);
        enum inlay_status st = run(&d, &bad, 1, 300);
        assert_true(st < 0);
        if (pos >= s->man.body_pos)
            assert_int_equal(st, INLAY_E_CHAIN);
        assert_int_equal(run(&d, &s->patch, 1, 300), INLAY_DONE);
        check_result(&d, s);
        device_close(&d);
        inlay_buffer_free(&bad);
    }
}

static void a_damaged_patch_is_refused_and_the_right_one_goes_on(void **state)
{
    (void)state;
    each(damage_one);
}

static void retry_one(const struct scenario *s)
{
    for (uint32_t times = 1; times <= 5; times += 4) {
        for (uint32_t k = 1; k < 4; k++) {
            struct device d;
            device_open(&d, s);
            struct flash_double *f = k == 3 ? &d.work : s->in_place ? &d.a : &d.b;
            f->bad_pos = k == 3 ? f->len - 10u : f->len / 4u * k;
            f->bad_left = times;
            enum inlay_status st = run(&d, &s->patch, 1, 700);
            uint32_t hits = times - f->bad_left;
            if (hits < 4u) {
                assert_int_equal(st, INLAY_DONE);
                assert_int_equal(d.retries, hits);
            } else {
                assert_int_equal(st, INLAY_E_FLASH);
                /* The piece that did not hold. */
                assert_in_range(f->bad_pos, d.at.image_pos, d.at.image_pos + INLAY_PIECE - 1u);
                assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
            }
            check_result(&d, s);
            device_close(&d);
        }
    }
}

static void a_block_that_does_not_hold_is_written_again(void **state)
{
    (void)state;
    each(retry_one);
}

static void plain_ab_needs_no_work_area(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 10; seed++) {
        struct scenario *s = make_scenario(&shapes[0], 0, seed);
        struct device d;
        device_open(&d, s);
        d.cfg.work = NULL;
        assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
        check_result(&d, s);
        device_close(&d);
        free_scenario(s);
    }
}

static const struct inlay_crypto plain_crypto = {.sha256_init = sodium_init_256,
                                                 .sha256_update = sodium_update_256,
                                                 .sha256_final = sodium_final_256};

/* The same update without a signature. */
static void unsign(struct scenario *s)
{
    struct inlay_error err = {{0}};
    s->patch.len = 0;
    assert_int_equal(
        inlay_container_write(&s->man, NULL, s->payload.data, s->payload.len, &s->patch, &err), 0);
    assert_int_equal(inlay_manifest_read(&s->man, s->patch.data, s->patch.len), INLAY_OK);
}

/* Without a signature there still is no damage that begins what cannot be finished. */
static void damage_to_an_unsigned_patch_changes_nothing(void **state)
{
    (void)state;
    struct scenario *s = make_scenario(&shapes[0], 1, 2);
    struct device d;
    unsign(s);
    device_open(&d, s);
    d.cfg.crypto = &plain_crypto;
    d.cfg.boots_max = UINT32_MAX; /* each of these begins counts as a boot without a commit */
    for (size_t bit = 0; bit < 8u * s->man.body_pos; bit++) {
        s->patch.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        enum inlay_status st = run(&d, &s->patch, bit, 700);
        assert_true(st < 0 && st != INLAY_E_OLD); /* it is not the image that is wrong */
        assert_int_equal(d.power.ops, 0);
        s->patch.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
    }
    /* In the chunks: nothing of the slot changes before the first of them is known to be whole. */
    for (size_t bit = 8u * s->man.body_pos; bit < 8u * (s->man.body_pos + 512u); bit += 5u) {
        s->patch.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        assert_int_equal(run(&d, &s->patch, bit, 700), INLAY_E_CHAIN);
        assert_memory_equal(d.a.data, s->old_image, s->old_size);
        s->patch.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
    }
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
    check_result(&d, s);
    device_close(&d);
    free_scenario(s);
}

static void a_signature_is_not_optional(void **state)
{
    (void)state;
    struct scenario *s = make_scenario(&shapes[0], 1, 2);
    struct device d;
    device_open(&d, s);
    d.cfg.crypto = &plain_crypto; /* no verify: only unsigned patches */
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_SIGNATURE);
    d.cfg.crypto = &signed_crypto;
    unsign(s);
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_SIGNATURE);
    assert_int_equal(d.power.ops, 0);
    device_close(&d);
    free_scenario(s);
}

/* Cuts a run at operation n; returns 0 if it ended before. */
static int cut_at(struct device *d, const struct scenario *s, uint32_t n)
{
    return run_powered(d, s, n, CUT_AFTER, 1) == POWER_FAILED;
}

static void another_patch_is_told_from_the_one_under_way(void **state)
{
    (void)state;
    struct scenario *s = make_scenario(&shapes[0], 1, 1), *t = make_scenario(&shapes[0], 1, 2);
    for (uint32_t n = 0;; n++) {
        struct device d;
        struct inlay_patcher *p;
        device_open(&d, s);
        int cut = cut_at(&d, s, n);
        enum inlay_status st = inlay_begin(&p, &d.cfg, d.memory, d.memory_len);
        assert_int_equal(inlay_match(p, s->patch.data, s->patch.len), INLAY_OK);
        assert_int_equal(inlay_match(p, s->patch.data, 20), INLAY_MORE);
        assert_int_equal(inlay_match(p, t->patch.data, t->patch.len),
                         st == INLAY_AGAIN ? INLAY_E_BUSY : INLAY_OK);
        int underway = st == INLAY_AGAIN;
        int whole = memcmp(d.a.data, s->old_image, s->old_size) == 0;
        st = inlay_abort(p);
        if (!underway) {
            assert_int_equal(st, INLAY_OK);
        } else if (st == INLAY_OK) {
            assert_true(whole);
            assert_int_equal(inlay_begin(&p, &d.cfg, d.memory, d.memory_len), INLAY_MORE);
        } else {
            assert_int_equal(st, INLAY_E_BUSY);
            assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
            check_result(&d, s);
        }
        device_close(&d);
        if (!cut)
            break;
    }
    free_scenario(s);
    free_scenario(t);
}

/* Feeds the wrong patch after a resume, with and without asking first. */
static enum inlay_status feed_other(struct device *d, const struct inlay_buffer *patch,
                                    const struct inlay_buffer *ask)
{
    struct inlay_patcher *p;
    enum inlay_status st = inlay_begin(&p, &d->cfg, d->memory, d->memory_len);
    size_t used;
    if (ask != NULL)
        assert_int_equal(inlay_match(p, ask->data, ask->len), INLAY_OK);
    while (st == INLAY_AGAIN || st == INLAY_MORE) {
        uint32_t pos = inlay_next_offset(p);
        assert_true(st == INLAY_AGAIN || pos < patch->len);
        st = st == INLAY_AGAIN ? inlay_step(p)
                               : inlay_feed(p, patch->data + pos, patch->len - pos, &used);
    }
    return st;
}

static void another_patch_in_the_middle_is_busy(void **state)
{
    (void)state;
    struct scenario *s = make_scenario(&shapes[0], 1, 1), *t = make_scenario(&shapes[0], 1, 6);
    unsigned seen = 0;
    for (uint32_t n = 40; n < 200; n += 20) {
        struct device d;
        struct inlay_patcher *p;
        device_open(&d, s);
        if (!cut_at(&d, s, n) || inlay_begin(&p, &d.cfg, d.memory, d.memory_len) != INLAY_AGAIN) {
            device_close(&d);
            continue;
        }
        while (inlay_step(p) == INLAY_AGAIN)
            ;
        if (inlay_next_offset(p) < t->patch.len) {
            assert_int_equal(feed_other(&d, &t->patch, NULL), INLAY_E_BUSY);
            assert_int_equal(feed_other(&d, &t->patch, &s->patch), INLAY_E_CHAIN);
            seen++;
        }
        assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
        check_result(&d, s);
        device_close(&d);
    }
    assert_true(seen > 2);
    free_scenario(s);
    free_scenario(t);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct scenario *s = make_scenario(&shapes[0], 1, 1);
    struct device d;
    device_open(&d, s);
    d.memory_len -= 8;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_WORKSPACE);
    d.memory_len += 8;
    d.cfg.slot = &d.b.f;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_LIMIT);
    d.cfg.slot = &d.a.f;
    d.cfg.work = NULL;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_LIMIT);
    d.cfg.work = &d.work.f;
    d.work.f.region[0].count = 5;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_LIMIT);
    d.work.f.region[0].count = 1;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_LIMIT);
    d.work.f.region[0].count = 8;
    d.a.f.region[0].block_len *= 2; /* other blocks than those in the patch's order */
    d.a.f.region[0].count /= 2;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_LIMIT);
    d.a.f.region[0] = s->shape->slot[0];
    d.a.f.write_size = 3;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_USAGE);
    d.a.f.write_size = 4;
    d.cfg.component = (const uint8_t *)"radio";
    d.cfg.component_len = 5;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_POLICY);
    d.cfg.component = NULL;
    d.cfg.component_len = 0;
    d.cfg.security_counter = 1;
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_POLICY);
    d.cfg.security_counter = 0;
    assert_int_equal(d.power.ops, 0);
    assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
    device_close(&d);
    free_scenario(s);
}

/* With a name: that case alone. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_chunking_gives_the_new_image),
        cmocka_unit_test(unchanged_blocks_are_never_erased_and_others_once),
        cmocka_unit_test(the_same_patch_again_is_a_no_op),
        cmocka_unit_test(a_wrong_result_beside_the_old_image_begins_anew),
        cmocka_unit_test(dry_run_decodes_all_and_writes_nothing),
        cmocka_unit_test(a_wrong_old_image_is_refused_before_anything_is_written),
        cmocka_unit_test(the_first_wrong_piece_is_named),
        cmocka_unit_test(staged_blocks_are_reported),
        cmocka_unit_test(a_damaged_patch_is_refused_and_the_right_one_goes_on),
        cmocka_unit_test(a_block_that_does_not_hold_is_written_again),
        cmocka_unit_test(plain_ab_needs_no_work_area),
        cmocka_unit_test(another_patch_is_told_from_the_one_under_way),
        cmocka_unit_test(damage_to_an_unsigned_patch_changes_nothing),
        cmocka_unit_test(a_signature_is_not_optional),
        cmocka_unit_test(another_patch_in_the_middle_is_busy),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
