/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"
#include "format.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536u

/* Made by diff/profiles/embed.awk. */
extern const struct inlay_profile_file inlay_profile_files[];
extern const size_t inlay_profile_files_count;

enum value_kind { TEXT, NUMBER, SWITCH, BLOCKS, TIMES, BASE, MODE };

/* A key, where its value goes, and what is allowed. */
struct key {
    const char *name;
    enum value_kind kind;
    size_t offset; /* of the field in the profile or in the area */
    size_t room;   /* bytes in the field */
    uint64_t min, max;
    int required;
};

#define AT(s, f) offsetof(struct s, f), sizeof(((struct s *)0)->f)
#define P(f)     AT(inlay_profile, f)
#define A(f)     AT(inlay_profile_area, f)

#define REDO (256u << 10) /* by default */

static const struct key profile_keys[] = {
    {"name", TEXT, P(name), 1, 0, 1},
    {"title", TEXT, P(title), 1, 0, 1},
    {"source", TEXT, P(source), 1, 0, 1},
    {"arch", TEXT, P(arch), 1, 0, 1},
    {"base", BASE, P(base), 0, UINT64_MAX, 0},
    {"mode", MODE, P(in_place), 0, 0, 1},
    {"ram", NUMBER, P(ram), 1024, 1u << 30, 1},
    {"model_ram", NUMBER, P(model_ram), 512, 1u << 30, 1},
    {"chunk_len", NUMBER, P(chunk_len), 64, 1u << 20, 1},
    {"check_len", NUMBER, P(check_len), 0, INLAY_CHECK_MAX, 1},
    {"redo", NUMBER, P(redo), 512, 1u << 30, 0},
    {"recipes", SWITCH, P(recipes), 0, 1, 0},
    {"cpu_hz", NUMBER, P(cpu_hz), 0, 4000000000u, 0},
    {"cpu_mw", NUMBER, P(cpu_mw), 0, 1000000, 0},
    {"cpu_cycles", NUMBER, P(cpu_cycles), 0, 1000000, 0},
    {"radio_us", NUMBER, P(radio_us), 0, 10000000, 0},
    {"radio_nj", NUMBER, P(radio_nj), 0, 1000000000, 0},
};

static const struct key area_keys[] = {
    {"blocks", BLOCKS, A(region), 0, 0, 0},
    {"write_size", NUMBER, A(write_size), 1, 256, 0},
    {"erased", NUMBER, A(erased), 0, 255, 0},
    {"ecc", SWITCH, A(ecc), 0, 1, 0},
    {"max_writes", NUMBER, A(max_writes), 1, 1000, 0},
    {"page_len", NUMBER, A(page_len), 1, 1u << 20, 0},
    {"erase_us", TIMES, A(erase_us), 0, 100000000, 0},
    {"program_len", NUMBER, A(program_len), 1, 1u << 16, 0},
    {"program_us", NUMBER, A(program_us), 0, 100000000, 0},
    {"read_ns", NUMBER, A(read_ns), 0, 1000000000, 0},
    {"busy_mw", NUMBER, A(busy_mw), 0, 1000000, 0},
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const char *const area_names[] = {"slot", "second", "work"};

/* What a parse in progress knows. */
struct parser {
    const char *where;
    unsigned line;
    struct inlay_profile *profile;
    struct inlay_error *err;
    unsigned profile_line[COUNT(profile_keys)]; /* where a key was set; 0: not yet */
    unsigned area_line[3][COUNT(area_keys)];
};

const struct inlay_profile_file *inlay_profile_list(size_t *count)
{
    *count = inlay_profile_files_count;
    return inlay_profile_files;
}

const char *inlay_profile_text(const char *name)
{
    for (size_t i = 0; i < inlay_profile_files_count; i++)
        if (strcmp(inlay_profile_files[i].name, name) == 0)
            return inlay_profile_files[i].text;
    return NULL;
}

static struct inlay_profile_area *area_at(struct inlay_profile *p, size_t i)
{
    return i == 0 ? &p->slot : i == 1 ? &p->second : &p->work;
}

/* Reads a number with an optional K or M behind it; *s is left behind it. */
static int number(const char **s, uint64_t *value)
{
    const char *p = *s;
    char *end;
    if (!isdigit((unsigned char)*p))
        return -1;
    errno = 0;
    unsigned long long v = strtoull(p, &end, 0);
    if (errno)
        return -1;
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
    if (v > UINT64_MAX >> shift)
        return -1;
    *value = (uint64_t)v << shift;
    *s = end + (shift != 0);
    return 0;
}

static void skip_space(const char **s)
{
    while (**s == ' ' || **s == '\t')
        (*s)++;
}

static void store(void *field, size_t room, uint64_t v)
{
    if (room == 1)
        *(uint8_t *)field = (uint8_t)v;
    else if (room == 4)
        *(uint32_t *)field = (uint32_t)v;
    else
        *(uint64_t *)field = v;
}

static int bad(struct parser *p, const char *key, const char *wanted)
{
    return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s:%u: %s must be %s", p->where, p->line, key,
                      wanted);
}

