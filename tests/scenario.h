/* SPDX-License-Identifier: Apache-2.0 */
/* A random update in the language of raw_codec.h, and a device to apply it on. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "container.h"
#include "flash_double.h"
#include "journal.h"
#include "raw_codec.h"
#include "recipes.h"

struct shape {
    const char *name;
    uint32_t write_size, page_len;
    uint8_t erased;
    uint8_t slot_regions, work_regions;
    struct inlay_region slot[3], work[3];
    uint32_t stage_blocks; /* or, if blocks are staged as recipes, ... */
    uint32_t recipe_len;   /* ... bytes of these, no less than WORST of the longest block */
};
#define WORST(len) ((len) + (len) / 8u + 64u) /* bytes of a recipe of a random block */

static const struct shape shapes[] = {
    {"4 KB pages", 4, 0, 0xFF, 1, 1, {{8, 4096}}, {{8, 4096}}, 3, 0},
    {"byte writes", 1, 64, 0xFF, 1, 1, {{6, 1024}}, {{10, 1024}}, 2, 0},
    {"erased 0, small pages", 4, 64, 0x00, 1, 1, {{24, 128}}, {{64, 128}}, 8, 0},
    {"mixed sectors", 4, 0, 0xFF, 2, 2, {{3, 2048}, {3, 8192}}, {{3, 2048}, {3, 8192}}, 2, 0},
    {"32-byte granules", 32, 256, 0xFF, 1, 1, {{4, 8192}}, {{5, 8192}}, 1, 0},
    {"256-byte granules", 256, 256, 0x00, 1, 1, {{6, 4096}}, {{6, 4096}}, 2, 0},
    {"recipes", 4, 0, 0xFF, 1, 1, {{8, 4096}}, {{9, 4096}}, 0, 12288},
    {"recipes, one block at a time", 1, 64, 0xFF, 1, 1, {{8, 1024}}, {{10, 1024}}, 0, 4096},
    {"recipes, longer blocks in the work area",
     4,
     0,
     0xFF,
     1,
     1,
     {{16, 512}},
     {{9, 1024}},
     0,
     1024},
    {"recipes of odd blocks", 4, 64, 0xFF, 1, 1, {{8, 1536}}, {{10, 1024}}, 0, 2048},
    {"recipes of small pages", 4, 64, 0x00, 1, 1, {{24, 128}}, {{64, 128}}, 0, 512},
    {"recipes of mixed sectors",
     16,
     0,
     0xFF,
     2,
     2,
     {{3, 2048}, {3, 8192}},
     {{3, 2048}, {4, 8192}},
     0,
     9472},
};
#define SHAPES     (sizeof shapes / sizeof shapes[0])
#define IMAGE_MAX  65536u
#define BLOCKS_MAX 64u

struct scenario {
    const struct shape *shape;
    int in_place;
    uint32_t old_size, new_size, stage_blocks;
    uint8_t old_image[IMAGE_MAX], new_image[IMAGE_MAX];
    uint8_t kind[BLOCKS_MAX]; /* 0 unchanged, 'D', 'S' */
    struct inlay_recipes recipes;
    uint32_t recipes_most; /* bytes of recipes of one group */
    uint32_t plan_len, commits;
    uint32_t group_start[2u * BLOCKS_MAX + 2u]; /* payload position */
    struct inlay_range pool[2];
    struct inlay_buffer payload, patch;
    struct inlay_manifest man;
    uint8_t id[INLAY_ID_LEN]; /* of the patch, as records have it */
};

static void put8(struct inlay_buffer *b, uint8_t v)
{
    assert_int_equal(inlay_buffer_add_byte(b, v), 0);
}

static void put32(struct inlay_buffer *b, uint32_t v)
{
    uint8_t raw[4];
    inlay_put32(raw, v);
    assert_int_equal(inlay_buffer_add(b, raw, 4), 0);
}

/* Where an old byte range is still readable; gone[block] says which blocks are not. */
static int readable(const struct scenario *s, const uint8_t *gone, uint32_t pos, uint32_t len)
{
    for (uint32_t i = pos; i < pos + len; i++) {
        int pooled = 0;
        for (unsigned r = 0; r < 2; r++)
            pooled |= i >= s->pool[r].pos && i < s->pool[r].pos + s->pool[r].len;
        uint32_t k = 0;
        struct inlay_span b;
        while ((b = inlay_region_at(s->shape->slot, s->shape->slot_regions, k)).len != 0 &&
               i >= b.pos + b.len)
            k++;
        if (!pooled && b.len != 0 && s->in_place && gone[k])
            return 0;
    }
    return 1;
}

