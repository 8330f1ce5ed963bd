/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command and writes "wall_seconds cpu_seconds peak_kib" to a file.
 * A program of its own because a child's peak memory starts at that of the process that forked
 * it, and an interpreter's would hide a frugal program's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
    int status;
    struct rusage use;
    if (argc < 3) {
        fprintf(stderr, "usage: measure REPORT COMMAND [ARGUMENT...]\n");
        return 2;
    }
    double start = seconds_now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &use) != child) {
        perror("measure");
        return 1;
    }
    double wall = seconds_now() - start;
    FILE *f = fopen(argv[1], "w");
    if (!f) {
        perror(argv[1]);
        return 1;
    }
    fprintf(f, "%.6f %.6f %ld\n", wall, seconds_of(use.ru_utime) + seconds_of(use.ru_stime),
            use.ru_maxrss);
    return fclose(f) || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}
