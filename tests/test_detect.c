/* SPDX-License-Identifier: Apache-2.0 */
/* Processor and load address: made-up headers, the project's images, a corpus where there is one.
 */
#include "bits.h"
#include "detect.h"
#include "error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct file {
    uint8_t *b;
    size_t size;
};

static int load(const char *path, struct file *f)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return -1;
    fseek(in, 0, SEEK_END);
    f->size = (size_t)ftell(in);
    rewind(in);
    f->b = malloc(f->size); /* exact, so that a sanitizer sees a byte too many */
    assert_non_null(f->b);
    assert_int_equal(fread(f->b, 1, f->size, in), f->size);
    fclose(in);
    return 0;
}

/* Spaces ascend, are apart and lie in the image. */
static void check_spaces(const struct inlay_space *at, unsigned count, size_t size)
{
    uint64_t end = 0;
    assert_true(count <= INLAY_SPACES_MAX);
    assert_true(size == 0 || count > 0);
    for (unsigned i = 0; i < count; i++) {
        assert_true(at[i].pos >= end && at[i].len > 0);
        end = (uint64_t)at[i].pos + at[i].len;
        assert_true(end <= size);
    }
}

static void detect(const struct file *old, const struct file *new, struct inlay_layout *l)
{
    assert_int_equal(inlay_detect(old->b, old->size, new->b, new->size, "auto", 0, 0, l), 0);
    check_spaces(l->old_space, l->old_spaces - l->index_spaces, old->size);
    check_spaces(l->new_space, l->new_spaces - l->index_spaces, new->size);
    assert_true(l->data_lo <= l->data_hi);
}

static int has_space(const struct inlay_space *at, unsigned count, uint32_t addr, uint32_t pos)
{
    for (unsigned i = 0; i < count; i++) {
        if (at[i].addr == addr && at[i].pos == pos)
            return 1;
    }
    return 0;
}

static void test_names(void **state)
{
    enum inlay_arch_id id;
    struct inlay_layout l;
    uint8_t byte = 1;
    (void)state;
    for (unsigned i = INLAY_ARCH_NONE; i <= INLAY_ARCH_WASM; i++) {
        assert_int_equal(inlay_arch_by_name(inlay_arch_name((enum inlay_arch_id)i), &id), 0);
        assert_int_equal(id, i);
    }
    assert_int_equal(inlay_arch_by_name("z80", &id), -1);
    assert_string_equal(inlay_arch_name((enum inlay_arch_id)99), "?");
    assert_int_equal(inlay_detect(&byte, 1, &byte, 1, "z80", 0, 0, &l), INLAY_EXIT_USAGE);
}

static void test_given(void **state)
{
    uint8_t b[100] = {0};
    struct inlay_layout l;
    (void)state;
    assert_int_equal(inlay_detect(b, 100, b, 60, "avr", 1, 0x4000, &l), 0);
    assert_int_equal(l.arch, INLAY_ARCH_AVR);
    assert_int_equal(l.old_spaces, 1);
    assert_int_equal(l.old_space[0].addr, 0x4000);
    assert_int_equal(l.old_space[0].len, 100);
    assert_int_equal(l.new_space[0].len, 60);
}

static void test_tiny(void **state)
{
    uint8_t b[80];
    (void)state;
    for (unsigned fill = 0; fill < 3; fill++) {
        for (size_t n = 0; n <= sizeof b; n++) {
            struct file old = {malloc(n), n}, new = {malloc(n), n};
            struct inlay_layout l;
            for (size_t i = 0; i < n; i++)
                old.b[i] = new.b[i] = fill == 2 ? (uint8_t)(i * 37) : fill ? 0xff : 0;
            detect(&old, &new, &l);
            assert_int_equal(l.arch, INLAY_ARCH_NONE);
            free(old.b);
            free(new.b);
        }
    }
}

