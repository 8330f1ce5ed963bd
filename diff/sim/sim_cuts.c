/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches through histories of power cuts.
 *
 * What a boot does up to its cut does not depend on the cut.  So a boot runs
 * once and is logged; the flash at every later cut is then made by redoing
 * the log on a second model, the trunk, operation by operation, and only what
 * follows the cut runs on the device code.
 */
#include "sim_parts.h"

#include <stdio.h>
#include <string.h>

/* A search under way. */
struct search {
    struct inlay_sim *sim;
    struct inlay_sim_cuts *cuts;
    const struct inlay_progress *progress;
    unsigned depth, torn_mask;
    uint32_t keep;
    struct inlay_memo *memo; /* of the boots behind the last cut; NULL: they are all run */
    struct inlay_sim_path path;
};

static void print_path(const struct inlay_sim_path *path, char *to, size_t room)
{
    size_t used = 0;
    to[0] = 0;
    for (unsigned i = 0; i < path->count && used < room; i++)
        used += (size_t)snprintf(to + used, room - used, "%s%llu:%s:%u", i ? "," : "",
                                 (unsigned long long)path->cut[i].op,
                                 inlay_torn_name(path->cut[i].torn), path->cut[i].seed);
}

static void keep_max(uint64_t *max, uint64_t value)
{
    if (value > *max)
        *max = value;
}

/* Counts a history that ended; rc and why as from inlay_sim_finish(). */
static int count_history(struct inlay_sim *sim, struct inlay_sim_cuts *cuts,
                         const struct inlay_sim_path *path, int rc, const char *why)
{
    uint32_t boots = sim->work->boot + 1;
    cuts->tried++;
    cuts->boots += boots;
    if (boots > cuts->most_boots)
        cuts->most_boots = boots;
    keep_max(&cuts->most_erases, sim->work->counts.erases);
    cuts->known += (unsigned)sim->known;
    if (!rc) {
        cuts->ok++;
        return 0;
    }
    if (!cuts->replay[0]) {
        print_path(path, cuts->replay, sizeof cuts->replay);
        snprintf(cuts->failure, sizeof cuts->failure, "%s", why);
    }
    return INLAY_EXIT_FAILURE;
}

/* ---- all histories ---- */

static int explore(struct search *s, unsigned l);

/* Cuts the boot of level l at its operation k, torn in one way, and goes on from there. */
static int branch(struct search *s, unsigned l, size_t k, enum inlay_torn torn, uint32_t draw)
{
    struct inlay_sim_level *at = &s->sim->level[l];
    struct inlay_model *next = s->sim->level[l + 1].start;
    uint64_t r = inlay_model_mix(s->sim->setup.seed, k);
    for (unsigned i = 0; i < l; i++)
        r = inlay_model_mix(r, s->path.cut[i].seed);
    struct inlay_cut cut = {k, torn, (uint32_t)inlay_model_mix(r + draw, torn)};
    inlay_model_restore(next, at->trunk);
    if (k < at->log.count)
        inlay_model_redo_torn(next, &at->log, k, &cut);
    inlay_model_boot(next);
    s->path.cut[l] = cut;
    s->path.count = l + 1;
    return explore(s, l + 1);
}

/* How many different ways there are to tear operation k like this. */
static uint32_t ways(const struct search *s, const struct inlay_model_log *log, size_t k,
                     enum inlay_torn torn)
{
    if (!(s->torn_mask >> torn & 1))
        return 0;
    if (k == log->count) /* nothing is left to tear */
        return torn == INLAY_TORN_BEFORE;
    if (!inlay_torn_applies(torn, log->op[k].is_erase))
        return 0;
    return torn == INLAY_TORN_BEFORE || torn == INLAY_TORN_AFTER ? 1 : s->sim->draws;
}

static int kept(const struct search *s, unsigned l, size_t k)
{
    uint64_t r = inlay_model_mix(s->sim->setup.seed + 1u, k);
    for (unsigned i = 0; i < l; i++)
        r = inlay_model_mix(r, s->path.cut[i].op);
    return s->keep <= 1 || r % s->keep == 0;
}

/* One of the ways that are possible at operation k, if any is. */
static int cut_drawn(struct search *s, unsigned l, size_t k)
{
    uint64_t r = inlay_model_mix(s->sim->setup.seed + 2u, k);
    unsigned seen = 0, chosen = 0;
    for (unsigned i = 0; i < l; i++)
        r = inlay_model_mix(r, s->path.cut[i].seed);
    for (unsigned i = 0; i < INLAY_TORN_COUNT; i++)
        if (ways(s, &s->sim->level[l].log, k, (enum inlay_torn)i) &&
            inlay_model_mix(r, i) % ++seen == 0)
            chosen = i;
    return seen ? branch(s, l, k, (enum inlay_torn)chosen, 0) : 0;
}

/* All cuts at operation k of the boot whose log level l holds. */
static int cut_at(struct search *s, unsigned l, size_t k)
{
    int code = 0;
    if (s->torn_mask & INLAY_TORN_DRAWN)
        return cut_drawn(s, l, k);
    for (unsigned i = 0; i < INLAY_TORN_COUNT; i++) {
        enum inlay_torn torn = (enum inlay_torn)i;
        uint32_t count = ways(s, &s->sim->level[l].log, k, torn);
        for (uint32_t draw = 0; draw < count && !code; draw++)
            code = branch(s, l, k, torn, draw);
    }
    return code;
}

