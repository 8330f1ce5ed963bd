/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error: only on a terminal, only after a second. */
#ifndef INLAY_PROGRESS_H
#define INLAY_PROGRESS_H

#include "inlay.h"

#include <time.h>

struct progress {
    struct timespec start;
    int shown; /* 1: there is a line to wipe */
    int last;  /* percent shown last */
    int on;    /* 0: not a terminal */
    const char *what;
};

/* Starts the clock and returns what library calls take. */
struct inlay_progress progress_start(struct progress *p);
/* Wipes the bar. */
void progress_stop(struct progress *p);

#endif