/* Noise is no program, whatever header it starts with. */
static void test_noise(void **state)
{
    static const uint8_t heads[4][8] = {
        {0x7f, 'E', 'L', 'F', 1, 1, 1}, {0x7f, 'E', 'L', 'F', 2, 1, 1}, {0xe9, 3}, {0xea, 4, 0, 1}};
    uint32_t seed = 5;
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        struct file f = {malloc(60000 + round), 60000 + round};
        struct inlay_layout l;
        for (size_t i = 0; i < f.size; i++) {
            seed = seed * 1664525u + 1013904223u;
            f.b[i] = (uint8_t)(seed >> 24);
        }
        if (round % 5)
            memcpy(f.b, heads[round % 5 - 1], 8);
        detect(&f, &f, &l);
        assert_int_equal(l.arch, INLAY_ARCH_NONE);
        free(f.b);
    }
}

static void test_esp(void **state)
{
    static uint8_t b[4096];
    struct file f = {b, sizeof b};
    struct inlay_layout l;
    (void)state;
    memset(b, 0x11, sizeof b);
    memset(b, 0, 24);
    b[0] = 0xe9; /* ESP32: a header of 24 bytes, then segments */
    b[1] = 2;
    inlay_put32(b + 24, 0x3f400020);
    inlay_put32(b + 28, 256);
    inlay_put32(b + 288, 0x400d0020);
    inlay_put32(b + 292, 512);
    detect(&f, &f, &l);
    assert_true(has_space(l.old_space, l.old_spaces, 0x3f400020, 32));
    assert_true(has_space(l.new_space, l.new_spaces, 0x400d0020, 296));
    inlay_put32(b + 8, 0x40100000); /* ESP8266: a header of 8 */
    inlay_put32(b + 12, 1024);
    inlay_put32(b + 1040, 0x3ffe8000);
    inlay_put32(b + 1044, 64);
    inlay_put32(b + 24, 0);
    detect(&f, &f, &l);
    assert_true(has_space(l.old_space, l.old_spaces, 0x40100000, 16));
    assert_true(has_space(l.old_space, l.old_spaces, 0x3ffe8000, 1048));
}

static void test_elf(void **state)
{
    static uint8_t b[4096];
    struct file f = {b, sizeof b};
    struct inlay_layout l;
    (void)state;
    memcpy(b,
           "\x7f"
           "ELF\x02\x01\x01",
           7);
    inlay_put16(b + 18, 183); /* AArch64 */
    inlay_put32(b + 32, 64);  /* program headers */
    inlay_put16(b + 54, 56);
    inlay_put16(b + 56, 2);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *p = b + 64 + 56 * i;
        inlay_put32(p, 1);
        inlay_put32(p + 8, i ? 0x800 : 0);
        inlay_put32(p + 16, i ? 0x10800 : 0);
        inlay_put32(p + 32, 0x700);
        inlay_put32(p + 40, i ? 0x900 : 0x700);
    }
    detect(&f, &f, &l);
    assert_int_equal(l.arch, INLAY_ARCH_AARCH64);
    assert_int_equal(l.old_spaces, 2);
    assert_true(has_space(l.old_space, 2, 0, 0));
    assert_true(has_space(l.old_space, 2, 0x10800, 0x800));
    assert_int_equal(l.data_lo, 0x10f00);
    assert_int_equal(l.data_hi, 0x11100);
}

/* A program of fixed address within a raw image. */
static void test_elf_inside(void **state)
{
    static uint8_t b[4096];
    struct file f = {b, sizeof b};
    struct inlay_layout l;
    uint8_t *e = b + 0x200;
    (void)state;
    memcpy(e,
           "\x7f"
           "ELF\x01\x01\x01",
           7);
    e[16] = 2; /* executable */
    e[28] = 52;
    e[42] = 32;
    e[44] = 1;
    inlay_put32(e + 52, 1);
    inlay_put32(e + 56, 0x80);
    inlay_put32(e + 60, 0xc0000000);
    inlay_put32(e + 68, 0x300);
    inlay_put32(e + 72, 0x400);
    detect(&f, &f, &l);
    assert_true(has_space(l.old_space, l.old_spaces, 0xc0000000, 0x280));
    assert_true(has_space(l.old_space, l.old_spaces, 0, 0));
    assert_true(has_space(l.old_space, l.old_spaces, 0x580, 0x580));
}

