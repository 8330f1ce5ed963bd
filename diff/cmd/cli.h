/* SPDX-License-Identifier: Apache-2.0 */
/* What every subcommand shares: options, help, messages. */
#ifndef INLAY_CLI_H
#define INLAY_CLI_H

#include "error.h"

#include <stdint.h>

/* One option.  Exactly one of text and flag is set. */
struct cli_option {
    char letter;       /* its short form, 0 if it has none */
    const char *name;  /* its long form, without the dashes */
    const char *value; /* what help calls its value; NULL for a flag */
    const char *help;  /* one line, or several with \n between them */
    const char **text; /* gets the value */
    int *flag;         /* set to 1 */
};

#define CLI_ARGS_MAX 4

/* One subcommand, as its help shows it. */
struct cli_usage {
    const char *command;              /* "diff" */
    const char *synopsis;             /* "OLD NEW PATCH [options]" */
    const char *about;                /* what it does; lines end with \n */
    const struct cli_option *options; /* ends with an option without a name */
    int args_min, args_max;           /* how many that are not options, CLI_ARGS_MAX at most */
};

/*
 * Reads argv (argv[0] is the subcommand's name).  args gets what is not an
 * option, in order, the rest of it NULL.  "-" is not an option and "--" ends
 * them.  Returns 0 to go on; otherwise *code is what to exit with: help was
 * printed, or a usage error was.
 */
int cli_parse(const struct cli_usage *usage, int argc, char **argv, const char *args[CLI_ARGS_MAX],
              int *code);

/* Prints one line and where to find help, and returns INLAY_EXIT_USAGE. */
int cli_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints "inlay COMMAND: sentence" and returns code. */
int cli_error(const char *command, int code, const struct inlay_error *err);

/* Prints "inlay COMMAND: warning: sentence". */
void cli_warn(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Decimal, or hexadecimal with 0x; 0, or -1 if text is not a number. */
int cli_number(const char *text, uint64_t *value);

/* Flushes standard output: 0, or INLAY_EXIT_IO with a message. */
int cli_flush(const char *command);

/* The subcommands.  argv[0] is the subcommand's name; they return an enum inlay_exit. */
int cmd_diff(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_profile(int argc, char **argv);

#endif
