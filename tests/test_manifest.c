/* SPDX-License-Identifier: Apache-2.0 */
/* Manifest and container: what is written reads back, and nothing else is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "container.h"

static struct inlay_manifest plain(void)
{
    struct inlay_manifest m = {.chunk_log = 10, .codec = 1};
    m.old_size = 300000;
    m.new_size = 300100;
    memset(m.old_digest, 0x11, 32);
    memset(m.new_digest, 0x22, 32);
    return m;
}

static struct inlay_manifest in_place(void)
{
    struct inlay_manifest m = plain();
    m.in_place = 1;
    m.check_len = 8;
    m.regions = 2;
    m.region[0] = (struct inlay_region){4, 16384};
    m.region[1] = (struct inlay_region){4, 65536};
    m.stage_blocks = 2;
    m.pool_len = 5000;
    m.plan_len = 20;
    m.params_len = 3;
    memcpy(m.params, "abc", 3);
    m.security_counter = 300;
    return m;
}

static const struct inlay_container_fields all_fields = {.old_version = "1.2.3",
                                                         .new_version = "1.3.0",
                                                         .component = (const uint8_t *)"radio",
                                                         .component_len = 5};

static void write_patch(const struct inlay_manifest *m, const struct inlay_container_fields *f,
                        size_t payload_len, struct inlay_buffer *out)
{
    struct inlay_error err = {{0}};
    uint8_t *payload = malloc(payload_len + 1u);
    assert_non_null(payload);
    for (size_t i = 0; i < payload_len; i++)
        payload[i] = (uint8_t)(i * 7u);
    int rc = inlay_container_write(m, f, payload, payload_len, out, &err);
    free(payload);
    if (rc != 0)
        fail_msg("%s", err.text);
}

static void a_plain_patch_has_a_small_manifest(void **state)
{
    (void)state;
    struct inlay_manifest m = plain(), got;
    struct inlay_buffer b = {0};
    write_patch(&m, NULL, 200, &b);
    assert_int_equal(inlay_manifest_read(&got, b.data, b.len), INLAY_OK);
    assert_true(got.len <= 20);
    assert_int_equal(got.check_len, 0);
    assert_int_equal(got.old_digest_len, 4);
    assert_int_equal(got.new_digest_len, 4);
    assert_int_equal(got.link_len, 2);
    assert_int_equal(got.first_link_len, 2);
    assert_int_equal(got.body_pos, got.len + 2);
    assert_int_equal(b.len, got.body_pos + 200u);
    inlay_buffer_free(&b);
}

static void everything_reads_back(void **state)
{
    (void)state;
    struct inlay_manifest m = in_place(), got;
    struct inlay_buffer b = {0};
    write_patch(&m, &all_fields, 5000, &b);
    assert_int_equal(inlay_manifest_read(&got, b.data, b.len), INLAY_OK);
    assert_int_equal(got.in_place, 1);
    assert_int_equal(got.chunk_log, 10);
    assert_int_equal(got.check_len, 8);
    assert_int_equal(got.old_digest_len, 4);
    assert_int_equal(got.link_len, 2);
    assert_int_equal(got.body_pos, got.len + 4);
    assert_int_equal(got.codec, 1);
    assert_int_equal(got.regions, 2);
    assert_int_equal(got.old_size, m.old_size);
    assert_int_equal(got.new_size, m.new_size);
    assert_int_equal(got.payload_len, 5000);
    assert_int_equal(got.plan_len, 20);
    assert_int_equal(got.stage_blocks, 2);
    assert_int_equal(got.pool_len, 5000);
    assert_int_equal(got.security_counter, 300);
    assert_memory_equal(got.old_digest, m.old_digest, 4);
    assert_int_equal(got.new_digest_len, 4);
    assert_memory_equal(got.new_digest, m.new_digest, 4);
    assert_memory_equal(got.region, m.region, 2 * sizeof m.region[0]);
    assert_int_equal(got.params_len, 3);
    assert_memory_equal(got.params, "abc", 3);
    assert_int_equal(got.component.len, 5);
    assert_memory_equal(b.data + got.component.pos, "radio", 5);
    assert_memory_equal(b.data + got.old_version.pos, "1.2.3", got.old_version.len);
    assert_memory_equal(b.data + got.new_version.pos, "1.3.0", got.new_version.len);
    inlay_buffer_free(&b);
}

static int sign_long(void *ctx, const uint8_t *manifest, size_t manifest_len, uint8_t *sig,
                     size_t room, size_t *sig_len, struct inlay_error *err)
{
    (void)ctx;
    (void)manifest;
    (void)manifest_len;
    (void)err;
    assert_true(room >= 200);
    memset(sig, 0x77, 200);
    *sig_len = 200;
    return 0;
}

/* Follows the chain by hand. */
static void follow_chain(size_t payload_len, const struct inlay_container_fields *f,
                         size_t link_len)
{
    struct inlay_manifest m = plain(), got;
    struct inlay_buffer b = {0};
    uint8_t link[16], digest[32], first[32 + 512];
    m.chunk_log = 9;
    write_patch(&m, f, payload_len, &b);
    assert_int_equal(inlay_container_open(b.data, b.len, &got, NULL), 0);
    assert_int_equal(got.link_len, link_len);
    memcpy(link, got.first_link, link_len);
    size_t pos = got.body_pos, payload = 0;
    uint32_t chunks = 0;
    do {
        int last = b.len - pos <= 512;
        size_t len = last ? b.len - pos : 512;
        inlay_sha256(b.data + pos, len, digest);
        if (chunks == 0 && !f) { /* vouches for the manifest, too */
            inlay_sha256(b.data, got.len, first);
            memcpy(first + 32, b.data + pos, len);
            inlay_sha256(first, 32 + len, digest);
        }
        assert_memory_equal(digest, link, link_len);
        for (size_t k = 0; k < (last ? len : len - link_len); k++, payload++)
            assert_int_equal(b.data[pos + k], (uint8_t)(payload * 7u));
        if (!last)
            memcpy(link, b.data + pos + 512 - link_len, link_len);
        pos += len;
        chunks++;
    } while (pos < b.len);
    assert_int_equal(payload, payload_len);
    assert_int_equal(chunks, inlay_manifest_chunks(&got));
    inlay_buffer_free(&b);
}

