/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work area holds the journal, then the head (manifest and plan) with the
 * pool, then the stage.  More stage makes groups larger, which is worth more
 * than more pool unless much old content is lost.  How long the head is shows
 * only when the patch is there, so the division may take a second try.
 */
#include "fit.h"
#include "internal.h"

#include <string.h>

#define HEAD_GUESS 1024u
#define TRIES      12u
#define RANGE_RAM  256u /* one range of pool for so many bytes of model */

static void describe_work(const struct inlay_profile_area *a, struct inlay_flash *flash)
{
    memset(flash, 0, sizeof *flash);
    flash->write_size = a->write_size;
    flash->erased = a->erased;
    flash->regions = a->regions;
    memcpy(flash->region, a->region, sizeof flash->region);
}

static uint32_t largest_block(const struct inlay_profile_area *a)
{
    uint32_t most = 1;
    for (unsigned i = 0; i < a->regions; i++)
        if (a->region[i].block_len > most)
            most = a->region[i].block_len;
    return most;
}

static int check_images(const struct inlay_fit *fit, int in_place, size_t old_size, size_t new_size,
                        struct inlay_error *err)
{
    const struct inlay_profile *p = fit->profile;
    uint32_t slot = inlay_profile_area_len(&p->slot), room = inlay_profile_area_len(fit->target);
    if (p->slot.regions && old_size > slot)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "the old image has %zu bytes, %zu more than the slot of %s (%u); is it "
                          "the image of the slot alone?",
                          old_size, old_size - slot, p->name, slot);
    if (fit->target->regions && new_size > room)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "the new image has %zu bytes, %zu more than the %s of %s (%u); make it "
                          "smaller or use a profile with a larger one",
                          new_size, new_size - room, in_place ? "slot" : "second slot", p->name,
                          room);
    return 0;
}

/*
 * Where recipes and stage would be for a head of that length, with the pool;
 * 0, or the code of a refusal.
 */
static int lay_out(const struct inlay_fit *fit, uint32_t kept, uint32_t recipe_len,
                   struct inlay_division *layout, struct inlay_error *err)
{
    const struct inlay_profile_area *work = &fit->profile->work;
    struct inlay_flash flash;
    describe_work(work, &flash);
    uint32_t stage = fit->limits.in_place ? largest_block(fit->target) : 0;
    struct inlay_kept all = {.head = kept, .recipes = recipe_len, .recipes_last = 1};
    uint32_t last = inlay_divide_work(layout, &flash, &all) ? 0 : layout->stage.len;
    all.recipes_last = 0; /* the patcher takes either, so both must do */
    if (inlay_divide_work(layout, &flash, &all))
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "the work area of %s has %u bytes, too few for the journal and %u bytes "
                          "of manifest, plan and recipes; give it more blocks",
                          fit->profile->name, inlay_profile_area_len(work), kept + recipe_len);
    if (layout->stage.len > last)
        layout->stage.len = last;
    if (layout->stage.len < stage)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "the work area of %s has %u bytes left for staging, %u fewer than the "
                          "slot's largest block (%u); give it more blocks",
                          fit->profile->name, layout->stage.len, stage - layout->stage.len, stage);
    return 0;
}

/* As many staged blocks as the stage holds, but no larger groups than are of use. */
static void set_groups(struct inlay_fit *fit, const struct inlay_division *layout)
{
    struct inlay_flash flash;
    describe_work(&fit->profile->work, &flash);
    const struct inlay_journal journal = {.flash = &flash,
                                          .area = {layout->journal[0], layout->journal[1]}};
    uint32_t stage_len = layout->stage.len;
    struct inlay_order_limits *l = &fit->limits;
    uint32_t block = largest_block(fit->target);
    uint32_t redo = fit->profile->redo, useful = redo / block ? redo / block : 1;
    if (fit->way == INLAY_FIT_RECIPES) {
        useful = useful < INLAY_RECIPE_BLOCKS ? useful : INLAY_RECIPE_BLOCKS;
        l->recipe_len = layout->recipe.len > fit->spare ? layout->recipe.len - fit->spare : 1;
        l->stage_blocks = l->group_blocks = useful;
        return;
    }
    l->group_blocks = useful;
    l->stage_blocks = stage_len / block < useful ? stage_len / block : useful;
    /* A record lists the blocks in the stage. */
    while (l->stage_blocks > 1 && !inlay_journal_fits(&journal, l->stage_blocks))
        l->stage_blocks--;
    if (!l->stage_blocks)
        l->stage_blocks = 1;
}

/* As much for recipes as leaves the stage two blocks, or one. */
static int lay_out_recipes(const struct inlay_fit *fit, uint32_t kept,
                           struct inlay_division *layout, struct inlay_error *err)
{
    uint32_t block = largest_block(fit->target), stage = layout->stage.len, n = 2;
    if (stage / block < 3)
        n = 1;
    for (uint32_t len = stage > n * block ? stage - n * block : 0; len >= INLAY_RECIPE_PAGE;
         len = len > block ? len - block : 0)
        if (!lay_out(fit, kept, len, layout, NULL) && layout->stage.len / block >= n)
            return 0;
    return inlay_fail(err, INLAY_EXIT_LIMIT,
                      "the work area of %s has no room for recipes; give it more blocks",
                      fit->profile->name);
}

