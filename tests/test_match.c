/* SPDX-License-Identifier: Apache-2.0 */
/* Matching: what it must find, that it is sound on anything, and that nothing makes it slow. */
#include "price.h"
#include "segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define CASES       600u
#define BIG         (1u << 20)
#define SECONDS_MAX 20 /* processor time for BIG; a second or so without sanitizers */

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return n ? (uint32_t)((state >> 33) % n) : 0;
}

static uint8_t *noise(uint32_t size)
{
    uint8_t *p = malloc((size_t)size + 1);

    assert_non_null(p);
    for (uint32_t i = 0; i < size; i++)
        p[i] = (uint8_t)below(256);
    return p;
}

struct result {
    struct inlay_segments s;
    uint32_t copied;  /* bytes in segments */
    uint32_t differs; /* of those, how many differ */
};

/* Matches, and checks what holds for every result. */
static struct result match(const uint8_t *old, uint32_t old_size, const uint8_t *new,
                           uint32_t new_size, const struct inlay_segments *hint)
{
    struct result r = {{0}, 0, 0};
    uint32_t end = 0;

    const struct inlay_match_options options = {.hint = hint, .jobs = 2};
    assert_int_equal(inlay_match_images(old, old_size, new, new_size, &options, &r.s), 0);
    for (size_t i = 0; i < r.s.count; i++) {
        const struct inlay_segment *g = &r.s.at[i];
        assert_true(g->len > 0 && g->new_pos >= end);
        assert_true((uint64_t)g->new_pos + g->len <= new_size);
        assert_true((uint64_t)g->old_pos + g->len <= old_size);
        for (uint32_t k = 0; k < g->len; k++)
            r.differs += old[g->old_pos + k] != new[g->new_pos + k];
        r.copied += g->len;
        end = g->new_pos + g->len;
    }
    return r;
}

static void assert_segment(const struct inlay_segments *s, size_t i, uint32_t new_pos,
                           uint32_t old_pos, uint32_t len)
{
    assert_true(i < s->count);
    assert_int_equal(s->at[i].new_pos, new_pos);
    assert_int_equal(s->at[i].old_pos, old_pos);
    assert_int_equal(s->at[i].len, len);
}

static void test_empty(void **unused)
{
    uint8_t a[4] = {1, 2, 3, 4};

    (void)unused;
    assert_int_equal(match(a, 0, a, 4, NULL).s.count, 0);
    assert_int_equal(match(a, 4, a, 0, NULL).s.count, 0);
    assert_int_equal(match(a, 0, a, 0, NULL).s.count, 0);
    for (uint32_t n = 1; n <= 4; n++) {
        struct result r = match(a, n, a, n, NULL);
        inlay_segments_free(&r.s);
    }
}

static void test_same(void **unused)
{
    uint8_t *a;

    (void)unused;
    state = 1;
    a = noise(100000);
    struct result r = match(a, 100000, a, 100000, NULL);
    assert_int_equal(r.s.count, 1);
    assert_segment(&r.s, 0, 0, 0, 100000);
    inlay_segments_free(&r.s);
    free(a);
}

/* An insertion, then a part that moved down: three copies, nothing more. */
static void test_moves(void **unused)
{
    uint8_t *old, *new, *fresh;

    (void)unused;
    state = 2;
    old = noise(30000);
    fresh = noise(1000);
    new = malloc(31000);
    assert_non_null(new);
    memcpy(new, old + 20000, 10000);
    memcpy(new + 10000, old, 5000);
    memcpy(new + 15000, fresh, 1000);
    memcpy(new + 16000, old + 5000, 15000);
    struct result r = match(old, 30000, new, 31000, NULL);
    assert_int_equal(r.s.count, 3);
    assert_segment(&r.s, 0, 0, 20000, 10000);
    assert_segment(&r.s, 1, 10000, 0, 5000);
    assert_segment(&r.s, 2, 16000, 5000, 15000);
    inlay_segments_free(&r.s);
    free(old);
    free(new);
    free(fresh);
}

