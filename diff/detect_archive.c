/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images that hold ELF files, such as root file systems and tar archives.
 * Each file thinks it is at address 0, so each is given addresses of its own:
 * the same in both images for two versions of a file, and as far from the
 * others as it takes.  What is relative in a file then refers to the right
 * bytes, between its segments too; absolute addresses are left alone.
 */
#include "bits.h"
#include "detect_parts.h"

#include <stdlib.h>

#define ALIGN    512u /* files of a file system start at multiples of this */
#define LOADS    2u   /* segments of a file that are told apart: code, data */
#define PAGE     0x10000u
#define FIRST    0x80000000u /* positions, which bytes outside members go by, are below */
#define CODE_MIN 2048u       /* smaller files are not worth a place in the plan */
#define VERSIONS (INLAY_SPACES_MAX / LOADS)
#define PART     4u /* of an image: what its files take up at least */
#define SHARED   3u /* e_type */

struct member {
    uint32_t pos, len; /* from its header to the next member's, or the end */
    uint32_t end;      /* of its addresses */
    struct inlay_space load[LOADS];
    unsigned loads;
    struct inlay_detect_table table[INLAY_DETECT_TABLES];
    unsigned tables;
};

struct members {
    struct member *at; /* owned */
    size_t count;
};

/* 1 for a program or library of any address that is for this processor. */
static int is_member(const uint8_t *b, uint32_t left, enum inlay_arch_id arch)
{
    enum inlay_arch_id named = inlay_detect_elf_arch(b, left);
    if (named == INLAY_ARCH_NONE || inlay_get16(b + 16) != SHARED)
        return 0;
    return named == arch || (named == INLAY_ARCH_ARM && arch == INLAY_ARCH_THUMB2);
}

/* Segments on the same diagonal are one. */
static void read_loads(const uint8_t *b, struct member *m)
{
    struct inlay_space got[INLAY_SPACES_MAX];
    unsigned n = inlay_detect_header(b + m->pos, m->len, got, INLAY_SPACES_MAX, &m->end);
    for (unsigned i = 0; i < n; i++) {
        struct inlay_space *last = m->loads ? &m->load[m->loads - 1u] : NULL;
        if (last && got[i].addr - got[i].pos == last->addr - last->pos)
            last->len = got[i].pos + got[i].len - last->pos;
        else if (m->loads < LOADS)
            m->load[m->loads++] = got[i];
    }
}

static int find_members(const uint8_t *b, uint32_t n, enum inlay_arch_id arch, struct members *out)
{
    size_t room = 0;
    for (uint32_t pos = ALIGN; pos < n; pos += ALIGN) {
        if (!is_member(b + pos, n - pos, arch))
            continue;
        if (out->count == room) {
            room = room ? 2 * room : 64;
            struct member *at = realloc(out->at, room * sizeof *at);
            if (!at)
                return -1;
            out->at = at;
        }
        if (out->count)
            out->at[out->count - 1u].len = pos - out->at[out->count - 1u].pos;
        out->at[out->count++] = (struct member){.pos = pos, .len = n - pos};
    }
    return 0;
}

/* Returns how many bytes of the image the members take up. */
static uint32_t read_members(const uint8_t *b, struct members *all)
{
    uint32_t total = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct member *m = &all->at[i];
        read_loads(b, m);
        m->tables = inlay_detect_file_tables(b + m->pos, m->len, m->table);
        for (unsigned k = 0; k < m->loads; k++)
            total += m->load[k].len;
    }
    return total;
}

static uint32_t code_len(const struct member *m)
{
    return m->loads ? m->load[0].len : 0;
}

/* 1 if these can be two versions of a file: their code is about as long. */
static int may_be_same(const struct member *a, const struct member *b)
{
    uint32_t x = code_len(a), y = code_len(b), apart = x > y ? x - y : y - x;
    return x >= CODE_MIN && a->loads == b->loads && apart <= (x > y ? x : y) / 8u;
}

/* A member of the new image and what it was. */
struct version {
    const struct member *old, *new;
};

static int longer_first(const void *x, const void *y)
{
    const struct version *a = x, *b = y;
    if (code_len(a->new) != code_len(b->new))
        return code_len(a->new) < code_len(b->new) ? 1 : -1;
    return a->new->pos < b->new->pos ? -1 : 1;
}

static int by_pos(const void *x, const void *y)
{
    const struct version *a = x, *b = y;
    return a->new->pos < b->new->pos ? -1 : 1;
}

/* Members keep their order. */
static size_t pair_up(const struct members *old, const struct members *new, struct version *out)
{
    size_t count = 0, next = 0;
    for (size_t i = 0; i < new->count; i++)
        for (size_t k = next; k < old->count; k++)
            if (may_be_same(&old->at[k], &new->at[i])) {
                out[count++] = (struct version){&old->at[k], &new->at[i]};
                next = k + 1;
                break;
            }
    return count;
}

static void add_version(const struct version *v, uint32_t base, struct inlay_layout *out)
{
    for (unsigned i = 0; i < v->new->loads; i++) {
        const struct inlay_space *a = &v->old->load[i], *b = &v->new->load[i];
        out->old_space[out->old_spaces++] =
            (struct inlay_space){base + a->addr, v->old->pos + a->pos, a->len};
        out->new_space[out->new_spaces++] =
            (struct inlay_space){base + b->addr, v->new->pos + b->pos, b->len};
    }
    for (unsigned i = 0; i < v->old->tables && i < v->new->tables; i++) {
        const struct inlay_detect_table *a = &v->old->table[i], *b = &v->new->table[i];
        if (a->kind == b->kind && out->tables < INLAY_TABLES_MAX)
            out->table[out->tables++] =
                (struct inlay_table){a->kind, {base + a->addr, base + b->addr}, {a->len, b->len}};
    }
}

/* The longest versions that there are spaces for, in their order. */
static void lay_out(struct version *v, size_t count, struct inlay_layout *out)
{
    uint32_t base = FIRST;
    if (count)
        qsort(v, count, sizeof *v, longer_first);
    if (count > VERSIONS)
        count = VERSIONS;
    if (count)
        qsort(v, count, sizeof *v, by_pos);
    for (size_t i = 0; i < count; i++) {
        uint32_t end = v[i].old->end > v[i].new->end ? v[i].old->end : v[i].new->end;
        add_version(&v[i], base, out);
        base += (end + 2u * PAGE - 1u) & ~(PAGE - 1u);
    }
}

/* Finds the files of an image; none if it is one itself, or has addresses and they are a small
 * part. */
static int open_archive(const uint8_t *b, uint32_t n, enum inlay_arch_id arch, struct members *out)
{
    if (inlay_detect_elf_arch(b, n) != INLAY_ARCH_NONE || find_members(b, n, arch, out))
        return -1;
    return read_members(b, out) >= n / PART ? 0 : -1;
}

int inlay_detect_archive(const uint8_t *old, uint32_t old_size, const uint8_t *new,
                         uint32_t new_size, struct inlay_layout *out)
{
    struct members from = {0}, to = {0};
    struct version *v = NULL;
    out->old_spaces = out->new_spaces = out->tables = 0;
    if (!open_archive(old, old_size, out->arch, &from) &&
        !open_archive(new, new_size, out->arch, &to) && (v = calloc(to.count + 1u, sizeof *v)))
        lay_out(v, pair_up(&from, &to, v), out);
    free(v);
    free(from.at);
    free(to.at);
    return out->new_spaces ? 0 : -1;
}
