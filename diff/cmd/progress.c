/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 40

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void show(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    struct progress *p = ctx;
    int percent = total ? (int)(done * 100 / total) : 0;
    if (!p->on || (p->shown && percent == p->last && what == p->what) ||
        seconds_since(&p->start) < 1)
        return;
    char bar[WIDTH + 1];
    int filled = percent * WIDTH / 100;
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = 0;
    fprintf(stderr, "\r%-10s [%s] %3d %%", what, bar, percent);
    fflush(stderr);
    p->shown = 1;
    p->last = percent;
    p->what = what;
}

struct inlay_progress progress_start(struct progress *p)
{
    const char *term = getenv("TERM");
    *p = (struct progress){.on = isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"))};
    clock_gettime(CLOCK_MONOTONIC, &p->start);
    return (struct inlay_progress){show, p};
}

void progress_stop(struct progress *p)
{
    if (p->shown)
        fprintf(stderr, "\r%*s\r", WIDTH + 20, "");
    p->shown = 0;
}