static int set_number(struct parser *p, const struct key *k, void *field, const char *value)
{
    uint64_t v;
    if (number(&value, &v) || *value || v < k->min || v > k->max)
        return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s:%u: %s must be a number from %llu to %llu",
                          p->where, p->line, k->name, (unsigned long long)k->min,
                          (unsigned long long)k->max);
    store(field, k->room, v);
    return 0;
}

static int set_text(struct parser *p, const struct key *k, char *field, const char *value)
{
    if (!*value || strlen(value) >= k->room)
        return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s:%u: %s must have 1 to %zu characters",
                          p->where, p->line, k->name, k->room - 1);
    strcpy(field, value);
    return 0;
}

/* "COUNT x LENGTH, ...", or "image" for one block as large as the image. */
static int set_blocks(struct parser *p, struct inlay_profile_area *a, const char *s)
{
    static const char wanted[] = "COUNT x LENGTH, at most 8 of them with commas between, at most "
                                 "1 GB in all, or the word image";
    uint64_t total = 0, count, len;
    a->regions = 0;
    if (strcmp(s, "image") == 0)
        return 0;
    for (;;) {
        if (a->regions == INLAY_REGIONS_MAX || number(&s, &count))
            return bad(p, "blocks", wanted);
        skip_space(&s);
        if (*s++ != 'x')
            return bad(p, "blocks", wanted);
        skip_space(&s);
        if (number(&s, &len) || !len || !count || count > 1u << 30 || len > 1u << 30)
            return bad(p, "blocks", wanted);
        total += count * len;
        if (total > 1u << 30)
            return bad(p, "blocks", wanted);
        a->region[a->regions++] = (struct inlay_region){(uint32_t)count, (uint32_t)len};
        skip_space(&s);
        if (!*s)
            return 0;
        if (*s++ != ',')
            return bad(p, "blocks", wanted);
        skip_space(&s);
    }
}

/* One time for all regions, or one for each. */
static int set_times(struct parser *p, const struct key *k, uint32_t *field, const char *s)
{
    uint64_t v = 0;
    unsigned n = 0;
    memset(field, 0, k->room);
    for (;;) {
        if (n == INLAY_REGIONS_MAX || number(&s, &v) || v > k->max)
            return bad(p, k->name, "microseconds, one number or one per run of blocks");
        field[n++] = (uint32_t)v;
        skip_space(&s);
        if (!*s)
            break;
        if (*s++ != ',')
            return bad(p, k->name, "microseconds, one number or one per run of blocks");
        skip_space(&s);
    }
    for (unsigned i = 1; n == 1 && i < INLAY_REGIONS_MAX; i++)
        field[i] = field[0];
    return 0;
}

static int set_base(struct parser *p, const struct key *k, const char *value)
{
    if (strcmp(value, "auto") == 0)
        return 0;
    p->profile->base_known = 1;
    return set_number(p, k, &p->profile->base, value);
}

static int set_switch(struct parser *p, const struct key *k, uint8_t *field, const char *value,
                      const char *on, const char *off)
{
    char wanted[64];
    *field = strcmp(value, on) == 0;
    if (*field || strcmp(value, off) == 0)
        return 0;
    snprintf(wanted, sizeof wanted, "%s or %s", on, off);
    return bad(p, k->name, wanted);
}

static int set_value(struct parser *p, const struct key *k, void *owner, const char *value)
{
    void *field = (char *)owner + k->offset;
    switch (k->kind) {
    case TEXT:
        return set_text(p, k, field, value);
    case NUMBER:
        return set_number(p, k, field, value);
    case SWITCH:
        return set_switch(p, k, field, value, "yes", "no");
    case MODE:
        return set_switch(p, k, field, value, "in-place", "ab");
    case BLOCKS:
        return set_blocks(p, owner, value);
    case TIMES:
        return set_times(p, k, field, value);
    case BASE:
        return set_base(p, k, value);
    }
    return 0;
}

