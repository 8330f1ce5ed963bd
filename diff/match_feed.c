/* SPDX-License-Identifier: Apache-2.0 */
#include "match_feed.h"

#include <stdlib.h>

void inlay_match_feed_open(struct match_feed *f, const struct match_views *v,
                           const struct inlay_segments *hint)
{
    *f = (struct match_feed){.hint = hint, .old_size = v->old_size, .new_size = v->new_size};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->more, NULL);
}

void inlay_match_feed_close(struct match_feed *f)
{
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->more);
    free(f->ready.at);
    free(f->seeds.at);
}

void inlay_match_feed_put(struct match_feed *f, const struct match_seeds *found, uint32_t end)
{
    if (end <= f->end) /* only the scan changes it */
        return;
    pthread_mutex_lock(&f->lock);
    for (size_t i = f->first; i < found->count; i++)
        if (found->at[i].start >= f->end && found->at[i].start < end &&
            inlay_match_add(&f->ready, found->at[i]))
            f->failed = 1;
    f->end = end;
    pthread_cond_signal(&f->more);
    pthread_mutex_unlock(&f->lock);
    while (f->first < found->count && found->at[f->first].start < end)
        f->first++;
}

void inlay_match_feed_fail(struct match_feed *f)
{
    pthread_mutex_lock(&f->lock);
    f->failed = 1;
    f->end = UINT32_MAX;
    pthread_cond_signal(&f->more);
    pthread_mutex_unlock(&f->lock);
}

/* Adds the hints that start before f->known. */
static int add_hints(struct match_feed *f)
{
    for (; f->hint && f->hints < f->hint->count; f->hints++) {
        const struct inlay_segment *s = &f->hint->at[f->hints];
        if (s->new_pos >= f->known)
            return 0;
        if (s->len == 0 || s->new_pos >= f->new_size || s->old_pos >= f->old_size)
            continue;
        uint32_t len = s->len;
        if (len > f->new_size - s->new_pos)
            len = f->new_size - s->new_pos;
        struct match_seed seed = {s->new_pos, s->new_pos + len, s->old_pos - s->new_pos};
        if (inlay_match_add(&f->seeds, seed))
            return -1;
    }
    return 0;
}

/* A total order, so that the result does not depend on the sorting algorithm. */
static int compare(const void *x, const void *y)
{
    const struct match_seed *a = x, *b = y;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->end != b->end)
        return a->end > b->end ? -1 : 1;
    if (a->diagonal != b->diagonal)
        return a->diagonal < b->diagonal ? -1 : 1;
    return 0;
}

int inlay_match_feed_wait(struct match_feed *f, uint32_t pos)
{
    size_t before = f->seeds.count;
    int failed = 0;

    pthread_mutex_lock(&f->lock);
    while (f->end <= pos)
        pthread_cond_wait(&f->more, &f->lock);
    for (size_t i = 0; i < f->ready.count && !failed; i++)
        failed = inlay_match_add(&f->seeds, f->ready.at[i]);
    f->ready.count = 0;
    f->known = f->end;
    failed |= f->failed;
    pthread_mutex_unlock(&f->lock);
    if (failed || add_hints(f))
        return -1;
    if (f->seeds.count > before)
        qsort(f->seeds.at + before, f->seeds.count - before, sizeof *f->seeds.at, compare);
    return 0;
}
