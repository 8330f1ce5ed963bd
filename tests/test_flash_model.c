/* SPDX-License-Identifier: Apache-2.0 */
/* The flash model: every rule is kept, every way of tearing does what its name says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/flash_model.h"

#define LEN   1024u
#define TRIES 64u

/* Mixed blocks: 4 of 128 bytes, 2 of 256. */
static struct inlay_profile_area spec(uint32_t write_size, uint8_t erased, int ecc)
{
    return (struct inlay_profile_area){.present = 1,
                                       .erased = erased,
                                       .ecc = (uint8_t)ecc,
                                       .regions = 2,
                                       .max_writes = 1,
                                       .write_size = write_size,
                                       .page_len = 64,
                                       .region = {{4, 128}, {2, 256}},
                                       .erase_us = {1000, 3000},
                                       .program_len = 16,
                                       .program_us = 10,
                                       .read_ns = 5,
                                       .busy_mw = 2};
}

static struct inlay_model *make(struct inlay_profile_area s)
{
    struct inlay_model *m = inlay_model_new();
    assert_non_null(m);
    assert_int_equal(inlay_model_add(m, "slot", &s, 0, (const uint8_t *)"old image", 9, 7), 0);
    return m;
}

static struct inlay_model_area *slot(struct inlay_model *m)
{
    return &m->area[0];
}

static int wipe(struct inlay_model *m, uint32_t pos, uint32_t len)
{
    return slot(m)->flash.erase(slot(m)->flash.ctx, pos, len);
}

static int put(struct inlay_model *m, uint32_t pos, const void *buf, uint32_t len)
{
    return slot(m)->flash.write(slot(m)->flash.ctx, pos, buf, len);
}

static int get(struct inlay_model *m, uint32_t pos, void *buf, uint32_t len)
{
    return slot(m)->flash.read(slot(m)->flash.ctx, pos, buf, len);
}

static void pattern(uint8_t *buf, uint32_t len, uint32_t seed)
{
    for (uint32_t i = 0; i < len; i++)
        buf[i] = (uint8_t)inlay_model_mix(seed, i);
}

static void expect_broken(struct inlay_model *m, const char *says)
{
    if (!strstr(m->broken, says))
        fail_msg("expected \"%s\", got \"%s\"", says, m->broken);
    inlay_model_free(m);
}

/* ---- rules ---- */

static void erase_program_read(void **state)
{
    (void)state;
    for (int erased = 0; erased < 256; erased += 255) {
        struct inlay_model *m = make(spec(8, (uint8_t)erased, 0));
        uint8_t a[16], b[128];
        pattern(a, 16, 1);
        assert_int_equal(get(m, 0, b, 9), 0);
        assert_memory_equal(b, "old image", 9);
        assert_int_equal(wipe(m, 128, 128), 0);
        assert_int_equal(get(m, 128, b, 128), 0);
        for (int i = 0; i < 128; i++)
            assert_int_equal(b[i], erased);
        assert_int_equal(put(m, 136, a, 16), 0);
        assert_int_equal(get(m, 136, b, 16), 0);
        assert_memory_equal(a, b, 16);
        assert_int_equal(m->ops, 2);
        assert_string_equal(m->broken, "");
        inlay_model_free(m);
    }
}

static void stale_flash_is_not_erased(void **state)
{
    uint8_t a[8] = {0}, b[64];
    unsigned differ = 0;
    struct inlay_model *m = make(spec(8, 0xFF, 0));
    (void)state;
    assert_int_equal(get(m, 960, b, 64), 0);
    for (int i = 0; i < 64; i++)
        differ += b[i] != 0xFF;
    assert_true(differ > 32);
    assert_int_equal(put(m, 960, a, 8), -1);
    expect_broken(m, "wrote 0x3c0 of the slot area, which was not erased");
}

static void only_whole_blocks_are_erased(void **state)
{
    static const uint32_t bad[][2] = {{64, 128}, {0, 64}, {0, 256}, {512, 128}, {384, 256}};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct inlay_model *m = make(spec(8, 0xFF, 0));
        assert_int_equal(wipe(m, bad[i][0], bad[i][1]), -1);
        assert_int_equal(m->ops, 0);
        expect_broken(m, "not a block");
    }
    struct inlay_model *m = make(spec(8, 0xFF, 0));
    assert_int_equal(wipe(m, 384, 128), 0);
    assert_int_equal(wipe(m, 512, 256), 0);
    assert_int_equal(wipe(m, 768, 256), 0);
    inlay_model_free(m);
}

