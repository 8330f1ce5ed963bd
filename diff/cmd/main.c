/* SPDX-License-Identifier: Apache-2.0 */
/* The inlay command: finds the subcommand and leaves the rest to it. */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"diff", cmd_diff, "make a patch from an old and a new image"},
    {"apply", cmd_apply, "make the new image from the old one and a patch"},
    {"info", cmd_info, "show everything a patch says"},
    {"sim", cmd_sim, "run a patch on a model of the device's flash, with power cuts"},
    {"profile", cmd_profile, "list and show device profiles"},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(FILE *to)
{
    fputs("usage: inlay COMMAND [arguments]\n\n"
          "Delta patches for firmware, made for a device and safe from power cuts.\n\n"
          "commands:\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s%s\n", commands[i].name, commands[i].about);
    fputs("\ninlay COMMAND --help explains a command; inlay --version shows the version.\n\n"
          "exit status: 0 done, 1 failure, 2 bad usage, 3 wrong old image, 4 corrupt patch,\n"
          "5 does not fit the device, 6 signature, 7 policy, 8 input or output\n",
          to);
}

int main(int argc, char **argv)
{
    /* A reader that goes away is an error to report, not a reason to die silently. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        help(stderr);
        return INLAY_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return cli_flush("help");
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        puts("inlay " INLAY_VERSION);
        return cli_flush("--version");
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "inlay: there is no command '%s'; try inlay --help\n", argv[1]);
    return INLAY_EXIT_USAGE;
}
