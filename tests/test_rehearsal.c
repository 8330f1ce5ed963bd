/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs that begin before their patch is there: the real patcher takes no other bytes for it. */
#include "apply.h"
#include "manifest.h"
#include "rehearsal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 60000u

struct fixture {
    uint8_t old[SIZE], new[SIZE];
    struct inlay_diff_result result;
    struct inlay_manifest m;
    struct inlay_rehearsal rehearsal;
};

/* A patch with one chunk, so that its payload is in one piece. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct inlay_image old = {.data = f->old, .size = SIZE};
    const struct inlay_image new = {.data = f->new, .size = SIZE};
    struct inlay_profile host;
    struct inlay_error err;
    uint32_t noise = 7;
    for (uint32_t i = 0; i < SIZE; i++) {
        noise = noise * 1664525u + 1013904223u;
        f->old[i] = (uint8_t)(noise >> 28);
        f->new[i] = (uint8_t)(noise >> (noise >> 23 & 127u ? 28 : 20));
    }
    assert_int_equal(inlay_profile_load("host", &host, &err), 0);
    assert_int_equal(inlay_diff(&old, &new, &host, NULL, &f->result, &err), 0);
    inlay_manifest_read(&f->m, f->result.patch.data, f->result.patch.len);
    assert_int_equal(inlay_manifest_chunks(&f->m), 1);
    inlay_rehearsal_init(&f->rehearsal);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    inlay_rehearsal_free(&f->rehearsal);
    inlay_diff_result_free(&f->result);
    free(f);
    return 0;
}

static void rehearse(struct fixture *f, int failed)
{
    const struct inlay_codec_setup setup = {
        .params = f->m.params, .params_len = f->m.params_len, .old_size = SIZE, .new_size = SIZE};
    struct inlay_buffer all = {0}, plan = {0};
    const uint8_t *payload = f->result.patch.data + f->m.body_pos;
    assert_int_equal(inlay_buffer_add(&all, payload, f->m.payload_len), 0);
    assert_int_equal(inlay_buffer_add(&plan, payload, f->m.payload_len), 0);
    assert_int_equal(inlay_rehearsal_open(&f->rehearsal, &setup, f->old), 0);
    inlay_rehearsal_plan(&f->rehearsal, &plan, f->m.plan_len);
    inlay_rehearsal_end(&f->rehearsal, &all, failed);
    inlay_rehearsal_run(&f->rehearsal);
    inlay_buffer_free(&all);
}

static int apply(struct fixture *f, struct inlay_buffer *made)
{
    const struct inlay_codec *const codecs[] = {inlay_rehearsal_codec(&f->rehearsal), NULL};
    const struct inlay_buffer *patch = &f->result.patch;
    struct inlay_error err;
    assert_non_null(codecs[0]);
    return inlay_apply_with(codecs, f->old, SIZE, patch->data, patch->len, NULL, made, &err);
}

static void test_same(void **state)
{
    struct fixture *f = *state;
    struct inlay_buffer made;
    rehearse(f, 0);
    assert_int_equal(apply(f, &made), 0);
    assert_int_equal(made.len, SIZE);
    assert_memory_equal(made.data, f->new, SIZE);
    inlay_buffer_free(&made);
}

static void test_other_payload(void **state)
{
    struct fixture *f = *state;
    struct inlay_buffer made;
    rehearse(f, 0);
    f->rehearsal.payload.data[f->m.payload_len / 2u] ^= 1u;
    assert_int_not_equal(apply(f, &made), 0);
}

static void test_other_block(void **state)
{
    struct fixture *f = *state;
    struct inlay_buffer made;
    rehearse(f, 0);
    f->rehearsal.block.data[SIZE / 2u] ^= 1u;
    assert_int_not_equal(apply(f, &made), 0);
}

static void test_failed_encoder(void **state)
{
    struct fixture *f = *state;
    rehearse(f, 1);
    assert_null(inlay_rehearsal_codec(&f->rehearsal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_payload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_encoder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