/* A library at b: code, .eh_frame_hdr and .eh_frame, and data that is loaded 64 KB behind. */
static void make_library(uint8_t *b, uint32_t code, uint32_t data)
{
    static const uint32_t type[] = {1, 1, 0x6474e550};
    const uint32_t pos[] = {0, code, code - 64u}, len[] = {code, data, 32};
    memcpy(b,
           "\x7f"
           "ELF\x02\x01\x01",
           7);
    b[16] = 3; /* shared */
    b[18] = 183;
    b[32] = 64;
    b[54] = 56;
    b[56] = 3;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *p = b + 64u + 56u * i;
        inlay_put32(p, type[i]);
        inlay_put32(p + 8, pos[i]);
        inlay_put32(p + 16, pos[i] + (i == 1 ? 0x10000u : 0));
        inlay_put32(p + 32, len[i]);
        inlay_put32(p + 40, len[i]);
    }
    memcpy(b + code - 64u, "\x01\x1b\x03\x3b", 4);
    inlay_put32(b + code - 60u, 28); /* to .eh_frame: one entry of 12 bytes */
    inlay_put32(b + code - 32u, 8);
}

/* An x86-64 library: data that is loaded before and behind the code, and where symbols are. */
static void make_x86_library(uint8_t *b, uint32_t more)
{
    static const uint32_t type[] = {1, 1, 1, 2};
    const uint32_t pos[] = {0, 0x1000, 0x2000 + more, 0x2800 + more};
    const uint32_t len[] = {0x800 + more, 0x1000 + more, 0x1000, 48};
    memcpy(b,
           "\x7f"
           "ELF\x02\x01\x01",
           7);
    b[16] = 3;
    b[18] = 62;
    b[32] = 64;
    b[54] = 56;
    b[56] = 4;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t *p = b + 64u + 56u * i;
        inlay_put32(p, type[i]);
        p[4] = i == 1 ? 5 : 4;
        inlay_put32(p + 8, pos[i]);
        inlay_put32(p + 16, pos[i]);
        inlay_put32(p + 32, len[i]);
        inlay_put32(p + 40, len[i]);
    }
    b[pos[3]] = 5; /* strings, symbols */
    inlay_put32(b + pos[3] + 8, 0x500 + more);
    b[pos[3] + 16] = 6;
    inlay_put32(b + pos[3] + 24, 0x200);
}

static void expect_table(const struct inlay_table *t, unsigned kind, uint32_t addr, uint32_t end,
                         uint32_t new_addr, uint32_t new_end)
{
    assert_int_equal(t->kind, kind);
    assert_int_equal(t->addr[0], addr);
    assert_int_equal(t->addr[0] + t->len[0], end);
    assert_int_equal(t->addr[1], new_addr);
    assert_int_equal(t->addr[1] + t->len[1], new_end);
}

static void test_data_of_a_file(void **state)
{
    static uint8_t old[0x4000], new[0x4000];
    struct inlay_layout l;
    (void)state;
    make_x86_library(old, 0);
    make_x86_library(new, 24);
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "auto", 0, 0, &l), 0);
    assert_int_equal(l.arch, INLAY_ARCH_X86_64);
    assert_int_equal(l.tables, 3);
    expect_table(&l.table[0], INLAY_TABLE_DATA, 0x200, 0x500, 0x200, 0x518);
    expect_table(&l.table[1], INLAY_TABLE_INDEX, 0, 0x1000, 0, 0x1000);
    expect_table(&l.table[2], INLAY_TABLE_DATA, 0x2000, 0x3000, 0x2018, 0x3018);
    old[0x2800] = new[0x2818] = 0; /* without strings there is no end of symbols: no indices */
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "auto", 0, 0, &l), 0);
    assert_int_equal(l.tables, 2);
    expect_table(&l.table[0], INLAY_TABLE_DATA, 0, 0x1000, 0, 0x1000);
    old[18] = new[18] = 183; /* instructions of one length need none of this */
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "auto", 0, 0, &l), 0);
    assert_int_equal(l.tables, 0);
}

