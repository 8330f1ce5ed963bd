/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"
#include "bits.h"

int inlay_scene_addr(const struct inlay_scene *sc, enum inlay_side side, uint32_t pos,
                     uint32_t *addr)
{
    for (unsigned i = 0; i < sc->spaces[side]; i++) {
        const struct inlay_space *sp = &sc->space[side][i];
        if (pos - sp->pos < sp->len) {
            *addr = sp->addr + (pos - sp->pos);
            return 1;
        }
    }
    *addr = pos;
    return 0;
}

int inlay_scene_pos(const struct inlay_scene *sc, enum inlay_side side, uint32_t addr,
                    uint32_t *pos)
{
    for (unsigned i = 0; i < sc->spaces[side]; i++) {
        const struct inlay_space *sp = &sc->space[side][i];
        if (addr - sp->addr < sp->len) {
            *pos = sp->pos + (addr - sp->addr);
            return 1;
        }
    }
    return 0;
}

static int scene_is_pointer(const struct inlay_scene *sc, enum inlay_side side, const uint8_t *b,
                            uint32_t n, uint32_t addr, struct inlay_unit *u)
{
    uint32_t size = sc->arch->pointer_len;
    uint32_t pos;
    if (size == 0 || n < size || (addr & (size - 1u)))
        return 0;
    uint32_t word = inlay_get32(b);
    if (size == 8 && inlay_get32(b + 4) != 0)
        return 0;
    if (inlay_scene_pos(sc, side, word, &pos))
        u->type = INLAY_TYPE_POINTER;
    else if (word - sc->data_lo < sc->data_hi - sc->data_lo)
        u->type = INLAY_TYPE_DATA_POINTER;
    else
        return 0;
    if (sc->arch->is_code && sc->arch->is_code(b, n, addr))
        return 0;
    u->len = (uint8_t)size;
    u->has_target = 1;
    u->target = word;
    return 1;
}

/* A word of a table, if what it refers to is in the image but not in the table itself. */
static int scene_table_word(const struct inlay_scene *sc, enum inlay_side side, const uint8_t *b,
                            uint32_t n, uint32_t addr, struct inlay_unit *u)
{
    for (unsigned i = 0; i < sc->tables; i++) {
        const struct inlay_table *t = &sc->table[i];
        uint32_t pos, word;
        if (addr - t->addr[side] >= t->len[side] || (addr & 3u) || n < 4)
            continue;
        word = inlay_get32(b);
        if (t->kind == INLAY_TABLE_FROM_HERE31 && word >> 31)
            return 0;
        u->len = 4;
        u->type = (uint8_t)(INLAY_TYPE_FROM_HERE + t->kind);
        u->has_target = 1;
        if (t->kind == INLAY_TABLE_FROM_HERE)
            u->target = addr + word;
        else if (t->kind == INLAY_TABLE_FROM_BASE)
            u->target = t->addr[side] + word;
        else
            u->target = addr + inlay_sign(word, 31);
        return word != 0 && u->target - t->addr[side] >= t->len[side] &&
               inlay_scene_pos(sc, side, u->target, &pos);
    }
    return 0;
}

static void scene_edge(struct inlay_unit *u, uint32_t len)
{
    u->len = (uint8_t)len;
    u->type = INLAY_TYPE_EDGE;
    u->has_target = 0;
    u->target = 0;
}

void inlay_scene_parse(const struct inlay_scene *sc, enum inlay_side side,
                       struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                       struct inlay_unit *u)
{
    uint32_t granule = sc->arch->granule;
    if (addr & (granule - 1u)) {
        uint32_t edge = granule - (addr & (granule - 1u));
        scene_edge(u, edge < n ? edge : n);
        return;
    }
    if (sc->tables && scene_table_word(sc, side, b, n, addr, u))
        return;
    if (scene_is_pointer(sc, side, b, n, addr, u))
        return;
    sc->arch->parse(st, b, n, addr, u);
    if (sc->arch->cut_at_pointer && (addr & 3u)) {
        uint32_t skip = 4u - (addr & 3u);
        struct inlay_unit pointer;
        if (skip < u->len && n >= skip + 4u &&
            scene_is_pointer(sc, side, b + skip, n - skip, addr + skip, &pointer))
            scene_edge(u, skip);
    }
}

/* Where the table of words relative to its start is in the new image. */
static uint32_t scene_base(const struct inlay_scene *sc)
{
    for (unsigned i = 0; i < sc->tables; i++)
        if (sc->table[i].kind == INLAY_TABLE_FROM_BASE)
            return sc->table[i].addr[INLAY_NEW];
    return 0;
}

int inlay_scene_aim(const struct inlay_scene *sc, const struct inlay_arch_state *st,
                    const struct inlay_unit *u, uint8_t *b, uint32_t old_addr, uint32_t new_addr,
                    uint32_t target)
{
    if (u->type < INLAY_TYPE_POINTER)
        return sc->arch->aim(st, u, b, old_addr, new_addr, target);
    if (u->type == INLAY_TYPE_FROM_HERE)
        target -= new_addr;
    else if (u->type == INLAY_TYPE_FROM_HERE31)
        target = (target - new_addr) & 0x7fffffffu;
    else if (u->type == INLAY_TYPE_FROM_BASE)
        target -= scene_base(sc);
    inlay_put32(b, target);
    return 1;
}
