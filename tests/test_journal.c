/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts.  A failing history prints its shape, seed, cuts and mode; the
 * same numbers as arguments replay it alone:
 *
 *     test_journal SHAPE IN_PLACE SEED MODE RANDOM CUT...
 */
#include "scenario.h"

#define CUTS_MAX 40u

struct history {
    size_t shape;
    int in_place;
    uint64_t seed;
    enum cut_mode mode;
    uint64_t random;
    uint32_t cut[CUTS_MAX];
    unsigned cuts;
};

static void tell(const struct history *h, const char *what)
{
    fprintf(stderr, "%s; replay with: test_journal %zu %d %llu %d %llu", what, h->shape,
            h->in_place, (unsigned long long)h->seed, (int)h->mode, (unsigned long long)h->random);
    for (unsigned i = 0; i < h->cuts; i++)
        fprintf(stderr, " %u", h->cut[i]);
    fprintf(stderr, "\n");
}

/* The lowest patch offset that a resume may ask for, by what the journal says. */
static uint32_t resume_floor(const struct device *d, const struct scenario *s)
{
    struct inlay_journal j;
    struct inlay_record rec;
    if (inlay_journal_find(&j, &d->work.f, &rec) != INLAY_OK || rec.kind < INLAY_RECORD_READY ||
        rec.kind > INLAY_RECORD_COMMITTED)
        return 0;
    uint32_t step = inlay_manifest_step(&s->man);
    uint32_t index = rec.payload_pos / step, last = inlay_manifest_chunks(&s->man) - 1u;
    return s->man.body_pos + (index < last ? index : last) * (step + s->man.link_len);
}

/*
 * After a cut: is the journal at most one group behind?  What was fed then
 * ends in the chunk with that group's end, and what will be asked for again
 * starts in the chunk with its start.
 */
static int too_far_behind(const struct device *d, const struct scenario *s)
{
    struct inlay_journal j;
    struct inlay_record rec;
    uint32_t i = 0;
    if (inlay_journal_find(&j, &d->work.f, &rec) != INLAY_OK || rec.kind < INLAY_RECORD_READY ||
        rec.kind > INLAY_RECORD_COMMITTED || memcmp(rec.is.patch, s->id, INLAY_ID_LEN) != 0)
        return 0;
    while (i < s->commits && s->group_start[i] != rec.payload_pos)
        i++;
    uint32_t end = i < s->commits ? s->group_start[i + 1u] : s->man.payload_len;
    uint32_t step = inlay_manifest_step(&s->man);
    uint32_t most = s->man.body_pos + (end / step + 1u) * (step + s->man.link_len);
    return s->group_start[i] != rec.payload_pos || d->highest > most;
}

/* Plays a history, then lets the update end.  Returns how many cuts happened, -1: it failed. */
static int play(const struct history *h, const struct scenario *s, uint64_t *ops)
{
    struct device d;
    device_open(&d, s);
    d.boot_seed = h->random * 7u + 1u;
    unsigned happened = 0;
    int st = POWER_FAILED, bad = 0;
    for (unsigned i = 0; i <= h->cuts && st == POWER_FAILED; i++) {
        uint32_t floor = resume_floor(&d, s);
        uint32_t cut = i < h->cuts ? h->cut[i] : UINT32_MAX;
        st = run_powered(&d, s, cut, h->mode, h->random + i);
        happened += st == POWER_FAILED;
        bad |= d.lowest < floor;
        if (st == POWER_FAILED)
            bad |= too_far_behind(&d, s);
    }
    *ops = d.power.ops;
    const struct flash_double *slot = s->in_place ? &d.a : &d.b;
    /* A cut after the last record is a finished update. */
    bad |= st != INLAY_DONE && st != INLAY_ALREADY;
    bad |= memcmp(slot->data, s->new_image, s->new_size) != 0;
    if (!bad)
        bad = run(&d, &s->patch, 3, 700) != INLAY_ALREADY;
    device_close(&d);
    if (bad)
        tell(h, inlay_status_text((enum inlay_status)st));
    return bad ? -1 : (int)happened;
}

static int play_alone(const struct history *h)
{
    struct scenario *s = make_scenario(&shapes[h->shape], h->in_place, h->seed);
    uint64_t ops;
    int cuts = play(h, s, &ops);
    printf("%d cuts, %llu operations in the last boot\n", cuts, (unsigned long long)ops);
    free_scenario(s);
    return cuts < 0;
}

