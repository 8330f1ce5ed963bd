/* SPDX-License-Identifier: Apache-2.0 */
/* A flash in RAM that keeps the rules and cuts power at a given operation. */
#ifndef FUZZ_FLASH_H
#define FUZZ_FLASH_H

#include "fuzz.h"
#include "inlay_patch.h"

#include <setjmp.h>

struct fuzz_power {
    uint32_t ops_left; /* erases and writes until power fails, if armed */
    int armed;
    jmp_buf off;
};

struct fuzz_flash {
    struct inlay_flash f;
    struct fuzz_power *power; /* or NULL */
    uint32_t len;
    uint8_t *data;
    uint8_t *used; /* per byte: programmed, or not known to be erased */
};

static int fuzz_flash_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct fuzz_flash *d = ctx;
    REQUIRE(pos <= d->len && len <= d->len - pos);
    memcpy(buf, d->data + pos, len);
    return 0;
}

/* 1: power goes away in the middle of this operation. */
static int fuzz_power_goes(struct fuzz_flash *d)
{
    return d->power && d->power->armed && d->power->ops_left-- == 0;
}

static int fuzz_flash_erase(void *ctx, uint32_t pos, uint32_t len)
{
    struct fuzz_flash *d = ctx;
    uint32_t at = 0;
    unsigned r = 0;
    while (r < d->f.regions && pos - at >= d->f.region[r].count * d->f.region[r].block_len) {
        at += d->f.region[r].count * d->f.region[r].block_len;
        r++;
    }
    REQUIRE(r < d->f.regions && len == d->f.region[r].block_len && (pos - at) % len == 0);
    int off = fuzz_power_goes(d);
    memset(d->data + pos, d->f.erased, off ? len / 2 : len);
    memset(d->used + pos, off, len);
    if (off)
        longjmp(d->power->off, 1);
    return 0;
}

static int fuzz_flash_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    struct fuzz_flash *d = ctx;
    REQUIRE(len > 0 && pos <= d->len && len <= d->len - pos);
    REQUIRE(pos % d->f.write_size == 0 && len % d->f.write_size == 0);
    for (uint32_t i = 0; i < len; i++)
        REQUIRE(!d->used[pos + i]);
    int off = fuzz_power_goes(d);
    memcpy(d->data + pos, buf, off ? len / 2 : len);
    memset(d->used + pos, 1, len);
    if (off)
        longjmp(d->power->off, 1);
    return 0;
}

/* Makes room for the geometry in d->f; everything reads 0x5A and counts as programmed. */
static void fuzz_flash_open(struct fuzz_flash *d, struct fuzz_power *power)
{
    d->len = 0;
    for (unsigned r = 0; r < d->f.regions; r++)
        d->len += d->f.region[r].count * d->f.region[r].block_len;
    d->f.ctx = d;
    d->f.read = fuzz_flash_read;
    d->f.erase = fuzz_flash_erase;
    d->f.write = fuzz_flash_write;
    d->power = power;
    d->data = malloc(d->len + 1u);
    d->used = malloc(d->len + 1u);
    REQUIRE(d->data && d->used);
    memset(d->data, 0x5A, d->len);
    memset(d->used, 1, d->len);
}

static void fuzz_flash_close(struct fuzz_flash *d)
{
    free(d->data);
    free(d->used);
}

#endif
