/* SPDX-License-Identifier: Apache-2.0 */
/* What computers compile faster: the same numbers, so the same bytes, as what devices run. */
#include "codec_mix.h"
#include "codec_mix_host.h"
#include "fast_model.h"
#include "inlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The patcher's, which fast_model.h hides. */
int32_t inlay_stretch(uint32_t p);
uint32_t inlay_squash(int32_t odds);

static void test_votes(void **unused)
{
    (void)unused;
    inlay_fast_model_init();
    for (uint32_t p = 8; p < 65536; p += 16) {
        assert_int_equal(inlay_fast_stretch(p), inlay_stretch(p));
        assert_int_equal(inlay_fast_vote(p).linear, inlay_shr((int32_t)p - 32768, 4));
    }
    assert_int_equal(inlay_fast_stretch(32768), inlay_stretch(32768));
    assert_int_equal(inlay_fast_vote(32768).linear, 0);
}

static void test_mixed(void **unused)
{
    (void)unused;
    inlay_fast_model_init();
    for (int32_t odds = -2 * INLAY_ODDS_MAX; odds <= 2 * INLAY_ODDS_MAX; odds++) {
        const int32_t sum[2] = {odds, odds / 2};
        assert_int_equal(inlay_fast_squash(odds), inlay_squash(odds));
        assert_int_equal(inlay_fast_mixed(sum), inlay_mixed(sum));
    }
}

static void test_counters(void **unused)
{
    (void)unused;
    inlay_fast_model_init();
    for (uint32_t i = 0; i < 2u * 65536u; i++) {
        uint16_t counter = (uint16_t)i;
        if ((counter & 15u) > INLAY_FAST_LIMIT)
            continue;
        uint16_t next = inlay_fast_learned(counter, i >> 16);
        inlay_counter_learn(&counter, i >> 16, INLAY_FAST_LIMIT);
        assert_int_equal(next, counter);
    }
}

/* States go where their definition says, by log-odds: up after a 1, down after a 0. */
static void test_states(void **unused)
{
    (void)unused;
    for (unsigned i = INLAY_STATE_START; i < 256; i++)
        for (unsigned bit = 0; bit < 2; bit++) {
            uint8_t state = (uint8_t)i;
            inlay_state_learn(&state, bit);
            int32_t up = inlay_state_odds(state) - inlay_state_odds(i);
            int at_end = i == 128 || i == 255;
            assert_true(state >= (i < 128 ? 2 * (1u << (31 - __builtin_clz(i))) : 128));
            assert_true(bit ? up > 0 || (at_end && up == 0) : up < 0 || (at_end && up == 0));
        }
    for (unsigned bit = 0; bit < 2; bit++) { /* seen often enough, a state reaches its end */
        uint8_t state = INLAY_STATE_START;
        for (unsigned i = 0; i < 200; i++)
            inlay_state_learn(&state, bit);
        assert_int_equal(state, bit ? 255 : 128);
    }
}

#define VOTERS 11u

/* What a list of weights says, told from its definition in docs/FORMAT.md. */
static int32_t sum_of(const int32_t *in, const int16_t *weight, unsigned n)
{
    int32_t sum = 0;
    for (unsigned i = 0; i < n; i += 2)
        sum += inlay_shr(in[i] * weight[i] + in[i + 1u] * weight[i + 1u], 12);
    return sum;
}

