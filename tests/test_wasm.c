/* SPDX-License-Identifier: Apache-2.0 */
/* WebAssembly: code taken apart and aimed by hand, modules that are found, indices that shift. */
#include "arch.h"
#include "detect.h"
#include "index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CODE 0x80000000u
#define NO   0xffffffffu

/* Parses code as the codec does; the last unit is left in *u. */
static void take(struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                 struct inlay_unit *u)
{
    memset(u, 0xa5, sizeof *u);
    inlay_arch_wasm.parse(st, b, n, addr, u);
    assert_in_range(u->len, 1, n);
}

static void test_units(void **state)
{
    static const struct {
        uint8_t b[12], n, len, type;
        uint32_t addr, target; /* NO: none */
    } known[] = {
        {{0x10, 0x85, 0x01, 0x0b}, 4, 3, 10, CODE, 0x40000085},             /* call 133 */
        {{0x10, 0x85, 0x80, 0x80, 0x80, 0x00}, 6, 6, 10, CODE, 0x40000005}, /* call 5, padded */
        {{0x10, 0x85, 0x81}, 3, 1, 0, CODE, NO},                            /* not in sight */
        {{0x11, 0x07, 0x00, 0x20}, 4, 3, 11, CODE, 0x60000007},             /* call_indirect */
        {{0x23, 0x02, 0x41}, 3, 2, 12, CODE, 0x70000002},                   /* global.get 2 */
        {{0x41, 0x80, 0x80, 0x04}, 4, 4, 13, CODE, 0x10000},                /* i32.const 65536 */
        {{0x41, 0xff, 0x07, 0x0b}, 4, 3, 5, CODE, NO},                      /* i32.const 1023 */
        {{0x41, 0x80, 0x78, 0x0b}, 4, 3, 5, CODE, NO},                      /* i32.const -1024 */
        {{0x28, 0x02, 0x80, 0x08, 0}, 5, 4, 14, CODE, 1024},          /* i32.load offset=1024 */
        {{0x28, 0x02, 0x04, 0x20}, 4, 3, 6, CODE, NO},                /* i32.load offset=4 */
        {{0x20, 0x05, 0x20}, 3, 2, 3, CODE, 0xd0000005},              /* local.get 5 */
        {{0x0c, 0x01, 0x0b}, 3, 2, 2, CODE, NO},                      /* br 1 */
        {{0xfc, 0x0a, 0x00, 0x00, 0x20}, 5, 4, 9, CODE, NO},          /* memory.copy */
        {{0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x20}, 10, 8, 7, CODE, NO},   /* f64.const, cut */
        {{0x85, 0x01, 0x07}, 3, 2, 16, 0x90000000, 0x40000085},       /* element */
        {{0x07, 0x07}, 2, 1, 17, 0xa0000000, 0x60000007},             /* signature */
        {{0x00, 0x85, 0x01, 0x04}, 4, 3, 18, 0xb0000000, 0x40000085}, /* export */
        {{'m', 'a', 'i', 'n'}, 4, 1, 21, 0xb0000000, NO},
        {{0x05, 0, 0, 0, 1}, 5, 4, 19, 0x10000, 0x50000005}, /* an entry of the table */
        {{0x05, 0, 1, 0, 1}, 5, 2, 20, 0x10000, NO},
        {{0x05, 0, 0, 0, 1}, 5, 1, 20, 0x10001, NO},
        {{0x05, 0, 0, 0, 1}, 5, 2, 20, 0x10002, NO}, /* not aligned */
    };
    (void)state;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        struct inlay_arch_state st = {0};
        struct inlay_unit u;
        take(&st, known[i].b, known[i].n, known[i].addr, &u);
        if (u.len != known[i].len || u.type != known[i].type)
            fail_msg("%u: %u bytes of type %u", i, u.len, u.type);
        assert_int_equal(u.has_target, known[i].target != NO);
        if (u.has_target && u.target != known[i].target)
            fail_msg("%u: target %x", i, u.target);
    }
}