/* Sections of a shared library for ARM: data, .plt of 12 bytes an entry, code. */
static void make_arm_library(uint8_t *b, uint32_t more)
{
    const uint32_t flags[] = {2, 6, 6}, addr[] = {0x100, 0x200, 0x300},
                   len[] = {64, 0x60, 0x80 + more};
    memcpy(b,
           "\x7f"
           "ELF\x01\x01\x01",
           7);
    b[16] = 3;
    b[18] = 40;
    inlay_put32(b + 32, 0x1000);
    b[46] = 40;
    b[48] = 3;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *p = b + 0x1000 + 40u * i;
        inlay_put32(p + 8, flags[i]);
        inlay_put32(p + 12, addr[i]);
        inlay_put32(p + 20, len[i]);
        p[36] = i == 1 ? 4 : 0;
    }
}

static void test_words_of_code(void **state)
{
    static uint8_t old[0x2000], new[0x2000];
    struct inlay_layout l;
    (void)state;
    make_arm_library(old, 0);
    make_arm_library(new, 16);
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "arm", 0, 0, &l), 0);
    assert_int_equal(l.tables, 2);
    expect_table(&l.table[0], INLAY_TABLE_FROM_HERE, 0x200, 0x260, 0x200, 0x260);
    expect_table(&l.table[1], INLAY_TABLE_FROM_HERE31, 0x200, 0x380, 0x200, 0x390);
    old[16] = new[16] = 2; /* at a fixed address words are addresses */
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "arm", 0, 0, &l), 0);
    assert_int_equal(l.tables, 0);
    old[16] = new[16] = 3;
    inlay_put32(old + 0x1000 + 40 + 20, 0x10000); /* a section larger than the file */
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "arm", 0, 0, &l), 0);
    assert_int_equal(l.tables, 0);
    inlay_put32(old + 0x1000 + 40 + 20, 0x60);
    new[47] = 0x70; /* sections that lie outside the file */
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "arm", 0, 0, &l), 0);
    assert_int_equal(l.tables, 0);
}

/* Two libraries in one image: the first grew, which moves the second one. */
static void test_archive(void **state)
{
    static uint8_t old[0x18000], new[0x18000];
    struct inlay_layout l;
    (void)state;
    make_library(old + 0x400, 0x6000, 0x1000);
    make_library(old + 0x8200, 0xa000, 0x1000);
    make_library(new + 0x400, 0x6200, 0x1000);
    make_library(new + 0x8800, 0xa000, 0x1000);
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "aarch64", 0, 0, &l), 0);
    assert_int_equal(l.old_spaces, 4);
    assert_int_equal(l.new_spaces, 4);
    assert_int_equal(l.tables, 4);
    for (unsigned i = 0; i < 4; i += 2) {
        /* A file has the same addresses in both images, data as far from code as it thinks. */
        assert_int_equal(l.old_space[i].addr, l.new_space[i].addr);
        assert_int_equal(l.old_space[i].addr & 0xffffu, 0);
        assert_int_equal(l.old_space[i + 1].addr - l.old_space[i].addr,
                         0x10000u + l.old_space[i].len);
        assert_int_equal(l.table[i].kind, INLAY_TABLE_FROM_BASE);
        assert_int_equal(l.table[i].addr[0], l.old_space[i].addr + l.old_space[i].len - 64u);
        assert_int_equal(l.table[i + 1].kind, INLAY_TABLE_FROM_HERE);
        assert_int_equal(l.table[i + 1].addr[1], l.new_space[i].addr + l.new_space[i].len - 32u);
    }
    assert_int_equal(l.old_space[2].pos, 0x8200);
    assert_int_equal(l.new_space[2].pos, 0x8800);
    assert_true(l.old_space[2].addr > l.old_space[1].addr + l.old_space[1].len);
    /* With its base known the image is one piece, and a file that is a small part is none. */
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "aarch64", 1, 0x80000, &l), 0);
    assert_int_equal(l.old_spaces, 1);
    memset(old + 0x8200, 0, 64);
    memset(old + 0x400, 0, 64);
    make_library(old + 0x400, 0x4000, 0x100);
    assert_int_equal(inlay_detect(old, sizeof old, new, sizeof new, "aarch64", 0, 0, &l), 0);
    assert_int_equal(l.tables, 0);
}