/* Finds name in keys; sets its value, once. */
static int set_key(struct parser *p, const struct key *keys, size_t count, unsigned *lines,
                   void *owner, const char *full, const char *name, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].name, name))
            continue;
        if (lines[i])
            return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s:%u: %s was given before, in line %u",
                              p->where, p->line, full, lines[i]);
        lines[i] = p->line;
        return set_value(p, &keys[i], owner, value);
    }
    return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s:%u: unknown key %s", p->where, p->line, full);
}

static int assign(struct parser *p, const char *name, const char *value)
{
    const char *dot = strchr(name, '.');
    for (size_t i = 0; dot && i < COUNT(area_names); i++)
        if (strlen(area_names[i]) == (size_t)(dot - name) &&
            strncmp(area_names[i], name, (size_t)(dot - name)) == 0) {
            area_at(p->profile, i)->present = 1;
            return set_key(p, area_keys, COUNT(area_keys), p->area_line[i], area_at(p->profile, i),
                           name, dot + 1, value);
        }
    return set_key(p, profile_keys, COUNT(profile_keys), p->profile_line, p->profile, name, name,
                   value);
}

static void trim(char *s)
{
    size_t n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1]))
        s[--n] = 0;
}

/* One line: nothing, a comment, or key = value. */
static int parse_line(struct parser *p, char *line)
{
    char *hash = strchr(line, '#');
    if (hash)
        *hash = 0;
    trim(line);
    while (isspace((unsigned char)*line))
        line++;
    if (!*line)
        return 0;
    char *equals = strchr(line, '=');
    if (!equals || equals == line)
        return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s:%u: expected key = value", p->where,
                          p->line);
    char *value = equals + 1;
    *equals = 0;
    trim(line);
    while (isspace((unsigned char)*value))
        value++;
    return assign(p, line, value);
}

/* What second and work do not say is as in the slot. */
static void inherit(struct parser *p, size_t which)
{
    struct inlay_profile_area *a = area_at(p->profile, which);
    for (size_t i = 0; i < COUNT(area_keys); i++)
        if (!p->area_line[which][i] && area_keys[i].kind != BLOCKS)
            memcpy((char *)a + area_keys[i].offset,
                   (const char *)&p->profile->slot + area_keys[i].offset, area_keys[i].room);
}

static int power_of_two(uint32_t v)
{
    return v && !(v & (v - 1));
}

/* What one key cannot tell: how an area's figures fit each other. */
static int check_area(struct parser *p, size_t which)
{
    const struct inlay_profile_area *a = area_at(p->profile, which);
    const char *name = area_names[which], *wrong = NULL;
    if (!p->area_line[which][0])
        wrong = "blocks is missing";
    else if (!power_of_two(a->write_size))
        wrong = "write_size must be a power of two";
    else if (a->erased != 0xFF && a->erased != 0x00)
        wrong = "erased must be 0xff or 0x00";
    else if (!power_of_two(a->page_len) || a->page_len < a->write_size)
        wrong = "page_len must be a power of two, write_size or more";
    else if (a->program_len < a->write_size)
        wrong = "program_len must be write_size or more";
    else if (a->ecc && a->max_writes != 1)
        wrong = "max_writes must be 1 where ecc = yes";
    else if (which == 2 && !a->regions)
        wrong = "blocks must be given, COUNT x LENGTH";
    for (unsigned i = 0; i < a->regions && !wrong; i++)
        if (a->region[i].block_len % a->write_size)
            wrong = "every block must be a multiple of write_size";
    return wrong ? inlay_fail(p->err, INLAY_EXIT_USAGE, "%s: %s.%s", p->where, name, wrong) : 0;
}

/* Defaults of the slot, which the other areas may then inherit. */
static void slot_defaults(struct inlay_profile_area *a)
{
    a->write_size = 1;
    a->erased = 0xFF;
    a->max_writes = 1;
    a->program_len = 256;
    a->page_len = 256;
}

static int check_arch(struct parser *p)
{
    static const char *const known[] = {"auto",  "none",   "thumb2", "arm",    "aarch64",
                                        "riscv", "xtensa", "avr",    "x86-64", "wasm"};
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i], p->profile->arch) == 0)
            return 0;
    return inlay_fail(p->err, INLAY_EXIT_USAGE,
                      "%s: arch must be auto, none, thumb2, arm, aarch64, riscv, xtensa, avr, "
                      "x86-64 or wasm, not %s",
                      p->where, p->profile->arch);
}

