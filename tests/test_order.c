/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays block orders and proves that nothing is read after it is gone.
 *
 * Random cases are numbered; INLAY_SEED=n runs case n alone.
 */
#include "order.h"
#include "recipes.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASES      3000u
#define CORPUS     "../shared/corpus"
#define CORPUS_MAX (2u << 20)
#define NEW_DATA   0xffffffffu

struct image {
    uint8_t *at;
    uint32_t size;
};

struct plan {
    struct image old, new;
    struct inlay_order_limits limits;
    struct inlay_segments before, after; /* segments given to the planner, and left by it */
    struct inlay_order order;
    const char *name;
};

/* Says which case it was before failing. */
#define CHECK(p, x)                                                                                \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            print_error("%s: not true: %s\n", (p)->name, #x);                                      \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return n ? (uint32_t)((state >> 33) % n) : 0;
}

/* Start of block b; past the given geometry its last block repeats. */
static uint64_t block_start(const struct plan *p, uint32_t b)
{
    const struct inlay_order_limits *l = &p->limits;
    uint64_t pos = 0;

    if (l->regions == 0)
        return b ? p->new.size : 0;
    for (uint8_t i = 0; i < l->regions; i++) {
        uint32_t n = b < l->region[i].count || i + 1 == l->regions ? b : l->region[i].count;
        pos += (uint64_t)n * l->region[i].block_len;
        b -= n;
    }
    return pos;
}

static uint32_t block_count(const struct plan *p)
{
    uint32_t n = 0;

    while (block_start(p, n) < p->new.size)
        n++;
    return n;
}

static int is_unchanged(const struct plan *p, uint32_t b)
{
    uint64_t from = block_start(p, b), to = block_start(p, b + 1);

    if (to > p->new.size)
        to = p->new.size;
    return to <= p->old.size && !memcmp(p->old.at + from, p->new.at + from, to - from);
}

/* For each new byte the old position it is copied from. */
static uint32_t *sources(const struct plan *p, const struct inlay_segments *s)
{
    uint32_t *from = malloc(((size_t)p->new.size + 1) * sizeof *from);
    uint32_t end = 0;

    assert_non_null(from);
    memset(from, 0xff, p->new.size * sizeof *from);
    for (size_t i = 0; i < s->count; i++) {
        const struct inlay_segment *g = &s->at[i];
        CHECK(p, g->len > 0 && g->new_pos >= end);
        CHECK(p, (uint64_t)g->new_pos + g->len <= p->new.size);
        CHECK(p, (uint64_t)g->old_pos + g->len <= p->old.size);
        for (uint32_t k = 0; k < g->len; k++)
            from[g->new_pos + k] = g->old_pos + k;
        end = g->new_pos + g->len;
    }
    return from;
}

/* What is copied now was copied from there before, and `lost` tells how much is not any more. */
static void check_segments(const struct plan *p, const uint32_t *now)
{
    uint32_t *was = sources(p, &p->before);
    uint64_t lost = 0;

    for (uint32_t i = 0; i < p->new.size; i++) {
        CHECK(p, now[i] == NEW_DATA || now[i] == was[i]);
        lost += now[i] != was[i];
    }
    free(was);
    CHECK(p, lost == p->order.lost);
}

static void check_list(const struct plan *p)
{
    uint32_t blocks = block_count(p), size = 0, staged = 0, most = 0, last = 0;
    uint8_t *seen = calloc((size_t)blocks + 1, 1);

    assert_non_null(seen);
    for (size_t i = 0; i < p->order.count; i++) {
        const struct inlay_order_step *s = &p->order.at[i];
        if (s->kind == INLAY_STEP_COMMIT) {
            CHECK(p, size > 0);
            size = staged = 0;
            continue;
        }
        CHECK(p, s->kind == INLAY_STEP_STAGED ||
                     (s->kind == INLAY_STEP_DIRECT && !p->limits.recipe_len));
        CHECK(p, s->block < blocks && !seen[s->block]);
        seen[s->block] = 1;
        staged += s->kind == INLAY_STEP_STAGED;
        most = staged > most ? staged : most;
        CHECK(p, ++size <= p->limits.group_blocks);
        CHECK(p, staged <= p->limits.stage_blocks);
        CHECK(p, p->limits.in_place || (s->kind == INLAY_STEP_DIRECT && s->block >= last));
        last = s->block;
    }
    CHECK(p, size == 0); /* the list ends with COMMIT */
    CHECK(p, most == p->order.stage_blocks);
    for (uint32_t b = 0; b < blocks; b++)
        CHECK(p, seen[b] == !(p->limits.in_place && is_unchanged(p, b)));
    free(seen);
}