static void add_block(struct scenario *s, uint64_t *seed, uint8_t kind, uint32_t index,
                      struct inlay_span b, const uint8_t *gone, crypto_hash_sha256_state *check)
{
    uint32_t at = b.pos;
    inlay_recipes_block(&s->recipes);
    put8(&s->payload, kind);
    put32(&s->payload, index);
    put32(&s->payload, b.len);
    while (at < b.pos + b.len) {
        uint32_t len = 1u + below(seed, 1500), left = b.pos + b.len - at;
        len = len < left ? len : left;
        uint32_t from = s->old_size > len ? below(seed, s->old_size - len) : 0;
        if (s->old_size > len && below(seed, 8) != 0 && readable(s, gone, from, len)) {
            put8(&s->payload, 'O');
            put32(&s->payload, len);
            put32(&s->payload, from);
            memcpy(s->new_image + at, s->old_image + from, len);
            inlay_recipes_bytes(&s->recipes, at, from, len);
        } else {
            len = len < 100u ? len : 100u;
            put8(&s->payload, 'L');
            put32(&s->payload, len);
            for (uint32_t i = 0; i < len; i++) {
                uint8_t v = (uint8_t)next_random(seed);
                put8(&s->payload, v);
                s->new_image[at + i] = (uint8_t)(v + s->commits);
            }
            inlay_recipes_bytes(&s->recipes, at, INLAY_NOWHERE, len);
        }
        at += len;
    }
    inlay_recipes_block_end(&s->recipes, index);
    crypto_hash_sha256_update(check, s->new_image + b.pos, b.len);
}

static void add_commit(struct scenario *s, crypto_hash_sha256_state *check)
{
    uint8_t digest[32];
    crypto_hash_sha256_final(check, digest);
    crypto_hash_sha256_init(check);
    assert_true(s->shape->recipe_len == 0 || s->recipes.used <= s->shape->recipe_len);
    if (s->recipes.used > s->recipes_most)
        s->recipes_most = s->recipes.used;
    inlay_recipes_group(&s->recipes);
    put8(&s->payload, 'C');
    assert_int_equal(inlay_buffer_add(&s->payload, digest, s->man.check_len), 0);
    s->group_start[++s->commits] = (uint32_t)s->payload.len;
}

/* Ends a group after the first `count` blocks of the order. */
static void close_blocks(struct scenario *s, uint8_t *gone, const uint32_t *order, uint32_t count,
                         crypto_hash_sha256_state *check)
{
    for (uint32_t k = 0; k < count; k++)
        gone[order[k]] = s->kind[order[k]] != 0;
    add_commit(s, check);
}

static void add_plan(struct scenario *s, uint64_t *seed)
{
    uint32_t third = s->old_size / 3u;
    if (s->in_place && third > 300u) {
        s->pool[0] = (struct inlay_range){below(seed, third), 1u + below(seed, 300)};
        s->pool[1] = (struct inlay_range){third * 2u + below(seed, third - 300u), 300};
        put32(&s->payload, 2);
        for (unsigned i = 0; i < 2; i++) {
            put32(&s->payload, s->pool[i].pos);
            put32(&s->payload, s->pool[i].len);
        }
    } else {
        put32(&s->payload, 0);
    }
    s->plan_len = (uint32_t)s->payload.len;
    s->group_start[0] = s->plan_len;
}

/* Blocks in random order; a group ends now and then and when the stage is full. */
static void add_groups(struct scenario *s, uint64_t *seed)
{
    const struct shape *sh = s->shape;
    uint8_t gone[BLOCKS_MAX] = {0};
    uint32_t order[BLOCKS_MAX], count = 0, staged = 0, open = 0;
    crypto_hash_sha256_state check;
    crypto_hash_sha256_init(&check);
    for (struct inlay_span b;
         (b = inlay_region_at(sh->slot, sh->slot_regions, count)).len != 0 && b.pos < s->new_size;
         count++)
        order[count] = count;
    for (uint32_t i = count; s->in_place && i > 1; i--) {
        uint32_t k = below(seed, i), t = order[i - 1u];
        order[i - 1u] = order[k];
        order[k] = t;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct inlay_span b = inlay_region_at(sh->slot, sh->slot_regions, order[i]);
        if (b.len > s->new_size - b.pos)
            b.len = s->new_size - b.pos;
        uint32_t dice = s->in_place ? below(seed, 5) : 4u;
        if (dice == 0 && b.pos + b.len <= s->old_size)
            continue;
        int described = s->in_place && sh->recipe_len != 0;
        uint8_t kind = s->in_place && (dice < 3u || described) ? 'S' : 'D';
        int full = described && s->recipes.used + WORST(b.len) > sh->recipe_len;
        if ((kind == 'D' || full) && open > 0) {
            /* What came before may have read what is direct, and would again if redone. */
            close_blocks(s, gone, order, i, &check);
            staged = open = 0;
        }
        s->kind[order[i]] = kind;
        if (kind == 'D')
            gone[order[i]] = 1;
        add_block(s, seed, kind, order[i], b, gone, &check);
        staged += kind == 'S';
        open++;
        if ((s->in_place && staged == s->stage_blocks) || below(seed, described ? 6 : 3) == 0) {
            close_blocks(s, gone, order, i + 1u, &check);
            staged = open = 0;
        }
    }
    add_commit(s, &check);
    put8(&s->payload, 'E');
}