static int cut_everywhere(struct search *s, unsigned l)
{
    struct inlay_sim_level *at = &s->sim->level[l];
    size_t count = at->log.count;
    inlay_model_restore(at->trunk, at->start);
    for (size_t k = 0; k <= count; k++) {
        if (s->memo && l + 1 == s->depth)
            inlay_memo_sum(at->trunk);
        int code = kept(s, l, k) ? cut_at(s, l, k) : 0;
        if (code)
            return code;
        if (k < count)
            inlay_model_redo(at->trunk, &at->log, k);
        if (!l && s->progress)
            s->progress->report(s->progress->ctx, "cutting", k, count);
    }
    return 0;
}

/* Runs level l's boot to the end, and then with every cut that is left to make. */
static int explore(struct search *s, unsigned l)
{
    struct inlay_sim *sim = s->sim;
    struct inlay_sim_level *at = &sim->level[l];
    char why[240] = "";
    if (l) {
        at->log.count = at->log.data_len = 0;
        inlay_model_restore(sim->work, at->start);
        sim->work->log = l < s->depth ? &at->log : NULL;
        sim->memo = l < s->depth ? NULL : s->memo;
        int rc = inlay_sim_finish(sim, sim->work, why, sizeof why);
        sim->work->log = NULL;
        sim->memo = NULL;
        keep_max(&s->cuts->most_again, sim->again);
        s->path.count = l;
        int code = count_history(sim, s->cuts, &s->path, rc, why);
        if (code)
            return code;
    }
    return l < s->depth ? cut_everywhere(s, l) : 0;
}

int inlay_sim_every(struct inlay_sim *sim, unsigned depth, unsigned torn_mask, uint32_t keep,
                    const struct inlay_progress *progress, struct inlay_sim_cuts *cuts)
{
    struct search s = {.sim = sim,
                       .cuts = cuts,
                       .progress = progress,
                       .depth = depth < INLAY_SIM_CUTS_MAX ? depth : INLAY_SIM_CUTS_MAX,
                       .torn_mask = torn_mask,
                       .keep = keep,
                       .memo = sim->whole ? NULL : inlay_memo_new(sim->work)};
    int code = explore(&s, 0);
    inlay_memo_free(s.memo);
    return code;
}

/* ---- single histories ---- */

/* Brings the first trunk to the state before operation op of the run without cuts. */
static void go_to(struct inlay_sim *sim, uint64_t op)
{
    struct inlay_sim_level *l = &sim->level[0];
    if (l->at > op || l->at == l->log.count) {
        inlay_model_restore(l->trunk, l->start);
        l->at = 0;
    }
    while (l->at < op && l->at < l->log.count)
        inlay_model_redo(l->trunk, &l->log, l->at++);
}

/* The cuts behind the first, as they come.  0, or -1 if a boot went wrong by itself. */
static int later_cuts(struct inlay_sim *sim, const struct inlay_sim_path *path, char *why,
                      size_t why_len)
{
    for (unsigned i = 1; i < path->count; i++) {
        inlay_model_arm(sim->work, &path->cut[i]);
        if (!inlay_sim_boot_once(sim, sim->work) && sim->status != INLAY_E_FLASH &&
            inlay_sim_judge(sim, sim->work, why, why_len))
            return -1;
        inlay_model_boot(sim->work);
    }
    return 0;
}

static int play(struct inlay_sim *sim, const struct inlay_sim_path *path, struct inlay_memo *memo,
                struct inlay_sim_cuts *cuts)
{
    struct inlay_sim_level *l = &sim->level[0];
    const struct inlay_cut *first = &path->cut[0];
    char why[240] = "";
    go_to(sim, first->op);
    inlay_model_restore(sim->work, l->trunk);
    if (first->op < l->log.count)
        inlay_model_redo_torn(sim->work, &l->log, first->op, first);
    inlay_model_boot(sim->work);
    int rc = later_cuts(sim, path, why, sizeof why);
    sim->memo = memo;
    if (!rc)
        rc = inlay_sim_finish(sim, sim->work, why, sizeof why);
    sim->memo = NULL;
    keep_max(&cuts->most_again, sim->again);
    return count_history(sim, cuts, path, rc, why);
}

int inlay_sim_history(struct inlay_sim *sim, const struct inlay_cut *cut, unsigned count,
                      struct inlay_sim_cuts *cuts)
{
    struct inlay_sim_path path = {.count = count < INLAY_SIM_CUTS_MAX ? count : INLAY_SIM_CUTS_MAX};
    memcpy(path.cut, cut, path.count * sizeof *cut);
    sim->level[0].at = sim->level[0].log.count; /* start the trunk afresh */
    return play(sim, &path, NULL, cuts);
}

/* ---- histories drawn at random ---- */