static void outside_is_refused(void **state)
{
    uint8_t b[16] = {0};
    struct inlay_model *m;
    (void)state;
    assert_int_equal(get(m = make(spec(8, 0xFF, 0)), LEN - 8, b, 16), -1);
    expect_broken(m, "read 16 bytes at 0x3f8, outside");
    assert_int_equal(put(m = make(spec(8, 0xFF, 0)), LEN, b, 8), -1);
    expect_broken(m, "wrote 8 bytes at 0x400, outside");
    assert_int_equal(put(m = make(spec(8, 0xFF, 0)), 0xFFFFFFF8u, b, 16), -1);
    expect_broken(m, "outside");
    assert_int_equal(wipe(m = make(spec(8, 0xFF, 0)), LEN, 256), -1);
    expect_broken(m, "erased 256 bytes at 0x400, outside");
    assert_int_equal(put(m = make(spec(8, 0xFF, 0)), 0, b, 0), -1);
    expect_broken(m, "outside");
}

static void misaligned_writes_are_refused(void **state)
{
    static const uint32_t bad[][2] = {{4, 8}, {0, 4}, {0, 12}, {1, 8}};
    uint8_t b[16] = {0};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct inlay_model *m = make(spec(8, 0xFF, 0));
        wipe(m, 0, 128);
        assert_int_equal(put(m, bad[i][0], b, bad[i][1]), -1);
        expect_broken(m, "not aligned to 8");
    }
}

static void locked_areas_are_only_read(void **state)
{
    uint8_t b[8] = {0};
    struct inlay_model *m = make(spec(8, 0xFF, 0));
    (void)state;
    slot(m)->locked = 1;
    assert_int_equal(get(m, 0, b, 8), 0);
    assert_int_equal(wipe(m, 0, 128), -1);
    expect_broken(m, "only to be read");
    m = make(spec(8, 0xFF, 0));
    wipe(m, 0, 128);
    slot(m)->locked = 1;
    assert_int_equal(put(m, 0, b, 8), -1);
    expect_broken(m, "only to be read");
}

static void a_granule_is_written_so_often(void **state)
{
    uint8_t a[8], b[8];
    struct inlay_profile_area s = spec(8, 0xFF, 0);
    struct inlay_model *m = make(s);
    (void)state;
    memset(a, 0xFF, 8);
    wipe(m, 0, 128);
    assert_int_equal(put(m, 0, a, 8), 0); /* 0xFF counts as programmed, too */
    assert_int_equal(put(m, 0, a, 8), -1);
    expect_broken(m, "was not erased before");

    s.max_writes = 2;
    m = make(s);
    wipe(m, 0, 128);
    memset(a, 0xF3, 8);
    assert_int_equal(put(m, 0, a, 8), 0);
    memset(a, 0x3F, 8);
    assert_int_equal(put(m, 0, a, 8), 0);
    get(m, 0, b, 8);
    assert_int_equal(b[0], 0x33); /* programming only clears bits */
    assert_int_equal(m->counts.rewrites, 1);
    assert_int_equal(put(m, 0, a, 8), -1);
    expect_broken(m, "was not erased before");
}

static void ecc_faults_after_writing_twice(void **state)
{
    uint8_t a[32] = {1}, b[32];
    struct inlay_model *m = make(spec(32, 0xFF, 1));
    (void)state;
    wipe(m, 0, 128);
    assert_int_equal(put(m, 32, a, 32), 0);
    assert_int_equal(get(m, 32, b, 32), 0);
    assert_int_equal(put(m, 32, a, 32), -1);
    assert_int_equal(get(m, 63, b, 1), -1);
    assert_int_equal(get(m, 0, b, 32), 0);
    assert_int_equal(get(m, 20, b, 13), -1); /* a read that only touches it faults as well */
    wipe(m, 0, 128);
    assert_int_equal(get(m, 32, b, 32), 0);
    inlay_model_free(m);
}

