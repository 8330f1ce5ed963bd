/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that does not depend on each other, on a few threads.  Whatever the
 * number of threads, the same tasks run with the same inputs, so results never
 * depend on it.
 */
#ifndef INLAY_PARALLEL_H
#define INLAY_PARALLEL_H

#define INLAY_JOBS_MAX 64u

struct inlay_task {
    void (*run)(void *ctx);
    void *ctx;
};

/*
 * Runs count tasks, taken in order, at most `jobs` at a time, and returns when
 * all are done.  The calling thread runs the first and then others, all of them
 * if jobs is below 2 or no thread can be had.
 */
void inlay_parallel(const struct inlay_task *tasks, unsigned count, unsigned jobs);

/* jobs as given, or for 0 the number of processors online; 1 to INLAY_JOBS_MAX. */
unsigned inlay_parallel_jobs(unsigned jobs);

#endif
