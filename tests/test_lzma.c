/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The large codec: round trips in all chunkings, resuming, damage, memory.
 *
 * Random cases are numbered; INLAY_SEED=n runs case n alone.
 */
#include "align.h"
#include "codec_lzma.h"
#include "encode.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASES    400u
#define FLIPS    3000u
#define DICT_AT  1u /* where parameters stand in their 12 bytes */
#define KEPT_AT  8u
#define PAYLOADS 16u

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return n ? (uint32_t)((state >> 33) % n) : 0;
}

/* One pair, its patch, and what decoding made of it. */
struct pair {
    uint8_t *old, *new, *made;
    uint32_t old_size, new_size;
    struct inlay_region region;
    struct inlay_order_limits limits;
    struct inlay_segments segments;
    struct inlay_order order;
    struct inlay_encoded encoded;
    const char *arch;
};

static int read_old(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    const struct pair *p = ctx;
    if (pos > p->old_size || len > p->old_size - pos)
        return INLAY_E_FLASH;
    memcpy(buf, p->old + pos, len);
    return 0;
}

/* Something between code and text: words, some of which repeat. */
static void fill(uint8_t *at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        at[i] = (uint8_t)(below(4) && i >= 64 ? at[i - 1u - below(64)] : below(256));
}

/* The old image with pieces moved, changed, left out and put in. */
static void mutate(struct pair *p)
{
    uint32_t pos = 0;
    while (pos < p->new_size) {
        uint32_t len = 1u + below(1u + below(2000));
        if (len > p->new_size - pos)
            len = p->new_size - pos;
        uint32_t from = below(4) ? pos : below(p->old_size + 1u);
        if (below(5) == 0 || from > p->old_size || len > p->old_size - from)
            fill(p->new + pos, len);
        else
            memcpy(p->new + pos, p->old + from, len);
        for (uint32_t n = below(1u + len / 40u); n > 0; n--)
            p->new[pos + below(len)] ^= (uint8_t)(1u + below(255));
        pos += len;
    }
}

static void encode(struct pair *p, uint32_t model_bytes)
{
    struct inlay_layout layout;
    struct inlay_error err;
    assert_int_equal(inlay_detect(p->old, p->old_size, p->new, p->new_size, p->arch, 0, 0, &layout),
                     0);
    struct inlay_index index;
    assert_int_equal(inlay_index_open(p->old, p->old_size, p->new, p->new_size, &layout, 1, &index),
                     0);
    assert_int_equal(inlay_find_segments(p->old, p->old_size, p->new, p->new_size, &layout, &index,
                                         0, 1, &p->segments),
                     0);
    assert_int_equal(inlay_order_plan(p->old, p->old_size, p->new, p->new_size, &p->limits,
                                      &p->segments, &p->order),
                     0);
    const struct inlay_encode_input in = {.old = p->old,
                                          .new = p->new,
                                          .old_size = p->old_size,
                                          .new_size = p->new_size,
                                          .segments = &p->segments,
                                          .order = &p->order,
                                          .limits = &p->limits,
                                          .layout = &layout,
                                          .index = &index,
                                          .check_len = 4,
                                          .model_bytes = model_bytes};
    assert_int_equal(inlay_encode_lzma(&in, &p->encoded, &err), 0);
    inlay_index_free(&index);
    assert_int_equal(p->encoded.codec, INLAY_CODEC_LZMA);
}

static void alloc_pair(struct pair *p, uint32_t old_size, uint32_t new_size)
{
    static const char *const archs[] = {"none", "thumb2", "aarch64", "x86-64", "riscv", "wasm"};
    *p = (struct pair){.old_size = old_size, .new_size = new_size, .arch = archs[below(6)]};
    p->old = malloc(old_size + 1u);
    p->new = malloc(new_size + 1u);
    p->made = malloc(new_size + 1u);
    assert_true(p->old && p->new && p->made);
    fill(p->old, old_size);
    mutate(p);
    p->limits = (struct inlay_order_limits){.stage_blocks = 1, .group_blocks = UINT32_MAX};
}

