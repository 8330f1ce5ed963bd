/* SPDX-License-Identifier: Apache-2.0 */
/* Reading images: what each format gives, and what is said about damaged files. */
#include "inlay.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(const void *data, size_t len, struct inlay_image *image, struct inlay_error *err)
{
    /* A copy of the exact size, so that a sanitizer sees reads beyond it. */
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, data, len);
    int code = inlay_image_parse(copy, len, "FILE", image, err);
    free(copy);
    return code;
}

static void expect_image(const void *file, size_t file_len, enum inlay_image_kind kind,
                         uint64_t base, const void *data, size_t size)
{
    struct inlay_image image;
    struct inlay_error err = {""};
    int code = parse(file, file_len, &image, &err);
    if (code)
        fail_msg("%s", err.text);
    assert_int_equal(image.kind, kind);
    assert_int_equal(image.base, base);
    assert_int_equal(image.size, size);
    assert_memory_equal(image.data, data, size);
    inlay_image_free(&image);
}

static void expect_refusal(const void *file, size_t file_len, const char *part)
{
    struct inlay_image image;
    struct inlay_error err = {""};
    assert_int_equal(parse(file, file_len, &image, &err), INLAY_EXIT_USAGE);
    assert_null(image.data);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void expect_text_refusal(const char *file, const char *part)
{
    expect_refusal(file, strlen(file), part);
}

static void raw(void **state)
{
    (void)state;
    expect_image("", 0, INLAY_IMAGE_RAW, 0, "", 0);
    expect_image("x", 1, INLAY_IMAGE_RAW, 0, "x", 1);
    expect_image(":hello", 6, INLAY_IMAGE_RAW, 0, ":hello", 6);
    expect_image("Some text", 9, INLAY_IMAGE_RAW, 0, "Some text", 9);
    struct inlay_image image;
    assert_int_equal(parse("x", 1, &image, NULL), 0);
    assert_false(image.base_known);
    assert_null(image.arch);
    inlay_image_free(&image);
}

#define HEX_A   ":020000040800F2\r\n:0400000001020304F2\r\n"
#define HEX_B   ":02000600AABB93\n"
#define HEX_END ":00000001FF\n"

static void hex(void **state)
{
    (void)state;
    static const char file[] = HEX_A HEX_B HEX_END;
    expect_image(file, strlen(file), INLAY_IMAGE_HEX, 0x8000000, "\x01\x02\x03\x04\xff\xff\xaa\xbb",
                 8);
    /* Records in another order, and a start address that is no data. */
    static const char turned[] =
        ":020000040800F2\n" HEX_B ":0400000001020304F2\n:0400000508000131BD\n" HEX_END;
    expect_image(turned, strlen(turned), INLAY_IMAGE_HEX, 0x8000000,
                 "\x01\x02\x03\x04\xff\xff\xaa\xbb", 8);
    /* A segment address, and data that wraps around within its 64 KB. */
    static const char segment[] = ":020000021000EC\n:02FFFF000102FD\n";
    struct inlay_image image;
    char wrapped[128];
    snprintf(wrapped, sizeof wrapped, "%s%s", segment, HEX_END);
    assert_int_equal(parse(wrapped, strlen(wrapped), &image, NULL), 0);
    assert_int_equal(image.base, 0x10000);
    assert_int_equal(image.size, 0x10000);
    assert_int_equal(image.data[0], 2);
    assert_int_equal(image.data[0xffff], 1);
    inlay_image_free(&image);
}

static void hex_damaged(void **state)
{
    (void)state;
    expect_text_refusal(HEX_A ":02000600AABB94\n" HEX_END, "FILE:3: the checksum is wrong");
    expect_text_refusal(HEX_A "\n\n:02000600AABB\n" HEX_END, "FILE:5: the record is longer");
    expect_text_refusal(HEX_A ":0200060GAABB93\n" HEX_END, "FILE:3: this is not an Intel HEX");
    expect_text_refusal(HEX_A "junk\n" HEX_END, "FILE:3: this line does not start with ':'");
    expect_text_refusal(HEX_A, "the end record");
    expect_text_refusal(HEX_A HEX_END HEX_B, "FILE:4: there is more after the end record");
    expect_text_refusal(HEX_A ":0200000AABCD7C\n" HEX_END, "FILE:3: an unknown record type");
    expect_text_refusal(HEX_A ":0100000408F3\n" HEX_END, "FILE:3: an address record has two bytes");
    expect_text_refusal(HEX_END, "there is no data in it");
    expect_text_refusal(HEX_A ":010002000AF3\n" HEX_END, "both have data for address 0x8000002");
    expect_text_refusal(HEX_A ":020000049000"
                              "6A\n:010000000AF5\n" HEX_END,
                        "a gap of ");
}

static void srec(void **state)
{
    (void)state;
    static const char file[] = "S0030000FC\r\nS30908000000010203"
                               "04E4\r\nS30708000006AABB"
                               "85\r\n"
                               "S5030002FA\r\nS70508000000F2\r\n";
    expect_image(file, strlen(file), INLAY_IMAGE_SREC, 0x8000000,
                 "\x01\x02\x03\x04\xff\xff\xaa\xbb", 8);
    static const char s19[] = "S1051000AABB85\nS9030000FC\n";
    expect_image(s19, strlen(s19), INLAY_IMAGE_SREC, 0x1000, "\xaa\xbb", 2);
    static const char s28[] = "S206123456AABBF8\nS804000000FB\n";
    expect_image(s28, strlen(s28), INLAY_IMAGE_SREC, 0x123456, "\xaa\xbb", 2);
}

static void srec_damaged(void **state)
{
    (void)state;
    expect_text_refusal("S0030000FC\nS1051000AABB86\nS9030000FC\n", "FILE:2: the checksum");
    expect_text_refusal("S1051000AABB85\nS1051000AA85\nS9030000FC\n",
                        "FILE:2: the record is longer");
    expect_text_refusal("S1051000AABB85\nS5030002FA\nS9030000FC\n", "FILE:2: the record count");
    expect_text_refusal("S1051000AABB85\n", "the end record");
    expect_text_refusal("S1051000AABB85\nS4030000FC\n", "FILE:2: there is no such record type");
    expect_text_refusal("S1051000AABB85\n:00000001FF\n", "FILE:2: this line does not start");
    expect_text_refusal("S1051000AABB85\nS1051001AABB84\nS9030000FC\n", "line 1 and line 2 both");
}

static void put32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

#define RP2040 0xe48bff56u

static void uf2_block(uint8_t *b, uint32_t addr, uint32_t number, uint32_t total, uint8_t fill)
{
    memset(b, 0, 512);
    put32(b, 0x0a324655);
    put32(b + 4, 0x9e5d5157);
    put32(b + 8, 0x2000);
    put32(b + 12, addr);
    put32(b + 16, 256);
    put32(b + 20, number);
    put32(b + 24, total);
    put32(b + 28, RP2040);
    memset(b + 32, fill, 256);
    put32(b + 508, 0x0ab16f30);
}

static void uf2(void **state)
{
    (void)state;
    uint8_t file[3 * 512], want[512];
    memset(want, 1, 256);
    memset(want + 256, 2, 256);
    uf2_block(file, 0x10000000, 0, 2, 1);
    uf2_block(file + 512, 0x10000100, 1, 2, 2);
    expect_image(file, 1024, INLAY_IMAGE_UF2, 0x10000000, want, 512);
    struct inlay_image image;
    assert_int_equal(parse(file, 1024, &image, NULL), 0);
    assert_string_equal(image.arch, "thumb2");
    inlay_image_free(&image);
    /* A block that is not for flash, and the workaround block of RP2350 tools, do not count. */
    uf2_block(file + 1024, 0x20000000, 0, 1, 3);
    put32(file + 1024 + 8, 0x2001);
    expect_image(file, sizeof file, INLAY_IMAGE_UF2, 0x10000000, want, 512);
    uf2_block(file + 1024, 0x10ffff00, 0, 2, 3);
    put32(file + 1024 + 28, 0xe48bff57);
    expect_image(file, sizeof file, INLAY_IMAGE_UF2, 0x10000000, want, 512);
}

static void uf2_damaged(void **state)
{
    (void)state;
    uint8_t file[1024];
    uf2_block(file, 0x10000000, 0, 2, 1);
    uf2_block(file + 512, 0x10000100, 1, 2, 2);
    expect_refusal(file, 1000, "not whole UF2 blocks");
    expect_refusal(file, 512, "1 of 2 UF2 blocks");
    put32(file + 512 + 28, 0x1c5f21b0);
    expect_refusal(file, 1024, "block 1 is for processor family 0x1c5f21b0");
    uf2_block(file + 512, 0x10000080, 1, 2, 2);
    expect_refusal(file, 1024, "block 0 and block 1 both have data");
    put32(file + 512 + 16, 477);
    expect_refusal(file, 1024, "block 1 says that it holds more");
    put32(file + 512 + 8, 0x1000);
    expect_refusal(file, 1024, "block 1 holds a file");
    file[512] = 0;
    expect_refusal(file, 1024, "block 1 has no UF2 magic");
}

struct elf_file {
    Elf32_Ehdr eh;
    Elf32_Phdr ph[3];
    uint8_t data[32];
};

static struct elf_file make_elf(uint16_t type, uint16_t machine)
{
    struct elf_file f = {0};
    memcpy(f.eh.e_ident, ELFMAG "\1\1\1", SELFMAG + 3);
    f.eh.e_type = type;
    f.eh.e_machine = machine;
    f.eh.e_version = EV_CURRENT;
    f.eh.e_entry = 0x8000011;
    f.eh.e_phoff = offsetof(struct elf_file, ph);
    f.eh.e_ehsize = sizeof f.eh;
    f.eh.e_phentsize = sizeof f.ph[0];
    f.eh.e_phnum = 3;
    for (size_t i = 0; i < sizeof f.data; i++)
        f.data[i] = (uint8_t)i;
    uint32_t pos = offsetof(struct elf_file, data);
    /* Code; variables that live in RAM but are stored behind the code; zeroed RAM. */
    f.ph[0] = (Elf32_Phdr){PT_LOAD, pos, 0x8000000, 0x8000000, 16, 16, PF_R, 4};
    f.ph[1] = (Elf32_Phdr){PT_LOAD, pos + 16, 0x20000000, 0x8000014, 16, 16, PF_R, 4};
    f.ph[2] = (Elf32_Phdr){PT_LOAD, pos + 32, 0x20000010, 0x20000010, 0, 64, PF_R, 4};
    return f;
}

static void elf_firmware(void **state)
{
    (void)state;
    struct elf_file f = make_elf(ET_EXEC, EM_ARM);
    uint8_t want[36];
    memset(want, 0xff, sizeof want);
    memcpy(want, f.data, 16);
    memcpy(want + 20, f.data + 16, 16);
    expect_image(&f, sizeof f, INLAY_IMAGE_FIRMWARE, 0x8000000, want, sizeof want);
    struct inlay_image image;
    assert_int_equal(parse(&f, sizeof f, &image, NULL), 0);
    assert_string_equal(image.arch, "thumb2");
    inlay_image_free(&image);
    f.ph[1].p_paddr = 0x90000000;
    expect_refusal(&f, sizeof f, "a gap of");
    f.ph[1].p_paddr = 0x8000008;
    expect_refusal(&f, sizeof f, "segment 0 and segment 1 both");
    f.ph[1].p_offset = 0x7fffffff;
    expect_refusal(&f, sizeof f, "segment 1 reaches beyond the file");
}

static void elf_avr_eeprom(void **state)
{
    (void)state;
    struct elf_file f = make_elf(ET_EXEC, EM_AVR);
    f.ph[0].p_paddr = 0;
    f.ph[1].p_paddr = 0x810000;
    expect_image(&f, sizeof f, INLAY_IMAGE_FIRMWARE, 0, f.data, 16);
}

/* What an operating system loads is a file, byte for byte. */
static void elf_hosted(void **state)
{
    (void)state;
    struct elf_file f = make_elf(ET_DYN, EM_AARCH64);
    expect_image(&f, sizeof f, INLAY_IMAGE_ELF, 0, &f, sizeof f);
    f = make_elf(ET_REL, EM_ARM);
    expect_image(&f, sizeof f, INLAY_IMAGE_ELF, 0, &f, sizeof f);
    f = make_elf(ET_EXEC, EM_ARM);
    f.ph[2].p_type = PT_INTERP;
    expect_image(&f, sizeof f, INLAY_IMAGE_ELF, 0, &f, sizeof f);
    f.ph[2].p_type = PT_NOTE;
    f.ph[2].p_offset = f.ph[0].p_offset;
    f.ph[2].p_filesz = 32;
    memcpy(f.data, "\4\0\0\0\x10\0\0\0\1\0\0\0GNU", 16);
    expect_image(&f, sizeof f, INLAY_IMAGE_ELF, 0, &f, sizeof f);
    /* Cut short anywhere it is a file still, or refused; never a crash. */
    f = make_elf(ET_EXEC, EM_ARM);
    for (size_t len = 0; len < sizeof f; len++) {
        struct inlay_image image;
        int code = parse(&f, len, &image, NULL);
        assert_true(code == 0 || code == INLAY_EXIT_USAGE);
        inlay_image_free(&image);
    }
}

static uint32_t next_random(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    return *s ^= *s << 5;
}

static void payloads(void **state)
{
    (void)state;
    enum { SIZE = 40000 };
    struct inlay_payload found[4];
    uint32_t seed = 1;
    uint8_t *data = malloc(SIZE);
    /* Code-like bytes, with magic numbers as a decompressor has them: nothing found. */
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(next_random(&seed) & next_random(&seed));
    memcpy(data + 30000, "\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
    memcpy(data + 2000,
           "\xfd"
           "7zXZ\0",
           6);
    assert_int_equal(inlay_image_payloads(data, SIZE, found, 4), 0);
    for (size_t i = 2006; i < 8000; i++)
        data[i] = (uint8_t)(next_random(&seed) >> 8);
    assert_int_equal(inlay_image_payloads(data, SIZE, found, 4), 1);
    assert_string_equal(found[0].kind, "xz");
    assert_int_equal(found[0].pos, 2000);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(next_random(&seed) >> 8);
    assert_int_equal(inlay_image_payloads(data, SIZE, found, 4), 1);
    assert_string_equal(found[0].kind, "high entropy");
    assert_int_equal(inlay_image_payloads(data, 0, found, 4), 0);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw),
        cmocka_unit_test(hex),
        cmocka_unit_test(hex_damaged),
        cmocka_unit_test(srec),
        cmocka_unit_test(srec_damaged),
        cmocka_unit_test(uf2),
        cmocka_unit_test(uf2_damaged),
        cmocka_unit_test(elf_firmware),
        cmocka_unit_test(elf_avr_eeprom),
        cmocka_unit_test(elf_hosted),
        cmocka_unit_test(payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