static uint64_t histories;

static void one_cut_everywhere(void **state)
{
    (void)state;
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (unsigned k = 0; k < 2u * CUT_MODES; k++) {
            struct history h = {shape, (int)k & 1, 3, (enum cut_mode)(k / 2u), 11, {0}, 1};
            struct scenario *s = make_scenario(&shapes[shape], h.in_place, h.seed);
            int cuts = 1;
            for (; cuts == 1; h.cut[0]++, histories++) {
                uint64_t ops;
                cuts = play(&h, s, &ops);
                assert_int_not_equal(cuts, -1);
            }
            free_scenario(s);
        }
}

/* The second cut anywhere in the recovery from the first. */
static void two_cuts(void **state)
{
    (void)state;
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (unsigned mode = 0; mode < CUT_MODES; mode++) {
            struct history h = {shape, 1, 5, (enum cut_mode)mode, 23, {0}, 2};
            struct scenario *s = make_scenario(&shapes[shape], 1, h.seed);
            int cuts = 2;
            for (h.cut[0] = mode; cuts > 0; h.cut[0] += 11u) {
                cuts = 2;
                for (h.cut[1] = 0; cuts == 2; h.cut[1] += h.cut[1] < 12u ? 1u : 17u, histories++) {
                    uint64_t ops;
                    cuts = play(&h, s, &ops);
                    assert_int_not_equal(cuts, -1);
                }
            }
            free_scenario(s);
        }
}

/* The second and third cut while the journal settles what the first one left. */
static void cuts_in_the_settling(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2u * SHAPES; i++) {
        struct history h = {i / 2u, 1, 2, i & 1u ? CUT_SHAKY : CUT_AFTER, 1, {0}, 3};
        struct scenario *s = make_scenario(&shapes[h.shape], 1, h.seed);
        int cuts = 3;
        for (h.cut[0] = 0; cuts > 0; h.cut[0] += i & 1u ? 5u : 2u)
            for (unsigned k = 0; k < 6u; k++, histories++) {
                uint64_t ops;
                h.cut[1] = k % 3u;
                h.cut[2] = k / 3u;
                h.random++;
                cuts = play(&h, s, &ops);
                assert_int_not_equal(cuts, -1);
            }
        free_scenario(s);
    }
}

/* Cuts in quick succession, mostly inside the recovery. */
static void many_cuts(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    for (unsigned i = 0; i < 1500; i++, histories++) {
        struct history h = {i % SHAPES,
                            (int)(i / SHAPES) & 1,
                            1u + i % 17u,
                            (enum cut_mode)below(&seed, CUT_MODES),
                            i,
                            {0},
                            0};
        struct scenario *s = make_scenario(&shapes[h.shape], h.in_place, h.seed);
        h.cuts = 1u + below(&seed, CUTS_MAX);
        for (unsigned k = 0; k < h.cuts; k++)
            h.cut[k] = below(&seed, 4) == 0 ? below(&seed, 120) : below(&seed, 10);
        uint64_t ops;
        int cuts = play(&h, s, &ops);
        free_scenario(s);
        assert_int_not_equal(cuts, -1);
    }
}

/* If every boot lasts for k operations, and k is enough for a group, it ends. */
static void short_boots_still_finish(void **state)
{
    (void)state;
    for (size_t shape = 0; shape < SHAPES; shape++) {
        struct scenario *s = make_scenario(&shapes[shape], 1, 9);
        struct device d;
        uint32_t total, group;
        device_open(&d, s);
        assert_int_equal(run_powered(&d, s, UINT32_MAX, CUT_AFTER, 1), INLAY_DONE);
        total = d.power.ops;
        device_close(&d);
        uint32_t block = shapes[shape].slot[shapes[shape].slot_regions - 1u].block_len;
        uint32_t in_block = 2u + block / 256u;
        group = 40u + 2u * (s->stage_blocks + 2u) * in_block;
        device_open(&d, s);
        int st = POWER_FAILED;
        unsigned boots = 0;
        for (; st == POWER_FAILED && boots <= total; boots++)
            st = run_powered(&d, s, group, CUT_TORN, boots);
        assert_true(st == INLAY_DONE || st == INLAY_ALREADY);
        assert_true(boots <= s->commits + 3u);
        check_result(&d, s);
        device_close(&d);
        free_scenario(s);
    }
}

