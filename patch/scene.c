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

static void scene_word(struct inlay_unit *u, enum inlay_scene_type type, uint32_t target)
{
    u->len = 4;
    u->type = (uint8_t)type;
    u->has_target = 1;
    u->target = target;
}

static void scene_plain(struct inlay_unit *u, enum inlay_scene_type type, uint32_t len)
{
    u->len = (uint8_t)len;
    u->type = (uint8_t)type;
    u->has_target = 0;
    u->target = 0;
}

/* 1 if the target of a table's word is in the image but not in the table itself. */
static int scene_leads_out(const struct inlay_scene *sc, enum inlay_side side,
                           const struct inlay_table *t, uint32_t word, uint32_t target)
{
    uint32_t pos;
    return word != 0 && target - t->addr[side] >= t->len[side] &&
           inlay_scene_pos(sc, side, target, &pos);
}

/* A word of a table, if it refers to something outside the table. */
static int scene_table_word(const struct inlay_scene *sc, enum inlay_side side,
                            const struct inlay_table *t, const uint8_t *b, uint32_t addr,
                            struct inlay_unit *u)
{
    uint32_t word = inlay_get32(b), target = t->addr[side] + word;
    if (t->kind == INLAY_TABLE_FROM_HERE31 && word >> 31)
        return 0;
    if (t->kind == INLAY_TABLE_FROM_HERE)
        target = addr + word;
    else if (t->kind == INLAY_TABLE_FROM_HERE31)
        target = addr + inlay_sign(word, 31);
    scene_word(u, (enum inlay_scene_type)(INLAY_TYPE_FROM_HERE + t->kind), target);
    return scene_leads_out(sc, side, t, word, target);
}

/* 1 if the word at b is how far back its CIE is: where a function is follows. */
static int scene_is_cie(const struct inlay_scene *sc, enum inlay_side side,
                        const struct inlay_table *t, const uint8_t *b, uint32_t addr)
{
    uint32_t back = inlay_get32(b), start = inlay_get32(b + 4);
    return back - 1u < addr - t->addr[side] && !(back & 3u) &&
           scene_leads_out(sc, side, t, start, addr + 4u + start);
}

/*
 * A word of an entry of .eh_frame: length, distance to the CIE, where the
 * function is, its length, and then bytes that are no processor's code.
 */
static void scene_frame_word(const struct inlay_scene *sc, enum inlay_side side,
                             const struct inlay_table *t, const uint8_t *b, uint32_t n,
                             uint32_t addr, struct inlay_unit *u)
{
    uint32_t edge = 4u - (addr & 3u);
    if (n < edge || edge < 4u)
        scene_plain(u, INLAY_TYPE_EDGE, n < edge ? n : edge);
    else if (n >= 12u && scene_is_cie(sc, side, t, b, addr) &&
             !scene_is_cie(sc, side, t, b + 4, addr + 4u))
        scene_word(u, INLAY_TYPE_BACK, addr - inlay_get32(b));
    else if (!scene_table_word(sc, side, t, b, addr, u))
        scene_plain(u, INLAY_TYPE_FRAME, 4);
}

/* The table that holds the address, or NULL. */
static const struct inlay_table *scene_table(const struct inlay_scene *sc, enum inlay_side side,
                                             uint32_t addr)
{
    for (unsigned i = 0; i < sc->tables; i++)
        if (addr - sc->table[i].addr[side] < sc->table[i].len[side])
            return &sc->table[i];
    return 0;
}

/* 1 if the table's kind says what the unit is. */
static int scene_in_table(const struct inlay_scene *sc, enum inlay_side side,
                          const struct inlay_table *t, const uint8_t *b, uint32_t n, uint32_t addr,
                          struct inlay_unit *u)
{
    if (t->kind != INLAY_TABLE_FROM_HERE)
        return t->kind < INLAY_TABLE_DATA && !(addr & 3u) && n >= 4 &&
               scene_table_word(sc, side, t, b, addr, u);
    scene_frame_word(sc, side, t, b, n, addr, u);
    return 1;
}

void inlay_scene_parse(const struct inlay_scene *sc, enum inlay_side side,
                       struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                       struct inlay_unit *u)
{
    uint32_t granule = sc->arch->granule;
    if (addr & (granule - 1u)) {
        uint32_t edge = granule - (addr & (granule - 1u));
        scene_plain(u, INLAY_TYPE_EDGE, edge < n ? edge : n);
        return;
    }
    const struct inlay_table *t = scene_table(sc, side, addr);
    if (t && scene_in_table(sc, side, t, b, n, addr, u))
        return;
    if (scene_is_pointer(sc, side, b, n, addr, u))
        return;
    if (t && sc->arch->parse_data) {
        sc->arch->parse_data(st, t, side, b, n, addr, u);
        return;
    }
    sc->arch->parse(st, b, n, addr, u);
    if (sc->arch->cut_at_pointer && (addr & 3u)) {
        uint32_t skip = 4u - (addr & 3u);
        struct inlay_unit pointer;
        if (skip < u->len && n >= skip + 4u &&
            scene_is_pointer(sc, side, b + skip, n - skip, addr + skip, &pointer))
            scene_plain(u, INLAY_TYPE_EDGE, skip);
    }
}

/* Where the table that holds an old address is in the new image. */
static uint32_t scene_base(const struct inlay_scene *sc, uint32_t old_addr)
{
    const struct inlay_table *t = scene_table(sc, INLAY_OLD, old_addr);
    return t ? t->addr[INLAY_NEW] : 0;
}

int inlay_scene_aim(const struct inlay_scene *sc, const struct inlay_arch_state *st,
                    const struct inlay_unit *u, uint8_t *b, uint32_t old_addr, uint32_t new_addr,
                    uint32_t target)
{
    if (u->type < INLAY_TYPE_POINTER)
        return sc->arch->aim(st, u, b, old_addr, new_addr, target);
    if (u->type == INLAY_TYPE_FROM_HERE)
        target -= new_addr;
    else if (u->type == INLAY_TYPE_BACK)
        target = new_addr - target;
    else if (u->type == INLAY_TYPE_FROM_HERE31)
        target = (target - new_addr) & 0x7fffffffu;
    else if (u->type == INLAY_TYPE_FROM_BASE)
        target -= scene_base(sc, old_addr);
    inlay_put32(b, target);
    return 1;
}

uint32_t inlay_scene_word_target(const struct inlay_scene *sc, enum inlay_scene_type type,
                                 const uint8_t *b, uint32_t old_addr, uint32_t new_addr)
{
    uint32_t word = inlay_get32(b);
    if (type == INLAY_TYPE_FROM_HERE)
        return word + new_addr;
    if (type == INLAY_TYPE_BACK)
        return new_addr - word;
    if (type == INLAY_TYPE_FROM_HERE31)
        return (word + new_addr) & 0x7fffffffu;
    if (type == INLAY_TYPE_FROM_BASE)
        return word + scene_base(sc, old_addr);
    return word;
}