/* Bytes of the recipe of one block, of which `now` says where its bytes come from. */
static void describe(const struct plan *p, struct inlay_recipes *r, uint32_t block,
                     const uint32_t *now)
{
    uint64_t pos = block_start(p, block), to = block_start(p, block + 1);

    inlay_recipes_block(r);
    for (; pos < to && pos < p->new.size; pos++)
        inlay_recipes_bytes(r, (uint32_t)pos, now[pos], 1);
    inlay_recipes_block_end(r, block);
}

/* A group's recipes are about as long as they may be at most, unless one block's alone are longer.
 */
static void check_recipes(const struct plan *p, const uint32_t *now)
{
    struct inlay_recipes r = {.old = p->old.at,
                              .new = p->new.at,
                              .region = p->limits.region,
                              .regions = p->limits.regions};

    for (size_t i = 0; i < p->order.count; i++) {
        if (p->order.at[i].kind != INLAY_STEP_COMMIT) {
            describe(p, &r, p->order.at[i].block, now);
            continue;
        }
        CHECK(p, r.count == 1 || r.used <= p->limits.recipe_len);
        inlay_recipes_group(&r);
    }
}

/* Marks what the pool holds in saved. */
static void check_pool(const struct plan *p, uint8_t *saved)
{
    uint64_t end = 0, sum = 0;

    for (size_t i = 0; i < p->order.pool_count; i++) {
        const struct inlay_range *r = &p->order.pool[i];
        CHECK(p, r->len > 0 && (i == 0 || r->pos > end));
        end = (uint64_t)r->pos + r->len;
        CHECK(p, end <= p->old.size);
        sum += r->len;
        memset(saved + r->pos, 1, r->len);
    }
    CHECK(p, sum == p->order.pool_len);
    CHECK(p, sum <= p->limits.pool_len);
    CHECK(p, p->order.pool_count <= p->limits.pool_ranges);
}

static void erase(const struct plan *p, uint8_t *gone, uint32_t block)
{
    uint64_t from = block_start(p, block), to = block_start(p, block + 1);

    for (uint64_t i = from; i < to && i < p->old.size; i++)
        gone[i] = 1;
}

/* Makes the blocks of one group; returns the step behind its COMMIT. */
static size_t play_group(const struct plan *p, size_t first, const uint32_t *from, uint8_t *gone,
                         const uint8_t *saved)
{
    size_t i;

    for (i = first; p->order.at[i].kind != INLAY_STEP_COMMIT; i++) {
        uint32_t b = p->order.at[i].block;
        if (p->order.at[i].kind == INLAY_STEP_DIRECT)
            erase(p, gone, b);
        for (uint64_t k = block_start(p, b); k < block_start(p, b + 1) && k < p->new.size; k++)
            CHECK(p, from[k] == NEW_DATA || !gone[from[k]] || saved[from[k]]);
    }
    return i + 1;
}

/* Every group is played to its end, cut there, done again from its start, and committed. */
static void replay(const struct plan *p, const uint32_t *from, const uint8_t *saved)
{
    uint8_t *gone = calloc((size_t)p->old.size + 1, 1);

    assert_non_null(gone);
    for (size_t i = 0; i < p->order.count;) {
        play_group(p, i, from, gone, saved);
        size_t next = play_group(p, i, from, gone, saved);
        for (; i < next; i++)
            if (p->order.at[i].kind == INLAY_STEP_STAGED)
                erase(p, gone, p->order.at[i].block);
    }
    free(gone);
}

static void make(struct plan *p)
{
    p->after = (struct inlay_segments){0};
    for (size_t i = 0; i < p->before.count; i++)
        assert_int_equal(inlay_segments_add(&p->after, p->before.at[i]), 0);
    assert_int_equal(inlay_order_plan(p->old.at, p->old.size, p->new.at, p->new.size, &p->limits,
                                      &p->after, &p->order),
                     0);
}

static void drop(struct plan *p)
{
    inlay_order_free(&p->order);
    inlay_segments_free(&p->after);
}

static void check(const struct plan *p)
{
    uint8_t *saved = calloc((size_t)p->old.size + 1, 1);
    uint32_t *from = sources(p, &p->after);

    assert_non_null(saved);
    check_list(p);
    check_pool(p, saved);
    check_segments(p, from);
    if (p->limits.recipe_len && !p->order.lost) /* what is lost is said in full */
        check_recipes(p, from);
    if (p->limits.in_place)
        replay(p, from, saved);
    free(from);
    free(saved);
}

static void plan_and_check(struct plan *p)
{
    make(p);
    check(p);
    drop(p);
}