/*
 * Boots that are too short for a group but long enough to note themselves end
 * in a status.  Shorter ones leave no trace in flash; an integrator who counts
 * them gets the status, too.  With more patience and longer boots it goes on.
 */
static void boots_without_progress_are_not_a_loop(void **state)
{
    (void)state;
    unsigned by_journal = 0, by_count = 0, fresh = 0;
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (uint32_t k = 1; k < 60; k += k < 12 ? 1 : 7) {
            struct scenario *s = make_scenario(&shapes[shape], 1, 9);
            struct device d;
            device_open(&d, s);
            /* Fresh, or somewhere in the middle. */
            int st = run_powered(&d, s, k % 2u * 90u, CUT_AFTER, 1);
            d.cfg.boots_max = 7;
            unsigned boots = 0;
            while (st == POWER_FAILED && boots < 400) {
                unsigned resumed = d.resumed;
                st = run_powered(&d, s, k, CUT_TORN, ++boots);
                d.cfg.boots_lost = d.resumed > resumed ? 0 : d.cfg.boots_lost + 1u;
            }
            if (st == INLAY_E_PROGRESS) {
                assert_true(boots >= 7);
                by_count += d.cfg.boots_lost >= 7;
                by_journal += d.cfg.boots_lost < 7;
                uint32_t ops = d.power.ops;
                assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_E_PROGRESS);
                assert_int_equal(d.power.ops, ops);
                struct inlay_patcher *p;
                fresh += inlay_begin(&p, &d.cfg, d.memory, d.memory_len) == INLAY_MORE;
                assert_int_equal(inlay_match(p, s->patch.data, s->patch.len), INLAY_OK);
                d.cfg.boots_max = UINT32_MAX;
                st = run(&d, &s->patch, 1, 700);
            }
            assert_true(st == INLAY_DONE || st == INLAY_ALREADY);
            check_result(&d, s);
            device_close(&d);
            free_scenario(s);
        }
    assert_true(by_journal > 10 && by_count > 10 && fresh > 10);
}

/* Whatever the work area held before does not matter; it is never taken for erased. */
static void garbage_in_the_work_area(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (unsigned i = 0; i < 6; i++) {
            struct scenario *s = make_scenario(&shapes[shape], 1, i + 1u);
            struct device d;
            device_open(&d, s);
            for (uint32_t k = 0; k < d.work.len; k++)
                d.work.data[k] = i == 0   ? d.work.f.erased
                                 : i == 1 ? (uint8_t) "JL\1\2"[k % 4u]
                                          : (uint8_t)next_random(&seed);
            assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
            check_result(&d, s);
            device_close(&d);
            free_scenario(s);
        }
}

static uint32_t crc32_of(const uint8_t *data, uint32_t len)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < len * 8u; i++) {
        uint32_t bit = (crc ^ (uint32_t)data[i / 8u] >> i % 8u) & 1u;
        crc = crc >> 1 ^ (bit ? 0xEDB88320u : 0);
    }
    return ~crc;
}

/* Makes a work area that holds one record, written by the journal itself. */
static void write_one(struct device *d, struct inlay_record *rec, unsigned version)
{
    struct inlay_journal j;
    struct inlay_record none;
    static struct inlay_writer w;
    assert_int_equal(inlay_journal_find(&j, &d->work.f, &none), INLAY_OK);
    assert_int_equal(inlay_journal_commit(&j, &w, rec, NULL), INLAY_OK);
    assert_true(j.at > 0);
    for (uint32_t at = 0; at <= j.at; at += j.at) {
        uint8_t *b = d->work.data + at;
        uint32_t len = inlay_get16(b + 4);
        b[2] = (uint8_t)version;
        inlay_put32(b + len - 4u, crc32_of(b, len - 4u));
    }
}

