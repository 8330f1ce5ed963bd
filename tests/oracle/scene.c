/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Addresses", "The map" and "Units". */
#include "oracle.h"

uint32_t old_addr_of(const struct scene *sc, uint32_t pos)
{
    for (unsigned i = 0; i < sc->old_spaces; i++)
        if (pos - sc->old_space[i].pos < sc->old_space[i].len)
            return sc->old_space[i].addr + pos - sc->old_space[i].pos;
    return pos;
}

uint32_t new_addr_of(const struct scene *sc, uint32_t pos)
{
    for (unsigned i = 0; i < sc->new_spaces; i++)
        if (pos - sc->new_space[i].pos < sc->new_space[i].len)
            return sc->new_space[i].addr + pos - sc->new_space[i].pos;
    if (sc->new_spaces == 0)
        return pos;
    const struct space *last = &sc->new_space[sc->new_spaces - 1];
    return last->addr + pos - last->pos;
}

int old_pos_of(const struct scene *sc, uint32_t addr, uint32_t *pos)
{
    for (unsigned i = 0; i < sc->old_spaces; i++)
        if (addr - sc->old_space[i].addr < sc->old_space[i].len) {
            *pos = sc->old_space[i].pos + addr - sc->old_space[i].addr;
            return 1;
        }
    return 0;
}

/* ---- the map ---- */

/* Ascending in old position; equal ones stay in the order of the plan. */
void sort_moves(struct scene *sc)
{
    for (uint32_t i = 0; i < sc->moves; i++) {
        uint32_t k = i;
        for (; k > 0 && sc->move[sc->by_old[k - 1]].old_pos > sc->move[i].old_pos; k--)
            sc->by_old[k] = sc->by_old[k - 1];
        sc->by_old[k] = i;
    }
}

static uint32_t distance(const struct move *m, uint32_t pos)
{
    if (pos < m->old_pos)
        return m->old_pos - pos;
    if (pos < m->old_pos + m->len)
        return 0;
    return pos - (m->old_pos + m->len) + 1;
}

uint32_t map_pos(const struct scene *sc, uint32_t old_pos, int *trust)
{
    uint32_t rank = 0, best = UINT32_MAX, best_distance = 0;
    *trust = TRUST_EMPTY;
    if (sc->moves == 0)
        return old_pos;
    while (rank < sc->moves && sc->move[sc->by_old[rank]].old_pos <= old_pos)
        rank++;
    for (uint32_t i = rank < 4 ? 0 : rank - 4; i <= rank && i < sc->moves; i++) {
        const struct move *m = &sc->move[sc->by_old[i]];
        uint32_t d = distance(m, old_pos);
        if (best == UINT32_MAX || d < best_distance ||
            (d == best_distance && m->len > sc->move[best].len)) {
            best = sc->by_old[i];
            best_distance = d;
        }
    }
    *trust = best_distance == 0 ? TRUST_INSIDE : best_distance < 64 ? TRUST_NEAR : TRUST_FAR;
    return old_pos + sc->move[best].new_pos - sc->move[best].old_pos;
}

/* ---- units ---- */

static void set_word(struct unit *u, unsigned len, unsigned type, uint32_t target)
{
    u->len = len;
    u->type = type;
    u->has_target = 1;
    u->target = target;
}

static void set_edge(struct unit *u, uint32_t len)
{
    struct unit edge = {len, TYPE_EDGE, 0, 0};
    *u = edge;
}

static int parse_pointer(const struct scene *sc, const uint8_t *b, uint32_t n, uint32_t addr,
                         struct unit *u)
{
    unsigned size = sc->cpu->pointer_len;
    uint32_t pos;
    if (size == 0 || n < size || addr % size != 0)
        return 0;
    uint32_t word = get32(b);
    if (size == 8 && get32(b + 4) != 0)
        return 0;
    int inside = old_pos_of(sc, word, &pos);
    if (!inside && word - sc->data_lo >= sc->data_hi - sc->data_lo)
        return 0;
    if (cpu_is_code(sc->cpu_id, b, n, addr))
        return 0;
    set_word(u, size, inside ? TYPE_POINTER : TYPE_DATA_POINTER, word);
    return 1;
}

static int leads_out(const struct scene *sc, const struct table *t, uint32_t target)
{
    uint32_t pos;
    return target - t->old_addr >= t->len && old_pos_of(sc, target, &pos);
}

static int is_relative(const struct scene *sc, const struct table *t, const uint8_t *b,
                       uint32_t addr)
{
    uint32_t word = get32(b);
    return word != 0 && leads_out(sc, t, addr + word);
}

/* A distance back to somewhere in the table, and behind it a function's start. */
static int is_back(const struct scene *sc, const struct table *t, const uint8_t *b, uint32_t addr)
{
    uint32_t word = get32(b);
    return word % 4 == 0 && word != 0 && word <= addr - t->old_addr &&
           is_relative(sc, t, b + 4, addr + 4);
}

