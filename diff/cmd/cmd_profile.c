/* SPDX-License-Identifier: Apache-2.0 */
/* inlay profile: lists and shows device profiles. */
#include "cli.h"
#include "json.h"
#include "profile.h"

#include <string.h>

static int as_json;

static const struct cli_option options[] = {
    {0, "json", NULL, "print JSON", NULL, &as_json},
    {0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cli_usage usage = {
    "profile",
    "list | show NAME|FILE [options]",
    "Lists the device profiles that ship with Inlay, or shows one: its text, or with --json\n"
    "what was read from it.  A profile file of your own is checked and shown the same way.\n",
    options,
    1,
    2};

static int list(void)
{
    size_t count;
    const struct inlay_profile_file *file = inlay_profile_list(&count);
    struct json j;
    if (as_json) {
        json_begin(&j, stdout, "inlay-profile-list-1");
        json_array(&j, "profiles");
    }
    for (size_t i = 0; i < count; i++) {
        struct inlay_profile p;
        struct inlay_error err;
        int code = inlay_profile_load(file[i].name, &p, &err);
        if (code)
            return cli_error("profile", code, &err);
        if (as_json) {
            json_object(&j, NULL);
            json_text(&j, "name", p.name);
            json_text(&j, "title", p.title);
            json_text(&j, "source", p.source);
            json_end(&j);
        } else {
            printf("%-12s%s\n", p.name, p.title);
        }
    }
    if (as_json) {
        json_end(&j);
        json_finish(&j);
    }
    return cli_flush("profile");
}

static void area(struct json *j, const char *name, const struct inlay_profile_area *a)
{
    if (!a->present && !a->write_size)
        return;
    json_object(j, name);
    json_array(j, "blocks");
    for (unsigned i = 0; i < a->regions; i++) {
        json_object(j, NULL);
        json_number(j, "count", a->region[i].count);
        json_number(j, "length", a->region[i].block_len);
        json_number(j, "erase_us", a->erase_us[i]);
        json_end(j);
    }
    json_end(j);
    json_number(j, "length", inlay_profile_area_len(a));
    json_number(j, "write_size", a->write_size);
    json_number(j, "erased", a->erased);
    json_bool(j, "ecc", a->ecc);
    json_number(j, "max_writes", a->max_writes);
    json_number(j, "page_len", a->page_len);
    json_number(j, "program_len", a->program_len);
    json_number(j, "program_us", a->program_us);
    json_number(j, "read_ns", a->read_ns);
    json_number(j, "busy_mw", a->busy_mw);
    json_end(j);
}

static void print_json(const struct inlay_profile *p)
{
    struct json j;
    json_begin(&j, stdout, "inlay-profile-1");
    json_text(&j, "name", p->name);
    json_text(&j, "title", p->title);
    json_text(&j, "source", p->source);
    json_text(&j, "arch", p->arch);
    if (p->base_known)
        json_number(&j, "base", p->base);
    json_text(&j, "mode", p->in_place ? "in-place" : "ab");
    json_number(&j, "ram", p->ram);
    json_number(&j, "model_ram", p->model_ram);
    json_number(&j, "chunk_len", p->chunk_len);
    json_number(&j, "check_len", p->check_len);
    json_number(&j, "redo", p->redo);
    json_bool(&j, "recipes", p->recipes);
    json_number(&j, "cpu_hz", p->cpu_hz);
    json_number(&j, "cpu_mw", p->cpu_mw);
    json_number(&j, "cpu_cycles", p->cpu_cycles);
    json_number(&j, "radio_us", p->radio_us);
    json_number(&j, "radio_nj", p->radio_nj);
    area(&j, "slot", &p->slot);
    area(&j, "second", &p->second);
    area(&j, "work", &p->work);
    json_finish(&j);
}

static int print_file(const char *path)
{
    char buf[4096];
    size_t n;
    struct inlay_error err;
    FILE *f = fopen(path, "rb");
    if (!f)
        return cli_error("profile",
                         inlay_fail(&err, INLAY_EXIT_IO, "%s: cannot be opened again", path), &err);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        fwrite(buf, 1, n, stdout);
    fclose(f);
    return 0;
}

static int show(const char *name)
{
    struct inlay_profile p;
    struct inlay_error err;
    int code = inlay_profile_load(name, &p, &err);
    if (code)
        return cli_error("profile", code, &err);
    if (as_json)
        print_json(&p);
    else if (inlay_profile_text(name))
        fputs(inlay_profile_text(name), stdout);
    else
        code = print_file(name);
    return code ? code : cli_flush("profile");
}

int cmd_profile(int argc, char **argv)
{
    const char *args[CLI_ARGS_MAX];
    int code;
    if (cli_parse(&usage, argc, argv, args, &code))
        return code;
    if (!strcmp(args[0], "list") && !args[1])
        return list();
    if (!strcmp(args[0], "show") && args[1])
        return show(args[1]);
    return cli_usage_error("profile", "say list, or show and a name");
}