/* ---- real images ---- */

/* The directory that `name` is in, from here or from the source directory; 0 if none. */
static int find(const char *name, char *path, size_t size)
{
    static const char *const roots[] = {"", "../", "../../"};
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, size, "%s%s", roots[i], name);
        FILE *f = fopen(path, "rb");
        if (f) {
            fclose(f);
            path[strlen(path) - strlen(strrchr(name, '/')) + 1u] = 0;
            return 1;
        }
    }
    return 0;
}

static void test_own_images(void **state)
{
    char dir[256], pair[128], old_name[128], new_name[128], base[32], line[1024], path[512];
    unsigned pairs = 0;
    (void)state;
    if (!find("corpus/PAIRS.tsv", dir, sizeof dir))
        skip();
    snprintf(path, sizeof path, "%sPAIRS.tsv", dir);
    FILE *list = fopen(path, "r");
    assert_non_null(list);
    while (fgets(line, sizeof line, list)) {
        struct file old, new;
        struct inlay_layout l;
        if (sscanf(line, "%127s %127s %127s %31s", pair, old_name, new_name, base) != 4 ||
            base[0] != '0')
            continue;
        snprintf(path, sizeof path, "%s%s", dir, old_name);
        assert_int_equal(load(path, &old), 0);
        snprintf(path, sizeof path, "%s%s", dir, new_name);
        assert_int_equal(load(path, &new), 0);
        detect(&old, &new, &l);
        assert_int_equal(l.arch,
                         strncmp(pair, "rv32", 4) == 0 ? INLAY_ARCH_RISCV : INLAY_ARCH_THUMB2);
        assert_int_equal(l.old_space[0].addr, strtoul(base, NULL, 0));
        assert_int_equal(l.new_space[0].addr, strtoul(base, NULL, 0));
        free(old.b);
        free(new.b);
        pairs++;
    }
    fclose(list);
    assert_true(pairs > 0);
}