static void parse_frame(const struct scene *sc, const struct table *t, const uint8_t *b, uint32_t n,
                        uint32_t addr, struct unit *u)
{
    uint32_t whole = 4 - addr % 4;
    struct unit plain = {4, TYPE_FRAME, 0, 0};
    if (whole < 4 || n < 4) {
        set_edge(u, n < whole ? n : whole);
        return;
    }
    *u = plain;
    if (n >= 12 && is_back(sc, t, b, addr) && !is_back(sc, t, b + 4, addr + 4))
        set_word(u, 4, TYPE_BACK, addr - get32(b));
    else if (is_relative(sc, t, b, addr))
        set_word(u, 4, TYPE_FROM_HERE, addr + get32(b));
}

static int parse_other_table(const struct scene *sc, const struct table *t, const uint8_t *b,
                             uint32_t n, uint32_t addr, struct unit *u)
{
    if (t->kind > 2 || addr % 4 != 0 || n < 4)
        return 0;
    uint32_t word = get32(b);
    uint32_t target = t->kind == 1 ? t->old_addr + word : addr + sign_extend(word, 31);
    if (word == 0 || (t->kind == 2 && word >> 31) || !leads_out(sc, t, target))
        return 0;
    set_word(u, 4, t->kind == 1 ? TYPE_FROM_BASE : TYPE_FROM_HERE31, target);
    return 1;
}

static const struct table *table_at(const struct scene *sc, uint32_t addr)
{
    for (unsigned i = 0; i < sc->tables; i++)
        if (addr - sc->table[i].old_addr < sc->table[i].len)
            return &sc->table[i];
    return NULL;
}

static int parse_table(const struct scene *sc, const struct table *t, const uint8_t *b, uint32_t n,
                       uint32_t addr, struct unit *u)
{
    if (t->kind != 0)
        return parse_other_table(sc, t, b, n, addr, u);
    parse_frame(sc, t, b, n, addr, u);
    return 1;
}

void parse_unit(const struct scene *sc, struct registers *r, const uint8_t *b, uint32_t n,
                uint32_t addr, struct unit *u)
{
    uint32_t over = addr % sc->cpu->granule;
    if (over != 0) {
        uint32_t edge = sc->cpu->granule - over;
        set_edge(u, edge < n ? edge : n);
        return;
    }
    const struct table *t = table_at(sc, addr);
    if ((t && parse_table(sc, t, b, n, addr, u)) || parse_pointer(sc, b, n, addr, u))
        return;
    if (t && sc->cpu_id == CPU_X86_64) {
        x86_parse_data(r, t, b, n, addr, u);
        return;
    }
    cpu_parse(sc->cpu_id, r, b, n, addr, u);
    if (sc->cpu->cuts && addr % 4 != 0) {
        uint32_t skip = 4 - addr % 4;
        struct unit word;
        if (skip < u->len && n >= skip + 4 &&
            parse_pointer(sc, b + skip, n - skip, addr + skip, &word))
            set_edge(u, skip);
    }
}

int aim_unit(const struct scene *sc, const struct registers *r, const struct unit *u, uint8_t *b,
             uint32_t old_addr, uint32_t new_addr, uint32_t target)
{
    if (u->type < TYPE_WORDS)
        return cpu_aim(sc->cpu_id, r, u, b, old_addr, new_addr, target);
    if (u->type == TYPE_FROM_HERE)
        target -= new_addr;
    if (u->type == TYPE_BACK)
        target = new_addr - target;
    if (u->type == TYPE_FROM_HERE31)
        target = (target - new_addr) & 0x7fffffff;
    if (u->type == TYPE_FROM_BASE) {
        const struct table *t = table_at(sc, old_addr);
        target -= t ? t->new_addr : 0;
    }
    put32(b, target);
    return 1;
}

/* What is subtracted from a target tells the word that refers to 0; or the target is subtracted. */
uint32_t word_target(const struct scene *sc, const struct unit *u, const uint8_t *b,
                     uint32_t old_addr, uint32_t new_addr)
{
    struct registers none = {{0}, 0};
    uint8_t zero[UNIT_MAX] = {0};
    aim_unit(sc, &none, u, zero, old_addr, new_addr, 0);
    if (u->type == TYPE_BACK)
        return get32(zero) - get32(b);
    uint32_t target = get32(b) - get32(zero);
    return u->type == TYPE_FROM_HERE31 ? target & 0x7fffffff : target;
}

/* ---- values ---- */

uint32_t value_of(const struct scene *sc, const uint8_t *b, unsigned len)
{
    uint32_t v = 0;
    for (unsigned i = len < 4 ? len : 4; i > 0; i--)
        v = v << 8 | b[i - 1];
    return len >= 4 && sc->cpu->granule == 2 ? v << 16 | v >> 16 : v;
}

void put_value(const struct scene *sc, uint8_t *b, unsigned len, uint32_t v)
{
    if (len >= 4 && sc->cpu->granule == 2)
        v = v << 16 | v >> 16;
    for (unsigned i = 0; i < len && i < 4; i++)
        b[i] = v >> 8 * i & 255;
}
