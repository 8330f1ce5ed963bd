/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spaces of WebAssembly modules: sections that the processor knows how to
 * take apart, data at the addresses it is loaded to, and, behind the images,
 * what indices count.  See arch_wasm.c for the areas.
 */
#include "bits.h"
#include "detect_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    SEC_TYPE = 1,
    SEC_IMPORT,
    SEC_FUNC,
    SEC_TABLE,
    SEC_MEMORY,
    SEC_GLOBAL,
    SEC_EXPORT,
    SEC_START,
    SEC_ELEMENT,
    SEC_CODE,
    SEC_DATA,
    SECTIONS
};

#define DATA_MAX   4u /* spaces for segments of data */
#define DATA_LIMIT 0x10000000u

struct reader {
    const uint8_t *b;
    uint32_t at, end;
    int failed;
};

struct part {
    uint32_t pos, len;
    uint32_t count; /* entries, where there are any */
};

struct module {
    struct part section[SECTIONS]; /* behind the count, but for data */
    struct inlay_space data[DATA_MAX];
    unsigned datas;
    uint32_t imports[5]; /* by kind */
    uint32_t data_end;   /* address behind the last segment */
    uint32_t top;        /* the highest address that a global starts with */
};

static uint32_t number(struct reader *r, int is_signed)
{
    uint32_t v = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 70u; shift += 7u) {
        uint8_t c = r->b[r->at++];
        if (shift < 32u)
            v |= (uint32_t)(c & 0x7fu) << shift;
        if (c < 0x80u)
            return is_signed && shift < 28u ? inlay_sign(v, shift + 7u) : v;
    }
    r->failed = 1;
    return 0;
}

static void skip(struct reader *r, uint32_t n)
{
    if (n > r->end - r->at)
        r->failed = 1;
    else
        r->at += n;
}

/* A constant expression; its value if it is one i32.const. */
static uint32_t expression(struct reader *r)
{
    uint32_t v = 0;
    if (r->at < r->end && r->b[r->at] == 0x41u) {
        r->at++;
        v = number(r, 1);
    }
    while (r->at < r->end && r->b[r->at] != 0x0bu)
        r->at++;
    skip(r, 1);
    return v;
}

static void limits(struct reader *r)
{
    uint32_t flags = number(r, 0);
    number(r, 0);
    if (flags & 1u)
        number(r, 0);
}

static void read_imports(struct reader *r, struct module *m)
{
    for (uint32_t left = m->section[SEC_IMPORT].count; left && !r->failed; left--) {
        skip(r, number(r, 0));
        skip(r, number(r, 0));
        uint32_t kind = number(r, 0);
        if (kind > 4u)
            r->failed = 1;
        else
            m->imports[kind]++;
        if (kind == 0 || kind == 4u) {
            skip(r, kind == 4u);
            number(r, 0);
        } else if (kind == 3u) {
            skip(r, 2);
        } else {
            skip(r, kind == 1u);
            limits(r);
        }
    }
}

static void read_globals(struct reader *r, struct module *m)
{
    for (uint32_t left = m->section[SEC_GLOBAL].count; left && !r->failed; left--) {
        skip(r, 2);
        uint32_t v = expression(r);
        if (v < DATA_LIMIT && v > m->top)
            m->top = v;
    }
}

/* A plain list of functions; others are not looked at. */
static void read_elements(struct reader *r, struct module *m)
{
    struct part *p = &m->section[SEC_ELEMENT];
    if (number(r, 0) != 0) {
        p->len = 0;
        return;
    }
    uint32_t first = expression(r);
    p->count = number(r, 0) + first;
    p->len -= r->at - p->pos;
    p->pos = r->at;
}

/* Keeps the longest segments, in the order of the module. */
static void keep_data(struct module *m, struct inlay_space sp)
{
    unsigned least = 0;
    if (m->datas == DATA_MAX) {
        for (unsigned i = 1; i < DATA_MAX; i++)
            if (m->data[i].len < m->data[least].len)
                least = i;
        if (sp.len <= m->data[least].len)
            return;
        memmove(m->data + least, m->data + least + 1, (DATA_MAX - 1u - least) * sizeof sp);
        m->datas--;
    }
    m->data[m->datas++] = sp;
}

static void read_data(struct reader *r, struct module *m)
{
    for (uint32_t left = number(r, 0); left && !r->failed; left--) {
        uint32_t flags = number(r, 0), addr = DATA_LIMIT;
        if (flags == 2u)
            number(r, 0);
        if (!(flags & 1u))
            addr = expression(r);
        uint32_t len = number(r, 0), pos = r->at;
        skip(r, len);
        if (r->failed || addr >= DATA_LIMIT || len >= DATA_LIMIT - addr || len == 0)
            continue;
        keep_data(m, (struct inlay_space){addr, pos, len});
        if (addr + len > m->data_end)
            m->data_end = addr + len;
    }
}

