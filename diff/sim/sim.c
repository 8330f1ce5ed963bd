/* SPDX-License-Identifier: Apache-2.0 */
#include "inlay.h"
#include "sim_parts.h"

#include <stdio.h>
#include <string.h>

#define GUARD      64u
#define GUARD_BYTE 0xA5
/* A boot may fail on bits that read wrong only this time; the next ones must not. */
#define FLASH_RETRIES 6u

/* All the profile has at first, then what the device asked for: the guard is right behind it. */
static uint32_t ram_len(const struct inlay_sim *sim)
{
    uint32_t len = sim->ram_len ? sim->ram_len : sim->setup.profile->ram;
    return (len + 7u) & ~7u;
}

/* ---- making ---- */

static int add_area(struct inlay_sim *sim, const char *name, const struct inlay_profile_area *spec,
                    uint32_t image, const uint8_t *content, uint32_t content_len)
{
    struct inlay_model *m = sim->level[0].start;
    return inlay_model_add(m, name, spec, image, content, content_len,
                           sim->setup.seed + m->areas + 1u);
}

static int add_areas(struct inlay_sim *sim)
{
    const struct inlay_sim_setup *s = &sim->setup;
    const struct inlay_profile *p = s->profile;
    uint32_t larger = s->old_size > s->new_size ? s->old_size : s->new_size;
    int slot =
        add_area(sim, "slot", &p->slot, s->in_place ? larger : s->old_size, s->old, s->old_size);
    sim->target = slot;
    sim->journal = -1;
    if (slot >= 0 && !s->in_place) {
        sim->level[0].start->area[slot].locked = 1;
        sim->target = add_area(sim, "second", &p->second, s->new_size, NULL, 0);
    }
    if (p->work.present)
        sim->journal = add_area(sim, "work", &p->work, 0, NULL, 0);
    return slot < 0 || sim->target < 0 || (p->work.present && sim->journal < 0) ? -1 : 0;
}

static int does_not_fit(const char *what, uint32_t len, const struct inlay_profile_area *a,
                        const struct inlay_profile *p, struct inlay_error *err)
{
    if (!a->regions || len <= inlay_profile_area_len(a))
        return 0;
    return inlay_fail(err, INLAY_EXIT_LIMIT,
                      "the %s image has %u bytes, but %s keeps it in an area of %u", what, len,
                      p->name, inlay_profile_area_len(a));
}

static int fits(const struct inlay_sim_setup *s, struct inlay_error *err)
{
    const struct inlay_profile *p = s->profile;
    const struct inlay_profile_area *target = inlay_profile_target(p, s->in_place);
    if (!target)
        return inlay_fail(err, INLAY_EXIT_LIMIT, "profile %s has no areas for %s", p->name,
                          s->in_place ? "an update in place (it needs slot.blocks and work.blocks)"
                                      : "an A/B update (it needs second.blocks)");
    int code = does_not_fit("old", s->old_size, &p->slot, p, err);
    return code ? code : does_not_fit("new", s->new_size, target, p, err);
}

static int allocate(struct inlay_sim *sim)
{
    struct inlay_model *start = sim->level[0].start;
    for (unsigned i = 0; i <= INLAY_SIM_CUTS_MAX; i++) {
        if (i && !(sim->level[i].start = inlay_model_copy(start)))
            return -1;
        if (!(sim->level[i].trunk = inlay_model_copy(start)))
            return -1;
    }
    sim->done = inlay_model_copy(start);
    sim->work = inlay_model_copy(start);
    sim->ram = malloc(ram_len(sim) + 2 * GUARD);
    return sim->done && sim->work && sim->ram ? 0 : -1;
}

/* The new image is known beforehand, or will be what the first run makes. */
static int expect(struct inlay_sim *sim, const uint8_t *image, uint32_t size)
{
    free(sim->want);
    sim->want = malloc(size + 1u);
    if (!sim->want)
        return -1;
    if (size)
        memcpy(sim->want, image, size);
    sim->want_size = size;
    sim->sure = 1;
    return 0;
}

int inlay_sim_new(const struct inlay_sim_setup *setup, struct inlay_sim **out,
                  struct inlay_error *err)
{
    *out = NULL;
    int code = fits(setup, err);
    if (code)
        return code;
    struct inlay_sim *sim = calloc(1, sizeof *sim);
    if (sim) {
        sim->setup = *setup;
        sim->draws = 1;
        sim->level[0].start = inlay_model_new();
    }
    if (!sim || !sim->level[0].start || add_areas(sim) || allocate(sim) ||
        (setup->new &&expect(sim, setup->new, setup->new_size))) {
        inlay_sim_free(sim);
        return inlay_fail(err, INLAY_EXIT_FAILURE, "not enough memory to simulate %s",
                          setup->profile->name);
    }
    *out = sim;
    return 0;
}

void inlay_sim_set_whole(struct inlay_sim *sim, int whole)
{
    sim->whole = whole;
}

void inlay_sim_set_draws(struct inlay_sim *sim, uint32_t draws)
{
    sim->draws = draws ? draws : 1;
}