/* Moved code: every tenth byte or so differs, and yet it is one copy. */
static void test_approximate(void **unused)
{
    uint8_t *old, *new;
    uint32_t changed = 0;

    (void)unused;
    state = 3;
    old = noise(50000);
    new = malloc(50000);
    assert_non_null(new);
    memcpy(new, old + 700, 49300);
    memcpy(new + 49300, old, 700);
    for (uint32_t i = 100; i < 49000; i += 7 + below(7), changed++)
        new[i] ^= (uint8_t)(1 + below(255));
    struct result r = match(old, 50000, new, 50000, NULL);
    assert_int_equal(r.s.count, 2);
    assert_segment(&r.s, 0, 0, 700, 49300);
    assert_segment(&r.s, 1, 49300, 0, 700);
    assert_int_equal(r.differs, changed);
    inlay_segments_free(&r.s);
    free(old);
    free(new);
}

/* Nothing tells that these belong together but the hint. */
static void test_hint(void **unused)
{
    struct inlay_segment segment = {64, 4096, 512};
    struct inlay_segments hint = {&segment, 1, 1};
    uint8_t *old, *new;

    (void)unused;
    state = 4;
    old = noise(8192);
    new = noise(640);
    for (uint32_t i = 0; i < 512; i++)
        new[64 + i] = old[4096 + i] ^ (i % 4 == 3);
    struct result without = match(old, 8192, new, 640, NULL);
    struct result with = match(old, 8192, new, 640, &hint);
    assert_int_equal(without.copied, 0);
    assert_true(with.copied >= 500 && with.copied <= 512);
    inlay_segments_free(&without.s);
    inlay_segments_free(&with.s);

    /* A hint that points outside both images is of no use and does no harm. */
    segment = (struct inlay_segment){600, 8190, 0xffffffffu};
    with = match(old, 8192, new, 640, &hint);
    assert_int_equal(with.copied, 0);
    segment = (struct inlay_segment){0xfffffff0u, 0xffffff00u, 16};
    with = match(old, 8192, new, 640, &hint);
    assert_int_equal(with.copied, 0);
    free(old);
    free(new);
}

static uint32_t some_image(uint8_t *p, uint32_t room, const uint8_t *old, uint32_t old_size)
{
    uint32_t size = 0, period = 1 + below(9), kind = below(5);

    while (size < room) {
        uint32_t len = 1 + below(below(4) ? 30 : 3000);
        uint32_t from = old_size ? below(old_size) : 0, letters = 1u << below(9);
        kind = below(3) ? kind : below(5);
        for (uint32_t i = 0; i < len && size < room; i++, size++) {
            if (kind == 0)
                p[size] = 0;
            else if (kind == 1)
                p[size] = (uint8_t)(size % period);
            else if (kind == 2 || from + i >= old_size)
                p[size] = (uint8_t)below(letters);
            else
                p[size] = old[from + i];
        }
    }
    return size;
}

/* Any images at all: the result is sound, and the same when asked again. */
static void test_random(void **unused)
{
    uint8_t old[6000], new[6000];

    (void)unused;
    for (uint32_t number = 0; number < CASES; number++) {
        state = number;
        uint32_t old_size = some_image(old, below(sizeof old), NULL, 0);
        uint32_t new_size = some_image(new, below(sizeof new), old, old_size);
        struct result a = match(old, old_size, new, new_size, NULL);
        struct result b = match(old, old_size, new, new_size, NULL);
        assert_int_equal(a.s.count, b.s.count);
        if (a.s.count)
            assert_memory_equal(a.s.at, b.s.at, a.s.count * sizeof *a.s.at);
        inlay_segments_free(&b.s);
        b = match(old, old_size, new, new_size, &a.s);
        inlay_segments_free(&a.s);
        inlay_segments_free(&b.s);
    }
}

