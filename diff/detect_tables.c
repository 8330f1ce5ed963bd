/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of ELF files: exception tables, and what is data between instructions of any length. */
#include "bits.h"
#include "detect_parts.h"

#include <string.h>

struct elf {
    const uint8_t *b;
    uint32_t size;
    int wide;
};

struct span {
    uint32_t addr, pos, len;
    uint32_t executable;
};

enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_GNU_EH_FRAME = 0x6474e550, PT_ARM_EXIDX = 0x70000001 };

static int open_elf(struct elf *e, const uint8_t *b, size_t size)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    if (size < 64 || size > UINT32_MAX || memcmp(b, magic, 4) != 0 || b[5] != 1)
        return -1;
    *e = (struct elf){b, (uint32_t)size, b[4] == 2};
    return b[4] == 1 || b[4] == 2 ? 0 : -1;
}

/* The first program header of a type from the i-th on; -1 if there is none that makes sense. */
static int next_segment(const struct elf *e, uint32_t type, uint32_t *i, struct span *out)
{
    uint32_t start = inlay_get32(e->b + (e->wide ? 32 : 28));
    uint32_t size = inlay_get16(e->b + (e->wide ? 54 : 42));
    uint32_t count = inlay_get16(e->b + (e->wide ? 56 : 44));
    for (; *i < count; (*i)++) {
        uint32_t at = start + *i * size;
        if (size < 32 || at > e->size || size > e->size - at)
            return -1;
        const uint8_t *p = e->b + at;
        if (inlay_get32(p) != type)
            continue;
        out->executable = p[e->wide ? 4 : 24] & 1u;
        out->pos = inlay_get32(p + (e->wide ? 8 : 4));
        out->addr = inlay_get32(p + (e->wide ? 16 : 8));
        out->len = inlay_get32(p + (e->wide ? 32 : 16));
        return out->pos <= e->size && out->len <= e->size - out->pos ? 0 : -1;
    }
    return -1;
}

static int find_segment(const struct elf *e, uint32_t type, struct span *out)
{
    uint32_t i = 0;
    return next_segment(e, type, &i, out);
}

/*
 * .eh_frame starts where .eh_frame_hdr says; entries follow one another until
 * one has no length.
 */
static int find_frames(const struct elf *e, const struct span *header, struct span *out)
{
    static const uint8_t form[3] = {1, 0x1b, 0x03}; /* version, pc-relative, count of 4 bytes */
    const uint8_t *h = e->b + header->pos;
    if (header->len < 12 || memcmp(h, form, sizeof form) != 0)
        return -1;
    out->addr = header->addr + 4u + inlay_get32(h + 4);
    out->pos = out->addr - header->addr + header->pos;
    out->len = 0;
    while (out->pos + out->len <= e->size - 4u && out->pos < e->size) {
        uint32_t len = inlay_get32(e->b + out->pos + out->len);
        if (len == 0 || len > e->size - out->pos - out->len - 4u)
            break;
        out->len += 4u + len;
    }
    return out->len ? 0 : -1;
}

/* .dynsym, in front of its strings. */
static int find_symbols(const struct elf *e, struct inlay_detect_table *out)
{
    struct span dynamic;
    uint32_t symbols = 0, strings = 0;
    if (find_segment(e, PT_DYNAMIC, &dynamic))
        return -1;
    for (uint32_t i = 0; i + 16u <= dynamic.len; i += 16u) {
        const uint8_t *b = e->b + dynamic.pos + i;
        uint32_t tag = inlay_get32(b), value = inlay_get32(b + 8);
        if (tag == 5) /* DT_STRTAB */
            strings = value;
        if (tag == 6) /* DT_SYMTAB */
            symbols = value;
    }
    *out = (struct inlay_detect_table){INLAY_TABLE_DATA, symbols, strings - symbols};
    return symbols && strings > symbols ? 0 : -1;
}

/*
 * What is loaded before and behind the code.  Relocations and hash tables in
 * front of it have indices of symbols.
 */
