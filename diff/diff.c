/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From two images and a device to a patch: match, plan the order of blocks,
 * encode, pack, and apply once with the real patcher.
 */
#include "align.h"
#include "codec_lzma.h"
#include "container.h"
#include "encode.h"
#include "fit.h"
#include "huge.h"
#include "parallel.h"
#include "prove.h"
#include "rehearsal.h"

#include <stdlib.h>
#include <string.h>

/* Below these the large codec never wins. */
#define LARGE_IMAGE (1u << 20)
#define LZMA_MODEL  (2u << 20)
#define LOST_MUCH   32u /* one byte of so many of a patch */
/* Recipes and the records of following them are more to write: they must save a byte of so many. */
#define RECIPES_WORTH 64u
#define RESTART       16u /* bytes that a group less may save */
#define NOT_WORTH     (-1)

struct job {
    struct inlay_image old_image, new_image; /* as given, but never without data */
    const struct inlay_image *old, *new;
    const struct inlay_profile *profile;
    const struct inlay_diff_options *options;
    int in_place;
    const char *arch;
    uint64_t base;
    int base_known;
    unsigned jobs;                  /* threads that this job may have, 1 or more */
    int quiet;                      /* progress is another job's to report */
    struct inlay_layout layout;     /* what was found in the images */
    struct inlay_index index;       /* opened with it */
    struct inlay_segments segments; /* before any order */
    struct inlay_fit fit;
    const struct inlay_diff_result *whole; /* what recipes must be better than, or NULL */
    struct inlay_rehearsal *rehearsal;     /* NULL: it is not sure that this patch is the one */
};

static void report(const struct job *j, const char *what, uint64_t done, uint64_t total)
{
    const struct inlay_progress *progress = j->options->progress;
    if (progress && !j->quiet)
        progress->report(progress->ctx, what, done, total);
}

static int out_of_memory(struct inlay_error *err)
{
    return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory");
}

/* What the user says counts most, then the files, then the profile, then what is found. */
static void settle_arch(struct job *j)
{
    const char *given = j->options->arch;
    const char *file = j->new->arch ? j->new->arch : j->old->arch;
    if (given || file)
        j->arch = given ? given : file;
    else
        j->arch = j->profile->arch[0] ? j->profile->arch : "auto";
    if (j->options->base_known) {
        j->base = j->options->base;
        j->base_known = 1;
    } else if (j->profile->base_known) {
        j->base = j->profile->base;
        j->base_known = 1;
    } else if (j->new->base_known && (!j->old->base_known || j->old->base == j->new->base)) {
        j->base = j->new->base;
        j->base_known = 1;
    }
}

/* Images that say where they belong must agree with the slot they are updated in. */
static int check_bases(const struct job *j, struct inlay_error *err)
{
    const struct inlay_image *images[2] = {j->old, j->new};
    static const char *const names[2] = {"old", "new"};
    if (j->in_place && j->old->base_known && j->new->base_known && j->old->base != j->new->base)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "the old image is at 0x%llx but the new one at 0x%llx; in place both "
                          "must start where the slot does",
                          (unsigned long long)j->old->base, (unsigned long long)j->new->base);
    for (int i = 0; i < 2; i++)
        if (j->profile->base_known && !j->options->base_known && images[i]->base_known &&
            images[i]->base != j->profile->base)
            return inlay_fail(err, INLAY_EXIT_LIMIT,
                              "the %s image starts at 0x%llx but the slot of %s at 0x%llx; leave "
                              "out what is not in the slot, or correct the profile's base",
                              names[i], (unsigned long long)images[i]->base, j->profile->name,
                              (unsigned long long)j->profile->base);
    return 0;
}

