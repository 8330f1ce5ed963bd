/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what ships is sound, what is wrong is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile.h"

#define GOOD                                                                                       \
    "name = t\ntitle = T\nsource = S\narch = thumb2\nmode = in-place\nram = 8K\n"                  \
    "model_ram = 2K\nchunk_len = 1K\ncheck_len = 4\n"                                              \
    "slot.blocks = 4 x 1K, 2x4096\nwork.blocks = 4 x 1K\n"

static int parse(const char *text, struct inlay_profile *p, struct inlay_error *err)
{
    err->text[0] = 0;
    return inlay_profile_parse(text, strlen(text), "t.profile", p, err);
}

static void shipped_profiles_are_sound(void **state)
{
    static const char *const wanted[] = {"esp32",     "host",      "nrf52840",  "rp2040",
                                         "stm32f407", "stm32h743", "stm32l072", "stm32l476"};
    size_t count;
    const struct inlay_profile_file *list = inlay_profile_list(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct inlay_profile p;
        struct inlay_error err = {""};
        int code = inlay_profile_load(list[i].name, &p, &err);
        assert_string_equal(err.text, "");
        assert_int_equal(code, 0);
        assert_string_equal(p.name, list[i].name);
        if (i)
            assert_true(strcmp(list[i - 1].name, list[i].name) < 0);
        assert_non_null(inlay_profile_target(&p, p.in_place));
        if (p.slot.regions)
            assert_true(p.slot.erase_us[p.slot.regions - 1] && p.slot.program_us && p.cpu_hz);
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_non_null(inlay_profile_text(wanted[i]));
}

/* A work area holds two journal blocks, a pool block, and a stage for the largest block. */
static void shipped_work_areas_are_large_enough(void **state)
{
    size_t count;
    const struct inlay_profile_file *list = inlay_profile_list(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct inlay_profile p;
        uint32_t largest = 0, stage = 0;
        assert_int_equal(inlay_profile_load(list[i].name, &p, NULL), 0);
        if (!p.in_place)
            continue;
        assert_true(inlay_profile_area_blocks(&p.work) >= 4);
        for (unsigned r = 0; r < p.slot.regions; r++)
            if (p.slot.region[r].block_len > largest)
                largest = p.slot.region[r].block_len;
        for (unsigned r = 0, seen = 0; r < p.work.regions; r++)
            for (uint32_t b = 0; b < p.work.region[r].count; b++)
                if (seen++ >= 3)
                    stage += p.work.region[r].block_len;
        assert_true(stage >= largest);
    }
}

static void a_profile_is_read(void **state)
{
    struct inlay_profile p;
    struct inlay_error err;
    (void)state;
    assert_int_equal(parse(GOOD "  # a comment\n\nbase = 0x8000 # with a comment\n"
                                "slot.erase_us = 10, 40\nslot.erased = 0\nslot.write_size = 8\n"
                                "slot.ecc = yes\nwork.erase_us = 7\nwork.erased = 0xff\n",
                           &p, &err),
                     0);
    assert_int_equal(p.ram, 8192);
    assert_int_equal(p.in_place, 1);
    assert_true(p.base_known && p.base == 0x8000);
    assert_int_equal(p.slot.regions, 2);
    assert_int_equal(p.slot.region[0].count, 4);
    assert_int_equal(p.slot.region[1].block_len, 4096);
    assert_int_equal(p.slot.erase_us[1], 40);
    assert_int_equal(inlay_profile_area_len(&p.slot), 12288);
    assert_int_equal(inlay_profile_area_blocks(&p.slot), 6);
    assert_ptr_equal(inlay_profile_target(&p, 1), &p.slot);
    assert_null(inlay_profile_target(&p, 0));
    assert_int_equal(p.slot.erased, 0);
    assert_int_equal(p.work.erased, 0xff);
    assert_int_equal(p.work.write_size, 8); /* as in the slot */
    assert_int_equal(p.work.ecc, 1);
    assert_int_equal(p.work.regions, 1);
    assert_int_equal(p.work.erase_us[0], 7);
    assert_false(p.second.present);
}

static void one_block_as_large_as_the_image(void **state)
{
    struct inlay_profile p;
    (void)state;
    assert_int_equal(inlay_profile_load("host", &p, NULL), 0);
    assert_int_equal(p.slot.regions, 0);
    assert_int_equal(inlay_profile_area_blocks(&p.second), 1);
    assert_int_equal(inlay_profile_area_blocks(&p.work), 0);
    assert_null(inlay_profile_target(&p, 1));
    assert_ptr_equal(inlay_profile_target(&p, 0), &p.second);
}

/* Each line is added to a good profile; the sentence must name line 12 and the cause. */
static void wrong_lines_are_refused(void **state)
{
    static const struct {
        const char *line, *says;
    } bad[] = {
        {"hello", "key = value"},
        {"= 4", "key = value"},
        {"colour = red", "unknown key colour"},
        {"slot.colour = red", "unknown key slot.colour"},
        {"third.blocks = 1 x 4", "unknown key third.blocks"},
        {"ram = 9K", "ram was given before, in line 6"},
        {"slot.blocks = 1 x 1K", "slot.blocks was given before, in line 10"},
        {"cpu_hz = fast", "cpu_hz must be a number"},
        {"cpu_hz = 5000000000", "from 0 to 4000000000"},
        {"cpu_hz = 1Q", "cpu_hz must be a number"},
        {"cpu_hz = -1", "cpu_hz must be a number"},
        {"cpu_hz = 99999999999999999999", "cpu_hz must be a number"},
        {"base = here", "base must be a number"},
        {"slot.ecc = maybe", "ecc must be yes or no"},
        {"slot.write_size = 512", "from 1 to 256"},
        {"slot.max_writes = 0", "from 1 to"},
        {"redo = 100", "from 512 to"},
        {"recipes = 1", "recipes must be yes or no"},
        {"second.blocks = 4 * 1K", "COUNT x LENGTH"},
        {"second.blocks = 4 x", "COUNT x LENGTH"},
        {"second.blocks = 0 x 1K", "COUNT x LENGTH"},
        {"second.blocks = 1 x 0", "COUNT x LENGTH"},
        {"second.blocks = 1 x 1K,", "COUNT x LENGTH"},
        {"second.blocks = 1 x 1K 2", "COUNT x LENGTH"},
        {"second.blocks = 1025 x 1M", "COUNT x LENGTH"},
        {"second.blocks = 1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1,1x1", "COUNT x LENGTH"},
        {"slot.erase_us = 1,", "microseconds"},
        {"slot.erase_us = 1 2", "microseconds"},
        {"cpu_mw =", "cpu_mw must be a number"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        struct inlay_profile p;
        struct inlay_error err;
        snprintf(text, sizeof text, "%s%s\n", GOOD, bad[i].line);
        assert_int_equal(parse(text, &p, &err), INLAY_EXIT_USAGE);
        if (!strstr(err.text, bad[i].says) || strncmp(err.text, "t.profile:12: ", 14))
            fail_msg("%s: %s", bad[i].line, err.text);
    }
}

static void misfits_are_refused(void **state)
{
    static const struct {
        const char *add, *says;
    } bad[] = {
        {"slot.write_size = 3\n", "slot.write_size must be a power of two"},
        {"slot.erased = 0x55\n", "slot.erased must be 0xff or 0x00"},
        {"slot.page_len = 48\n", "slot.page_len must be a power of two"},
        {"slot.write_size = 16\nslot.page_len = 8\n", "write_size or more"},
        {"slot.write_size = 16\nslot.program_len = 8\n", "program_len must be"},
        {"slot.ecc = yes\nslot.max_writes = 2\n", "max_writes must be 1"},
        {"second.blocks = 5 x 1000\nsecond.write_size = 16\n", "second.every block"},
        {"second.write_size = 16\n", "second.blocks is missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        struct inlay_profile p;
        struct inlay_error err;
        snprintf(text, sizeof text, "%s%s", GOOD, bad[i].add);
        assert_int_equal(parse(text, &p, &err), INLAY_EXIT_USAGE);
        if (!strstr(err.text, bad[i].says))
            fail_msg("%s: %s", bad[i].add, err.text);
    }
}

/* Leaves the line that starts with key out of GOOD, or puts another in its place. */
static int without(const char *key, const char *instead, struct inlay_error *err)
{
    char text[1024] = "";
    struct inlay_profile p;
    const char *line = GOOD;
    while (*line) {
        const char *end = strchr(line, '\n') + 1;
        if (strncmp(line, key, strlen(key)) ||
            (line[strlen(key)] != ' ' && line[strlen(key)] != '.'))
            strncat(text, line, (size_t)(end - line));
        line = end;
    }
    strcat(text, instead);
    return parse(text, &p, err);
}

static void missing_keys_are_named(void **state)
{
    static const char *const keys[] = {"name", "title",     "source",    "arch",     "mode",
                                       "ram",  "model_ram", "chunk_len", "check_len"};
    struct inlay_error err;
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char says[64];
        assert_int_equal(without(keys[i], "", &err), INLAY_EXIT_USAGE);
        snprintf(says, sizeof says, "t.profile: %s is missing", keys[i]);
        assert_string_equal(err.text, says);
    }
    assert_int_equal(without("slot", "", &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "slot.blocks is missing"));
    assert_int_equal(without("work", "", &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "work.blocks"));
    assert_int_equal(without("work", "work.blocks = image\n", &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "work.blocks"));
    assert_int_equal(without("mode", "mode = ab\n", &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "second.blocks"));
    assert_int_equal(without("arch", "arch = z80\n", &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "not z80"));
    assert_int_equal(without("model_ram", "model_ram = 9K\n", &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "ram must be at least"));
    assert_int_equal(without("name", "name = 0123456789012345678901234567890123\n", &err),
                     INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "1 to 31 characters"));
}

static void files_are_read_and_names_explained(void **state)
{
    char path[] = "/tmp/inlay-profile-XXXXXX";
    struct inlay_profile p;
    struct inlay_error err = {""};
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, GOOD, strlen(GOOD)), (int)strlen(GOOD));
    assert_int_equal(inlay_profile_load(path, &p, &err), 0);
    assert_string_equal(p.name, "t");
    assert_int_equal(write(fd, "x\0y\n", 4), 4);
    close(fd);
    assert_int_equal(inlay_profile_load(path, &p, &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, ":12: line too long, or not text"));
    unlink(path);
    assert_int_equal(inlay_profile_load("nrf99", &p, &err), INLAY_EXIT_USAGE);
    assert_non_null(strstr(err.text, "one of esp32, host, nrf52840"));
    assert_int_equal(inlay_profile_load("/", &p, &err), INLAY_EXIT_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_profiles_are_sound),
        cmocka_unit_test(shipped_work_areas_are_large_enough),
        cmocka_unit_test(a_profile_is_read),
        cmocka_unit_test(one_block_as_large_as_the_image),
        cmocka_unit_test(wrong_lines_are_refused),
        cmocka_unit_test(misfits_are_refused),
        cmocka_unit_test(missing_keys_are_named),
        cmocka_unit_test(files_are_read_and_names_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
