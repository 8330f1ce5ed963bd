/* SPDX-License-Identifier: Apache-2.0 */
/* inlay diff: makes a patch. */
#include "cli.h"
#include "file.h"
#include "inlay.h"
#include "json.h"
#include "parallel.h"
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAYLOADS_SHOWN 4

static const char *profile_name = "host", *mode_name, *codec_name, *arch, *base, *component,
                  *counter, *jobs;
static const char *old_version, *new_version;
static int as_json, old_checks;

static const struct cli_option options[] = {
    {'p', "profile", "NAME|FILE", "the device (inlay profile list); default: host", &profile_name,
     NULL},
    {'m', "mode", "in-place|ab", "overrides the profile's mode", &mode_name, NULL},
    {0, "arch", "NAME",
     "auto, thumb2, arm, aarch64, riscv, xtensa, avr, x86-64, wasm or none;\n"
     "default: as the files or the profile say, else auto",
     &arch, NULL},
    {0, "codec", "auto|mix|lzma",
     "mix is for microcontrollers, lzma for large images and megabytes of RAM;\n"
     "default: auto, the one that makes the smaller patch",
     &codec_name, NULL},
    {0, "base", "ADDRESS", "where the processor sees the first byte, e.g. 0x8020000", &base, NULL},
    {0, "component", "TEXT", "id of the device or component that must take it", &component, NULL},
    {0, "old-version", "TEXT", "name of the old version, for people", &old_version, NULL},
    {0, "new-version", "TEXT", "name of the new version, for people", &new_version, NULL},
    {0, "security-counter", "N", "devices refuse patches with a smaller one than theirs", &counter,
     NULL},
    {0, "old-checks", NULL,
     "let devices with another image tell its first wrong block; costs\n"
     "two bytes for each block of OLD",
     NULL, &old_checks},
    {'j', "jobs", "N",
     "threads at most, 1 to 64; default: one per processor, up to 8.  The\n"
     "patch is the same whatever it is",
     &jobs, NULL},
    {0, "json", NULL, "print where the bytes went as JSON", NULL, &as_json},
    {0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cli_usage usage = {
    "diff",
    "OLD NEW PATCH [options]",
    "Makes a patch that turns OLD into NEW on a device, and applies it once to be sure.\n"
    "OLD and NEW are raw binaries, ELF, Intel HEX, S-records or UF2; '-' is standard\n"
    "input or output.\n",
    options,
    3,
    3};

static int usage_error_number(const char *name, const char *text)
{
    return cli_usage_error("diff", "--%s takes a number such as 8192 or 0x2000, not '%s'", name,
                           text);
}

static int read_codec(struct inlay_diff_options *o)
{
    if (!codec_name || !strcmp(codec_name, "auto"))
        o->codec = INLAY_DIFF_SMALLER;
    else if (!strcmp(codec_name, "mix"))
        o->codec = INLAY_DIFF_MIX;
    else if (!strcmp(codec_name, "lzma"))
        o->codec = INLAY_DIFF_LZMA;
    else
        return cli_usage_error("diff", "--codec is auto, mix or lzma, not '%s'", codec_name);
    return 0;
}

static int read_options(struct inlay_diff_options *o)
{
    uint64_t number;
    *o = (struct inlay_diff_options){.arch = arch,
                                     .old_version = old_version,
                                     .new_version = new_version,
                                     .old_checks = old_checks};
    if (mode_name && !strcmp(mode_name, "in-place"))
        o->mode = INLAY_DIFF_IN_PLACE;
    else if (mode_name && !strcmp(mode_name, "ab"))
        o->mode = INLAY_DIFF_AB;
    else if (mode_name)
        return cli_usage_error("diff", "--mode is in-place or ab, not '%s'", mode_name);
    if (base && cli_number(base, &o->base))
        return usage_error_number("base", base);
    o->base_known = base != NULL;
    if (counter && (cli_number(counter, &number) || number > UINT32_MAX))
        return usage_error_number("security-counter", counter);
    if (counter)
        o->security_counter = (uint32_t)number;
    if (component && (!*component || strlen(component) > 32))
        return cli_usage_error("diff", "--component takes 1 to 32 bytes");
    if ((old_version && strlen(old_version) > 64) || (new_version && strlen(new_version) > 64))
        return cli_usage_error("diff", "a version's name has at most 64 bytes");
    if (jobs && (cli_number(jobs, &number) || !number || number > INLAY_JOBS_MAX))
        return cli_usage_error("diff", "--jobs takes a number of threads from 1 to %u, not '%s'",
                               INLAY_JOBS_MAX, jobs);
    if (jobs)
        o->jobs = (unsigned)number;
    o->component = (const uint8_t *)component;
    o->component_len = component ? (uint8_t)strlen(component) : 0;
    return read_codec(o);
}

static int check_paths(const char *const *args)
{
    if (!strcmp(args[0], "-") && !strcmp(args[1], "-"))
        return cli_usage_error("diff", "only one of OLD and NEW can be standard input");
    if (as_json && !strcmp(args[2], "-"))
        return cli_usage_error("diff", "--json and a PATCH of '-' both want standard output");
    for (int i = 0; i < 2; i++)
        if (inlay_file_same(args[i], args[2]))
            return cli_usage_error("diff", "PATCH %s would overwrite an input", args[2]);
    return 0;
}

static void warn_of_payloads(const char *path, const struct inlay_image *image)
{
    struct inlay_payload found[PAYLOADS_SHOWN];
    char places[200] = "";
    size_t count = inlay_image_payloads(image->data, image->size, found, PAYLOADS_SHOWN);
    if (!count)
        return;
    if (!strcmp(found[0].kind, "high entropy")) {
        cli_warn("diff",
                 "%s looks compressed or encrypted as a whole, so the patch will be about as "
                 "large as the image; make the patch before compression or encryption",
                 path);
        return;
    }
    for (size_t i = 0; i < count && i < PAYLOADS_SHOWN; i++) {
        size_t len = strlen(places);
        snprintf(places + len, sizeof places - len, "%s%s at 0x%zx", i ? ", " : "", found[i].kind,
                 found[i].pos);
    }
    cli_warn("diff",
             "%s holds compressed data (%s%s), in which a small change alters everything that "
             "follows; store it uncompressed in the image to get a small patch%s",
             path, places, count > PAYLOADS_SHOWN ? " and more" : "",
             !strcmp(found[0].kind, "squashfs") ? " (mksquashfs -noI -noD -noF -noX)" : "");
}

static void json_image(struct json *j, const char *key, const struct inlay_image *image)
{
    json_object(j, key);
    json_text(j, "kind", inlay_image_kind_name(image->kind));
    json_number(j, "size", image->size);
    if (image->base_known)
        json_number(j, "base", image->base);
    if (image->arch)
        json_text(j, "arch", image->arch);
    json_end(j);
}

static void json_split(struct json *j, const struct inlay_diff_result *r)
{
    const struct inlay_diff_split *s = &r->split;
    json_object(j, "bytes");
    json_number(j, "manifest", r->manifest_len);
    json_number(j, "chain", r->chain_len);
    json_real(j, "plan", (double)s->plan / 2048);
    json_real(j, "control", (double)s->control / 2048);
    json_real(j, "addresses", (double)s->addresses / 2048);
    json_real(j, "corrections", (double)s->corrections / 2048);
    json_real(j, "new_data", (double)s->new_data / 2048);
    json_real(j, "checks", (double)s->checks / 2048);
    json_end(j);
}

static int print_json(const struct inlay_profile *profile, const struct inlay_image images[2],
                      const struct inlay_diff_result *r)
{
    struct json j;
    json_begin(&j, stdout, "inlay.diff/1");
    json_text(&j, "profile", profile->name);
    json_text(&j, "mode", r->needs.in_place ? "in-place" : "ab");
    json_image(&j, "old", &images[0]);
    json_image(&j, "new", &images[1]);
    json_text(&j, "codec", r->codec);
    json_number(&j, "patch", r->patch.len);
    json_split(&j, r);
    json_object(&j, "needs");
    json_number(&j, "ram", r->needs.workspace);
    json_number(&j, "head", r->needs.head_len);
    json_number(&j, "pool", r->needs.pool_len);
    json_number(&j, "recipes", r->needs.recipe_len);
    json_number(&j, "stage_blocks", r->needs.stage_blocks);
    json_number(&j, "chunk", r->needs.chunk_len);
    json_end(&j);
    json_object(&j, "blocks");
    json_number(&j, "all", r->blocks);
    json_number(&j, "direct", r->direct);
    json_number(&j, "staged", r->staged);
    json_number(&j, "groups", r->groups);
    json_end(&j);
    json_number(&j, "lost", r->lost);
    json_finish(&j);
    return cli_flush("diff");
}

static int make(const char *const *args, const struct inlay_image images[2],
                const struct inlay_profile *profile, struct inlay_diff_options *o)
{
    struct inlay_diff_result result;
    struct inlay_error err;
    struct progress bar;
    struct inlay_progress progress = progress_start(&bar);
    o->progress = &progress;
    int code = inlay_diff(&images[0], &images[1], profile, o, &result, &err);
    progress_stop(&bar);
    if (!code)
        code = inlay_file_write(args[2], result.patch.data, result.patch.len, &err);
    if (code)
        cli_error("diff", code, &err);
    else if (as_json)
        code = print_json(profile, images, &result);
    inlay_diff_result_free(&result);
    return code;
}

int cmd_diff(int argc, char **argv)
{
    const char *args[CLI_ARGS_MAX];
    struct inlay_diff_options o;
    struct inlay_profile profile;
    struct inlay_image images[2] = {{0}, {0}};
    struct inlay_error err;
    int code;
    if (cli_parse(&usage, argc, argv, args, &code))
        return code;
    code = read_options(&o);
    if (!code)
        code = check_paths(args);
    if (code)
        return code;
    code = inlay_profile_load(profile_name, &profile, &err);
    for (int i = 0; i < 2 && !code; i++)
        code = inlay_image_load(args[i], &images[i], &err);
    if (code) {
        cli_error("diff", code, &err);
    } else {
        warn_of_payloads(strcmp(args[1], "-") ? args[1] : "NEW", &images[1]);
        code = make(args, images, &profile, &o);
    }
    inlay_image_free(&images[0]);
    inlay_image_free(&images[1]);
    return code;
}