static enum inlay_torn draw_torn(uint64_t r, unsigned mask)
{
    unsigned n = (unsigned)(r % (unsigned)__builtin_popcount(mask)), torn = 0;
    for (;; torn++)
        if (mask >> torn & 1 && !n--)
            return (enum inlay_torn)torn;
}

static struct inlay_sim_path draw_path(uint64_t r, uint64_t ops, unsigned torn_mask)
{
    struct inlay_sim_path path = {.count =
                                      1 + (unsigned)(inlay_model_mix(r, 0) % INLAY_SIM_CUTS_MAX)};
    for (unsigned i = 0; i < path.count; i++) {
        uint64_t v = inlay_model_mix(r, i + 1u);
        /* Later cuts are more often early in their boot, where recoveries differ. */
        uint64_t range = i ? (v >> 32) % (ops + 1) + 1 : ops + 1;
        path.cut[i].op = inlay_model_mix(v, 1) % range;
        path.cut[i].torn = draw_torn(inlay_model_mix(v, 2), torn_mask);
        path.cut[i].seed = (uint32_t)inlay_model_mix(v, 3);
    }
    return path;
}

static int by_first_cut(const void *a, const void *b)
{
    const struct inlay_sim_path *x = a, *y = b;
    if (x->cut[0].op != y->cut[0].op)
        return x->cut[0].op < y->cut[0].op ? -1 : 1;
    return (x->cut[0].seed > y->cut[0].seed) - (x->cut[0].seed < y->cut[0].seed);
}

#define BATCH 1024u

int inlay_sim_random(struct inlay_sim *sim, uint64_t count, uint32_t seed, unsigned torn_mask,
                     const struct inlay_progress *progress, struct inlay_sim_cuts *cuts)
{
    struct inlay_sim_path *path = malloc(BATCH * sizeof *path);
    struct inlay_memo *memo = sim->whole ? NULL : inlay_memo_new(sim->work);
    int code = path ? 0 : INLAY_EXIT_FAILURE;
    torn_mask &= INLAY_TORN_ALL;
    for (uint64_t done = 0; done < count && !code;) {
        size_t n = count - done < BATCH ? (size_t)(count - done) : BATCH;
        for (size_t i = 0; i < n; i++)
            path[i] =
                draw_path(inlay_model_mix(seed, done + i), sim->level[0].log.count, torn_mask);
        qsort(path, n, sizeof *path, by_first_cut);
        sim->level[0].at = sim->level[0].log.count;
        for (size_t i = 0; i < n && !code; i++) {
            code = play(sim, &path[i], memo, cuts);
            if (progress)
                progress->report(progress->ctx, "cutting", done + i, count);
        }
        done += n;
    }
    inlay_memo_free(memo);
    free(path);
    return code;
}

/* ---- replay ---- */

static int parse_cut(const char **text, struct inlay_cut *cut)
{
    char name[16];
    unsigned long long op;
    unsigned seed;
    int used = 0;
    if (sscanf(*text, "%llu:%15[a-z-]:%u%n", &op, name, &seed, &used) != 3)
        return -1;
    *cut = (struct inlay_cut){op, inlay_torn_find(name), seed};
    *text += used;
    return cut->torn == INLAY_TORN_COUNT ? -1 : 0;
}

int inlay_sim_replay(struct inlay_sim *sim, const char *text, struct inlay_sim_cuts *cuts,
                     struct inlay_error *err)
{
    struct inlay_cut cut[INLAY_SIM_CUTS_MAX];
    unsigned count = 0;
    const char *at = text;
    for (;;) {
        if (count == INLAY_SIM_CUTS_MAX || parse_cut(&at, &cut[count++]) || (*at && *at != ','))
            return inlay_fail(err, INLAY_EXIT_USAGE,
                              "%s is not a history: give OPERATION:MODE:SEED, at most %d of them "
                              "with commas between",
                              text, INLAY_SIM_CUTS_MAX);
        if (!*at++)
            break;
    }
    int code = inlay_sim_history(sim, cut, count, cuts);
    return code ? inlay_fail(err, (enum inlay_exit)code, "%s", cuts->failure) : 0;
}

/* ---- boots that are too short ---- */

int inlay_sim_stutter(struct inlay_sim *sim, uint64_t ops, uint32_t max_boots, enum inlay_torn torn,
                      uint32_t *boots, struct inlay_error *err)
{
    char why[240];
    inlay_model_restore(sim->work, sim->level[0].start);
    for (*boots = 1; *boots <= max_boots; ++*boots) {
        struct inlay_cut cut = {ops, torn, sim->setup.seed + *boots};
        inlay_model_arm(sim->work, &cut);
        if (!inlay_sim_boot_once(sim, sim->work) && sim->status != INLAY_E_FLASH) {
            if (!inlay_sim_judge(sim, sim->work, why, sizeof why))
                return 0;
            return inlay_fail(err, INLAY_EXIT_FAILURE, "in boot %u of %llu operations each: %s",
                              *boots, (unsigned long long)ops, why);
        }
        inlay_model_boot(sim->work);
    }
    return inlay_fail(err, INLAY_EXIT_FAILURE, "not done after %u boots of %llu operations each",
                      max_boots, (unsigned long long)ops);
}