/* A body of 9 bytes: an i32, br_table, end; behind it another body without locals. */
static void test_bodies(void **state)
{
    static const uint8_t b[] = {0x09, 0x01, 0x01, 0x7f, 0x0e, 0x01, 0x00, 0x80,
                                0x01, 0x0b, 0x20, 0x00, 0x0b, 0x20, 0x00};
    static const struct {
        uint8_t pos, type;
    } units[] = {{0, 15}, {1, 7},   {4, 8},  {6, 8},  {7, 8},
                 {9, 0},  {10, 15}, {11, 7}, {12, 0}, {13, 3}};
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    uint32_t pos = 0;
    (void)state;
    for (unsigned i = 0; i < sizeof units / sizeof *units; i++, pos += u.len) {
        take(&st, b + pos, sizeof b - pos, CODE + pos, &u);
        if (pos != units[i].pos || u.type != units[i].type)
            fail_msg("%u: type %u at %u", i, u.type, pos);
        if (pos == 0)
            assert_int_equal(u.target, CODE + 9);
    }
    /* From the middle of a body nothing proves that the 20 is a size. */
    memset(&st, 0, sizeof st);
    take(&st, b + 9, sizeof b - 9, CODE + 9, &u);
    take(&st, b + 10, sizeof b - 10, CODE + 10, &u);
    assert_int_equal(u.type, 3);
}

static void test_aim(void **state)
{
    static const struct {
        uint8_t from[6], to[6], n;
        uint32_t target;
        int reached;
    } known[] = {
        {{0x10, 0x85, 0x01}, {0x10, 0x86, 0x02}, 3, 0x40000106, 1},
        {{0x10, 0x85, 0x01}, {0x10, 0x85, 0x01}, 3, 0x4000007f, 0}, /* one byte would do */
        {{0x10, 0x05}, {0x10, 0x05}, 2, 0x40000080, 0},             /* two are needed */
        {{0x10, 0x85, 0x80, 0x80, 0x80, 0}, {0x10, 0x81, 0x81, 0x80, 0x80, 0}, 6, 0x40000081, 1},
        {{0x41, 0x80, 0x80, 0x04}, {0x41, 0xff, 0xff, 0x03}, 4, 0xffff, 1},
        {{0x41, 0x80, 0x80, 0x04}, {0x41, 0x80, 0x80, 0x04}, 4, 0x100000, 0},
        {{0x28, 0x02, 0x80, 0x08}, {0x28, 0x02, 0x81, 0x09}, 4, 1153, 1},
        {{0x20, 0x05}, {0x20, 0x07}, 2, 0xd1234407, 1},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        struct inlay_arch_state st = {0};
        struct inlay_unit u;
        uint8_t b[6];
        memcpy(b, known[i].from, sizeof b);
        take(&st, b, known[i].n, CODE, &u);
        assert_int_equal(u.len, known[i].n);
        int reached = inlay_arch_wasm.aim(&st, &u, b, CODE, CODE + 100, known[i].target);
        if (reached != known[i].reached || memcmp(b, known[i].to, u.len) != 0)
            fail_msg("%u: %d, %02x %02x %02x", i, reached, b[0], b[1], b[2]);
    }
}

/* A body's size follows where the body begins and ends. */
static void test_aim_size(void **state)
{
    uint8_t b[] = {0x09, 0x01, 0x01, 0x7f};
    struct inlay_arch_state st = {0};
    struct inlay_unit u;
    (void)state;
    take(&st, b, sizeof b, CODE + 50, &u);
    assert_int_equal(u.target, CODE + 59);
    assert_int_equal(inlay_arch_wasm.aim(&st, &u, b, CODE + 50, CODE + 60, CODE + 73), 1);
    assert_int_equal(b[0], 13);
}

/* ---- modules ---- */

struct bytes {
    uint8_t b[2048];
    uint32_t n;
};

static void put(struct bytes *to, const void *from, uint32_t n)
{
    memcpy(to->b + to->n, from, n);
    to->n += n;
}

static void put_section(struct bytes *to, uint8_t id, const struct bytes *body)
{
    uint8_t head[] = {id, (uint8_t)(body->n & 127u) | 128u, (uint8_t)(body->n >> 7)};
    put(to, head, sizeof head);
    put(to, body->b, body->n);
    if (id == 10)
        assert_true(body->n < 0x4000);
}