static void wear_and_costs_are_counted(void **state)
{
    uint8_t b[64] = {0};
    struct inlay_model *m = make(spec(8, 0xFF, 0));
    (void)state;
    wipe(m, 0, 128);
    wipe(m, 0, 128);
    wipe(m, 768, 256);
    put(m, 8, b, 24); /* two units of 16 bytes */
    put(m, 32, b, 16);
    put(m, 56, b, 16); /* 16 bytes across two units */
    get(m, 0, b, 60);
    assert_int_equal(slot(m)->block[0].erases, 2);
    assert_int_equal(slot(m)->block[1].erases, 0);
    assert_int_equal(slot(m)->block[5].erases, 1);
    assert_int_equal(m->counts.erases, 3);
    assert_int_equal(m->counts.erased, 512);
    assert_int_equal(m->counts.writes, 3);
    assert_int_equal(m->counts.written, 56);
    assert_int_equal(m->counts.read, 60);
    assert_int_equal(m->counts.read_ns, 300);
    assert_int_equal(m->counts.busy_ns, (1000 + 1000 + 3000 + 5 * 10) * 1000);
    assert_int_equal(m->counts.busy_pj, m->counts.busy_ns * 2);
    inlay_model_free(m);
}

static void areas_share_counter_and_power(void **state)
{
    struct inlay_profile_area s = spec(8, 0xFF, 0);
    struct inlay_model *m = make(s);
    struct inlay_cut cut = {2, INLAY_TORN_BEFORE, 1};
    jmp_buf power;
    (void)state;
    assert_int_equal(inlay_model_add(m, "work", &s, 0, NULL, 0, 8), 1);
    inlay_model_arm(m, &cut);
    m->power = &power;
    if (!setjmp(power)) {
        wipe(m, 0, 128);
        m->area[1].flash.erase(m->area[1].flash.ctx, 0, 128);
        wipe(m, 128, 128);
        fail_msg("power was not cut");
    }
    assert_int_equal(slot(m)->block[0].erases, 1);
    assert_int_equal(m->area[1].block[0].erases, 1);
    assert_int_equal(slot(m)->block[1].erases, 0);
    inlay_model_boot(m);
    assert_int_equal(m->ops, 0);
    assert_int_equal(wipe(m, 128, 128), 0); /* the cut is over */
    inlay_model_free(m);
}

static void an_area_as_large_as_the_image(void **state)
{
    struct inlay_profile_area s = {.present = 1, .erased = 0xFF, .max_writes = 1, .write_size = 4};
    struct inlay_model *m = inlay_model_new();
    (void)state;
    assert_int_equal(inlay_model_add(m, "slot", &s, 9, (const uint8_t *)"old image", 9, 1), 0);
    assert_int_equal(inlay_model_add(m, "second", &s, 0, NULL, 0, 1), 1);
    assert_int_equal(m->area[0].len, 12);
    assert_int_equal(m->area[0].flash.regions, 1);
    assert_int_equal(m->area[0].flash.region[0].block_len, 12);
    assert_int_equal(m->area[1].len, 4);
    inlay_model_free(m);
}

static void spoiled_cells_store_wrong_bits(void **state)
{
    uint8_t a[16] = {0}, b[16];
    struct inlay_model *m = make(spec(8, 0xFF, 0));
    (void)state;
    inlay_model_spoil(slot(m), 11, 1);
    wipe(m, 0, 128);
    assert_int_equal(put(m, 0, a, 8), 0); /* does not cover it */
    assert_int_equal(put(m, 8, a, 16), 0);
    get(m, 8, b, 16);
    assert_memory_not_equal(a, b, 16);
    b[3] ^= 0x10;
    assert_memory_equal(a, b, 16);
    wipe(m, 0, 128);
    put(m, 8, a, 16);
    get(m, 8, b, 16);
    assert_memory_equal(a, b, 16);
    inlay_model_free(m);
}

/* ---- torn programs ---- */

/* Block 0 erased, 16 bytes finished at 0 and 48, then 32 bytes at 16 torn. */
static struct inlay_model *torn_program(struct inlay_profile_area s, enum inlay_torn torn,
                                        uint32_t seed, uint8_t want[32])
{
    struct inlay_model *m = make(s);
    struct inlay_cut cut = {3, torn, seed};
    uint8_t a[16];
    jmp_buf power;
    pattern(a, 16, 5);
    pattern(want, 32, 6);
    m->power = &power;
    inlay_model_arm(m, &cut);
    if (!setjmp(power)) {
        wipe(m, 0, 128);
        put(m, 0, a, 16);
        put(m, 48, a, 16);
        put(m, 16, want, 32);
        fail_msg("power was not cut");
    }
    inlay_model_boot(m);
    assert_string_equal(m->broken, "");
    return m;
}

/* Bits of the torn program that happened, of those that were to. */
static unsigned bits_done(struct inlay_model *m, const uint8_t *want, unsigned *of)
{
    unsigned done = 0;
    *of = 0;
    for (unsigned i = 0; i < 32; i++) {
        uint8_t erased = slot(m)->spec.erased, now = slot(m)->data[16 + i];
        *of += (unsigned)__builtin_popcount(want[i] ^ erased);
        done += (unsigned)__builtin_popcount((now ^ erased) & (want[i] ^ erased));
        assert_int_equal((now ^ erased) & ~(want[i] ^ erased), 0); /* no other bits */
    }
    return done;
}

