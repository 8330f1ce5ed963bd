/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds which parts of the new image are copies of the old one, in two steps:
 * candidates (match_seed.c), then the cheapest choice among them (match_path.c).
 * The second follows the first at a distance if there is a thread for it.
 */
#include "match_feed.h"
#include "parallel.h"

#include <stdlib.h>
#include <string.h>

uint32_t inlay_match_run(const uint8_t *a, const uint8_t *b, uint32_t max)
{
    uint32_t n = 0;
    uint64_t x, y;

    while (max - n >= 8) {
        memcpy(&x, a + n, 8);
        memcpy(&y, b + n, 8);
        if (x != y)
            break;
        n += 8;
    }
    while (n < max && a[n] == b[n])
        n++;
    return n;
}

int inlay_match_add(struct match_seeds *seeds, struct match_seed seed)
{
    if (seeds->count == seeds->room) {
        size_t room = seeds->room ? seeds->room + seeds->room / 2 : 256;
        struct match_seed *at = realloc(seeds->at, room * sizeof *at);
        if (!at)
            return -1;
        seeds->at = at;
        seeds->room = room;
    }
    seeds->at[seeds->count++] = seed;
    return 0;
}

/* One half of the work, for a thread of its own. */
struct half {
    const struct match_views *v;
    struct match_feed *feed;
    struct inlay_segments *out;
    int failed;
};

static void scan(void *ctx)
{
    struct half *h = ctx;
    h->failed = inlay_match_seeds(h->v, h->feed);
    if (h->failed)
        inlay_match_feed_fail(h->feed);
}

static void choose(void *ctx)
{
    struct half *h = ctx;
    h->failed = inlay_match_path(h->v, h->feed, h->out);
}

int inlay_match_images(const uint8_t *old_view, size_t old_size, const uint8_t *new_view,
                       size_t new_size, const struct inlay_match_options *options,
                       struct inlay_segments *out)
{
    struct match_views v = {.old = old_view, .new = new_view};
    struct match_feed feed;

    *out = (struct inlay_segments){0};
    v.old_size = (uint32_t)(old_size < MATCH_SIZE_MAX ? old_size : MATCH_SIZE_MAX);
    v.new_size = (uint32_t)(new_size < MATCH_SIZE_MAX ? new_size : MATCH_SIZE_MAX);
    v.prices = options->prices;
    if (v.old_size == 0 || v.new_size == 0)
        return 0;
    inlay_match_feed_open(&feed, &v, options->hint);
    struct half scanner = {&v, &feed, NULL, 0}, chooser = {&v, &feed, out, 0};
    /* The scan comes first, as the choice waits for it. */
    const struct inlay_task task[2] = {{scan, &scanner}, {choose, &chooser}};
    inlay_parallel(task, 2, options->jobs);
    inlay_match_feed_close(&feed);
    int failed = scanner.failed || chooser.failed;
    if (failed)
        inlay_segments_free(out);
    return failed ? -1 : 0;
}
