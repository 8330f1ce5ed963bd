/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small flash for the patcher's own tests: keeps the rules, counts
 * operations, and cuts power at one of them.
 */
#ifndef FLASH_DOUBLE_H
#define FLASH_DOUBLE_H

#include "flash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

enum cut_mode { CUT_BEFORE, CUT_AFTER, CUT_TORN, CUT_SHAKY, CUT_NEIGHBOUR, CUT_MODES };

struct power {
    uint32_t ops; /* erases and writes so far */
    uint32_t cut; /* power fails at this one, counted from 0 */
    enum cut_mode mode;
    uint64_t seed;
    jmp_buf off;
};

struct flash_double {
    struct inlay_flash f;
    struct power *power;
    uint32_t len;
    uint8_t *data;
    uint8_t *shaky;   /* bits that read as they like after the next reset */
    uint8_t *written; /* per byte: programmed, or not known to be erased */
    uint32_t *erases; /* per byte position of the block */
    uint32_t bad_pos; /* the next bad_left programs of this byte do not hold */
    uint32_t bad_left;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed += 0x9E3779B97F4A7C15u;
    uint64_t z = *seed;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(next_random(seed) % n);
}

/* 1: power goes now.  *done: how many of the len bytes the operation reaches. */
static int power_fails(struct power *p, uint32_t len, uint32_t *done)
{
    *done = len;
    if (p == NULL || p->ops++ != p->cut)
        return 0;
    if (p->mode == CUT_BEFORE)
        *done = 0;
    else if (p->mode == CUT_TORN || p->mode == CUT_NEIGHBOUR)
        *done = below(&p->seed, len + 1u);
    return 1;
}

static int double_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    struct flash_double *d = ctx;
    assert_true(pos <= d->len && len <= d->len - pos);
    memcpy(buf, d->data + pos, len);
    return 0;
}

static int double_erase(void *ctx, uint32_t pos, uint32_t len)
{
    struct flash_double *d = ctx;
    struct inlay_span b = inlay_region_block(d->f.region, d->f.regions, pos);
    uint32_t done;
    assert_true(b.pos == pos && b.len == len && len > 0);
    int off = power_fails(d->power, len, &done);
    memset(d->data + pos, d->f.erased, done);
    memset(d->shaky + pos, 0, done);
    memset(d->written + pos, off, len);
    d->erases[pos]++;
    if (off)
        longjmp(d->power->off, 1);
    return 0;
}

/* A torn write also spoils a byte that was finished earlier in its page. */
static void hurt_neighbour(struct flash_double *d, uint32_t pos)
{
    uint32_t page = d->f.page_len != 0 ? d->f.page_len : 512u;
    struct inlay_span b = inlay_region_block(d->f.region, d->f.regions, pos);
    uint32_t from = pos - pos % page;
    from = from < b.pos ? b.pos : from;
    if (from < pos)
        d->data[from + below(&d->power->seed, pos - from)] ^= 0x24;
}

static int double_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    struct flash_double *d = ctx;
    uint32_t done;
    assert_true(len > 0 && pos <= d->len && len <= d->len - pos);
    assert_true(pos % d->f.write_size == 0 && len % d->f.write_size == 0);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(d->written[pos + i], 0);
    int off = power_fails(d->power, len, &done);
    memcpy(d->data + pos, buf, done);
    memset(d->written + pos, 1, len);
    if (d->bad_left > 0 && d->bad_pos >= pos && d->bad_pos < pos + len) {
        d->bad_left--;
        d->data[d->bad_pos] ^= 1;
    }
    if (off && d->power->mode == CUT_NEIGHBOUR)
        hurt_neighbour(d, pos);
    if (off && d->power->mode == CUT_SHAKY)
        for (uint32_t i = 0; i < len; i++)
            if (below(&d->power->seed, 16) == 0)
                d->shaky[pos + i] = (uint8_t)(1u << below(&d->power->seed, 8));
    if (off)
        longjmp(d->power->off, 1);
    return 0;
}

/* Half-programmed bits settle anew on each boot: all right, or all wrong. */
static void double_boot(struct flash_double *d, uint64_t *seed)
{
    int flip = (int)below(seed, 2);
    for (uint32_t i = 0; flip && i < d->len; i++)
        d->data[i] ^= d->shaky[i];
}

static void double_open(struct flash_double *d, struct power *power, uint32_t write_size,
                        uint8_t erased, const struct inlay_region *region, uint8_t regions)
{
    memset(d, 0, sizeof *d);
    d->f.ctx = d;
    d->f.read = double_read;
    d->f.erase = double_erase;
    d->f.write = double_write;
    d->f.write_size = write_size;
    d->f.erased = erased;
    d->f.regions = regions;
    memcpy(d->f.region, region, regions * sizeof *region);
    d->power = power;
    d->len = inlay_region_size(region, regions);
    d->data = malloc(d->len);
    d->shaky = calloc(d->len, 1);
    d->written = malloc(d->len);
    d->erases = calloc(d->len, sizeof *d->erases);
    assert_true(d->data != NULL && d->shaky != NULL && d->written != NULL && d->erases != NULL);
    memset(d->data, 0x5A, d->len);
    memset(d->written, 1, d->len);
}

static void double_close(struct flash_double *d)
{
    free(d->data);
    free(d->shaky);
    free(d->written);
    free(d->erases);
}

static void sodium_init_256(void *ctx, void *state)
{
    (void)ctx;
    crypto_hash_sha256_init(state);
}

static void sodium_update_256(void *ctx, void *state, const void *data, size_t len)
{
    (void)ctx;
    crypto_hash_sha256_update(state, data, len);
}

static void sodium_final_256(void *ctx, void *state, uint8_t digest[32])
{
    (void)ctx;
    crypto_hash_sha256_final(state, digest);
}

#endif