static int find_segments(struct job *j, struct inlay_error *err)
{
    report(j, "matching", 0, 1);
    if (inlay_detect(j->old->data, j->old->size, j->new->data, j->new->size, j->arch, j->base_known,
                     j->base, &j->layout))
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "there is no processor called '%s'; use auto, none, thumb2, arm, "
                          "aarch64, riscv, xtensa, avr, x86-64 or wasm",
                          j->arch);
    int taught = !j->in_place && j->profile->model_ram >= INLAY_LARGE_MODEL;
    if (inlay_index_open(j->old->data, (uint32_t)j->old->size, j->new->data, (uint32_t)j->new->size,
                         &j->layout, j->jobs, &j->index) ||
        inlay_find_segments(j->old->data, j->old->size, j->new->data, j->new->size, &j->layout,
                            &j->index, taught, j->jobs, &j->segments))
        return out_of_memory(err);
    return 0;
}

/* The digest of the new image is check enough for the only group. */
static uint8_t check_len(const struct job *j)
{
    return j->fit.limits.regions ? (uint8_t)j->profile->check_len : 0;
}

static void fill_manifest(const struct job *j, const struct inlay_encoded *e,
                          const struct inlay_order *order, struct inlay_manifest *m)
{
    const struct inlay_profile_area *target = j->fit.target;
    *m = (struct inlay_manifest){.in_place = (uint8_t)(j->in_place != 0),
                                 .chunk_log = inlay_fit_chunk_log(j->profile),
                                 .check_len = check_len(j),
                                 .codec = e->codec,
                                 .params_len = (uint8_t)e->params.len,
                                 .regions = j->fit.limits.regions,
                                 .plan_len = e->plan_len,
                                 .stage_blocks = order->stage_blocks,
                                 .recipe_len = (e->recipe_len + INLAY_RECIPE_PAGE - 1u) /
                                               INLAY_RECIPE_PAGE * INLAY_RECIPE_PAGE,
                                 .pool_len = order->pool_len,
                                 .security_counter = j->options->security_counter};
    memcpy(m->params, e->params.data, e->params.len);
    memcpy(m->region, target->region, sizeof m->region);
    inlay_container_images(m, j->old->data, j->old->size, j->new->data, j->new->size);
}

/* The checks follow the blocks that the old image is in. */
static int check_pieces(const struct job *j, struct inlay_buffer *out)
{
    const struct inlay_profile_area *slot = &j->profile->slot;
    uint32_t len = slot->regions ? slot->region[0].block_len : 4096;
    for (unsigned r = 1; r < slot->regions; r++)
        if (slot->region[r].block_len < len)
            len = slot->region[r].block_len;
    return inlay_container_old_checks(j->old->data, j->old->size, len, out);
}

static int pack(const struct job *j, const struct inlay_encoded *e, const struct inlay_order *order,
                struct inlay_diff_result *result, struct inlay_error *err)
{
    struct inlay_manifest m;
    struct inlay_buffer checks = {0};
    const struct inlay_container_fields fields = {.old_checks =
                                                      j->options->old_checks ? &checks : NULL,
                                                  .old_version = j->options->old_version,
                                                  .new_version = j->options->new_version,
                                                  .component = j->options->component,
                                                  .component_len = j->options->component_len};
    fill_manifest(j, e, order, &m);
    inlay_buffer_free(&result->patch);
    int code = fields.old_checks && check_pieces(j, &checks)
                   ? out_of_memory(err)
                   : inlay_container_write(&m, &fields, e->payload.data, e->payload.len,
                                           &result->patch, err);
    inlay_buffer_free(&checks);
    if (code)
        return code;
    enum inlay_status status =
        inlay_probe(inlay_host_codecs(), result->patch.data, result->patch.len, &result->needs);
    if (status)
        return inlay_fail(err, INLAY_EXIT_FAILURE, "the patch that was made does not open: %s",
                          inlay_status_text(status));
    inlay_manifest_read(&m, result->patch.data, result->patch.len);
    result->manifest_len = m.body_pos;
    result->chain_len = (inlay_manifest_chunks(&m) - 1u) * m.link_len;
    return 0;
}

static size_t count_groups(const struct inlay_order *order)
{
    size_t groups = 0;
    for (size_t i = 0; i < order->count; i++)
        groups += order->at[i].kind == INLAY_STEP_COMMIT;
    return groups;
}