static int finished_data_is_whole(struct inlay_model *m)
{
    uint8_t a[16];
    pattern(a, 16, 5);
    return !memcmp(a, slot(m)->data, 16) && !memcmp(a, slot(m)->data + 48, 16);
}

static void program_torn_before_and_after(void **state)
{
    uint8_t want[32], b[32];
    (void)state;
    struct inlay_model *m = torn_program(spec(8, 0xFF, 1), INLAY_TORN_BEFORE, 1, want);
    assert_int_equal(put(m, 16, want, 32), 0); /* still erased */
    inlay_model_free(m);
    m = torn_program(spec(8, 0xFF, 1), INLAY_TORN_AFTER, 1, want);
    assert_int_equal(get(m, 16, b, 32), 0);
    assert_memory_equal(b, want, 32);
    assert_int_equal(put(m, 16, want, 32), -1);
    inlay_model_free(m);
}

static void program_torn_at_one_end(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++)
        for (int suffix = 0; suffix < 2; suffix++) {
            uint8_t want[32];
            struct inlay_model *m =
                torn_program(spec(4, seed & 1 ? 0xFF : 0, 0),
                             suffix ? INLAY_TORN_SUFFIX : INLAY_TORN_PREFIX, seed, want);
            const uint8_t *now = slot(m)->data + 16;
            unsigned n = 0, of;
            if (suffix)
                while (n < 32 && now[31 - n] == want[31 - n])
                    n++;
            else
                while (n < 32 && now[n] == want[n])
                    n++;
            assert_in_range(n, 0, 31);
            bits_done(m, want, &of);
            for (unsigned i = n; i < 32; i++)
                if (now[suffix ? 31 - i : i] != slot(m)->spec.erased)
                    fail_msg("seed %u: byte %u is neither done nor erased", seed, i);
            assert_true(finished_data_is_whole(m));
            inlay_model_free(m);
        }
}

static void program_torn_by_bits(void **state)
{
    unsigned between = 0;
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++) {
        uint8_t want[32];
        unsigned done, of;
        struct inlay_model *m = torn_program(spec(8, 0, 0), INLAY_TORN_ONE_BIT, seed, want);
        assert_int_equal(bits_done(m, want, &of), 1);
        inlay_model_free(m);
        m = torn_program(spec(8, 0, 0), INLAY_TORN_ALL_BUT_ONE, seed, want);
        done = bits_done(m, want, &of);
        assert_int_equal(done, of - 1);
        inlay_model_free(m);
        m = torn_program(spec(8, 0xFF, 0), INLAY_TORN_RANDOM, seed, want);
        done = bits_done(m, want, &of);
        between += done > of / 4 && done < of * 3 / 4;
        assert_true(finished_data_is_whole(m));
        inlay_model_free(m);
    }
    assert_true(between > TRIES * 3 / 4);
}

/* With ECC a granule that is neither erased nor finished cannot be read. */
static void torn_granules_fault(void **state)
{
    static const enum inlay_torn modes[] = {INLAY_TORN_PREFIX, INLAY_TORN_SUFFIX, INLAY_TORN_RANDOM,
                                            INLAY_TORN_ONE_BIT, INLAY_TORN_ALL_BUT_ONE};
    unsigned faults = 0;
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++)
        for (unsigned t = 0; t < 5; t++) {
            uint8_t want[32], b[8], erased[8];
            struct inlay_model *m = torn_program(spec(8, 0xFF, 1), modes[t], seed, want);
            memset(erased, 0xFF, 8);
            for (unsigned i = 0; i < 32; i += 8) {
                const uint8_t *now = slot(m)->data + 16 + i;
                int whole = !memcmp(now, want + i, 8) || !memcmp(now, erased, 8);
                assert_int_equal(get(m, 16 + i, b, 8), whole ? 0 : -1);
                faults += !whole;
            }
            assert_int_equal(get(m, 0, b, 8), 0);
            inlay_model_free(m);
        }
    assert_true(faults > TRIES);
}