/* Cuts the slot into blocks, in place or for A/B. */
static void cut_blocks(struct pair *p)
{
    static const uint32_t lens[] = {256, 1024, 4096};
    uint32_t len = lens[below(3)], most = p->old_size > p->new_size ? p->old_size : p->new_size;
    p->region = (struct inlay_region){most / len + 1u, len};
    p->limits = (struct inlay_order_limits){.region = &p->region,
                                            .regions = 1,
                                            .in_place = (uint8_t)below(2),
                                            .stage_blocks = 1u + below(4),
                                            .group_blocks = 1u + below(20),
                                            .pool_len = below(3000),
                                            .pool_ranges = below(20)};
}

static void make_pair(struct pair *p, unsigned number)
{
    state = number * 977u + 5u;
    alloc_pair(p, below(1u + below(30000)), below(1u + below(30000)));
    if (below(3))
        cut_blocks(p);
    encode(p, below(3) ? 4u << 20 : 30000u);
}

static void free_pair(struct pair *p)
{
    free(p->old);
    free(p->new);
    free(p->made);
    inlay_segments_free(&p->segments);
    inlay_order_free(&p->order);
    inlay_encoded_free(&p->encoded);
}

/* ---- decoding, with input in pieces as the patcher hands it out ---- */

struct feed {
    const uint8_t *at;
    uint32_t len, given, pos; /* bytes in all, handed out, taken */
    uint32_t piece;           /* 0: of random length */
    struct inlay_input in;
};

struct run {
    struct pair *p;
    const struct inlay_codec *codec;
    void *memory;
    struct feed feed;
    int resume; /* 1: a reset at every commit */
};

static void window(struct feed *f)
{
    f->in = (struct inlay_input){f->at + f->pos, f->given - f->pos, f->given == f->len};
}

/* Notes what was taken; 1 if the call is to be made again with more. */
static int again(struct feed *f, int status)
{
    assert_true(f->in.next >= f->at + f->pos && f->in.next <= f->at + f->given);
    assert_ptr_equal(f->in.next + f->in.left, f->at + f->given);
    f->pos = (uint32_t)(f->in.next - f->at);
    if (status != INLAY_MORE)
        return 0;
    assert_int_equal(f->in.last, 0);
    assert_true(f->given - f->pos <= INLAY_CARRY_MAX);
    uint32_t more = f->piece ? f->piece : 1u + below(300);
    f->given += more < f->len - f->given ? more : f->len - f->given;
    return 1;
}

static int do_plan(struct run *r)
{
    int status;
    do {
        window(&r->feed);
        status = r->codec->plan(r->memory, &r->feed.in);
    } while (again(&r->feed, status));
    return status;
}

static int open_run(struct run *r)
{
    const struct pair *p = r->p;
    const struct inlay_encoded *e = &p->encoded;
    size_t need = r->codec->need(r->codec, e->params.data, e->params.len);
    const struct inlay_codec_setup setup = {.params = e->params.data,
                                            .params_len = e->params.len,
                                            .old_size = p->old_size,
                                            .new_size = p->new_size,
                                            .region = p->limits.region,
                                            .regions = p->limits.regions,
                                            .in_place = p->limits.in_place,
                                            .check_len = 4,
                                            .old = {r->p, read_old, p->old_size}};
    if (need == 0)
        return INLAY_E_UNSUPPORTED;
    assert_true(need <= INLAY_LZMA_MEMORY_MAX);
    r->memory = malloc(need);
    assert_non_null(r->memory);
    memset(r->memory, 0xa5, need);
    int status = r->codec->begin(r->codec, r->memory, &setup);
    return status ? status : do_plan(r);
}

/* Goes on in another state, from what save() and the plan say. */
static int reopen(struct run *r)
{
    uint8_t kept[INLAY_SAVE_MAX];
    struct feed feed = r->feed;
    size_t len = r->codec->save(r->memory, kept);
    assert_true(len <= sizeof kept);
    free(r->memory);
    r->memory = NULL;
    r->feed = (struct feed){.at = feed.at, .len = r->p->encoded.plan_len, .piece = feed.piece};
    int status = open_run(r);
    assert_int_equal(r->feed.pos, r->p->encoded.plan_len);
    r->feed = feed;
    return status ? status : r->codec->load(r->memory, kept, len);
}

