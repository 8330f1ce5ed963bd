/* SPDX-License-Identifier: Apache-2.0 */
/* inlay sim: runs a patch on a model of the device's flash, with power cuts. */
#include "cli.h"
#include "file.h"
#include "inlay.h"
#include "json.h"
#include "manifest.h"
#include "progress.h"
#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATCH_MAX 0x7fffffffu

static const char *profile_name, *cut_text = "none", *torn_text = "none", *cuts_text, *keep_text,
                                 *seed_text, *replay_text;
static int as_json, full;

static const struct cli_option options[] = {
    {'p', "profile", "NAME|FILE",
     "the device; default: the shipped profile with the patch's blocks, host if any will do",
     &profile_name, NULL},
    {'c', "cut", "WHERE",
     "none (default), every: at each operation in turn, or\n"
     "random:N[:SEED]: N histories of one to three cuts",
     &cut_text, NULL},
    {'t', "torn", "MODES",
     "what a cut leaves of the operation under way: none (default,\n"
     "cuts between operations only), all, any (one of them, drawn, at\n"
     "each operation), or some of before, after,\n"
     "prefix, suffix, random, one-bit, all-but-one, half-erased, weak,\n"
     "neighbour and unstable, with commas between",
     &torn_text, NULL},
    {0, "cuts", "N", "with --cut every: up to N cuts in a row, 1 (default) to 3", &cuts_text, NULL},
    {0, "keep", "N", "with --cut every: at one in N operations of every boot", &keep_text, NULL},
    {0, "seed", "N", "of stale flash, garbage RAM and torn bits; default: 0", &seed_text, NULL},
    {0, "full", NULL,
     "run every history to its end, even if it has come to where\n"
     "an earlier one went on well; the same result, slowly",
     NULL, &full},
    {0, "replay", "ID", "one history, as a failure printed it", &replay_text, NULL},
    {0, "json", NULL, "print JSON", NULL, &as_json},
    {0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cli_usage usage = {
    "sim",
    "OLD PATCH [options]",
    "Runs the device code on a model of the device's flash, first without and then with\n"
    "power cuts, and reports what the update costs and whether every history ended at\n"
    "exactly the new image; if one did not, the exit status is 1.\n",
    options,
    2,
    2};

/* What was asked for. */
struct request {
    enum { CUT_NONE, CUT_EVERY, CUT_RANDOM } cut;
    uint64_t random_count, random_seed;
    uint64_t cuts, keep, seed;
    unsigned torn_mask;
};

/* Everything a simulation needs and makes. */
struct session {
    struct request ask;
    struct inlay_profile profile;
    struct inlay_image old;
    struct inlay_buffer patch;
    struct inlay_needs needs;
    struct inlay_sim *sim;
    struct inlay_sim_result result;
    struct inlay_sim_cuts cuts;
};

/* ---- options ---- */

static int read_number(const char *name, const char *text, uint64_t min, uint64_t max,
                       uint64_t *value)
{
    if (!text)
        return 0;
    if (!cli_number(text, value) && *value >= min && *value <= max)
        return 0;
    return cli_usage_error("sim", "--%s takes a number from %" PRIu64 " to %" PRIu64 ", not '%s'",
                           name, min, max, text);
}

static int read_torn(const char *text, unsigned *mask)
{
    char name[16];
    if (!strcmp(text, "none") || !strcmp(text, "all")) {
        *mask = text[0] == 'a' ? INLAY_TORN_ALL : INLAY_TORN_NONE;
        return 0;
    }
    if (!strcmp(text, "any")) {
        *mask = INLAY_TORN_ALL | INLAY_TORN_DRAWN;
        return 0;
    }
    for (*mask = 0;; text++) {
        size_t len = strcspn(text, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, text);
        enum inlay_torn torn = inlay_torn_find(name);
        if (torn == INLAY_TORN_COUNT)
            return cli_usage_error("sim", "--torn knows no mode '%.*s'", (int)len, text);
        *mask |= 1u << torn;
        text += len;
        if (!*text)
            return 0;
    }
}

/* random:N[:SEED] */
static int read_random(const char *text, struct request *ask)
{
    char count[24];
    const char *colon = strchr(text, ':');
    snprintf(count, sizeof count, "%.*s", colon ? (int)(colon - text) : 23, text);
    if (cli_number(count, &ask->random_count) ||
        (colon && (cli_number(colon + 1, &ask->random_seed) || ask->random_seed > UINT32_MAX)))
        return cli_usage_error("sim", "--cut takes random:N or random:N:SEED, not 'random:%s'",
                               text);
    ask->cut = CUT_RANDOM;
    return 0;
}

static int read_cut(struct request *ask)
{
    if (!strcmp(cut_text, "none"))
        ask->cut = CUT_NONE;
    else if (!strcmp(cut_text, "every"))
        ask->cut = CUT_EVERY;
    else if (!strncmp(cut_text, "random:", 7))
        return read_random(cut_text + 7, ask);
    else
        return cli_usage_error("sim", "--cut takes none, every or random:N[:SEED], not '%s'",
                               cut_text);
    return 0;
}

static int read_request(struct request *ask)
{
    *ask = (struct request){.cuts = 1, .keep = 1};
    int code = read_cut(ask);
    if (!code)
        code = read_torn(torn_text, &ask->torn_mask);
    if (!code)
        code = read_number("cuts", cuts_text, 1, INLAY_SIM_CUTS_MAX, &ask->cuts);
    if (!code)
        code = read_number("keep", keep_text, 1, UINT32_MAX, &ask->keep);
    if (!code)
        code = read_number("seed", seed_text, 0, UINT32_MAX, &ask->seed);
    return code;
}

/* ---- profile ---- */

/* A manifest says no more of the slot than what the images are in. */
static int same_flash(const struct inlay_profile_area *a, const struct inlay_manifest *m)
{
    if (!m->regions || a->regions < m->regions)
        return !m->regions && !a->regions;
    for (unsigned r = 0; r < m->regions; r++)
        if (a->region[r].block_len != m->region[r].block_len ||
            a->region[r].count < m->region[r].count ||
            (r + 1u < m->regions && a->region[r].count > m->region[r].count))
            return 0;
    return 1;
}

/* The first shipped profile with the flash that the patch was made for; host if any will do. */
static int find_profile(const struct inlay_buffer *patch, struct inlay_profile *p,
                        struct inlay_error *err)
{
    size_t count;
    const struct inlay_profile_file *file = inlay_profile_list(&count);
    struct inlay_manifest m;
    enum inlay_status status = inlay_manifest_read(&m, patch->data, patch->len);
    if (status)
        return inlay_fail(err, INLAY_EXIT_CORRUPT, "the patch has no readable manifest: %s",
                          inlay_status_text(status == INLAY_MORE ? INLAY_E_CORRUPT : status));
    for (size_t i = 0; i < count; i++) {
        const struct inlay_profile_area *a;
        if (inlay_profile_load(file[i].name, p, err) ||
            !(a = inlay_profile_target(p, m.in_place)) || !same_flash(a, &m))
            continue;
        return 0;
    }
    return inlay_fail(err, INLAY_EXIT_USAGE,
                      "no shipped profile has the flash that this patch was made for; give its "
                      "profile with --profile");
}

/* ---- running ---- */

static int load(struct session *s, const char *const *args, struct inlay_error *err)
{
    int code = inlay_image_load(args[0], &s->old, err);
    if (!code)
        code = inlay_file_read(args[1], PATCH_MAX, &s->patch, err);
    if (code)
        return code;
    code = profile_name ? inlay_profile_load(profile_name, &s->profile, err)
                        : find_profile(&s->patch, &s->profile, err);
    if (code)
        return code;
    enum inlay_status status =
        inlay_probe(inlay_host_codecs(), s->patch.data, s->patch.len, &s->needs);
    if (status)
        return inlay_fail(err, INLAY_EXIT_CORRUPT, "%s: %s", args[1],
                          inlay_status_text(status == INLAY_MORE ? INLAY_E_CORRUPT : status));
    return 0;
}

static int search(struct session *s, const struct inlay_progress *progress, struct inlay_error *err)
{
    const struct request *ask = &s->ask;
    int code = 0;
    if (replay_text)
        return inlay_sim_replay(s->sim, replay_text, &s->cuts, err);
    if (ask->cut == CUT_EVERY)
        code = inlay_sim_every(s->sim, (unsigned)ask->cuts, ask->torn_mask, (uint32_t)ask->keep,
                               progress, &s->cuts);
    else if (ask->cut == CUT_RANDOM)
        code = inlay_sim_random(s->sim, ask->random_count, (uint32_t)ask->random_seed,
                                ask->torn_mask, progress, &s->cuts);
    return code ? inlay_fail(err, (enum inlay_exit)code, "%.320s; again with --replay %.128s",
                             s->cuts.failure, s->cuts.replay)
                : 0;
}

static int simulate(struct session *s, struct inlay_error *err)
{
    struct progress bar;
    const struct inlay_sim_setup setup = {.profile = &s->profile,
                                          .in_place = s->needs.in_place,
                                          .old = s->old.data,
                                          .old_size = (uint32_t)s->old.size,
                                          .new_size = s->needs.new_size,
                                          .patch = s->patch.data,
                                          .patch_len = (uint32_t)s->patch.len,
                                          .seed = (uint32_t)s->ask.seed,
                                          .boot = inlay_sim_patcher};
    int code = inlay_sim_new(&setup, &s->sim, err);
    if (!code)
        code = inlay_sim_run(s->sim, &s->result, err);
    if (s->sim)
        inlay_sim_set_whole(s->sim, full);
    if (code)
        return code;
    struct inlay_progress progress = progress_start(&bar);
    code = search(s, &progress, err);
    progress_stop(&bar);
    return code;
}

/* ---- report ---- */

static uint32_t blocks_erased(const struct inlay_model_block *b, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += b[i].erases > 0;
    return n;
}

static void print_text(const struct session *s)
{
    const struct inlay_sim_result *r = &s->result;
    const struct inlay_sim_cuts *c = &s->cuts;
    uint64_t us = r->flash_us + r->cpu_us + r->radio_us;
    printf("device      %s, %s\n", s->profile.name, s->needs.in_place ? "in place" : "A/B");
    printf("result      the new image, %" PRIu32 " bytes, from %" PRIu64 " bytes of patch\n",
           s->needs.new_size, r->fed);
    if (r->already)
        printf("            it was installed beforehand, so there was nothing to do\n");
    printf("operations  %" PRIu64 ": %" PRIu64 " erases, %" PRIu64 " programs of %" PRIu64
           " bytes in all\n",
           r->ops, r->counts.erases, r->counts.writes, r->counts.written);
    printf("erases      %" PRIu64 " in %" PRIu32 " of %" PRIu32 " blocks", r->target_erases,
           blocks_erased(r->target, r->target_blocks), r->target_blocks);
    if (r->work)
        printf(", %" PRIu64 " in %" PRIu32 " of %" PRIu32 " of the work area", r->work_erases,
               blocks_erased(r->work, r->work_blocks), r->work_blocks);
    printf("; at most %" PRIu32 " of one\n", r->most_erases);
    printf("RAM         %" PRIu32 " bytes of %" PRIu32 "\n", r->ram, s->profile.ram);
    printf("time        about %.1f s: flash %.1f, processor %.1f, radio %.1f\n", (double)us / 1e6,
           (double)r->flash_us / 1e6, (double)r->cpu_us / 1e6, (double)r->radio_us / 1e6);
    printf("energy      about %.1f mJ\n", (double)r->energy_uj / 1e3);
    if (c->tried)
        printf("cuts        %" PRIu64 " histories, %" PRIu64 " ended at exactly the new image; at "
               "most %" PRIu32 " boots, %" PRIu64 " erases, %" PRIu64
               " patch bytes asked for again\n",
               c->tried, c->ok, c->most_boots, c->most_erases, c->most_again);
    if (c->known)
        printf("            %" PRIu64
               " of them followed until they could only go on like another\n",
               c->known);
}

static void json_wear(struct json *j, const char *key, const struct inlay_model_block *b,
                      uint32_t count)
{
    json_array(j, key);
    for (uint32_t i = 0; i < count; i++)
        json_number(j, NULL, b[i].erases);
    json_end(j);
}

static void json_cuts(struct json *j, const struct inlay_sim_cuts *c)
{
    json_object(j, "cuts");
    json_number(j, "tried", c->tried);
    json_number(j, "ok", c->ok);
    json_number(j, "known", c->known);
    json_number(j, "boots", c->boots);
    json_number(j, "most_boots", c->most_boots);
    json_number(j, "most_erases", c->most_erases);
    json_number(j, "most_bytes_again", c->most_again);
    json_text(j, "replay", c->replay[0] ? c->replay : NULL);
    json_text(j, "failure", c->failure[0] ? c->failure : NULL);
    json_end(j);
}

static void print_json(const struct session *s, int code, const struct inlay_error *err)
{
    const struct inlay_sim_result *r = &s->result;
    struct json j;
    json_begin(&j, stdout, "inlay-sim-1");
    json_bool(&j, "ok", !code);
    json_text(&j, "error", code ? err->text : NULL);
    json_text(&j, "profile", s->profile.name);
    json_text(&j, "mode", s->needs.in_place ? "in-place" : "ab");
    json_number(&j, "new_size", s->needs.new_size);
    json_bool(&j, "already", r->already);
    json_number(&j, "operations", r->ops);
    json_number(&j, "erases", r->counts.erases);
    json_number(&j, "programs", r->counts.writes);
    json_number(&j, "bytes_erased", r->counts.erased);
    json_number(&j, "bytes_written", r->counts.written);
    json_number(&j, "bytes_read", r->counts.read);
    json_number(&j, "bytes_received", r->fed);
    json_number(&j, "boots", 1);
    json_number(&j, "ram", r->ram);
    json_number(&j, "flash_us", r->flash_us);
    json_number(&j, "cpu_us", r->cpu_us);
    json_number(&j, "radio_us", r->radio_us);
    json_number(&j, "energy_uj", r->energy_uj);
    json_number(&j, "most_erases_of_a_block", r->most_erases);
    json_wear(&j, "slot_erases", r->target, r->target_blocks);
    json_wear(&j, "work_erases", r->work, r->work_blocks);
    json_cuts(&j, &s->cuts);
    json_finish(&j);
}

int cmd_sim(int argc, char **argv)
{
    const char *args[CLI_ARGS_MAX];
    struct session s = {0};
    struct inlay_error err = {""};
    int code;
    if (cli_parse(&usage, argc, argv, args, &code))
        return code;
    code = read_request(&s.ask);
    if (code)
        return code;
    code = load(&s, args, &err);
    int loaded = !code;
    if (!code)
        code = simulate(&s, &err);
    if (as_json && loaded)
        print_json(&s, code, &err);
    else if (s.result.ops || !code)
        print_text(&s);
    int flushed = cli_flush("sim");
    if (code)
        cli_error("sim", code, &err);
    inlay_sim_free(s.sim);
    inlay_image_free(&s.old);
    inlay_buffer_free(&s.patch);
    return code ? code : flushed;
}