void inlay_sim_free(struct inlay_sim *sim)
{
    if (!sim)
        return;
    for (unsigned i = 0; i <= INLAY_SIM_CUTS_MAX; i++) {
        inlay_model_free(sim->level[i].start);
        inlay_model_free(sim->level[i].trunk);
        inlay_model_log_free(&sim->level[i].log);
    }
    inlay_model_free(sim->done);
    inlay_model_free(sim->work);
    free(sim->ram);
    free(sim->want);
    free(sim);
}

/* ---- one boot ---- */

/* RAM does not survive a reset, nor is it zero after one. */
static void garble_ram(struct inlay_sim *sim, const struct inlay_model *m)
{
    uint64_t r = inlay_model_mix(sim->setup.seed, m->boot);
    uint32_t len = ram_len(sim);
    for (uint32_t i = 0; i < len; i += 8) {
        uint64_t v = r = r * 6364136223846793005u + 1442695040888963407u;
        memcpy(sim->ram + GUARD + i, &v, 8);
    }
    memset(sim->ram, GUARD_BYTE, GUARD);
    memset(sim->ram + GUARD + len, GUARD_BYTE, GUARD);
}

static void check_guards(const struct inlay_sim *sim, struct inlay_model *m)
{
    const uint8_t *behind = sim->ram + GUARD + ram_len(sim);
    for (uint32_t i = 0; i < GUARD; i++)
        if (sim->ram[i] != GUARD_BYTE || behind[i] != GUARD_BYTE)
            inlay_model_break(m, "wrote outside its RAM");
}

/* What an earlier boot did from here on, this one would do, too. */
static void skip_to_end(struct inlay_sim *sim, struct inlay_model *m,
                        const struct inlay_memo_end *end)
{
    m->counts.erases += end->erases;
    sim->status = INLAY_DONE;
    sim->board.low = end->low;
    sim->board.high = end->high;
    sim->known = 1;
}

static int pass(struct inlay_sim_board *b, uint64_t more)
{
    struct inlay_sim *sim = b->pass_ctx;
    struct inlay_model *m = ((struct inlay_model_area *)b->slot->ctx)->model;
    struct inlay_memo_end end;
    inlay_memo_fed(sim->memo, b->low, b->high);
    b->low = UINT32_MAX;
    b->high = 0;
    if (!inlay_memo_pass(sim->memo, b->ram, b->ram_used, more, &end))
        return 0;
    skip_to_end(sim, m, &end);
    return 1;
}

static void prepare_board(struct inlay_sim *sim, struct inlay_model *m)
{
    struct inlay_sim_board *b = &sim->board;
    b->old = &m->area[0].flash;
    b->slot = &m->area[sim->target].flash;
    b->work = sim->journal >= 0 ? &m->area[sim->journal].flash : NULL;
    b->patch = sim->setup.patch;
    b->patch_len = sim->setup.patch_len;
    b->feed_len = sim->setup.feed_len;
    b->ram = sim->ram + GUARD;
    b->ram_len = ram_len(sim);
    b->low = UINT32_MAX;
    b->high = 0;
    b->pass = sim->memo ? pass : NULL;
    b->pass_ctx = sim;
    b->mark = &m->mark;
    memset(&b->at, 0, sizeof b->at);
}

int inlay_sim_boot_once(struct inlay_sim *sim, struct inlay_model *m)
{
    jmp_buf power;
    garble_ram(sim, m);
    prepare_board(sim, m);
    m->power = &power;
    if (setjmp(power)) {
        m->power = NULL;
        check_guards(sim, m);
        return 1;
    }
    enum inlay_status status = sim->setup.boot(sim->setup.boot_ctx, &sim->board);
    sim->status = status;
    m->power = NULL;
    m->armed = 0;
    check_guards(sim, m);
    return 0;
}

static const char *explain(enum inlay_status status)
{
    return status == INLAY_MORE    ? "it asks for bytes that the patch does not have"
           : status == INLAY_AGAIN ? "it works on without end"
                                   : inlay_status_text(status);
}

int inlay_sim_judge(struct inlay_sim *sim, const struct inlay_model *m, char *why, size_t why_len)
{
    const struct inlay_model_area *a = &m->area[sim->target];
    if (m->broken[0])
        snprintf(why, why_len, "the device %s", m->broken);
    else if (sim->status != INLAY_DONE && sim->status != INLAY_ALREADY)
        snprintf(why, why_len,
                 "the device stopped with status %d (%s), patch byte %u, image byte %u",
                 (int)sim->status, explain(sim->status), sim->board.at.patch_pos,
                 sim->board.at.image_pos);
    else if (sim->sure && !inlay_model_holds(a, sim->want, sim->want_size))
        snprintf(why, why_len, "the device says done, but the %s area does not hold the new image",
                 a->name);
    else
        return 0;
    return -1;
}