static void a_journal_from_another_version(void **state)
{
    (void)state;
    struct scenario *s = make_scenario(&shapes[0], 1, 1);
    for (uint8_t kind = INLAY_RECORD_IDLE; kind <= INLAY_RECORD_DONE; kind++) {
        struct inlay_record rec = {.kind = kind};
        struct device d;
        device_open(&d, s);
        write_one(&d, &rec, INLAY_RECORD_VERSION + 1u);
        int over = kind == INLAY_RECORD_IDLE || kind == INLAY_RECORD_DONE;
        uint32_t ops = d.power.ops;
        enum inlay_status st = run(&d, &s->patch, 1, 700);
        assert_int_equal(st, over ? INLAY_DONE : INLAY_E_JOURNAL);
        if (!over)
            assert_int_equal(d.power.ops, ops);
        device_close(&d);
    }
    free_scenario(s);
}

/* Records that no update wrote, with a good checksum, end in an error. */
static void records_that_make_no_sense(void **state)
{
    (void)state;
    uint64_t seed = 8;
    struct scenario *s = make_scenario(&shapes[0], 1, 1);
    for (unsigned i = 0; i < 300; i++) {
        struct inlay_record rec = {.kind = (uint8_t)(2u + below(&seed, 3))};
        struct device d;
        device_open(&d, s);
        uint8_t digest[32];
        crypto_hash_sha256(digest, s->patch.data, s->man.len + 1u);
        memcpy(rec.is.patch, digest, INLAY_ID_LEN);
        memset(d.work.data + 2u * 4096u, 0xFF, 4096);
        memcpy(d.work.data + 2u * 4096u, s->patch.data, s->man.body_pos);
        memcpy(d.work.data + 2u * 4096u + s->man.body_pos, s->payload.data, s->plan_len);
        crypto_hash_sha256(digest, s->payload.data, s->plan_len);
        memcpy(rec.is.plan, digest, INLAY_SHORT_LEN);
        rec.head_len = i % 10u == 0 ? (uint16_t)next_random(&seed) : s->man.body_pos;
        rec.payload_pos = i % 3u == 0 ? (uint32_t)next_random(&seed) : s->plan_len;
        rec.stage_pos = i % 3u == 1u ? (uint32_t)next_random(&seed) : 4096u * below(&seed, 9);
        rec.save_len = below(&seed, 257);
        write_one(&d, &rec, INLAY_RECORD_VERSION);
        assert_true(run(&d, &s->patch, 1, 700) < 0);
        device_close(&d);
    }
    free_scenario(s);
}

/* The stage moves on from group to group, and from update to update. */
static void wear_of_the_stage_is_spread(void **state)
{
    (void)state;
    struct scenario *s = make_scenario(&shapes[0], 1, 4);
    struct device d;
    device_open(&d, s);
    for (unsigned i = 0; i < 12; i++) {
        memcpy(d.a.data, s->old_image, s->old_size);
        assert_int_equal(run(&d, &s->patch, 1, 700), INLAY_DONE);
    }
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t pos = 3u * 4096u; pos < d.work.len; pos += 4096u) {
        least = d.work.erases[pos] < least ? d.work.erases[pos] : least;
        most = d.work.erases[pos] > most ? d.work.erases[pos] : most;
    }
    assert_true(least > 0 && most <= least + 2u);
    device_close(&d);
    free_scenario(s);
}

int main(int argc, char **argv)
{
    if (argc == 2) /* the name of a case */
        cmocka_set_test_filter(argv[1]);
    if (argc > 6 && argc - 6 <= (int)CUTS_MAX) {
        struct history h = {(size_t)atoi(argv[1]) % SHAPES,
                            atoi(argv[2]) != 0,
                            strtoull(argv[3], NULL, 10),
                            (enum cut_mode)atoi(argv[4]),
                            strtoull(argv[5], NULL, 10),
                            {0},
                            (unsigned)argc - 6u};
        for (unsigned i = 0; i < h.cuts; i++)
            h.cut[i] = (uint32_t)strtoul(argv[6 + i], NULL, 10);
        return play_alone(&h);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_cut_everywhere),
        cmocka_unit_test(two_cuts),
        cmocka_unit_test(cuts_in_the_settling),
        cmocka_unit_test(many_cuts),
        cmocka_unit_test(short_boots_still_finish),
        cmocka_unit_test(boots_without_progress_are_not_a_loop),
        cmocka_unit_test(garbage_in_the_work_area),
        cmocka_unit_test(a_journal_from_another_version),
        cmocka_unit_test(records_that_make_no_sense),
        cmocka_unit_test(wear_of_the_stage_is_spread),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("%llu histories of power cuts\n", (unsigned long long)histories);
    return failed;
}