static unsigned find_data(const struct elf *e, struct inlay_detect_table *at)
{
    struct span first = {0}, code = {0}, last = {0}, s;
    unsigned n = 0;
    for (uint32_t i = 0; next_segment(e, PT_LOAD, &i, &s) == 0; i++) {
        if (last.len == 0)
            first = s;
        if (code.len == 0 && s.executable)
            code = s;
        last = s;
    }
    uint32_t from = code.addr + code.len, to = last.addr + last.len;
    if (code.len == 0 || code.addr < first.addr || from < code.addr || to < from)
        return 0;
    n += find_symbols(e, at) == 0;
    uint8_t kind = n ? INLAY_TABLE_INDEX : INLAY_TABLE_DATA;
    at[n++] = (struct inlay_detect_table){kind, first.addr, code.addr - first.addr};
    at[n++] = (struct inlay_detect_table){INLAY_TABLE_DATA, from, to - from};
    return n;
}

/* From the first to the last section with code; and .plt among them, which has entries. */
static int find_code(const struct elf *e, struct span *code, struct span *plt)
{
    uint32_t start = inlay_get32(e->b + 32), size = inlay_get16(e->b + 46);
    uint32_t count = inlay_get16(e->b + 48), from = UINT32_MAX, to = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = start + i * size;
        if (size < 40 || at > e->size || size > e->size - at)
            return -1;
        const uint8_t *p = e->b + at;
        if (!(inlay_get32(p + 8) & 4u)) /* SHF_EXECINSTR */
            continue;
        uint32_t addr = inlay_get32(p + 12), len = inlay_get32(p + 20);
        if (addr >> 31 || len > e->size)
            return -1;
        if (inlay_get32(p + 36)) /* of an entry */
            *plt = (struct span){.addr = addr, .len = len};
        from = addr < from ? addr : from;
        to = addr + len > to ? addr + len : to;
    }
    *code = (struct span){.addr = from, .len = to - from};
    return from < to ? 0 : -1;
}

/*
 * A shared library for ARM: words of its code say how far it is to its data.
 * .plt is no Thumb code, even where the rest is.
 */
static unsigned find_words_of_code(const struct elf *e, struct inlay_detect_table *at)
{
    struct span code, plt = {0};
    unsigned n = 0;
    if (inlay_get16(e->b + 16) != 3 || find_code(e, &code, &plt))
        return 0;
    if (plt.len)
        at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_HERE, plt.addr, plt.len};
    at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_HERE31, code.addr, code.len};
    return n;
}

unsigned inlay_detect_file_tables(const uint8_t *b, size_t size, struct inlay_detect_table *at)
{
    struct span header, frames, index;
    struct elf e;
    unsigned n = 0;
    if (open_elf(&e, b, size))
        return 0;
    if (find_segment(&e, PT_GNU_EH_FRAME, &header) == 0) {
        at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_BASE, header.addr, header.len};
        if (find_frames(&e, &header, &frames) == 0)
            at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_HERE, frames.addr, frames.len};
    }
    if (find_segment(&e, PT_ARM_EXIDX, &index) == 0)
        at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_HERE31, index.addr, index.len};
    if (inlay_detect_elf_arch(b, e.size) == INLAY_ARCH_X86_64 && e.wide)
        n += find_data(&e, at + n);
    if (inlay_detect_elf_arch(b, e.size) == INLAY_ARCH_ARM && !e.wide)
        n += find_words_of_code(&e, at + n);
    return n;
}

void inlay_detect_tables(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                         struct inlay_layout *out)
{
    struct inlay_detect_table a[INLAY_DETECT_TABLES], b[INLAY_DETECT_TABLES];
    unsigned n = inlay_detect_file_tables(old, old_size, a);
    unsigned m = inlay_detect_file_tables(new, new_size, b);
    out->tables = 0;
    for (unsigned i = 0; i < n && i < m && a[i].kind == b[i].kind; i++)
        out->table[out->tables++] =
            (struct inlay_table){a[i].kind, {a[i].addr, b[i].addr}, {a[i].len, b[i].len}};
}