static void program_torn_hurts_its_neighbour(void **state)
{
    unsigned faults = 0;
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++) {
        uint8_t want[32], b[8], before[128];
        struct inlay_model *m = torn_program(spec(8, 0xFF, 0), INLAY_TORN_NEIGHBOUR, seed, want);
        assert_false(finished_data_is_whole(m));
        inlay_model_free(m);
        m = torn_program(spec(8, 0xFF, 1), INLAY_TORN_NEIGHBOUR, seed, want);
        for (unsigned i = 0; i < 16; i += 8)
            faults += (get(m, i, b, 8) != 0) + (get(m, 48 + i, b, 8) != 0);
        memset(before, 0xFF, 64);
        assert_memory_equal(slot(m)->data + 64, before, 64); /* another page */
        inlay_model_free(m);
    }
    assert_int_equal(faults, TRIES);
}

static void unstable_bits_change_with_the_boot(void **state)
{
    unsigned changed = 0, faulted = 0, read = 0;
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++) {
        uint8_t want[32], first[32], again[32];
        struct inlay_model *m = torn_program(spec(8, 0xFF, 0), INLAY_TORN_UNSTABLE, seed, want);
        for (unsigned boot = 0; boot < 8; boot++) {
            assert_int_equal(get(m, 16, first, 32), 0);
            assert_int_equal(get(m, 16, again, 32), 0);
            assert_memory_equal(first, again, 32); /* steady within a boot */
            changed += memcmp(first, want, 32) != 0;
            inlay_model_boot(m);
        }
        assert_false(inlay_model_holds(slot(m), slot(m)->data, 48));
        inlay_model_free(m);
        m = torn_program(spec(8, 0xFF, 1), INLAY_TORN_UNSTABLE, seed, want);
        for (unsigned boot = 0; boot < 8; boot++) {
            int rc = get(m, 16, first, 32);
            faulted += rc != 0;
            read += rc == 0;
            if (!rc)
                assert_memory_equal(first, want, 32);
            inlay_model_boot(m);
        }
        inlay_model_free(m);
    }
    assert_in_range(changed, TRIES * 2, TRIES * 8 - TRIES / 4);
    assert_true(faulted > TRIES * 2 && read > TRIES / 4);
}

/* ---- torn erases ---- */

/* Block 1 holds a pattern; its erase is torn. */
static struct inlay_model *torn_erase(struct inlay_profile_area s, enum inlay_torn torn,
                                      uint32_t seed, uint8_t old[128])
{
    struct inlay_model *m = make(s);
    struct inlay_cut cut = {2, torn, seed};
    jmp_buf power;
    pattern(old, 128, 9);
    m->power = &power;
    inlay_model_arm(m, &cut);
    if (!setjmp(power)) {
        wipe(m, 128, 128);
        put(m, 128, old, 128);
        wipe(m, 128, 128);
        fail_msg("power was not cut");
    }
    inlay_model_boot(m);
    return m;
}

static unsigned count_erased(struct inlay_model *m, const uint8_t *old, unsigned *kept)
{
    unsigned erased = 0;
    *kept = 0;
    for (unsigned i = 0; i < 128; i++) {
        erased += slot(m)->data[128 + i] == slot(m)->spec.erased;
        *kept += slot(m)->data[128 + i] == old[i];
    }
    return erased;
}

static void erase_torn_before_and_after(void **state)
{
    uint8_t old[128], b[128];
    (void)state;
    struct inlay_model *m = torn_erase(spec(8, 0xFF, 1), INLAY_TORN_BEFORE, 1, old);
    assert_int_equal(get(m, 128, b, 128), 0);
    assert_memory_equal(b, old, 128);
    inlay_model_free(m);
    m = torn_erase(spec(8, 0xFF, 1), INLAY_TORN_AFTER, 1, old);
    assert_int_equal(slot(m)->block[1].erases, 2);
    assert_int_equal(put(m, 128, old, 128), 0);
    assert_int_equal(get(m, 128, b, 128), 0);
    assert_memory_equal(b, old, 128);
    inlay_model_free(m);
}

static void erase_torn_at_one_end(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++) {
        uint8_t old[128], b[128];
        unsigned n = 0;
        struct inlay_model *m = torn_erase(spec(8, 0, 1), INLAY_TORN_PREFIX, seed, old);
        while (n < 128 && slot(m)->data[128 + n] == 0)
            n++;
        assert_in_range(n, 1, 127);
        assert_memory_equal(slot(m)->data + 128 + n, old + n, 128 - n);
        assert_int_equal(get(m, 128, b, 128), 0); /* whole granules: nothing faults */
        inlay_model_free(m);
        m = torn_erase(spec(8, 0, 1), INLAY_TORN_SUFFIX, seed, old);
        for (n = 128; n && slot(m)->data[127 + n] == 0;)
            n--;
        assert_in_range(n, 1, 127);
        assert_memory_equal(slot(m)->data + 128, old, n);
        inlay_model_free(m);
    }
}