static void chunks_are_linked(void **state)
{
    (void)state;
    static const struct inlay_container_fields f = {.sign = sign_long};
    static const size_t lens[] = {0,    1,    3,    4,    5,    15,   16,   17,   495,
                                  496,  497,  508,  509,  511,  512,  513,  519,  520,
                                  521,  1007, 1008, 1009, 1015, 1016, 1017, 1020, 1022,
                                  1024, 1504, 1505, 1520, 1521, 20000};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        follow_chain(lens[i], NULL, 2);
        follow_chain(lens[i], &f, 16);
    }
}

static void a_truncated_manifest_asks_for_more(void **state)
{
    (void)state;
    struct inlay_manifest m = in_place(), got;
    struct inlay_buffer b = {0};
    write_patch(&m, &all_fields, 100, &b);
    assert_int_equal(inlay_manifest_read(&got, b.data, b.len), INLAY_OK);
    size_t body = got.body_pos;
    for (size_t n = 0; n < body; n++) {
        uint8_t *exact = malloc(n + 1u); /* so that a sanitizer sees every byte too many */
        assert_non_null(exact);
        memcpy(exact, b.data, n);
        assert_int_equal(inlay_manifest_read(&got, exact, n), INLAY_MORE);
        free(exact);
        assert_int_equal(inlay_container_open(b.data, n, &got, NULL), 4);
    }
    for (size_t n = body; n < b.len; n++)
        assert_int_equal(inlay_container_open(b.data, n, &got, NULL), 4);
    assert_int_equal(inlay_buffer_add_byte(&b, 0), 0);
    assert_int_equal(inlay_container_open(b.data, b.len, &got, NULL), 4);
    inlay_buffer_free(&b);
}