static int do_block(struct run *r, const struct inlay_step_cmd *cmd)
{
    uint32_t block = r->p->limits.regions ? r->p->region.block_len : r->p->new_size;
    uint32_t at = cmd->block * block, left = cmd->len;
    assert_true(at <= r->p->new_size && left <= r->p->new_size - at);
    while (left > 0) {
        size_t made = 0, cap = 1u + below(left < 500 ? left : 500);
        window(&r->feed);
        uint32_t from;
        int status = r->codec->produce(r->memory, &r->feed.in, r->p->made + at, cap, &made, &from);
        assert_true(made <= cap && (status != INLAY_OK || made > 0));
        if (!again(&r->feed, status) && status)
            return status;
        at += (uint32_t)made;
        left -= (uint32_t)made;
    }
    return 0;
}

static int do_steps(struct run *r)
{
    for (;;) {
        struct inlay_step_cmd cmd;
        window(&r->feed);
        int status = r->codec->next(r->memory, &r->feed.in, &cmd);
        if (again(&r->feed, status))
            continue;
        if (status || cmd.kind == INLAY_STEP_END)
            return status;
        if (cmd.kind == INLAY_STEP_COMMIT) {
            assert_int_equal(cmd.check_len, 4);
            if (r->resume)
                status = reopen(r);
        } else {
            status = do_block(r, &cmd);
        }
        if (status)
            return status;
    }
}

/* Decodes payload[0 .. len) and says how that ended. */
static int decode(struct pair *p, uint32_t len, uint32_t piece, int resume)
{
    struct run r = {.p = p, .codec = &inlay_codec_lzma, .resume = resume};
    uint8_t *exact = malloc(len + 1u); /* so that a sanitizer sees reads behind it */
    assert_non_null(exact);
    if (len)
        memcpy(exact, p->encoded.payload.data, len);
    r.feed = (struct feed){.at = exact, .len = len, .piece = piece};
    /* Unchanged blocks are not produced. */
    memset(p->made, 0, p->new_size);
    memcpy(p->made, p->old, p->old_size < p->new_size ? p->old_size : p->new_size);
    int status = open_run(&r);
    if (!status)
        status = do_steps(&r);
    if (!status && r.feed.pos != len)
        status = INLAY_E_CORRUPT;
    free(r.memory);
    free(exact);
    return status;
}

static void assert_whole(struct pair *p, int status)
{
    assert_int_equal(status, 0);
    assert_memory_equal(p->made, p->new, p->new_size);
}

static void for_cases(void (*check)(struct pair *p))
{
    const char *one = getenv("INLAY_SEED");
    for (unsigned i = one ? (unsigned)atoi(one) : 0; i < CASES || one; i++) {
        struct pair p;
        make_pair(&p, i);
        print_message("%s", one ? "one case\n" : "");
        check(&p);
        free_pair(&p);
        if (one)
            break;
    }
}

static void check_pieces(struct pair *p)
{
    static const uint32_t pieces[] = {1, 2, 7, 64, 0, 1u << 30};
    for (unsigned i = 0; i < sizeof pieces / sizeof *pieces; i++)
        assert_whole(p, decode(p, (uint32_t)p->encoded.payload.len, pieces[i], 0));
}

static void test_round_trip(void **unused)
{
    (void)unused;
    for_cases(check_pieces);
}

static void check_resume(struct pair *p)
{
    assert_whole(p, decode(p, (uint32_t)p->encoded.payload.len, 0, 1));
}

static void test_resume(void **unused)
{
    (void)unused;
    for_cases(check_resume);
}

/* Every length of a short payload, and some of the others. */
static void test_truncated(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < PAYLOADS; i++) {
        struct pair p;
        make_pair(&p, i);
        uint32_t whole = (uint32_t)p.encoded.payload.len;
        uint32_t stride = whole > 300 ? whole / 300 : 1;
        for (uint32_t len = 0; len < whole; len += stride)
            assert_true(decode(&p, len, below(2) ? 0 : 1u << 30, 0) < 0);
        assert_true(decode(&p, whole - 1u, 0, 0) < 0);
        free_pair(&p);
    }
}

/* Damage may go unnoticed here, the hash chain is there for that; it must not do harm. */
static void test_damaged(void **unused)
{
    (void)unused;
    unsigned refused = 0;
    for (unsigned i = 0; i < PAYLOADS; i++) {
        struct pair p;
        make_pair(&p, i);
        struct inlay_buffer *b = &p.encoded.payload;
        for (unsigned n = 0; n < FLIPS / PAYLOADS; n++) {
            uint32_t at = below((uint32_t)b->len);
            uint8_t was = b->data[at];
            b->data[at] ^= (uint8_t)(1u << below(8));
            int status = decode(&p, (uint32_t)b->len, 0, 0);
            assert_true(status <= 0);
            refused += status < 0;
            b->data[at] = was;
        }
        assert_whole(&p, decode(&p, (uint32_t)b->len, 0, 0));
        free_pair(&p);
    }
    assert_true(refused > FLIPS / 2);
}