static void describe(const struct job *j, const struct inlay_encoded *e,
                     const struct inlay_order *order, struct inlay_diff_result *result)
{
    const struct inlay_order_limits *limits = &j->fit.limits;
    const struct inlay_encode_stats *s = &e->stats;
    result->split = (struct inlay_diff_split){s->plan,        s->control,  s->addresses,
                                              s->corrections, s->new_data, s->checks};
    result->codec = e->codec == INLAY_CODEC_LZMA ? "lzma" : "mix";
    result->lost = order->lost;
    result->blocks = result->direct = result->staged = 0;
    result->groups = count_groups(order);
    for (size_t i = 0; i < order->count; i++) {
        result->direct += order->at[i].kind == INLAY_STEP_DIRECT;
        result->staged += order->at[i].kind == INLAY_STEP_STAGED;
    }
    uint64_t covered = 0;
    for (unsigned r = 0; r < limits->regions; r++)
        for (uint32_t i = 0; i < limits->region[r].count && covered < j->new->size; i++) {
            covered += limits->region[r].block_len;
            result->blocks++;
        }
    if (!limits->regions)
        result->blocks = 1;
}

/* Bytes of the new image that are no copies. */
static uint64_t count_fresh(const struct inlay_encode_input *in)
{
    uint64_t fresh = in->new_size;
    for (size_t i = 0; i < in->segments->count; i++)
        fresh -= in->segments->at[i].len;
    return fresh;
}

/* One codec's work, for a thread of its own. */
struct trial {
    int (*encode)(const struct inlay_encode_input *in, struct inlay_encoded *out,
                  struct inlay_error *err);
    struct inlay_encode_input in;
    struct inlay_encoded out;
    int code;
};

static void try_codec(void *ctx)
{
    struct trial *t = ctx;
    t->code = t->encode(&t->in, &t->out, NULL);
}

/*
 * Tries both codecs, the mix codec only behind the other one where new data
 * may be noise: compressed data, say, which takes it long and hardly shrinks.
 */
static void try_both(struct trial *large, struct trial *small)
{
    const struct inlay_task task[2] = {{try_codec, small}, {try_codec, large}};
    uint64_t fresh = count_fresh(&large->in);
    if (fresh <= large->in.new_size / 4) {
        inlay_parallel(task, 2, large->in.jobs);
        return;
    }
    try_codec(large);
    if (large->code || large->out.payload.len <= fresh / 10 * 9)
        try_codec(small);
}

/* The smaller of what the codecs make that are worth trying. */
static int encode(const struct inlay_encode_input *in, enum inlay_diff_codec codec,
                  struct inlay_encoded *out, struct inlay_error *err)
{
    if (codec == INLAY_DIFF_LZMA)
        return inlay_encode_lzma(in, out, err);
    if (codec == INLAY_DIFF_MIX || in->new_size < LARGE_IMAGE || in->model_bytes < LZMA_MODEL ||
        in->limits->recipe_len)
        return inlay_encode_mix(in, out, err);
    struct trial large = {inlay_encode_lzma, *in, {0}, -1};
    struct trial small = {inlay_encode_mix, *in, {0}, -1};
    small.in.rehearsal = NULL; /* both processors are busy, and it may lose */
    small.in.jobs = in->jobs > 1 ? in->jobs - 1 : 1;
    try_both(&large, &small);
    if (large.code && small.code)
        return inlay_encode_mix(in, out, err); /* for the message */
    struct inlay_encoded loser = small.out;
    *out = large.out;
    if (large.code || (!small.code && small.out.payload.len <= large.out.payload.len)) {
        loser = large.out;
        *out = small.out;
    }
    inlay_encoded_free(&loser);
    return 0;
}

/* 1 if it is not worth coding an order that has hardly fewer groups than blocks staged whole. */
static int is_idle(const struct job *j, const struct inlay_order *order)
{
    size_t groups = count_groups(order);
    return j->whole &&
           (groups >= j->whole->groups ||
            (j->whole->groups - groups) * RESTART * RECIPES_WORTH < j->whole->patch.len);
}