/* Adds a stretch to the new image: copied from anywhere, from nearby, or new data. */
static void grow(struct plan *p, uint32_t room)
{
    uint32_t len = 1 + below(below(8) ? 40 : 900), from, pos = p->new.size;
    uint32_t kind = below(10);

    if (len > room - pos)
        len = room - pos;
    from = kind < 4 && pos < p->old.size ? pos + below(400) : below(p->old.size + 1);
    if (kind == 4)
        from = pos;
    if (kind == 9 || from >= p->old.size) {
        for (uint32_t i = 0; i < len; i++)
            p->new.at[pos + i] = (uint8_t)below(256);
        p->new.size += len;
        return;
    }
    if (len > p->old.size - from)
        len = p->old.size - from;
    memcpy(p->new.at + pos, p->old.at + from, len);
    if (below(4) == 0)
        p->new.at[pos + below(len)] ^= 1;
    p->new.size += len;
    assert_int_equal(inlay_segments_add(&p->before, (struct inlay_segment){pos, from, len}), 0);
}

static void make_images(struct plan *p)
{
    uint32_t room = below(6) ? 1 + below(12000) : below(300);
    uint32_t same = below(3) ? 0 : below(room);

    p->old.size = below(20) ? below(12000) : below(3);
    p->old.at = malloc((size_t)p->old.size + 1);
    p->new.at = malloc((size_t)room + 1);
    assert_non_null(p->old.at);
    assert_non_null(p->new.at);
    for (uint32_t i = 0; i < p->old.size; i++)
        p->old.at[i] = (uint8_t)below(256);
    if (same > p->old.size)
        same = p->old.size;
    if (same) {
        memcpy(p->new.at, p->old.at, same);
        p->new.size = same;
        assert_int_equal(inlay_segments_add(&p->before, (struct inlay_segment){0, 0, same}), 0);
    }
    while (p->new.size < room)
        grow(p, room);
}

static void random_case(uint32_t number)
{
    static const uint32_t lens[] = {64, 128, 256, 512, 1024, 4096};
    struct inlay_region region[3];
    struct plan p = {0};
    char name[32];

    state = number * 2654435761u + 1;
    snprintf(name, sizeof name, "INLAY_SEED=%u", number);
    p.name = name;
    for (unsigned i = 0; i < 3; i++)
        region[i] = (struct inlay_region){1 + below(20), lens[below(6)]};
    p.limits.region = region;
    p.limits.regions = (uint8_t)below(4);
    p.limits.in_place = below(8) != 0;
    p.limits.stage_blocks = 1 + below(4);
    p.limits.group_blocks = p.limits.stage_blocks + below(6);
    if (p.limits.in_place && p.limits.regions && below(3) == 0) {
        p.limits.recipe_len = 200 + below(3000);
        p.limits.stage_blocks = p.limits.group_blocks;
        region[p.limits.regions - 1u].count = 4096; /* recipes know the blocks that there are */
    }
    p.limits.pool_len = below(3) ? below(600) : 0;
    p.limits.pool_ranges = below(3) ? below(30) : 1000;
    make_images(&p);
    plan_and_check(&p);
    free(p.old.at);
    free(p.new.at);
    inlay_segments_free(&p.before);
}

static void test_random(void **unused)
{
    const char *one = getenv("INLAY_SEED");

    (void)unused;
    if (one) {
        random_case((uint32_t)strtoul(one, NULL, 10));
        return;
    }
    for (uint32_t i = 0; i < CASES; i++)
        random_case(i);
}

/* Moving everything up by one byte must be done from the top, and then loses nothing. */
static void shift_case(int up)
{
    static const struct inlay_region region = {64, 256};
    struct plan p = {.name = up ? "shift up" : "shift down"};

    p.limits = (struct inlay_order_limits){&region, 1, 1, 1, 0, 8, 0, 0};
    p.old.size = p.new.size = 64 * 256;
    p.old.at = malloc(p.old.size);
    p.new.at = malloc(p.new.size);
    assert_non_null(p.old.at);
    assert_non_null(p.new.at);
    state = 1;
    for (uint32_t i = 0; i < p.old.size; i++)
        p.old.at[i] = p.new.at[i] = (uint8_t)below(256);
    memmove(p.new.at + up, p.old.at + !up, p.old.size - 1);
    assert_int_equal(
        inlay_segments_add(&p.before, (struct inlay_segment){(uint32_t)up, !up, p.old.size - 1}),
        0);
    make(&p);
    check(&p);
    assert_int_equal(p.order.lost, 0);
    assert_int_equal(p.order.at[0].block, up ? 63 : 0);
    assert_int_equal(p.order.count, 128); /* with a stage of one block every group is one */
    drop(&p);
    free(p.old.at);
    free(p.new.at);
    inlay_segments_free(&p.before);
}

static void test_shift(void **unused)
{
    (void)unused;
    shift_case(1);
    shift_case(0);
}