static void erase_torn_by_bits(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++) {
        uint8_t old[128], b[128];
        unsigned kept, erased;
        struct inlay_model *m = torn_erase(spec(8, 0xFF, 0), INLAY_TORN_ONE_BIT, seed, old);
        count_erased(m, old, &kept);
        assert_int_equal(kept, 127);
        inlay_model_free(m);
        m = torn_erase(spec(8, 0xFF, 0), INLAY_TORN_ALL_BUT_ONE, seed, old);
        assert_int_equal(count_erased(m, old, &kept), 127);
        inlay_model_free(m);
        m = torn_erase(spec(8, 0xFF, 0), INLAY_TORN_RANDOM, seed, old);
        erased = count_erased(m, old, &kept);
        assert_true(erased < 64 && kept < 64);
        inlay_model_free(m);
        m = torn_erase(spec(8, 0xFF, 1), INLAY_TORN_RANDOM, seed, old);
        assert_int_equal(get(m, 128, b, 128), -1);
        inlay_model_free(m);
    }
}

static void half_erased_blocks_mix_old_and_erased(void **state)
{
    unsigned mixed = 0;
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++) {
        uint8_t old[128], b[128], erased[8];
        unsigned gone = 0;
        struct inlay_model *m = torn_erase(spec(8, 0xFF, 1), INLAY_TORN_HALF_ERASED, seed, old);
        memset(erased, 0xFF, 8);
        assert_int_equal(get(m, 128, b, 128), 0);
        for (unsigned i = 0; i < 128; i += 8) {
            gone += !memcmp(b + i, erased, 8);
            assert_true(!memcmp(b + i, erased, 8) || !memcmp(b + i, old + i, 8));
        }
        mixed += gone > 2 && gone < 14;
        inlay_model_free(m);
    }
    assert_true(mixed > TRIES * 3 / 4);
}

/* Reads erased; without another erase some of what is programmed is not there. */
static void weakly_erased_cells_do_not_hold(void **state)
{
    static const enum inlay_torn modes[] = {INLAY_TORN_WEAK, INLAY_TORN_UNSTABLE};
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++)
        for (unsigned t = 0; t < 2; t++)
            for (int ecc = 0; ecc < 2; ecc++) {
                uint8_t old[128], b[128];
                struct inlay_model *m = torn_erase(spec(8, 0xFF, ecc), modes[t], seed, old);
                for (unsigned i = 0; i < 128; i++)
                    assert_int_equal(slot(m)->data[128 + i], 0xFF);
                if (modes[t] == INLAY_TORN_WEAK) {
                    assert_int_equal(get(m, 128, b, 128), 0);
                    assert_int_equal(put(m, 128, old, 128), 0);
                    assert_true(get(m, 128, b, 128) || memcmp(b, old, 128));
                }
                inlay_model_boot(m);
                assert_int_equal(wipe(m, 128, 128), 0);
                assert_int_equal(put(m, 128, old, 128), 0);
                assert_int_equal(get(m, 128, b, 128), 0);
                assert_memory_equal(b, old, 128);
                inlay_model_free(m);
            }
}

static void unstable_erases_change_with_the_boot(void **state)
{
    unsigned changed = 0;
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++) {
        uint8_t old[128], b[128];
        struct inlay_model *m = torn_erase(spec(8, 0xFF, 0), INLAY_TORN_UNSTABLE, seed, old);
        for (unsigned boot = 0; boot < 8; boot++) {
            assert_int_equal(get(m, 128, b, 128), 0);
            for (unsigned i = 0; i < 128; i++)
                changed += b[i] != 0xFF;
            inlay_model_boot(m);
        }
        inlay_model_free(m);
    }
    assert_true(changed > TRIES * 8);
}

/* A block between old and erased is not erased, whatever it reads like. */
static void torn_erases_must_be_done_again(void **state)
{
    static const enum inlay_torn modes[] = {INLAY_TORN_PREFIX,      INLAY_TORN_SUFFIX,
                                            INLAY_TORN_RANDOM,      INLAY_TORN_ONE_BIT,
                                            INLAY_TORN_ALL_BUT_ONE, INLAY_TORN_HALF_ERASED};
    (void)state;
    for (uint32_t seed = 0; seed < TRIES; seed++)
        for (unsigned t = 0; t < sizeof modes / sizeof modes[0]; t++) {
            uint8_t old[128], b[128];
            struct inlay_model *m = torn_erase(spec(8, 0xFF, 0), modes[t], seed, old);
            int rc = put(m, 128, old, 128) || get(m, 128, b, 128) || memcmp(b, old, 128);
            assert_true(rc);
            inlay_model_free(m);
        }
}