static int check_areas(struct parser *p)
{
    for (size_t i = 0; i < COUNT(area_names); i++) {
        struct inlay_profile_area *a = area_at(p->profile, i);
        if (i && !a->present)
            continue;
        if (i)
            inherit(p, i);
        int code = check_area(p, i);
        if (code)
            return code;
    }
    return 0;
}

/* How the parts of a whole profile fit each other. */
static int check_all(struct parser *p)
{
    const struct inlay_profile *f = p->profile;
    for (size_t i = 0; i < COUNT(profile_keys); i++)
        if (profile_keys[i].required && !p->profile_line[i])
            return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s: %s is missing", p->where,
                              profile_keys[i].name);
    int code = check_areas(p);
    if (!code)
        code = check_arch(p);
    if (code)
        return code;
    if (f->model_ram > f->ram || f->chunk_len > f->ram)
        return inlay_fail(p->err, INLAY_EXIT_USAGE,
                          "%s: ram must be at least model_ram and chunk_len", p->where);
    if (f->in_place && (!f->work.present || !f->slot.regions))
        return inlay_fail(p->err, INLAY_EXIT_USAGE,
                          "%s: mode = in-place needs slot.blocks and work.blocks", p->where);
    if (!f->in_place && !f->second.present)
        return inlay_fail(p->err, INLAY_EXIT_USAGE, "%s: mode = ab needs second.blocks", p->where);
    return 0;
}

int inlay_profile_parse(const char *text, size_t len, const char *where,
                        struct inlay_profile *profile, struct inlay_error *err)
{
    struct parser p = {.where = where, .profile = profile, .err = err};
    char line[512];
    memset(profile, 0, sizeof *profile);
    slot_defaults(&profile->slot);
    profile->redo = REDO;
    profile->recipes = 1;
    for (size_t pos = 0; pos < len;) {
        const char *end = memchr(text + pos, '\n', len - pos);
        size_t n = end ? (size_t)(end - text) - pos : len - pos;
        p.line++;
        if (n >= sizeof line || memchr(text + pos, 0, n))
            return inlay_fail(err, INLAY_EXIT_USAGE, "%s:%u: line too long, or not text", where,
                              p.line);
        memcpy(line, text + pos, n);
        line[n] = 0;
        int code = parse_line(&p, line);
        if (code)
            return code;
        pos += n + 1;
    }
    return check_all(&p);
}

/* The sentence for a name that is neither shipped nor a file. */
static int unknown(const char *name, struct inlay_error *err)
{
    char known[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < inlay_profile_files_count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 inlay_profile_files[i].name);
    return inlay_fail(err, INLAY_EXIT_USAGE, "%s: no such profile: give a file, or one of %s", name,
                      known);
}

int inlay_profile_load(const char *name, struct inlay_profile *profile, struct inlay_error *err)
{
    const char *text = inlay_profile_text(name);
    if (text)
        return inlay_profile_parse(text, strlen(text), name, profile, err);
    FILE *f = fopen(name, "rb");
    if (!f && errno == ENOENT)
        return unknown(name, err);
    if (!f)
        return inlay_fail(err, INLAY_EXIT_IO, "%s: cannot open the profile: %s", name,
                          strerror(errno));
    char *buf = malloc(FILE_MAX + 1u);
    size_t n = buf ? fread(buf, 1, FILE_MAX + 1u, f) : 0;
    int code;
    if (!buf || ferror(f))
        code = inlay_fail(err, INLAY_EXIT_IO, "%s: cannot read the profile", name);
    else if (n > FILE_MAX)
        code = inlay_fail(err, INLAY_EXIT_USAGE, "%s: too long for a profile", name);
    else
        code = inlay_profile_parse(buf, n, name, profile, err);
    free(buf);
    fclose(f);
    return code;
}

uint32_t inlay_profile_area_len(const struct inlay_profile_area *area)
{
    uint32_t len = 0;
    for (unsigned i = 0; i < area->regions; i++)
        len += area->region[i].count * area->region[i].block_len;
    return len;
}

uint32_t inlay_profile_area_blocks(const struct inlay_profile_area *area)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < area->regions; i++)
        count += area->region[i].count;
    return area->present && !area->regions ? 1 : count;
}

const struct inlay_profile_area *inlay_profile_target(const struct inlay_profile *profile,
                                                      int in_place)
{
    if (in_place)
        return profile->slot.regions && profile->work.present ? &profile->slot : NULL;
    return profile->second.present ? &profile->second : NULL;
}