/* Two blocks that change places: the stage saves both, the pool one, nothing at all half. */
static void test_swap(void **unused)
{
    static const struct inlay_region region = {2, 128};
    struct plan p = {.name = "swap"};
    uint8_t old[256], new[256];

    (void)unused;
    for (unsigned i = 0; i < 256; i++) {
        old[i] = (uint8_t)i;
        new[i ^ 128] = (uint8_t)i;
    }
    p.old = (struct image){old, 256};
    p.new = (struct image){new, 256};
    assert_int_equal(inlay_segments_add(&p.before, (struct inlay_segment){0, 128, 128}), 0);
    assert_int_equal(inlay_segments_add(&p.before, (struct inlay_segment){128, 0, 128}), 0);

    p.limits = (struct inlay_order_limits){&region, 1, 1, 2, 0, 2, 0, 0};
    make(&p);
    check(&p);
    assert_int_equal(p.order.lost, 0);
    drop(&p);

    p.limits.group_blocks = p.limits.stage_blocks = 1;
    make(&p);
    check(&p);
    assert_int_equal(p.order.lost, 128);
    drop(&p);

    p.limits.pool_len = 200;
    p.limits.pool_ranges = 1;
    make(&p);
    check(&p);
    assert_int_equal(p.order.lost, 0);
    assert_int_equal(p.order.pool_len, 128);
    drop(&p);
    inlay_segments_free(&p.before);
}

static void test_same(void **unused)
{
    static const struct inlay_region region = {4, 128};
    struct plan p = {.name = "same"};
    uint8_t image[300] = {1, 2, 3};

    (void)unused;
    p.old = (struct image){image, 300};
    p.new = (struct image){image, 290};
    p.limits = (struct inlay_order_limits){&region, 1, 1, 1, 0, 4, 100, 10};
    make(&p);
    check(&p);
    assert_int_equal(p.order.count, 0);
    drop(&p);
    p.new.size = 0;
    plan_and_check(&p);
    p.limits.in_place = 0;
    p.new.size = 300;
    make(&p);
    check(&p);
    assert_int_equal(p.order.count, 4);
    drop(&p);
}

static struct image read_image(const char *dir, const char *name)
{
    char path[600];
    struct image m = {0};
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "rb");
    if (!f)
        return m;
    m.at = malloc(CORPUS_MAX + 1);
    assert_non_null(m.at);
    size_t len = fread(m.at, 1, CORPUS_MAX + 1, f);
    fclose(f);
    m.size = len > CORPUS_MAX ? 0 : (uint32_t)len;
    return m;
}

/* Plans one real pair for several geometries.  Returns 1 if there was one. */
static unsigned real_pair(const char *dir)
{
    static const struct inlay_region small = {1024, 4096}, page = {4096, 2048};
    static const struct inlay_region mixed[3] = {{4, 16384}, {1, 65536}, {15, 131072}};
    const struct inlay_order_limits limits[] = {
        {&small, 1, 1, 3, 0, 8, 8192, 256},    {&small, 1, 1, 1, 0, 1, 0, 0},
        {&page, 1, 1, 4, 0, 16, 4096, 64},     {mixed, 3, 1, 1, 0, 4, 16384, 128},
        {&small, 1, 0, 3, 0, 8, 0, 0},         {NULL, 0, 0, 1, 0, 1, 0, 0},
        {&page, 1, 1, 64, 12288, 64, 4096, 64}};
    struct plan p = {.name = dir};
    unsigned done = 0;

    p.old = read_image(dir, "old");
    p.new = read_image(dir, "new");
    if (p.old.size && p.new.size) {
        const struct inlay_match_options options = {0};
        assert_int_equal(
            inlay_match_images(p.old.at, p.old.size, p.new.at, p.new.size, &options, &p.before), 0);
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            p.limits = limits[i];
            plan_and_check(&p);
        }
        done = 1;
    }
    inlay_segments_free(&p.before);
    free(p.old.at);
    free(p.new.at);
    return done;
}

static void test_real(void **unused)
{
    DIR *top = opendir(CORPUS), *class;
    const struct dirent *c, *d;
    char dir[560];
    unsigned pairs = 0;

    (void)unused;
    if (!top) {
        print_message("no %s here: real pairs are not tried\n", CORPUS);
        skip();
    }
    while ((c = readdir(top))) {
        snprintf(dir, sizeof dir, "%s/%s", CORPUS, c->d_name);
        if (c->d_name[0] == '.' || !(class = opendir(dir)))
            continue;
        while ((d = readdir(class))) {
            snprintf(dir, sizeof dir, "%s/%.100s/%.100s", CORPUS, c->d_name, d->d_name);
            if (d->d_name[0] != '.')
                pairs += real_pair(dir);
        }
        closedir(class);
    }
    closedir(top);
    print_message("%u real pairs\n", pairs);
    assert_true(pairs > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),   cmocka_unit_test(test_swap), cmocka_unit_test(test_shift),
        cmocka_unit_test(test_random), cmocka_unit_test(test_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