/* What is known about pairs of a larger corpus that may be beside the project. */
static const struct {
    const char *pair;
    enum inlay_arch_id arch;
    uint32_t addr, pos; /* of one space */
} known[] = {
    {"cortex-m/simba-shell", INLAY_ARCH_THUMB2, 0x80000, 0},
    {"cortex-m/pybv11-1.10-1f5d", INLAY_ARCH_THUMB2, 0x8020000, 0},
    {"cortex-m/synth-1-2", INLAY_ARCH_THUMB2, 0x80000, 0},
    {"cortex-m/programmer-0.8-0.9", INLAY_ARCH_THUMB2, 0x80000, 0},
    {"cortex-m/pybricks-primehub-7.27-7.28", INLAY_ARCH_THUMB2, 0x8008000, 0},
    {"cortex-m/pybricks-movehub-7.22-7.27", INLAY_ARCH_THUMB2, 0x8005000, 0},
    {"cortex-m/pybricks-essentialhub-6.2-7.22", INLAY_ARCH_THUMB2, 0x8008000, 0},
    {"cortex-m/microbit-v2-4.0-7.0", INLAY_ARCH_THUMB2, 0, 0},
    {"xtensa/esp8266-mpy-1.9.4-1.10", INLAY_ARCH_XTENSA, 0x40208ab4, 0x8ab4},
    {"xtensa/espat-v2.0.0-v2.1.0", INLAY_ARCH_XTENSA, 0x40201000, 0},
    {"xtensa/espat-v3.0.3-v3.0.4", INLAY_ARCH_XTENSA, 0x40201000, 0},
    {"xtensa/espat-v3.0.4-v3.0.5", INLAY_ARCH_XTENSA, 0x40201000, 0},
    {"xtensa/nodemcu-20150126-20150127", INLAY_ARCH_XTENSA, 0x4020ab20, 0xab20},
    {"arm-a32/pybricks-ev3-7.27-7.28", INLAY_ARCH_ARM, 0xc1080000, 0},
    {"arm-a32/pybricks-ev3-7.27-7.28", INLAY_ARCH_ARM, 0xc0000000, 0x500b8},
    {"arm-a32/armhf-libcrypto", INLAY_ARCH_THUMB2, 0x2566d0, 0x2556d0},
    {"aarch64/shell-pi3-1-2", INLAY_ARCH_AARCH64, 0x40000000, 0x15300},
    {"aarch64/libpython3.7.2-3.7.3", INLAY_ARCH_AARCH64, 0x2f74e0, 0x2e74e0},
    {"aarch64/wpa-supplicant-u2-u3", INLAY_ARCH_AARCH64, 0x311790, 0x311790},
    {"x86-64/libcrypto-3.0.20-22", INLAY_ARCH_X86_64, 0x420e70, 0x41fe70},
    {"x86-64/libssl-3.0.20-22", INLAY_ARCH_X86_64, 0x9b7f0, 0x9a7f0},
    {"wasm/mpy-mp-1.24.0-1.24.1", INLAY_ARCH_WASM, 0x80000000, 6453},
    {"wasm/mpy-mp-1.26.0-1.27.0", INLAY_ARCH_WASM, 0x80000000, 6506},
    {"compressed/ovmf-code-4m", INLAY_ARCH_NONE, 0, 0},
    {"rootfs/squashfs-xz-arm64", INLAY_ARCH_NONE, 0, 0},
    {"rootfs/tar-arm64", INLAY_ARCH_AARCH64, 0x80000000, 0x600},
};

static void test_corpus(void **state)
{
    char dir[256], path[512];
    (void)state;
    if (!find("../shared/corpus/MANIFEST.tsv", dir, sizeof dir))
        skip();
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        struct file old, new;
        struct inlay_layout l;
        snprintf(path, sizeof path, "%s%s/old", dir, known[i].pair);
        if (load(path, &old))
            continue;
        snprintf(path, sizeof path, "%s%s/new", dir, known[i].pair);
        assert_int_equal(load(path, &new), 0);
        detect(&old, &new, &l);
        if (l.arch != known[i].arch ||
            !has_space(l.old_space, l.old_spaces, known[i].addr, known[i].pos))
            fail_msg("%s: %s at %x", known[i].pair, inlay_arch_name(l.arch), l.old_space[0].addr);
        free(old.b);
        free(new.b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),         cmocka_unit_test(test_given),
        cmocka_unit_test(test_tiny),          cmocka_unit_test(test_noise),
        cmocka_unit_test(test_esp),           cmocka_unit_test(test_elf),
        cmocka_unit_test(test_elf_inside),    cmocka_unit_test(test_data_of_a_file),
        cmocka_unit_test(test_words_of_code), cmocka_unit_test(test_archive),
        cmocka_unit_test(test_own_images),    cmocka_unit_test(test_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