/* Stands in for a signature: a digest of the manifest. */
static int sign_manifest(void *ctx, const uint8_t *manifest, size_t manifest_len, uint8_t *sig,
                         size_t room, size_t *sig_len, struct inlay_error *err)
{
    (void)ctx;
    (void)err;
    assert_true(room >= 32);
    crypto_hash_sha256(sig, manifest, manifest_len);
    *sig_len = 32;
    return 0;
}

static int verify_manifest(void *ctx, const uint8_t *manifest, size_t manifest_len,
                           const uint8_t *sig, size_t sig_len)
{
    uint8_t digest[32];
    (void)ctx;
    crypto_hash_sha256(digest, manifest, manifest_len);
    return sig_len == 32 && memcmp(sig, digest, 32) == 0 ? 0 : 1;
}

static const struct inlay_container_fields signed_fields = {.sign = sign_manifest};
static const struct inlay_crypto signed_crypto = {.sha256_init = sodium_init_256,
                                                  .sha256_update = sodium_update_256,
                                                  .sha256_final = sodium_final_256,
                                                  .verify = verify_manifest};

static struct scenario *make_scenario(const struct shape *shape, int in_place, uint64_t seed)
{
    struct scenario *s = calloc(1, sizeof *s);
    assert_non_null(s);
    uint32_t room = inlay_region_size(shape->slot, shape->slot_regions);
    s->shape = shape;
    s->in_place = in_place;
    s->stage_blocks = in_place ? shape->stage_blocks : 0;
    if (in_place && shape->recipe_len)
        s->stage_blocks = INLAY_RECIPE_BLOCKS;
    s->recipes.old = s->old_image;
    s->recipes.new = s->new_image;
    s->recipes.region = shape->slot;
    s->recipes.regions = shape->slot_regions;
    s->old_size = room - below(&seed, room / 2u);
    s->new_size = room - below(&seed, room / 2u);
    for (uint32_t i = 0; i < s->old_size; i++)
        s->old_image[i] = (uint8_t)next_random(&seed);
    memcpy(s->new_image, s->old_image, s->new_size < s->old_size ? s->new_size : s->old_size);
    struct inlay_manifest *m = &s->man;
    m->check_len = 8;
    add_plan(s, &seed);
    add_groups(s, &seed);
    m->in_place = (uint8_t)in_place;
    m->chunk_log = 9;
    m->codec = RAW_CODEC_ID;
    m->params_len = 1;
    m->params[0] = 7;
    m->plan_len = s->plan_len;
    m->regions = shape->slot_regions;
    memcpy(m->region, shape->slot, sizeof shape->slot);
    m->stage_blocks = s->stage_blocks;
    m->recipe_len = in_place ? shape->recipe_len : 0;
    m->pool_len = s->pool[0].len + s->pool[1].len;
    inlay_container_images(m, s->old_image, s->old_size, s->new_image, s->new_size);
    struct inlay_error err = {{0}};
    if (inlay_container_write(m, &signed_fields, s->payload.data, s->payload.len, &s->patch,
                              &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(inlay_manifest_read(m, s->patch.data, s->patch.len), INLAY_OK);
    uint8_t digest[32];
    crypto_hash_sha256(digest, s->patch.data, m->len + 1u);
    memcpy(s->id, digest, sizeof s->id);
    return s;
}

static void free_scenario(struct scenario *s)
{
    inlay_buffer_free(&s->payload);
    inlay_buffer_free(&s->patch);
    free(s);
}

/* The device: slot, the other slot, work area, and what the patcher is given. */
struct device {
    struct power power;
    struct flash_double a, b, work;
    struct inlay_config cfg;
    uint8_t *memory;
    uint32_t memory_len;
    uint32_t lowest;                     /* smallest patch offset asked for since the last boot */
    uint32_t highest;                    /* where the bytes fed since then ended */
    uint32_t retries, verified, resumed; /* how often such an event came */
    uint32_t moved, to_move;             /* blocks that events said were moved; and left, last */
    struct inlay_report at;              /* of the last run */
    uint64_t boot_seed;
};

static void count_events(void *ctx, enum inlay_event event, uint32_t a, uint32_t b)
{
    struct device *d = ctx;
    d->moved += event == INLAY_EVENT_MOVED ? a : 0;
    d->to_move = event == INLAY_EVENT_MOVED ? b : d->to_move;
    d->retries += event == INLAY_EVENT_RETRY;
    d->verified += event == INLAY_EVENT_VERIFIED;
    d->resumed += event == INLAY_EVENT_RESUMED;
}

static void device_open(struct device *d, const struct scenario *s)
{
    const struct shape *sh = s->shape;
    memset(d, 0, sizeof *d);
    d->power.cut = UINT32_MAX;
    double_open(&d->a, &d->power, sh->write_size, sh->erased, sh->slot, sh->slot_regions);
    double_open(&d->b, &d->power, sh->write_size, sh->erased, sh->slot, sh->slot_regions);
    double_open(&d->work, &d->power, sh->write_size, sh->erased, sh->work, sh->work_regions);
    d->work.f.page_len = sh->page_len;
    memcpy(d->a.data, s->old_image, s->old_size);
    d->cfg.old = &d->a.f;
    d->cfg.slot = s->in_place ? &d->a.f : &d->b.f;
    d->cfg.work = &d->work.f;
    d->cfg.crypto = &signed_crypto;
    d->cfg.codecs = raw_codecs;
    d->cfg.event = count_events;
    d->cfg.event_ctx = d;
    struct inlay_needs needs;
    assert_int_equal(inlay_probe(raw_codecs, s->patch.data, s->patch.len, &needs), INLAY_OK);
    assert_int_equal(needs.patch_size, s->patch.len);
    d->memory_len = needs.workspace;
    d->memory = malloc(d->memory_len);
    assert_non_null(d->memory);
    memset(d->memory, 0xDB, d->memory_len);
}

static void device_close(struct device *d)
{
    double_close(&d->a);
    double_close(&d->b);
    double_close(&d->work);
    free(d->memory);
}

/* Feeds the patch in pieces of 1 to most bytes until the patcher ends. */
static enum inlay_status run(struct device *d, const struct inlay_buffer *patch, uint64_t seed,
                             uint32_t most)
{
    struct inlay_patcher *p;
    d->lowest = UINT32_MAX;
    d->highest = 0;
    enum inlay_status st = inlay_begin(&p, &d->cfg, d->memory, d->memory_len);
    while (st == INLAY_MORE || st == INLAY_AGAIN) {
        if (st == INLAY_AGAIN) {
            st = inlay_step(p);
            continue;
        }
        uint32_t pos = inlay_next_offset(p);
        if (pos >= patch->len)
            return INLAY_E_USAGE; /* the end of a truncated file */
        d->lowest = pos < d->lowest ? pos : d->lowest;
        size_t n = 1u + below(&seed, most), used = 0;
        n = n < patch->len - pos ? n : patch->len - pos;
        uint8_t *piece = malloc(n);
        assert_non_null(piece);
        memcpy(piece, patch->data + pos, n);
        st = inlay_feed(p, piece, n, &used);
        free(piece);
        assert_true(used <= n);
        d->highest = pos + used > d->highest ? pos + (uint32_t)used : d->highest;
    }
    if (p != NULL)
        d->at = inlay_report(p);
    return st;
}

/* The same with power that may fail; -1000: it did. */
#define POWER_FAILED (-1000)
static int run_powered(struct device *d, const struct scenario *s, uint32_t cut, enum cut_mode mode,
                       uint64_t seed)
{
    d->power.ops = 0;
    d->power.cut = cut;
    d->power.mode = mode;
    d->power.seed = seed;
    if (setjmp(d->power.off) != 0) {
        double_boot(&d->a, &d->boot_seed);
        double_boot(&d->b, &d->boot_seed);
        double_boot(&d->work, &d->boot_seed);
        memset(d->memory, 0xDB, d->memory_len);
        return POWER_FAILED;
    }
    int st = run(d, &s->patch, 1, 700);
    d->power.cut = UINT32_MAX;
    return st;
}

static void check_result(const struct device *d, const struct scenario *s)
{
    const struct flash_double *slot = s->in_place ? &d->a : &d->b;
    assert_memory_equal(slot->data, s->new_image, s->new_size);
    if (!s->in_place)
        assert_memory_equal(d->a.data, s->old_image, s->old_size);
}

#endif