static struct result timed(const char *what, const uint8_t *old, const uint8_t *new)
{
    clock_t start = clock();
    struct result r = match(old, BIG, new, BIG, NULL);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;

    print_message("%s: %.2f s, %zu segments\n", what, seconds, r.s.count);
    assert_true(seconds < SECONDS_MAX);
    inlay_segments_free(&r.s);
    return r;
}

static void fill(uint8_t *p, uint32_t period, uint32_t flaw)
{
    for (uint32_t i = 0; i < BIG; i++)
        p[i] = (uint8_t)(i % period * 37);
    for (uint32_t i = flaw; flaw && i < BIG; i += flaw)
        p[i] ^= 0x55;
}

/* Data on which matching is quadratic if it is done without care. */
static void test_slow(void **unused)
{
    uint8_t *old, *new;

    (void)unused;
    state = 5;
    old = noise(BIG);
    new = noise(BIG);
    assert_int_equal(timed("noise", old, new).copied, 0);
    fill(old, 1, 0);
    fill(new, 1, 0);
    assert_int_equal(timed("zeros", old, new).copied, BIG);
    fill(new, 1, 23);
    timed("zeros with flaws", old, new);
    fill(old, 1, 29);
    timed("zeros with flaws on both sides", old, new);
    fill(old, 7, 0);
    fill(new, 7, 0);
    assert_int_equal(timed("period 7", old, new).copied, BIG);
    fill(new, 7, 601);
    timed("period 7 with flaws", old, new);
    fill(old, 251, 997);
    fill(new, 251, 1009);
    timed("period 251 with flaws on both sides", old, new);
    fill(new, 250, 0);
    timed("another period", old, new);
    free(old);
    free(new);
}

/* What came often before is cheap, what never came is not, and odd sizes do not matter. */
static void test_prices(void **unused)
{
    uint8_t old[4001], new[9];
    (void)unused;
    for (unsigned i = 0; i < sizeof old; i++)
        old[i] = (uint8_t)(i & 1 ? 0x46 : i / 2 & 7);
    memcpy(new, old, sizeof new);
    new[5] = 0xbe; /* the upper byte of a halfword */
    uint8_t *price = inlay_price_halfwords(old, sizeof old, new, sizeof new);
    assert_non_null(price);
    assert_true(price[7] == price[1] && price[5] > price[1] + 16 && price[5] > price[7] + 16);
    free(price);
    for (size_t n = 0; n < 4; n++) {
        price = inlay_price_halfwords(old, n, new, 3 - n);
        assert_non_null(price);
        free(price);
    }
}

/* A short copy pays where its bytes are expensive as new data, and not where they are cheap. */
static void test_price_decides(void **unused)
{
    uint8_t *old, *new, *prices;
    (void)unused;
    state = 11;
    old = noise(4096);
    new = noise(4096);
    prices = malloc(4096);
    assert_non_null(prices);
    memcpy(new + 1000, old + 300, 6);
    memcpy(new + 3000, old + 2222, 6);
    memset(prices, 2 * 16, 4096);
    memset(prices + 3000, 6 * 16, 6);
    const struct inlay_match_options options = {.prices = prices};
    struct inlay_segments s;
    assert_int_equal(inlay_match_images(old, 4096, new, 4096, &options, &s), 0);
    assert_int_equal(s.count, 1);
    assert_segment(&s, 0, 3000, 2222, 6);
    inlay_segments_free(&s);
    free(prices);
    free(new);
    free(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prices), cmocka_unit_test(test_price_decides),
        cmocka_unit_test(test_empty),  cmocka_unit_test(test_same),
        cmocka_unit_test(test_moves),  cmocka_unit_test(test_approximate),
        cmocka_unit_test(test_hint),   cmocka_unit_test(test_random),
        cmocka_unit_test(test_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