/* Head and pool get whole blocks of what the journal leaves. */
static int divide(struct inlay_fit *fit, struct inlay_error *err)
{
    struct inlay_division least, layout;
    int code = lay_out(fit, fit->head_guess, 0, &least, err);
    if (code)
        return code;
    uint32_t left = least.head.len + least.stage.len, kept = fit->head_guess;
    if (fit->way == INLAY_FIT_POOL && left / 3 > kept)
        kept = left / 3;
    if (lay_out(fit, kept, 0, &layout, NULL))
        layout = least;
    if (fit->way == INLAY_FIT_RECIPES)
        code = lay_out_recipes(fit, kept, &layout, err);
    if (code)
        return code;
    set_groups(fit, &layout);
    if (fit->limits.in_place)
        fit->limits.pool_len = layout.head.len - fit->head_guess;
    return 0;
}

uint8_t inlay_fit_chunk_log(const struct inlay_profile *profile)
{
    uint8_t log = INLAY_CHUNK_LOG_MIN;
    while (log < INLAY_CHUNK_LOG_MAX && 2u << log <= profile->chunk_len)
        log++;
    return log;
}

/* What a long patch leaves of the RAM, if that is less than the profile gives to models. */
static uint32_t model_room(const struct inlay_fit *fit)
{
    const struct inlay_manifest longest = {.payload_len = INLAY_SIZE_MAX,
                                           .chunk_log = inlay_fit_chunk_log(fit->profile),
                                           .stage_blocks =
                                               fit->limits.in_place ? fit->limits.stage_blocks : 0,
                                           .recipe_len = fit->limits.recipe_len};
    uint32_t ram = fit->profile->ram, model = fit->profile->model_ram;
    uint32_t others = inlay_workspace(&longest, 0);
    return ram > others && ram - others < model ? (ram - others) & ~7u : model;
}

int inlay_fit_start(struct inlay_fit *fit, const struct inlay_profile *profile, int in_place,
                    enum inlay_fit_way way, size_t old_size, size_t new_size,
                    struct inlay_error *err)
{
    *fit = (struct inlay_fit){.profile = profile,
                              .target = inlay_profile_target(profile, in_place),
                              .head_guess = HEAD_GUESS,
                              .tries = TRIES,
                              .way = way};
    if (!fit->target || (in_place && (!fit->target->regions || !profile->work.present)))
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "profile %s has no areas for %s; choose another --mode or profile",
                          profile->name, in_place ? "updates in place" : "A/B updates");
    int code = check_images(fit, in_place, old_size, new_size, err);
    if (code)
        return code;
    fit->limits = (struct inlay_order_limits){
        .region = fit->target->region,
        .regions = in_place || new_size > profile->redo ? fit->target->regions : 0,
        .in_place = (uint8_t)(in_place != 0),
        .stage_blocks = 1,
        .group_blocks = UINT32_MAX,
        .pool_ranges = profile->model_ram / RANGE_RAM};
    if (fit->limits.pool_ranges > 1024)
        fit->limits.pool_ranges = 1024;
    if (profile->work.present && fit->target->regions)
        code = divide(fit, err);
    fit->model_bytes = model_room(fit);
    return code;
}

static int check_ram(struct inlay_fit *fit, const struct inlay_needs *needs,
                     struct inlay_error *err)
{
    uint32_t ram = fit->profile->ram;
    if (needs->workspace <= ram)
        return 0;
    uint32_t over = needs->workspace - ram;
    if (!fit->tries-- || over + 63u >= fit->model_bytes)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "applying the patch takes %u bytes of RAM, %u more than %s has for it "
                          "(%u); lower model_ram or chunk_len, or give it more",
                          needs->workspace, over, fit->profile->name, ram);
    fit->model_bytes -= (over + 63u) & ~63u; /* not byte by byte: each try codes the whole image */
    return -1;
}

int inlay_fit_check(struct inlay_fit *fit, const struct inlay_needs *needs, uint64_t lost,
                    struct inlay_error *err)
{
    struct inlay_division layout;
    int code = check_ram(fit, needs, err);
    if (code || !fit->profile->work.present || !fit->target->regions)
        return code;
    code = lay_out(fit, needs->head_len, 0, &layout, err);
    if (code)
        return code;
    uint32_t block = largest_block(fit->target);
    uint32_t kept = needs->head_len + needs->pool_len;
    int fits = !lay_out(fit, kept, needs->recipe_len, &layout, NULL) &&
               layout.stage.len / block >= needs->stage_blocks;
    /* Room that a shorter head leaves is worth another try if something was lost. */
    uint32_t slack = fits ? layout.head.len - kept : 0;
    if (fits && (!lost || slack < HEAD_GUESS / 4 || fit->tightened))
        return 0;
    fit->tightened |= (uint8_t)fits;
    if (!fit->tries--)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "no division of the work area of %s (%u bytes) fits a head of %u bytes, "
                          "a pool of %u and %u staged blocks; give it more blocks",
                          fit->profile->name, inlay_profile_area_len(&fit->profile->work),
                          needs->head_len, needs->pool_len, needs->stage_blocks);
    fit->head_guess = needs->head_len + HEAD_GUESS / 16;
    fit->spare += INLAY_RECIPE_PAGE;
    code = divide(fit, err);
    return code ? code : -1;
}