/* ---- modes, copies, logs ---- */

static void modes_have_names_and_places(void **state)
{
    (void)state;
    for (unsigned t = 0; t < INLAY_TORN_COUNT; t++) {
        enum inlay_torn torn = (enum inlay_torn)t;
        assert_int_equal(inlay_torn_find(inlay_torn_name(torn)), torn);
        assert_true(inlay_torn_applies(torn, 0) || inlay_torn_applies(torn, 1));
    }
    assert_int_equal(inlay_torn_find("sideways"), INLAY_TORN_COUNT);
    assert_false(inlay_torn_applies(INLAY_TORN_WEAK, 0));
    assert_false(inlay_torn_applies(INLAY_TORN_HALF_ERASED, 0));
    assert_false(inlay_torn_applies(INLAY_TORN_NEIGHBOUR, 1));
}

static void tearing_depends_on_its_seed_only(void **state)
{
    (void)state;
    for (unsigned t = INLAY_TORN_PREFIX; t < INLAY_TORN_COUNT; t++) {
        unsigned differ = 0;
        for (uint32_t seed = 0; seed < 16; seed++) {
            uint8_t old[128];
            struct inlay_profile_area s = spec(8, 0xFF, 0);
            struct inlay_model *a = torn_erase(s, (enum inlay_torn)t, seed, old);
            struct inlay_model *b = torn_erase(s, (enum inlay_torn)t, seed, old);
            struct inlay_model *c = torn_erase(s, (enum inlay_torn)t, seed + 100, old);
            assert_memory_equal(slot(a)->data, slot(b)->data, LEN);
            assert_memory_equal(slot(a)->noise, slot(b)->noise, LEN);
            assert_memory_equal(slot(a)->cell, slot(b)->cell, LEN / 8);
            differ += memcmp(slot(a)->data, slot(c)->data, LEN) ||
                      memcmp(slot(a)->noise, slot(c)->noise, LEN) ||
                      memcmp(slot(a)->cell, slot(c)->cell, LEN / 8);
            inlay_model_free(a);
            inlay_model_free(b);
            inlay_model_free(c);
        }
        assert_true(differ > 4);
    }
}

static void assert_same(struct inlay_model *a, struct inlay_model *b)
{
    assert_memory_equal(slot(a)->data, slot(b)->data, LEN);
    assert_memory_equal(slot(a)->noise, slot(b)->noise, LEN);
    assert_memory_equal(slot(a)->cell, slot(b)->cell, LEN / 8);
    assert_memory_equal(slot(a)->block, slot(b)->block, slot(a)->blocks * sizeof *slot(a)->block);
    assert_int_equal(a->ops, b->ops);
    assert_int_equal(a->boot, b->boot);
}

static void copies_are_restored_exactly(void **state)
{
    uint8_t old[128], b[8] = {0};
    (void)state;
    for (unsigned t = 0; t < INLAY_TORN_COUNT; t++) {
        struct inlay_model *m = torn_erase(spec(8, 0xFF, 1), (enum inlay_torn)t, t, old);
        struct inlay_model *plain = make(spec(8, 0xFF, 1)), *c = inlay_model_copy(m);
        assert_same(m, c);
        assert_ptr_equal(slot(c)->flash.ctx, slot(c));
        wipe(c, 128, 128); /* a copy's changes are its own */
        put(c, 128, b, 8);
        wipe(c, 512, 256);
        assert_int_equal(slot(m)->block[4].erases, 0);
        inlay_model_restore(c, m);
        assert_same(m, c);
        wipe(m, 768, 256);
        inlay_model_restore(c, m);
        assert_same(m, c);
        inlay_model_free(plain);
        inlay_model_free(c);
        inlay_model_free(m);
    }
}