static void test_ballots(void **unused)
{
    int16_t weight[2][2 * VOTERS], own[2][2 * VOTERS];
    uint32_t state = 3;
    (void)unused;
    for (unsigned i = 0; i < 2 * VOTERS; i++)
        weight[0][i] = weight[1][i] = (int16_t)(i & 1u ? -INLAY_WEIGHT_MAX : INLAY_WEIGHT_MAX);
    weight[1][0] = 0;
    memcpy(own, weight, sizeof own);
    for (unsigned round = 0; round < 100000; round++) {
        struct inlay_ballot b = {.weight = {weight[0], weight[1]}};
        int32_t in[2 * VOTERS];
        unsigned voters = 4u + round % (VOTERS - 3u), bit = state >> 31;
        for (unsigned i = 0; i < voters; i++) {
            state = state * 1664525u + 1013904223u;
            uint32_t p = inlay_counter_p((uint16_t)(state >> (state >> 30 ? 16 : 28)));
            inlay_vote(&b, p);
            in[2u * i] = inlay_stretch(p);
            in[2u * i + 1u] = inlay_shr((int32_t)p - 32768, 4);
        }
        uint32_t p = inlay_mix(&b);
        int32_t sum[2] = {sum_of(in, own[0], 2u * voters), sum_of(in, own[1], 2u * voters)};
        assert_int_equal(p, inlay_mixed(sum));
        inlay_mix_learn(&b, bit, 20);
        for (unsigned k = 0; k < 2; k++)
            for (unsigned i = 0; i < 2u * voters; i++)
                own[k][i] = inlay_mix_moved(own[k][i], in[i], inlay_mix_error(sum[k], bit, 20));
        assert_memory_equal(own, weight, sizeof own);
    }
}

/* Words that a device's code might have, of which some changed and some moved. */
static void make_images(uint8_t *old, uint8_t *new, size_t size, size_t moved)
{
    uint32_t state = 7;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525u + 1013904223u;
        old[i] = (uint8_t)(i & 3 ? state >> 28 : state >> 24);
    }
    memcpy(new, old + moved, size - moved);
    memcpy(new + size - moved, old, moved);
    for (size_t i = 0; i < size; i += 1 + (state >> 24)) {
        state = state * 1664525u + 1013904223u;
        new[i] = (uint8_t)(state >> 20);
    }
}

struct area {
    uint8_t *data;
    uint32_t len;
};

static int read_area(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct area *a = ctx;
    if (pos > a->len || len > a->len - pos)
        return -1;
    memcpy(buf, a->data + pos, len);
    return 0;
}

static int write_area(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    const struct area *a = ctx;
    if (pos > a->len || len > a->len - pos)
        return -1;
    memcpy(a->data + pos, buf, len);
    return 0;
}

static int erase_area(void *ctx, uint32_t pos, uint32_t len)
{
    const struct area *a = ctx;
    if (pos > a->len || len > a->len - pos)
        return -1;
    memset(a->data + pos, 0xff, len);
    return 0;
}

static struct inlay_flash flash_of(struct area *a)
{
    return (struct inlay_flash){.ctx = a,
                                .read = read_area,
                                .write = write_area,
                                .erase = erase_area,
                                .write_size = 1,
                                .erased = 0xff,
                                .regions = 1,
                                .region = {{1, a->len}}};
}

/* The devices' decoder makes of a patch what the differ's own made of it when it checked it. */
static void test_decoders(void **unused)
{
    enum { SIZE = 200000 };
    static const struct inlay_codec *const codecs[] = {&inlay_codec_mix_all, NULL};
    struct area old = {malloc(SIZE), SIZE}, new = {malloc(SIZE), SIZE}, made = {malloc(SIZE), SIZE};
    struct inlay_flash old_flash = flash_of(&old), made_flash = flash_of(&made);
    const struct inlay_image from = {.data = old.data, .size = SIZE};
    const struct inlay_image to = {.data = new.data, .size = SIZE};
    const struct inlay_config cfg = {
        .old = &old_flash, .slot = &made_flash, .crypto = inlay_host_crypto(), .codecs = codecs};
    struct inlay_diff_result result;
    struct inlay_profile host;
    struct inlay_error err;
    int already;
    (void)unused;
    make_images(old.data, new.data, SIZE, 5000);
    assert_ptr_equal(inlay_host_codecs()[0], &inlay_codec_mix_host);
    assert_int_equal(inlay_profile_load("host", &host, &err), 0);
    assert_int_equal(inlay_diff(&from, &to, &host, NULL, &result, &err), 0);
    assert_int_equal(inlay_apply_flash(&cfg, result.patch.data, result.patch.len, &already, &err),
                     0);
    assert_memory_equal(made.data, new.data, SIZE);
    inlay_diff_result_free(&result);
    free(old.data);
    free(new.data);
    free(made.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_votes),    cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_counters), cmocka_unit_test(test_states),
        cmocka_unit_test(test_ballots),  cmocka_unit_test(test_decoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