/* One patch under the division of the work area that fit has settled on. */
static int compile(struct job *j, struct inlay_diff_result *result, struct inlay_error *err)
{
    struct inlay_order order = {0};
    struct inlay_encoded encoded = {0};
    struct inlay_segments segments;
    if (inlay_segments_copy(&j->segments, &segments))
        return out_of_memory(err);
    int code = 0;
    report(j, "ordering", 0, 1);
    if (inlay_order_plan(j->old->data, j->old->size, j->new->data, j->new->size, &j->fit.limits,
                         &segments, &order)) {
        inlay_segments_free(&segments);
        return out_of_memory(err);
    }
    if (is_idle(j, &order)) {
        inlay_order_free(&order);
        inlay_segments_free(&segments);
        return NOT_WORTH;
    }
    const struct inlay_encode_input in = {.old = j->old->data,
                                          .new = j->new->data,
                                          .old_size = (uint32_t)j->old->size,
                                          .new_size = (uint32_t)j->new->size,
                                          .segments = &segments,
                                          .order = &order,
                                          .limits = &j->fit.limits,
                                          .layout = &j->layout,
                                          .index = &j->index,
                                          .check_len = check_len(j),
                                          .model_bytes = j->fit.model_bytes,
                                          .jobs = j->jobs,
                                          .rehearsal = j->rehearsal};
    report(j, "encoding", 0, 1);
    code = encode(&in, j->options->codec, &encoded, err);
    if (!code)
        code = pack(j, &encoded, &order, result, err);
    if (!code)
        describe(j, &encoded, &order, result);
    inlay_encoded_free(&encoded);
    inlay_order_free(&order);
    inlay_segments_free(&segments);
    return code;
}

static int start_fit(struct job *j, enum inlay_fit_way way, struct inlay_error *err)
{
    return inlay_fit_start(&j->fit, j->profile, j->in_place, way, j->old->size, j->new->size, err);
}

/* A patch with the division that fit has started from, again and again until it fits the device. */
static int compile_to_fit(struct job *j, struct inlay_diff_result *result, struct inlay_error *err)
{
    int code = 0;
    *result = (struct inlay_diff_result){0};
    while (!code) {
        code = compile(j, result, err);
        if (code)
            break;
        code = inlay_fit_check(&j->fit, &result->needs, result->lost, err);
        if (code >= 0)
            break;
        code = 0;
    }
    if (code)
        inlay_diff_result_free(result);
    return code;
}

/* Another division of the work area, which counts if it fits or makes the smaller patch. */
static int try_division(struct job *j, enum inlay_fit_way way, int code,
                        struct inlay_diff_result *result, struct inlay_error *err)
{
    struct inlay_diff_result other;
    struct inlay_error *why = code ? err : NULL;
    int recipes = way == INLAY_FIT_RECIPES;
    j->whole = recipes && !code ? result : NULL;
    if (start_fit(j, way, why) || compile_to_fit(j, &other, why))
        return code;
    size_t worth = recipes ? other.patch.len / RECIPES_WORTH : 0;
    if (!code && other.patch.len + worth >= result->patch.len) {
        inlay_diff_result_free(&other);
        return 0;
    }
    inlay_diff_result_free(result);
    *result = other;
    return 0;
}

/* The smallest patch of the divisions that are worth trying. */
static int divide_and_compile(struct job *j, struct inlay_diff_result *result,
                              struct inlay_error *err)
{
    int code = compile_to_fit(j, result, err);
    if (!j->in_place || (code && code != INLAY_EXIT_LIMIT))
        return code;
    if (code || result->lost >= result->patch.len / LOST_MUCH)
        code = try_division(j, INLAY_FIT_POOL, code, result, err);
    if (j->profile->recipes && j->options->codec != INLAY_DIFF_LZMA && (code || result->groups > 1))
        code = try_division(j, INLAY_FIT_RECIPES, code, result, err);
    return code;
}

