/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trains the models' starting values: `make prior` runs this over pairs of
 * images and writes patch/prior_table.c.
 *
 * Every pair is coded in one piece, and in place in groups.  Of each counter the first
 * decisions of each run are kept; then the starting value that would have
 * coded them in the fewest bits is searched for, with the counter learning as
 * the codec does.
 */
#include "align.h"
#include "coder_out.h"
#include "model.h"
#include "prior.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP     48u /* decisions of one counter and run */
#define RUNS_MAX 4096u
#define BLOCK    4096u

struct run {
    uint8_t n;
    uint64_t bits; /* the newest lowest */
};

static struct run *runs; /* [run][counter] */
static unsigned run_count;

static void trace(unsigned counter, unsigned bit)
{
    struct run *r = &runs[(size_t)(run_count - 1u) * INLAY_PRIORS + counter];
    if (r->n < KEEP) {
        r->bits = r->bits << 1 | bit;
        r->n++;
    }
}

static uint8_t *load(const char *path, uint32_t *size)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) {
        perror(path);
        exit(1);
    }
    *size = (uint32_t)ftell(f);
    rewind(f);
    uint8_t *data = malloc(*size + 1u);
    if (!data || fread(data, 1, *size, f) != *size) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return data;
}

/* Codes the pair in that order, which may cost it some of its segments. */
static void code(struct inlay_encode_input in, const struct inlay_order_limits *limits,
                 uint32_t model_bytes)
{
    struct inlay_order order = {0};
    struct inlay_segments segments;
    struct inlay_encoded out;
    struct inlay_error err = {""};
    if (inlay_segments_copy(in.segments, &segments))
        exit(1);
    in.segments = &segments;
    in.order = &order;
    in.limits = limits;
    in.model_bytes = model_bytes;
    if (run_count == RUNS_MAX ||
        inlay_order_plan(in.old, in.old_size, in.new, in.new_size, limits, &segments, &order))
        exit(1);
    run_count++;
    if (inlay_encode_mix(&in, &out, &err)) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    inlay_encoded_free(&out);
    inlay_order_free(&order);
    inlay_segments_free(&segments);
}

/* Beside the old image with much memory, and in place with little, in both ways. */
static void code_all(const struct inlay_encode_input *in)
{
    static const struct inlay_order_limits beside = {.stage_blocks = 1, .group_blocks = UINT32_MAX};
    uint32_t most = in->old_size > in->new_size ? in->old_size : in->new_size;
    const struct inlay_region region = {most / BLOCK + 1u, BLOCK};
    const struct inlay_order_limits in_place = {.region = &region,
                                                .regions = 1,
                                                .in_place = 1,
                                                .stage_blocks = 5,
                                                .group_blocks = 64,
                                                .pool_len = 2 * BLOCK,
                                                .pool_ranges = 48};
    struct inlay_order_limits recipes = in_place;
    recipes.stage_blocks = 64;
    recipes.recipe_len = 3 * BLOCK;
    code(*in, &beside, 1u << 22);
    code(*in, &in_place, 12000);
    code(*in, &recipes, 12000);
}

static void study(const char *old_path, const char *new_path)
{
    struct inlay_layout layout;
    struct inlay_index index;
    struct inlay_encode_input in = {.layout = &layout, .index = &index};
    struct inlay_segments segments = {0};
    in.old = load(old_path, &in.old_size);
    in.new = load(new_path, &in.new_size);
    inlay_detect(in.old, in.old_size, in.new, in.new_size, "auto", 0, 0, &layout);
    if (inlay_index_open(in.old, in.old_size, in.new, in.new_size, &layout, 1, &index) ||
        inlay_find_segments(in.old, in.old_size, in.new, in.new_size, &layout, &index, 0, 1,
                            &segments))
        exit(1);
    in.segments = &segments;
    code_all(&in);
    inlay_index_free(&index);
    inlay_segments_free(&segments);
    free((void *)(uintptr_t)in.old);
    free((void *)(uintptr_t)in.new);
}

static double cost_of(const struct run *r, struct inlay_prior start)
{
    uint16_t c = (uint16_t)((inlay_squash(start.odds * 24) & 0xfff0u) | start.count);
    double cost = 0;
    for (unsigned i = r->n; i-- > 0;) {
        unsigned bit = r->bits >> i & 1u;
        double p = inlay_counter_p(c) / 65536.0;
        cost -= log2(bit ? p : 1 - p);
        inlay_counter_learn(&c, bit, INLAY_COUNTER_SLOW);
    }
    return cost;
}

static struct inlay_prior best_start(unsigned counter)
{
    static const uint8_t counts[] = {0, 1, 2, 3, 4, 6, 8, 12};
    struct inlay_prior best = {0, 0};
    double best_cost = 1e300;
    for (int odds = -120; odds <= 120; odds += 4)
        for (unsigned k = 0; k < sizeof counts; k++) {
            struct inlay_prior start = {(int8_t)odds, counts[k]};
            double cost = abs(odds) * 0.02 + counts[k] * 0.02; /* of two alike, the humbler */
            for (unsigned i = 0; i < run_count; i++) {
                cost += cost_of(&runs[(size_t)i * INLAY_PRIORS + counter], start);
            }
            if (cost < best_cost) {
                best_cost = cost;
                best = start;
            }
        }
    return best;
}

static void write_table(void)
{
    printf("/* SPDX-License-Identifier: Apache-2.0 */\n"
           "/* Written by `make prior`; see bench/train_prior.c. */\n"
           "#include \"prior.h\"\n\n"
           "const struct inlay_prior inlay_prior_table[INLAY_PRIORS] = {\n");
    for (unsigned i = 0; i < INLAY_PRIORS; i++) {
        struct inlay_prior p = best_start(i);
        printf("%s{%d, %u},%s", i % 8 ? " " : "    ", p.odds, p.count, i % 8 == 7 ? "\n" : "");
    }
    printf("%s};\n", INLAY_PRIORS % 8 ? "\n" : "");
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: train_prior OLD NEW [OLD NEW ...] > patch/prior_table.c\n");
        return 2;
    }
    runs = calloc((size_t)argc * 2u * INLAY_PRIORS, sizeof *runs);
    if (!runs)
        return 1;
    inlay_trace = trace;
    for (int i = 1; i + 1 < argc; i += 2)
        study(argv[i], argv[i + 1]);
    write_table();
    free(runs);
    return 0;
}
