/* SPDX-License-Identifier: Apache-2.0 */
/* inlay apply: applies a patch, to a new file or in place. */
#include "cli.h"
#include "file.h"
#include "inlay.h"
#include "progress.h"

#include <stdio.h>
#include <string.h>

#define PATCH_MAX 0x7fffffffu

static int in_place;
static const char *component, *counter;

static const struct cli_option options[] = {
    {'i', "in-place", NULL,
     "rewrite IMAGE itself, block by block as a device does; if it is\n"
     "killed, the same command goes on (IMAGE.inlay-journal holds where)",
     NULL, &in_place},
    {0, "component", "TEXT", "refuse patches that are not for this component", &component, NULL},
    {0, "security-counter", "N", "refuse patches with a smaller one", &counter, NULL},
    {0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cli_usage usage = {
    "apply",
    "OLD PATCH OUT [options] | --in-place IMAGE PATCH [options]",
    "Makes the new image from the old one and a patch.  OLD may be any kind of file that\n"
    "inlay diff takes; OUT is a raw binary.  '-' is standard input or output.\n",
    options,
    2,
    3};

static int read_options(struct inlay_apply_options *o)
{
    uint64_t number = 0;
    *o = (struct inlay_apply_options){.component = (const uint8_t *)component};
    if (counter && (cli_number(counter, &number) || number > UINT32_MAX))
        return cli_usage_error("apply", "--security-counter takes a number, not '%s'", counter);
    if (component && (!*component || strlen(component) > 32))
        return cli_usage_error("apply", "--component takes 1 to 32 bytes");
    o->component_len = component ? (uint8_t)strlen(component) : 0;
    o->security_counter = (uint32_t)number;
    return 0;
}

static int apply_in_place(const char *path, const char *patch_path, struct inlay_apply_options *o)
{
    struct inlay_buffer patch;
    struct inlay_error err;
    struct progress bar;
    int already = 0;
    if (!strcmp(path, "-"))
        return cli_usage_error("apply", "--in-place needs a file, not standard input");
    if (inlay_file_same(path, patch_path))
        return cli_usage_error("apply", "IMAGE and PATCH are the same file");
    int code = inlay_file_read(patch_path, PATCH_MAX, &patch, &err);
    if (code)
        return cli_error("apply", code, &err);
    struct inlay_progress progress = progress_start(&bar);
    o->progress = &progress;
    code = inlay_apply_file(path, patch.data, patch.len, o, &already, &err);
    progress_stop(&bar);
    inlay_buffer_free(&patch);
    if (code)
        return cli_error("apply", code, &err);
    if (already)
        fprintf(stderr, "inlay apply: this patch was already applied to %s; nothing to do\n", path);
    return 0;
}

static int apply(const char *patch_path, const char *out_path, const struct inlay_image *old,
                 struct inlay_apply_options *o)
{
    struct inlay_buffer patch, out;
    struct inlay_error err;
    struct progress bar;
    int code = inlay_file_read(patch_path, PATCH_MAX, &patch, &err);
    if (code)
        return cli_error("apply", code, &err);
    struct inlay_progress progress = progress_start(&bar);
    o->progress = &progress;
    code = inlay_apply(old->data, old->size, patch.data, patch.len, o, &out, &err);
    progress_stop(&bar);
    if (!code)
        code = inlay_file_write(out_path, out.data, out.len, &err);
    inlay_buffer_free(&patch);
    inlay_buffer_free(&out);
    return code ? cli_error("apply", code, &err) : 0;
}

static int apply_to_file(const char *const *args, struct inlay_apply_options *o)
{
    struct inlay_image old;
    struct inlay_error err;
    if (!args[2])
        return cli_usage_error("apply", "OUT is missing: inlay apply OLD PATCH OUT");
    if (!strcmp(args[0], "-") && !strcmp(args[1], "-"))
        return cli_usage_error("apply", "only one of OLD and PATCH can be standard input");
    if (inlay_file_same(args[0], args[2]))
        return cli_usage_error("apply", "OUT %s would overwrite OLD; for that there is --in-place",
                               args[2]);
    if (inlay_file_same(args[1], args[2]))
        return cli_usage_error("apply", "OUT %s would overwrite PATCH", args[2]);
    int code = inlay_image_load(args[0], &old, &err);
    if (code)
        return cli_error("apply", code, &err);
    code = apply(args[1], args[2], &old, o);
    inlay_image_free(&old);
    return code;
}

int cmd_apply(int argc, char **argv)
{
    const char *args[CLI_ARGS_MAX];
    struct inlay_apply_options o;
    int code;
    if (cli_parse(&usage, argc, argv, args, &code))
        return code;
    code = read_options(&o);
    if (code)
        return code;
    if (!in_place)
        return apply_to_file(args, &o);
    if (args[2])
        return cli_usage_error("apply", "--in-place takes IMAGE and PATCH only, not '%s'", args[2]);
    return apply_in_place(args[0], args[1], &o);
}