static void test_garbage(void **unused)
{
    (void)unused;
    struct pair p;
    make_pair(&p, 3);
    struct inlay_buffer *b = &p.encoded.payload;
    for (unsigned n = 0; n < FLIPS; n++) {
        /* The start stays, so that the noise is in the stream. */
        for (size_t i = below((uint32_t)b->len); i < b->len; i++)
            b->data[i] = (uint8_t)below(256);
        assert_true(decode(&p, (uint32_t)b->len, 0, 0) <= 0);
    }
    free_pair(&p);
}

static void test_params(void **unused)
{
    (void)unused;
    const struct inlay_codec *c = &inlay_codec_lzma;
    struct pair p;
    make_pair(&p, 1);
    uint8_t *b = p.encoded.params.data;
    size_t len = p.encoded.params.len;
    assert_true(c->need(c, b, len) > 0);
    assert_int_equal(c->need(c, b, len - 1), 0);
    for (size_t i = 0; i < 4; i++) {
        uint8_t was = b[i];
        b[i] = 255;
        assert_int_equal(c->need(c, b, len), 0);
        b[i] = was;
    }
    b[KEPT_AT + 3] = 255;
    assert_int_equal(c->need(c, b, len), 0);
    free_pair(&p);
}

/* What need() says is all there is, liblzma's part included. */
static void test_memory(void **unused)
{
    (void)unused;
    struct pair p;
    make_pair(&p, 1);
    struct run r = {.p = &p, .codec = &inlay_codec_lzma};
    r.feed = (struct feed){
        .at = p.encoded.payload.data, .len = (uint32_t)p.encoded.payload.len, .piece = 1u << 30};
    size_t need = r.codec->need(r.codec, p.encoded.params.data, p.encoded.params.len);
    struct mallinfo2 before = mallinfo2();
    assert_int_equal(open_run(&r), 0);
    assert_int_equal(do_steps(&r), 0);
    struct mallinfo2 after = mallinfo2();
    size_t grown = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    assert_true(grown <= need + 8192u);
    free(r.memory);

    /* A dictionary of 64 MB is within the limit, and the limit holds for every other size. */
    for (unsigned log2 = 0; log2 < 64; log2++) {
        p.encoded.params.data[DICT_AT] = (uint8_t)log2;
        need = r.codec->need(r.codec, p.encoded.params.data, p.encoded.params.len);
        assert_true(need <= INLAY_LZMA_MEMORY_MAX);
        assert_int_equal(need > 0, log2 >= 12 && log2 <= 26);
        assert_true(need == 0 || need > (size_t)1 << log2);
    }
    free_pair(&p);
}

static void test_incompressible(void **unused)
{
    (void)unused;
    struct pair p;
    state = 11;
    alloc_pair(&p, 1000, 300000);
    for (uint32_t i = 0; i < p.new_size; i++)
        p.new[i] = (uint8_t)below(256);
    encode(&p, 4u << 20);
    assert_true(p.encoded.payload.len < p.new_size + p.new_size / 1000 + 100);
    assert_whole(&p, decode(&p, (uint32_t)p.encoded.payload.len, 4096, 0));
    free_pair(&p);
}

/* Two encoders say the same, and identical images need next to nothing. */
static void test_same(void **unused)
{
    (void)unused;
    struct pair p, q;
    make_pair(&p, 7);
    make_pair(&q, 7);
    assert_int_equal(p.encoded.payload.len, q.encoded.payload.len);
    assert_memory_equal(p.encoded.payload.data, q.encoded.payload.data, p.encoded.payload.len);
    free_pair(&p);
    free_pair(&q);
    state = 12;
    alloc_pair(&p, 20000, 20000);
    memcpy(p.new, p.old, 20000);
    encode(&p, 4u << 20);
    assert_true(p.encoded.payload.len < 100);
    assert_whole(&p, decode(&p, (uint32_t)p.encoded.payload.len, 1, 0));
    free_pair(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_resume),
        cmocka_unit_test(test_truncated),  cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_garbage),    cmocka_unit_test(test_params),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_incompressible),
        cmocka_unit_test(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