/* 40 functions, each calling the next but one; `extra` comes before function 10 if it is 1. */
static void make_module(struct bytes *m, unsigned extra)
{
    static const uint8_t magic[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const uint8_t data[] = {1, 0, 0x41, 0x80, 0x80, 0x04, 0x0b, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    struct bytes list = {{(uint8_t)(40 + extra)}, 1}, code = list, values = {{0}, 0};
    m->n = 0;
    for (unsigned i = 0; i < 40 + extra; i++) {
        unsigned k = extra && i > 10 ? i - 1 : i; /* which of the 40 it is */
        unsigned to = (k + 2) % 40;
        uint8_t body[] = {10, 1, 1, 0x7f, 0x41, (uint8_t)(k % 60), 0x10, 0, 0x20, 0, 0x0b};
        body[7] = (uint8_t)(extra && to >= 10 ? to + 1 : to);
        if (extra && i == 10)
            body[5] = 63;
        put(&list, "\0", 1);
        put(&code, body, sizeof body);
    }
    put(&values, data, sizeof data);
    put(m, magic, sizeof magic);
    put_section(m, 3, &list);
    put_section(m, 10, &code);
    put_section(m, 11, &values);
}

static void test_modules(void **state)
{
    struct bytes old, new;
    struct inlay_layout l;
    (void)state;
    make_module(&old, 0);
    make_module(&new, 1);
    assert_int_equal(inlay_detect(old.b, old.n, new.b, new.n, "auto", 0, 0, &l), 0);
    assert_int_equal(l.arch, INLAY_ARCH_WASM);
    assert_int_equal(l.old_spaces, 4); /* signatures, code, data; functions behind the image */
    assert_int_equal(l.new_spaces, 4);
    assert_int_equal(l.index_spaces, 1);
    assert_int_equal(l.old_space[0].addr, 0xa0000000);
    assert_int_equal(l.old_space[0].pos, 12);
    assert_int_equal(l.old_space[0].len, 40);
    assert_int_equal(l.old_space[1].addr, CODE);
    assert_int_equal(l.old_space[1].len, 440);
    assert_int_equal(l.new_space[1].len, 451);
    assert_int_equal(l.old_space[2].addr, 65536);
    assert_int_equal(l.old_space[2].pos, old.n - 8);
    assert_int_equal(l.old_space[3].pos, old.n);
    assert_int_equal(l.new_space[3].len, 41);
    /* Cut anywhere, it is one space or some, but never more than there is. */
    for (uint32_t n = 0; n < old.n; n++) {
        assert_int_equal(inlay_detect(old.b, n, new.b, new.n, "auto", 0, 0, &l), 0);
        for (unsigned i = 0; i + l.index_spaces < l.old_spaces; i++)
            assert_true(l.old_space[i].pos <= n && l.old_space[i].len <= n - l.old_space[i].pos);
    }
}

static void test_indices(void **state)
{
    struct bytes old, new;
    struct inlay_layout l;
    struct inlay_segments same = {0}, moves;
    struct inlay_index index;
    (void)state;
    make_module(&old, 0);
    make_module(&new, 1);
    assert_int_equal(inlay_detect(old.b, old.n, new.b, new.n, "auto", 0, 0, &l), 0);
    uint32_t from = l.old_space[1].pos, to = l.new_space[1].pos;
    assert_int_equal(inlay_segments_add(&same, (struct inlay_segment){to, from, 110}), 0);
    assert_int_equal(inlay_segments_add(&same, (struct inlay_segment){to + 121, from + 110, 330}),
                     0);
    assert_int_equal(inlay_index_open(old.b, old.n, new.b, new.n, &l, 1, &index), 0);
    assert_int_equal(inlay_index_moves(&index, &same, &l, &moves, NULL), 0);
    inlay_index_free(&index);
    assert_int_equal(moves.count, 2);
    assert_int_equal(moves.at[0].old_pos, old.n);
    assert_int_equal(moves.at[0].new_pos, new.n);
    assert_int_equal(moves.at[0].len, 10);
    assert_int_equal(moves.at[1].old_pos, old.n + 10);
    assert_int_equal(moves.at[1].new_pos, new.n + 11);
    assert_int_equal(moves.at[1].len, 30);
    assert_int_equal(l.index_spaces, 1);
    inlay_segments_free(&moves);
    /* Nothing shifts in a copy: no space is worth its bytes. */
    assert_int_equal(inlay_detect(old.b, old.n, old.b, old.n, "auto", 0, 0, &l), 0);
    same.at[0] = (struct inlay_segment){0, 0, old.n};
    same.count = 1;
    assert_int_equal(inlay_index_open(old.b, old.n, old.b, old.n, &l, 2, &index), 0);
    assert_int_equal(inlay_index_moves(&index, &same, &l, &moves, NULL), 0);
    inlay_index_free(&index);
    assert_int_equal(moves.count, 0);
    assert_int_equal(l.index_spaces, 0);
    assert_int_equal(l.old_spaces, 2); /* signatures refer to types, and there are none */
    inlay_segments_free(&moves);
    inlay_segments_free(&same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),   cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_aim),     cmocka_unit_test(test_aim_size),
        cmocka_unit_test(test_modules), cmocka_unit_test(test_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
