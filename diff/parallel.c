/* SPDX-License-Identifier: Apache-2.0 */
#include "parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* More than this many at a time were never of use. */
#define JOBS_DEFAULT_MAX 8

struct shared {
    const struct inlay_task *tasks;
    unsigned count;
    atomic_uint next;
};

static void *work(void *ctx)
{
    struct shared *s = ctx;
    for (;;) {
        unsigned i = atomic_fetch_add(&s->next, 1u);
        if (i >= s->count)
            return NULL;
        s->tasks[i].run(s->tasks[i].ctx);
    }
}

void inlay_parallel(const struct inlay_task *tasks, unsigned count, unsigned jobs)
{
    struct shared s = {.tasks = tasks, .count = count, .next = 1};
    pthread_t thread[INLAY_JOBS_MAX];
    unsigned threads = 0, most = (jobs < count ? jobs : count);
    most = most < INLAY_JOBS_MAX ? most : INLAY_JOBS_MAX;
    while (threads + 1u < most && !pthread_create(&thread[threads], NULL, work, &s))
        threads++;
    if (count)
        tasks[0].run(tasks[0].ctx);
    work(&s);
    while (threads)
        pthread_join(thread[--threads], NULL);
}

unsigned inlay_parallel_jobs(unsigned jobs)
{
    long online = jobs ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
    if (!jobs)
        jobs = online < 1 ? 1u : online < JOBS_DEFAULT_MAX ? (unsigned)online : JOBS_DEFAULT_MAX;
    return jobs < INLAY_JOBS_MAX ? jobs : INLAY_JOBS_MAX;
}
