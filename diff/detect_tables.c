/* SPDX-License-Identifier: Apache-2.0 */
/* Exception tables of ELF files: words that hold relative addresses. */
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
};

static int open_elf(struct elf *e, const uint8_t *b, size_t size)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    if (size < 64 || size > UINT32_MAX || memcmp(b, magic, 4) != 0 || b[5] != 1)
        return -1;
    *e = (struct elf){b, (uint32_t)size, b[4] == 2};
    return b[4] == 1 || b[4] == 2 ? 0 : -1;
}

/* The first program header of a type; -1 if there is none that makes sense. */
static int find_segment(const struct elf *e, uint32_t type, struct span *out)
{
    uint32_t at = inlay_get32(e->b + (e->wide ? 32 : 28));
    uint32_t size = inlay_get16(e->b + (e->wide ? 54 : 42));
    uint32_t count = inlay_get16(e->b + (e->wide ? 56 : 44));
    for (uint32_t i = 0; i < count; i++, at += size) {
        if (size < 32 || at > e->size || size > e->size - at)
            return -1;
        const uint8_t *p = e->b + at;
        if (inlay_get32(p) != type)
            continue;
        out->pos = inlay_get32(p + (e->wide ? 8 : 4));
        out->addr = inlay_get32(p + (e->wide ? 16 : 8));
        out->len = inlay_get32(p + (e->wide ? 32 : 16));
        return out->pos <= e->size && out->len <= e->size - out->pos ? 0 : -1;
    }
    return -1;
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

unsigned inlay_detect_file_tables(const uint8_t *b, size_t size, struct inlay_detect_table *at)
{
    struct span header, frames, index;
    struct elf e;
    unsigned n = 0;
    if (open_elf(&e, b, size))
        return 0;
    if (find_segment(&e, 0x6474e550u, &header) == 0) { /* PT_GNU_EH_FRAME */
        at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_BASE, header.addr, header.len};
        if (find_frames(&e, &header, &frames) == 0)
            at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_HERE, frames.addr, frames.len};
    }
    if (find_segment(&e, 0x70000001u, &index) == 0) /* PT_ARM_EXIDX */
        at[n++] = (struct inlay_detect_table){INLAY_TABLE_FROM_HERE31, index.addr, index.len};
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