/* A boot to its end, or to where its end is known. */
static int last_boot(struct inlay_sim *sim, struct inlay_model *m, char *why, size_t why_len)
{
    struct inlay_memo_end end;
    sim->known = 0;
    if (sim->memo && inlay_memo_find(sim->memo, m, &end)) {
        skip_to_end(sim, m, &end);
        return 0;
    }
    if (sim->memo)
        inlay_memo_begin(sim->memo, m);
    inlay_sim_boot_once(sim, m);
    if (sim->known && !m->broken[0])
        return 0;
    int rc = inlay_sim_judge(sim, m, why, why_len);
    if (sim->memo) {
        inlay_memo_fed(sim->memo, sim->board.low, sim->board.high);
        inlay_memo_over(sim->memo, !rc, &m->area[sim->target], sim->want_size, &end);
        sim->board.low = end.low;
        sim->board.high = end.high;
    }
    /* What the memo found to be broken. */
    return rc || !m->broken[0] ? rc : inlay_sim_judge(sim, m, why, why_len);
}

int inlay_sim_finish(struct inlay_sim *sim, struct inlay_model *m, char *why, size_t why_len)
{
    for (unsigned tries = 0;; tries++) {
        uint32_t had = m->mark;
        int rc = last_boot(sim, m, why, why_len);
        had = had < sim->board.high ? had : sim->board.high;
        sim->again = had > sim->board.low ? had - sim->board.low : 0;
        if (sim->status != INLAY_E_FLASH || m->broken[0] || tries == FLASH_RETRIES)
            return rc;
        m->log = NULL;
        inlay_model_boot(m);
    }
}

/* ---- the run without cuts ---- */

static void estimate(const struct inlay_sim *sim, struct inlay_sim_result *r)
{
    const struct inlay_profile *p = sim->setup.profile;
    uint64_t cycles = (uint64_t)sim->want_size * p->cpu_cycles;
    r->flash_us = (r->counts.busy_ns + r->counts.read_ns) / 1000u;
    r->cpu_us = p->cpu_hz ? cycles * 1000u / (p->cpu_hz / 1000u + !(p->cpu_hz / 1000u)) : 0;
    r->radio_us = r->fed * p->radio_us;
    r->energy_uj =
        r->counts.busy_pj / 1000000u + r->cpu_us * p->cpu_mw / 1000u + r->fed * p->radio_nj / 1000u;
}

static uint64_t sum_erases(const struct inlay_model_area *a, uint32_t *most)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < a->blocks; i++) {
        sum += a->block[i].erases;
        if (a->block[i].erases > *most)
            *most = a->block[i].erases;
    }
    return sum;
}

static void report(const struct inlay_sim *sim, struct inlay_sim_result *r)
{
    const struct inlay_model *m = sim->done;
    const struct inlay_model_area *target = &m->area[sim->target];
    r->already = sim->status == INLAY_ALREADY;
    r->ops = sim->level[0].log.count;
    r->counts = m->counts;
    r->fed = sim->board.fed;
    r->ram = sim->board.ram_used;
    r->target_erases = sum_erases(target, &r->most_erases);
    r->target_blocks = target->blocks;
    r->target = target->block;
    if (sim->journal >= 0) {
        const struct inlay_model_area *work = &m->area[sim->journal];
        r->work_erases = sum_erases(work, &r->most_erases);
        r->work_blocks = work->blocks;
        r->work = work->block;
    }
    estimate(sim, r);
}

/* After the end another reset and the same patch again must change nothing. */
static int run_again(struct inlay_sim *sim, struct inlay_model *m, struct inlay_error *err)
{
    char why[240];
    inlay_model_restore(sim->work, m);
    inlay_model_boot(sim->work);
    sim->work->log = NULL;
    if (inlay_sim_finish(sim, sim->work, why, sizeof why))
        return inlay_fail(err, INLAY_EXIT_FAILURE, "the same patch again after the end: %s", why);
    if (sim->journal >= 0 && (sim->status != INLAY_ALREADY || sim->work->ops))
        return inlay_fail(err, INLAY_EXIT_FAILURE,
                          "the same patch again after the end: status %d and %llu flash operations "
                          "instead of \"already done\" and none",
                          (int)sim->status, (unsigned long long)sim->work->ops);
    return 0;
}

int inlay_sim_run(struct inlay_sim *sim, struct inlay_sim_result *result, struct inlay_error *err)
{
    struct inlay_sim_level *l = &sim->level[0];
    struct inlay_model *m = l->trunk;
    char why[240];
    memset(result, 0, sizeof *result);
    inlay_model_restore(m, l->start);
    inlay_model_log_free(&l->log);
    sim->ram_len = 0;
    sim->board.fed = 0;
    m->log = &l->log;
    inlay_sim_boot_once(sim, m);
    m->log = NULL;
    l->at = l->log.count;
    if (inlay_sim_judge(sim, m, why, sizeof why))
        return inlay_fail(
            err, m->broken[0] || sim->status >= 0 ? INLAY_EXIT_FAILURE : inlay_exit_of(sim->status),
            "%s", why);
    sim->ram_len = sim->board.ram_used;
    if (!sim->sure && expect(sim, m->area[sim->target].data, sim->setup.new_size))
        return inlay_fail(err, INLAY_EXIT_FAILURE, "not enough memory");
    inlay_model_restore(sim->done, m);
    report(sim, result);
    return run_again(sim, m, err);
}