/* A flipped bit is refused or changes what was read: no two manifests mean the same. */
static void every_flipped_bit_matters(void **state)
{
    (void)state;
    struct inlay_manifest m = in_place(), good, got;
    struct inlay_buffer b = {0};
    write_patch(&m, &all_fields, 100, &b);
    assert_int_equal(inlay_manifest_read(&good, b.data, b.len), INLAY_OK);
    unsigned refused = 0;
    for (size_t bit = 0; bit < 8u * good.len; bit++) {
        b.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        enum inlay_status st = inlay_manifest_read(&got, b.data, b.len);
        assert_true(st == INLAY_OK || st == INLAY_MORE || st == INLAY_E_CORRUPT ||
                    st == INLAY_E_UNSUPPORTED || st == INLAY_E_LIMIT);
        /* Text fields are read by place, not by content. */
        int text = (bit / 8u >= good.component.pos &&
                    bit / 8u < (size_t)good.component.pos + good.component.len) ||
                   (bit / 8u >= good.old_version.pos &&
                    bit / 8u < (size_t)good.old_version.pos + good.old_version.len) ||
                   (bit / 8u >= good.new_version.pos &&
                    bit / 8u < (size_t)good.new_version.pos + good.new_version.len);
        if (st == INLAY_OK && !text)
            assert_memory_not_equal(&got, &good, sizeof got);
        refused += st != INLAY_OK;
        b.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
    }
    assert_true(refused > 100);
    inlay_buffer_free(&b);
}

static void expect(struct inlay_buffer *b, size_t pos, uint8_t value, enum inlay_status want)
{
    struct inlay_manifest got;
    uint8_t was = b->data[pos];
    b->data[pos] = value;
    assert_int_equal(inlay_manifest_read(&got, b->data, b->len), want);
    b->data[pos] = was;
}

static void what_is_wrong_has_its_own_status(void **state)
{
    (void)state;
    struct inlay_manifest m = plain(), got;
    struct inlay_buffer b = {0};
    const struct inlay_container_fields f = {.old_version = "a"};
    write_patch(&m, &f, 100, &b);
    assert_int_equal(inlay_manifest_read(&got, b.data, b.len), INLAY_OK);
    expect(&b, 0, 'X', INLAY_E_CORRUPT);
    expect(&b, 2, 0x94, INLAY_E_UNSUPPORTED);                 /* level */
    expect(&b, 2, 0x55, INLAY_E_CORRUPT);                     /* in place without geometry */
    expect(&b, got.old_version.pos - 3u, 2, INLAY_E_CORRUPT); /* fields shorter than theirs */
    expect(&b, got.old_version.pos - 3u, 0, INLAY_E_CORRUPT);
    expect(&b, got.old_version.pos - 2u, 0x70, INLAY_E_UNSUPPORTED); /* unknown, must be known */
    expect(&b, got.old_version.pos - 2u, 0xF0, INLAY_OK);            /* unknown, may be ignored */
    expect(&b, got.old_version.pos - 1u, 2, INLAY_E_CORRUPT);
    expect(&b, got.old_version.pos - 1u, 0, INLAY_E_CORRUPT);
    inlay_buffer_free(&b);
}

static void only_the_shortest_numbers_count(void **state)
{
    (void)state;
    struct inlay_manifest m = plain(), got;
    struct inlay_buffer b = {0};
    m.old_size = 1;
    write_patch(&m, NULL, 100, &b);
    /* old_size 01 becomes 81 00: the same number, one byte longer. */
    assert_int_equal(inlay_buffer_add_byte(&b, 0), 0);
    memmove(b.data + 6, b.data + 5, b.len - 6u);
    b.data[4] = 0x81;
    b.data[5] = 0x00;
    assert_int_equal(inlay_manifest_read(&got, b.data, b.len), INLAY_E_CORRUPT);
    inlay_buffer_free(&b);
}

/* Damage to an unsigned manifest shows, also where every value would still make sense. */
static void an_unsigned_manifest_is_sealed(void **state)
{
    (void)state;
    struct inlay_manifest m = plain(), got;
    struct inlay_buffer b = {0};
    write_patch(&m, NULL, 100, &b);
    assert_int_equal(inlay_container_open(b.data, b.len, &got, NULL), 0);
    for (size_t bit = 0; bit < 8u * b.len; bit++) {
        struct inlay_manifest bad;
        b.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
        assert_int_equal(inlay_container_open(b.data, b.len, &bad, NULL), INLAY_EXIT_CORRUPT);
        b.data[bit / 8u] ^= (uint8_t)(1u << bit % 8u);
    }
    inlay_buffer_free(&b);
}

