/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the seed inputs of the fuzz targets from committed images.
 *
 * usage: seeds IMAGES OUT
 */
#include "container.h"
#include "file.h"
#include "inlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *out_dir;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "seeds: %s: %s\n", what, why);
    exit(1);
}

/* Writes OUT/TARGET/NAME. */
static void save(const char *target, const char *name, const struct inlay_buffer *b)
{
    char path[512];
    mkdir(out_dir, 0777);
    snprintf(path, sizeof path, "%s/%s", out_dir, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", out_dir, target, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(b->data, 1, b->len, f) != b->len || fclose(f))
        stop(path, "cannot be written");
}

static void add(struct inlay_buffer *b, const void *data, size_t len)
{
    if (len && inlay_buffer_add(b, data, len))
        stop("seed", "out of memory");
}

static void add_u16(struct inlay_buffer *b, size_t v)
{
    uint8_t raw[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    add(b, raw, 2);
}

static void add_u8(struct inlay_buffer *b, unsigned v)
{
    uint8_t raw = (uint8_t)v;
    add(b, &raw, 1);
}

static void save_text(const char *target, const char *name, const char *text)
{
    struct inlay_buffer b = {0};
    add(&b, text, strlen(text));
    save(target, name, &b);
    inlay_buffer_free(&b);
}

/* ---- Patches ---- */

static const char small_device[] =
    "name = small\ntitle = none\nsource = none\narch = auto\nmode = in-place\nslot.blocks = 32 x "
    "512\nslot.write_size = 4\n"
    "slot.page_len = 64\nwork.blocks = 24 x 512\nsecond.blocks = 32 x 512\nram = 16K\n"
    "model_ram = 6K\nchunk_len = 512\ncheck_len = 0\nredo = 1K\n";
static const char checked_device[] =
    "name = checked\ntitle = none\nsource = none\narch = auto\nmode = in-place\nslot.blocks = 2 x "
    "1024, 4 x 4096\n"
    "slot.write_size = 8\nslot.erased = 0x00\nslot.page_len = 64\nwork.blocks = 6 x 4096\n"
    "ram = 16K\nmodel_ram = 6K\nchunk_len = 1024\ncheck_len = 4\n";
/* A stage of a few blocks: recipes make fewer groups. */
static const char tight_device[] =
    "name = tight\ntitle = none\nsource = none\narch = auto\nmode = in-place\nslot.blocks = 32 x "
    "512\nslot.write_size = 4\n"
    "slot.page_len = 64\nwork.blocks = 14 x 512\nram = 16K\nmodel_ram = 6K\nchunk_len = 512\n"
    "check_len = 2\n";

struct pair {
    const char *name, *old_path, *new_path, *arch;
    size_t pos, len;
    uint64_t base;
};

static const struct pair pairs[] = {
    {"thumb2", "cortex-m4/v1.1.0.bin", "cortex-m4/v1.2.0.bin", "thumb2", 20000, 4096, 0x8000},
    {"riscv", "rv32/v1.1.0.bin", "rv32/v1.2.0.bin", "riscv", 20000, 4096, 0x20000000},
    {"data", "rv32/v1.0.0.bin", "rv32/v1.0.1.bin", "none", 60000, 3000, 0},
    {"flags", "cortex-m4/v1.2.0.bin", "cortex-m4/v1.2.0-o2.bin", "thumb2", 30000, 3000, 0x8000},
};

/* Hardly anything but moved code. */
static const struct pair moved = {
    "moved", "cortex-m4/v1.0.1.bin", "cortex-m4/v1.1.0.bin", "thumb2", 40000, 4096, 0x8000};

static struct inlay_image part(const char *images, const char *file, size_t pos, size_t len)
{
    char path[512];
    struct inlay_image image;
    struct inlay_error err;
    snprintf(path, sizeof path, "%s/%s", images, file);
    if (inlay_image_load(path, &image, &err))
        stop(path, err.text);
    if (image.size < pos + len)
        stop(path, "is too short");
    memmove(image.data, image.data + pos, len);
    image.size = len;
    return image;
}

static void save_patch(const char *name, unsigned options, const struct inlay_image *old,
                       const struct inlay_buffer *patch)
{
    struct inlay_buffer b = {0};
    struct inlay_manifest m;
    add_u8(&b, options);
    add_u16(&b, old->size);
    add(&b, old->data, old->size);
    add(&b, patch->data, patch->len);
    save("patch", name, &b);
    inlay_buffer_free(&b);
    if (inlay_container_open(patch->data, patch->len, &m, NULL))
        stop(name, "is not a patch");
    if (!m.recipe_len == !strcmp(name, "moved-recipes"))
        stop(name, "has recipes, or none");
    struct inlay_buffer head = {patch->data, m.body_pos, 0};
    save("manifest", name, &head);
}

static void make_patch(const struct pair *pair, const char *images, const char *device,
                       enum inlay_diff_mode mode, const char *name)
{
    struct inlay_image old = part(images, pair->old_path, pair->pos, pair->len);
    struct inlay_image new = part(images, pair->new_path, pair->pos, pair->len);
    struct inlay_profile profile;
    struct inlay_diff_result result = {0};
    struct inlay_error err;
    struct inlay_diff_options o = {.mode = mode,
                                   .arch = pair->arch,
                                   .base = pair->base,
                                   .base_known = 1,
                                   .old_version = "1",
                                   .new_version = "2",
                                   .security_counter = 3};
    char file[64];
    if (inlay_profile_parse(device, strlen(device), "profile", &profile, &err) ||
        inlay_diff(&old, &new, &profile, &o, &result, &err))
        stop(pair->name, err.text);
    snprintf(file, sizeof file, "%s-%s", pair->name, name);
    save_patch(file, 1, &old, &result.patch);
    inlay_diff_result_free(&result);
    inlay_image_free(&old);
    inlay_image_free(&new);
}

static void make_round_trip(const struct pair *pair, const char *images, unsigned options)
{
    struct inlay_image old = part(images, pair->old_path, pair->pos, pair->len);
    struct inlay_image new = part(images, pair->new_path, pair->pos, pair->len);
    struct inlay_buffer b = {0};
    add_u8(&b, options);
    add_u16(&b, old.size);
    add(&b, old.data, old.size);
    add(&b, new.data, new.size);
    save("roundtrip", pair->name, &b);
    inlay_buffer_free(&b);
    inlay_image_free(&old);
    inlay_image_free(&new);
}

/* Old bytes, then: copy, copy with corrections, new bytes. */
static void make_edits(void)
{
    static const uint8_t script[] = {3, 0x40, 0, 0x10, 0, 5, 0x80, 0, 0, 0, 0x70, 1,
                                     2, 3,    4, 5,    6, 7, 8,    3, 0, 1, 0,    0};
    struct inlay_buffer b = {0};
    add_u8(&b, 2 | 1);
    add_u16(&b, 512);
    for (unsigned i = 0; i < 512; i++)
        add_u8(&b, i * 7u ^ i >> 3);
    add(&b, script, sizeof script);
    save("roundtrip", "edits", &b);
    b.len = 0;
    add_u8(&b, 12);
    add_u16(&b, 0);
    save("roundtrip", "empty", &b);
    inlay_buffer_free(&b);
}

/* ---- Journals ---- */

static void make_journals(void)
{
    static const unsigned cuts[] = {3, 20, 45, 70, 110, 160};
    char name[32];
    for (unsigned i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        static const uint8_t change[] = {0x03, 0, 0x01, 0x50, 0, 0x10, 0x03, 8, 0x02};
        struct inlay_buffer b = {0};
        add_u8(&b, 0);
        add_u16(&b, cuts[i]);
        snprintf(name, sizeof name, "cut-%u", cuts[i]);
        save("journal", name, &b);
        b.data[0] = 16;
        snprintf(name, sizeof name, "cut-%u-recipes", cuts[i]);
        save("journal", name, &b);
        b.data[0] = 4;
        snprintf(name, sizeof name, "cut-%u-twice", cuts[i]);
        save("journal", name, &b);
        b.data[0] = 2;
        add(&b, change, sizeof change);
        snprintf(name, sizeof name, "cut-%u-changed", cuts[i]);
        save("journal", name, &b);
        inlay_buffer_free(&b);
    }
    save_text("journal", "garbage", "\x0b..JL\x01\x04\x64");
}

/* ---- Profiles and images ---- */

static void make_profiles(void)
{
    static const char *const names[] = {"host", "nrf52840", "stm32f407", "stm32l072", "stm32h743"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        save_text("profile", names[i], inlay_profile_text(names[i]));
    save_text("profile", "small", small_device);
}

static void put32(uint8_t *b, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

static void make_uf2(void)
{
    struct inlay_buffer b = {0};
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t block[512] = {0};
        const uint32_t head[8] = {0x0A324655, 0x9E5D5157, 0x2000, 0x10000000 + 256 * i,
                                  256,        i,          2,      0xE48BFF56};
        for (unsigned k = 0; k < 8; k++)
            put32(block + 4 * k, head[k]);
        memset(block + 32, (int)(0x41 + i), 256);
        put32(block + 508, 0x0AB16F30);
        add(&b, block, sizeof block);
    }
    save("image", "uf2", &b);
    inlay_buffer_free(&b);
}

/* A 32-bit ELF of one loadable segment with four bytes in it. */
static void make_elf(void)
{
    uint8_t e[88] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
    static const struct {
        uint8_t at;
        uint32_t value;
    } words[] = {{16, 2 | 40 << 16},
                 {20, 1},
                 {24, 0x08000001},
                 {28, 52},
                 {36, 0x05000200},
                 {40, 52 | 32 << 16},
                 {44, 1 | 40 << 16},
                 {52, 1},
                 {56, 84},
                 {60, 0x08000000},
                 {64, 0x08000000},
                 {68, 4},
                 {72, 4},
                 {76, 5},
                 {80, 4},
                 {84, 0x4770BF00}};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        put32(e + words[i].at, words[i].value);
    struct inlay_buffer b = {0};
    add(&b, e, sizeof e);
    save("image", "elf", &b);
    inlay_buffer_free(&b);
}

static void make_images(const char *images)
{
    save_text("image", "hex",
              ":020000040800F2\n:10000000000102030405060708090A0B0C0D0E0F78\n"
              ":04002000DEADBEEFA4\n:00000001FF\n");
    save_text("image", "srec",
              "S00600004844521B\nS1130000285F245F2212226A000424290008237C2A\n"
              "S9030000FC\n");
    struct inlay_image raw = part(images, pairs[0].new_path, 0, 1024);
    struct inlay_buffer b = {raw.data, raw.size, 0};
    save("image", "raw", &b);
    inlay_image_free(&raw);
    make_uf2();
    make_elf();
}

int main(int argc, char **argv)
{
    if (argc != 3)
        stop("usage", "seeds IMAGES OUT");
    out_dir = argv[2];
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        make_patch(&pairs[i], argv[1], small_device, INLAY_DIFF_IN_PLACE, "in-place");
        make_patch(&pairs[i], argv[1], small_device, INLAY_DIFF_AB, "ab");
        make_patch(&pairs[i], argv[1], checked_device, INLAY_DIFF_IN_PLACE, "checked");
        make_round_trip(&pairs[i], argv[1], i | (i & 1u ? 0x70u : 0x10u));
    }
    make_patch(&moved, argv[1], tight_device, INLAY_DIFF_IN_PLACE, "recipes");
    make_edits();
    make_journals();
    make_profiles();
    make_images(argv[1]);
    return 0;
}
