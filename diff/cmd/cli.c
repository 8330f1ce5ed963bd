/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_usage_error(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "inlay %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; try inlay %s --help\n", command);
    return INLAY_EXIT_USAGE;
}

int cli_error(const char *command, int code, const struct inlay_error *err)
{
    fprintf(stderr, "inlay %s: %s\n", command, err->text);
    return code;
}

void cli_warn(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "inlay %s: warning: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int cli_number(const char *text, uint64_t *value)
{
    char *end;
    int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    if (!isdigit((unsigned char)text[0]) || (base == 16 && !isxdigit((unsigned char)text[2])))
        return -1;
    errno = 0;
    unsigned long long number = strtoull(text, &end, base);
    if (*end || errno)
        return -1;
    *value = number;
    return 0;
}

int cli_flush(const char *command)
{
    if (!fflush(stdout) && !ferror(stdout))
        return 0;
    fprintf(stderr, "inlay %s: cannot write to standard output: %s\n", command, strerror(errno));
    return INLAY_EXIT_IO;
}

static void print_option(const struct cli_option *o)
{
    char head[64];
    const char *help = o->help;
    int room = (int)sizeof head - 1;
    int len = o->letter ? snprintf(head, sizeof head, "  -%c, --%s", o->letter, o->name)
                        : snprintf(head, sizeof head, "      --%s", o->name);
    if (o->value && len < room)
        snprintf(head + len, sizeof head - (size_t)len, " %s", o->value);
    printf("%-26s", head);
    if (strlen(head) > 25)
        printf("\n%-26s", "");
    for (; *help; help++) {
        putchar(*help);
        if (*help == '\n')
            printf("%-26s", "");
    }
    putchar('\n');
}

static void print_help(const struct cli_usage *u)
{
    static const struct cli_option help = {'h', "help", NULL, "show this and stop", NULL, NULL};
    printf("usage: inlay %s %s\n\n%s\noptions:\n", u->command, u->synopsis, u->about);
    for (const struct cli_option *o = u->options; o->name; o++)
        print_option(o);
    print_option(&help);
}

/* The option that arg names; *value points behind a '=' or a letter, or is NULL. */
static const struct cli_option *find_option(const struct cli_usage *u, const char *arg,
                                            const char **value)
{
    *value = NULL;
    for (const struct cli_option *o = u->options; o->name; o++) {
        if (arg[1] != '-') {
            if (arg[1] != o->letter || (arg[2] && !o->value))
                continue;
            *value = arg[2] ? arg + 2 : NULL;
            return o;
        }
        size_t len = strlen(o->name);
        if (strncmp(arg + 2, o->name, len) || (arg[2 + len] && arg[2 + len] != '='))
            continue;
        *value = arg[2 + len] ? arg + 3 + len : NULL;
        return o;
    }
    return NULL;
}

/* Takes the option at argv[i].  Returns how many arguments it was, or 0 after an error. */
static int take_option(const struct cli_usage *u, int argc, char **argv, int i)
{
    const char *value;
    const struct cli_option *o = find_option(u, argv[i], &value);
    if (!o) {
        cli_usage_error(u->command, "there is no option %s", argv[i]);
        return 0;
    }
    if (!o->value) {
        if (value) {
            cli_usage_error(u->command, "--%s takes no value", o->name);
            return 0;
        }
        *o->flag = 1;
        return 1;
    }
    if (value) {
        *o->text = value;
        return 1;
    }
    if (i + 1 >= argc) {
        cli_usage_error(u->command, "--%s needs a value: --%s %s", o->name, o->name, o->value);
        return 0;
    }
    *o->text = argv[i + 1];
    return 2;
}

int cli_parse(const struct cli_usage *u, int argc, char **argv, const char *args[CLI_ARGS_MAX],
              int *code)
{
    int count = 0, options = 1;
    for (int i = 0; i < CLI_ARGS_MAX; i++)
        args[i] = NULL;
    *code = INLAY_EXIT_USAGE;
    for (int i = 1; i < argc;) {
        const char *arg = argv[i];
        if (!options || arg[0] != '-' || !arg[1]) {
            if (count == u->args_max)
                return cli_usage_error(u->command, "one argument too many: '%s'", arg);
            args[count++] = arg;
            i++;
        } else if (!strcmp(arg, "--")) {
            options = 0;
            i++;
        } else if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
            print_help(u);
            *code = cli_flush(u->command);
            return 1;
        } else {
            int taken = take_option(u, argc, argv, i);
            if (!taken)
                return 1;
            i += taken;
        }
    }
    if (count < u->args_min)
        return cli_usage_error(u->command, "an argument is missing: inlay %s %s", u->command,
                               u->synopsis);
    *code = 0;
    return 0;
}
