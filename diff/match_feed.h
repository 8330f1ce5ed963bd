/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates on their way from the scan that finds them to the choice among
 * them, which may run at the same time.  A candidate is handed over when
 * nothing changes it any more and every one that starts before it is known,
 * so the choice sees the same row of them as if the scan had ended first.
 */
#ifndef INLAY_MATCH_FEED_H
#define INLAY_MATCH_FEED_H

#include "match_parts.h"

#include <pthread.h>

struct match_feed {
    /* the choice's own */
    struct match_seeds seeds; /* sorted, all that start before `known` */
    uint32_t known;
    const struct inlay_segments *hint; /* more candidates, or NULL */
    size_t hints;                      /* how many of them are in seeds */
    uint32_t old_size, new_size;

    /* shared, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct match_seeds ready; /* not sorted */
    uint32_t end;             /* all that start before it were handed over */
    int failed;

    /* the scan's own */
    size_t first; /* found candidates before this one were handed over */
};

void inlay_match_feed_open(struct match_feed *f, const struct match_views *v,
                           const struct inlay_segments *hint);
void inlay_match_feed_close(struct match_feed *f);

/*
 * The scan hands over what starts before `end`: none of it changes any more,
 * and nothing else will start there.  UINT32_MAX: it is done.
 */
void inlay_match_feed_put(struct match_feed *f, const struct match_seeds *found, uint32_t end);
/* The scan gives up. */
void inlay_match_feed_fail(struct match_feed *f);

/* Waits until f->seeds has all that start at pos or before.  Returns 0, or -1 after a failure. */
int inlay_match_feed_wait(struct match_feed *f, uint32_t pos);

#endif