static void logs_can_be_redone(void **state)
{
    struct inlay_model *m = make(spec(8, 0xFF, 0)), *c = inlay_model_copy(m);
    struct inlay_model_log log = {0};
    uint8_t a[64];
    (void)state;
    m->log = &log;
    for (unsigned i = 0; i < 40; i++) {
        pattern(a, 64, i);
        m->mark = i;
        assert_int_equal(wipe(m, i % 4 * 128, 128), 0);
        assert_int_equal(put(m, i % 4 * 128 + 8, a, 64), 0);
    }
    assert_int_equal(log.count, 80);
    assert_int_equal(log.op[79].mark, 39);
    for (size_t i = 0; i < log.count; i++)
        inlay_model_redo(c, &log, i);
    assert_memory_equal(slot(m)->data, slot(c)->data, LEN);
    assert_int_equal(c->ops, m->ops);
    assert_string_equal(c->broken, "");
    inlay_model_log_free(&log);
    inlay_model_free(m);
    inlay_model_free(c);
}

/* Tearing a logged operation is the same as a cut while the device does it. */
static void redone_and_live_tears_agree(void **state)
{
    (void)state;
    for (unsigned t = 0; t < INLAY_TORN_COUNT; t++) {
        uint8_t want[32], a[16];
        struct inlay_model *live = torn_program(spec(8, 0xFF, 1), (enum inlay_torn)t, 3, want);
        struct inlay_model *m = make(spec(8, 0xFF, 1));
        struct inlay_model_log log = {0};
        struct inlay_cut cut = {3, (enum inlay_torn)t, 3};
        pattern(a, 16, 5);
        wipe(m, 0, 128);
        put(m, 0, a, 16);
        put(m, 48, a, 16);
        struct inlay_model *c = inlay_model_copy(m);
        m->log = &log;
        put(m, 16, want, 32);
        inlay_model_redo_torn(c, &log, 0, &cut);
        assert_memory_equal(slot(live)->data, slot(c)->data, LEN);
        assert_memory_equal(slot(live)->cell, slot(c)->cell, LEN / 8);
        assert_int_equal(live->seed, c->seed);
        inlay_model_log_free(&log);
        inlay_model_free(live);
        inlay_model_free(m);
        inlay_model_free(c);
    }
}

static void holding_means_programmed_for_good(void **state)
{
    uint8_t a[128], erased[8];
    struct inlay_model *m = make(spec(8, 0xFF, 0));
    (void)state;
    pattern(a, 128, 1);
    memset(erased, 0xFF, 8);
    wipe(m, 0, 128);
    assert_false(inlay_model_holds(slot(m), erased, 8)); /* erased is not programmed */
    put(m, 0, a, 128);
    assert_true(inlay_model_holds(slot(m), a, 128));
    assert_true(inlay_model_holds(slot(m), a, 121));
    a[120] ^= 1;
    assert_false(inlay_model_holds(slot(m), a, 121));
    assert_true(inlay_model_holds(slot(m), a, 120));
    inlay_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erase_program_read),
        cmocka_unit_test(stale_flash_is_not_erased),
        cmocka_unit_test(only_whole_blocks_are_erased),
        cmocka_unit_test(outside_is_refused),
        cmocka_unit_test(misaligned_writes_are_refused),
        cmocka_unit_test(locked_areas_are_only_read),
        cmocka_unit_test(a_granule_is_written_so_often),
        cmocka_unit_test(ecc_faults_after_writing_twice),
        cmocka_unit_test(wear_and_costs_are_counted),
        cmocka_unit_test(areas_share_counter_and_power),
        cmocka_unit_test(an_area_as_large_as_the_image),
        cmocka_unit_test(spoiled_cells_store_wrong_bits),
        cmocka_unit_test(program_torn_before_and_after),
        cmocka_unit_test(program_torn_at_one_end),
        cmocka_unit_test(program_torn_by_bits),
        cmocka_unit_test(torn_granules_fault),
        cmocka_unit_test(program_torn_hurts_its_neighbour),
        cmocka_unit_test(unstable_bits_change_with_the_boot),
        cmocka_unit_test(erase_torn_before_and_after),
        cmocka_unit_test(erase_torn_at_one_end),
        cmocka_unit_test(erase_torn_by_bits),
        cmocka_unit_test(half_erased_blocks_mix_old_and_erased),
        cmocka_unit_test(weakly_erased_cells_do_not_hold),
        cmocka_unit_test(unstable_erases_change_with_the_boot),
        cmocka_unit_test(torn_erases_must_be_done_again),
        cmocka_unit_test(modes_have_names_and_places),
        cmocka_unit_test(tearing_depends_on_its_seed_only),
        cmocka_unit_test(copies_are_restored_exactly),
        cmocka_unit_test(logs_can_be_redone),
        cmocka_unit_test(redone_and_live_tears_agree),
        cmocka_unit_test(holding_means_programmed_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