/* A patch that fits the device, for the processor that is settled on. */
static int attempt(struct job *j, struct inlay_diff_result *result, struct inlay_error *err)
{
    *result = (struct inlay_diff_result){0};
    int code = start_fit(j, INLAY_FIT_STAGE, err);
    if (!code)
        code = find_segments(j, err);
    if (!code)
        code = divide_and_compile(j, result, err);
    inlay_segments_free(&j->segments);
    inlay_index_free(&j->index);
    return code;
}

/* What the images look like, if only the profile says which processor they are for. */
static const char *other_arch(const struct job *j)
{
    struct inlay_layout layout;
    if (j->options->arch || j->old->arch || j->new->arch || !strcmp(j->arch, "auto"))
        return NULL;
    if (inlay_detect(j->old->data, j->old->size, j->new->data, j->new->size, "auto", j->base_known,
                     j->base, &layout))
        return NULL;
    const char *name = inlay_arch_name(layout.arch);
    return layout.arch == INLAY_ARCH_NONE || !strcmp(name, j->arch) ? NULL : name;
}

/* A whole attempt, for a thread of its own. */
struct effort {
    struct job job;
    struct inlay_diff_result result;
    struct inlay_error *err;
    int code;
};

static void make_effort(void *ctx)
{
    struct effort *e = ctx;
    e->code = attempt(&e->job, &e->result, e->err);
}

/* The smaller of two patches, if it is not clear what the images are. */
static int make(struct job *j, struct inlay_rehearsal *rehearsal, struct inlay_diff_result *result,
                struct inlay_error *err)
{
    const char *other = other_arch(j);
    if (!other) {
        j->rehearsal = rehearsal;
        return attempt(j, result, err);
    }
    struct effort first = {.job = *j, .err = err}, second = {.job = *j};
    const struct inlay_task task[2] = {{make_effort, &first}, {make_effort, &second}};
    first.job.jobs = (j->jobs + 1) / 2;
    second.job.jobs = j->jobs < 2 ? 1 : j->jobs / 2;
    second.job.arch = other;
    second.job.quiet = 1;
    inlay_parallel(task, 2, j->jobs);
    struct inlay_diff_result loser = second.result;
    *result = first.result;
    if (!first.code && !second.code && second.result.patch.len < first.result.patch.len) {
        loser = first.result;
        *result = second.result;
    }
    inlay_diff_result_free(&loser);
    return first.code;
}

int inlay_diff(const struct inlay_image *old, const struct inlay_image *new,
               const struct inlay_profile *profile, const struct inlay_diff_options *options,
               struct inlay_diff_result *result, struct inlay_error *err)
{
    static const struct inlay_diff_options none;
    static uint8_t nothing;
    struct job j = {.old_image = *old, .new_image = *new, .profile = profile};
    j.old = &j.old_image;
    j.new = &j.new_image;
    if (!old->size)
        j.old_image.data = &nothing;
    if (!new->size)
        j.new_image.data = &nothing;
    j.options = options ? options : &none;
    j.jobs = inlay_parallel_jobs(j.options->jobs);
    j.in_place = j.options->mode == INLAY_DIFF_PROFILE ? profile->in_place
                                                       : j.options->mode == INLAY_DIFF_IN_PLACE;
    *result = (struct inlay_diff_result){0};
    struct inlay_rehearsal rehearsal;
    inlay_rehearsal_init(&rehearsal);
    settle_arch(&j);
    int code = check_bases(&j, err);
    if (!code)
        code = make(&j, &rehearsal, result, err);
    if (!code) {
        report(&j, "checking", 0, 1);
        code = inlay_prove(profile, j.in_place, j.old, j.new, &result->patch, &rehearsal, err);
    }
    inlay_rehearsal_free(&rehearsal);
    inlay_huge_drop();
    if (code)
        inlay_diff_result_free(result);
    return code;
}

void inlay_diff_result_free(struct inlay_diff_result *result)
{
    inlay_buffer_free(&result->patch);
    *result = (struct inlay_diff_result){0};
}