static int read_module(const uint8_t *b, uint32_t n, struct module *m)
{
    struct reader r = {b, 8, n, 0};
    memset(m, 0, sizeof *m);
    if (!inlay_detect_is_wasm(b, n))
        return -1;
    while (r.at < n && !r.failed) {
        uint8_t id = b[r.at++];
        uint32_t len = number(&r, 0), pos = r.at;
        skip(&r, len);
        if (r.failed || id == 0 || id >= SECTIONS || m->section[id].len)
            continue;
        struct reader in = {b, pos, r.at, 0};
        uint32_t count = id == SEC_DATA ? 0 : number(&in, 0);
        m->section[id] = (struct part){in.at, r.at - in.at, count};
        if (id == SEC_IMPORT)
            read_imports(&in, m);
        if (id == SEC_GLOBAL)
            read_globals(&in, m);
        if (id == SEC_ELEMENT)
            read_elements(&in, m);
        if (id == SEC_DATA)
            read_data(&in, m);
        r.failed |= in.failed;
    }
    return r.failed || m->section[SEC_CODE].len == 0 ? -1 : 0;
}

int inlay_detect_is_wasm(const uint8_t *b, uint32_t n)
{
    static const uint8_t magic[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    return n >= sizeof magic && memcmp(b, magic, sizeof magic) == 0;
}

/* Adds a pair of spaces if both modules have it. */
static void add_pair(struct inlay_layout *out, struct inlay_space old, struct inlay_space new)
{
    if (old.len == 0 || new.len == 0 || out->old_spaces == INLAY_SPACES_MAX)
        return;
    out->old_space[out->old_spaces++] = old;
    out->new_space[out->new_spaces++] = new;
}

/* How many things an index of this area can mean. */
static uint32_t count_of(const struct module *m, unsigned area)
{
    switch (area) {
    case INLAY_WASM_FUNC:
        return m->imports[0] + m->section[SEC_FUNC].count;
    case INLAY_WASM_TABLE:
        return m->section[SEC_ELEMENT].count;
    case INLAY_WASM_TYPE:
        return m->section[SEC_TYPE].count;
    default:
        return m->imports[3] + m->section[SEC_GLOBAL].count;
    }
}

static void add_sections(struct inlay_layout *out, const struct module m[2])
{
    static const struct {
        uint8_t section, area;
    } known[] = {{SEC_FUNC, INLAY_WASM_SIGNATURES},
                 {SEC_GLOBAL, INLAY_WASM_EXPRESSIONS},
                 {SEC_EXPORT, INLAY_WASM_EXPORTS},
                 {SEC_ELEMENT, INLAY_WASM_ELEMENTS},
                 {SEC_CODE, INLAY_WASM_CODE}};
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        const struct part *p = &m[0].section[known[i].section];
        const struct part *q = &m[1].section[known[i].section];
        uint32_t addr = (uint32_t)known[i].area << 28;
        add_pair(out, (struct inlay_space){addr, p->pos, p->len},
                 (struct inlay_space){addr, q->pos, q->len});
    }
}

static void add_indices(struct inlay_layout *out, const struct module m[2], uint32_t old_size,
                        uint32_t new_size)
{
    for (unsigned area = INLAY_WASM_FUNC; area <= INLAY_WASM_GLOBAL; area++) {
        uint32_t addr = (uint32_t)area << 28;
        uint32_t from = count_of(&m[0], area), to = count_of(&m[1], area);
        unsigned before = out->old_spaces;
        add_pair(out, (struct inlay_space){addr, old_size, from},
                 (struct inlay_space){addr, new_size, to});
        out->index_spaces = (uint8_t)(out->index_spaces + (out->old_spaces - before));
        old_size += from;
        new_size += to;
    }
}

int inlay_detect_wasm(const uint8_t *old, uint32_t old_size, const uint8_t *new, uint32_t new_size,
                      struct inlay_layout *out)
{
    struct module m[2];
    if (read_module(old, old_size, &m[0]) || read_module(new, new_size, &m[1]))
        return -1;
    out->old_spaces = out->new_spaces = 0;
    add_sections(out, m);
    for (unsigned i = 0; i < m[0].datas && i < m[1].datas; i++)
        add_pair(out, m[0].data[i], m[1].data[i]);
    add_indices(out, m, old_size, new_size);
    uint32_t top = m[0].top > m[1].top ? m[0].top : m[1].top;
    out->data_lo = m[0].data_end & ~0xffffu;
    out->data_hi = (top > out->data_lo ? top : out->data_lo) + 0x10000u - 1u;
    out->data_hi &= ~0xffffu;
    return 0;
}