static void refused(const struct inlay_manifest *m, const struct inlay_container_fields *f,
                    int want)
{
    struct inlay_buffer b = {0};
    struct inlay_error err = {{0}};
    assert_int_equal(inlay_container_write(m, f, (const uint8_t *)"x", 1, &b, &err), want);
    assert_true(err.text[0] != 0);
    inlay_buffer_free(&b);
}

static void the_writer_refuses_what_the_reader_would(void **state)
{
    (void)state;
    struct inlay_manifest m = plain();
    m.chunk_log = 8;
    refused(&m, NULL, INLAY_EXIT_USAGE);
    m = plain();
    m.check_len = 17;
    refused(&m, NULL, INLAY_EXIT_USAGE);
    m = plain();
    m.codec = 4;
    refused(&m, NULL, INLAY_EXIT_USAGE);
    m = plain();
    m.params_len = 16;
    refused(&m, NULL, INLAY_EXIT_USAGE);
    m = plain();
    m.old_size = 0x80000000u;
    refused(&m, NULL, INLAY_EXIT_LIMIT);
    m = in_place();
    m.plan_len = 0;
    m.new_size = 4u * 16384u + 4u * 65536u + 1u;
    refused(&m, NULL, INLAY_EXIT_LIMIT);
    m = in_place();
    m.plan_len = 0;
    m.new_size = 0x7FFFFFFFu;
    m.region[1].count = 0x8000u;
    refused(&m, NULL, INLAY_EXIT_LIMIT);
}

static int give_up(void *ctx, const uint8_t *manifest, size_t manifest_len, uint8_t *sig,
                   size_t room, size_t *sig_len, struct inlay_error *err)
{
    (void)ctx;
    (void)manifest;
    (void)manifest_len;
    (void)sig;
    (void)room;
    (void)sig_len;
    return inlay_fail(err, INLAY_EXIT_SIGNATURE, "no key");
}

static void there_is_a_place_for_the_signature(void **state)
{
    (void)state;
    struct inlay_manifest m = plain(), got;
    struct inlay_container_fields f = {.sign = give_up};
    struct inlay_buffer b = {0};
    refused(&m, &f, INLAY_EXIT_SIGNATURE);
    f.sign = sign_long;
    write_patch(&m, &f, 100, &b);
    assert_int_equal(inlay_manifest_read(&got, b.data, b.len), INLAY_OK);
    assert_int_equal(got.sig.pos, got.len + 2);
    assert_int_equal(got.sig.len, 200);
    assert_int_equal(b.data[got.sig.pos], 0x77);
    assert_int_equal(b.data[got.sig.pos + 199], 0x77);
    assert_int_equal(got.body_pos, got.len + 202);
    assert_int_equal(got.link_len, 16);
    assert_int_equal(got.new_digest_len, 32);
    assert_memory_equal(got.new_digest, m.new_digest, 32);
    assert_int_equal(got.old_digest_len, 8);
    b.data[2] ^= INLAY_FLAG_SIGNED; /* not signed, it says */
    assert_int_equal(inlay_container_open(b.data, b.len, &got, NULL), INLAY_EXIT_CORRUPT);
    b.data[2] ^= INLAY_FLAG_SIGNED;
    assert_int_equal(inlay_container_open(b.data, b.len, &got, NULL), 0);
    for (size_t n = got.len; n < got.body_pos; n++) {
        struct inlay_manifest part;
        assert_int_equal(inlay_manifest_read(&part, b.data, n), INLAY_MORE);
    }
    inlay_buffer_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_patch_has_a_small_manifest),
        cmocka_unit_test(everything_reads_back),
        cmocka_unit_test(chunks_are_linked),
        cmocka_unit_test(a_truncated_manifest_asks_for_more),
        cmocka_unit_test(every_flipped_bit_matters),
        cmocka_unit_test(what_is_wrong_has_its_own_status),
        cmocka_unit_test(an_unsigned_manifest_is_sealed),
        cmocka_unit_test(only_the_shortest_numbers_count),
        cmocka_unit_test(the_writer_refuses_what_the_reader_would),
        cmocka_unit_test(there_is_a_place_for_the_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
