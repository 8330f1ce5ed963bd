/* SPDX-License-Identifier: Apache-2.0 */
#include "lzma_plan.h"
#include "bytes.h"
#include "lzma_format.h"

static int plan_side(struct inlay_bytes *b, struct inlay_scene *sc, unsigned side, uint32_t size)
{
    sc->spaces[side] = inlay_bytes_u8(b);
    if (sc->spaces[side] > INLAY_SPACES_MAX)
        return INLAY_E_CORRUPT;
    for (unsigned i = 0; i < sc->spaces[side]; i++) {
        struct inlay_space *sp = &sc->space[side][i];
        sp->addr = inlay_bytes_uvarint(b);
        sp->pos = inlay_bytes_uvarint(b);
        sp->len = inlay_bytes_uvarint(b);
        if (sp->pos > size || sp->len > size - sp->pos)
            return INLAY_E_CORRUPT;
    }
    return INLAY_OK;
}

static int plan_tables(struct inlay_bytes *b, struct inlay_lzma_predict *p)
{
    struct inlay_scene *sc = &p->scene;
    sc->tables = inlay_bytes_u8(b);
    if (sc->tables > INLAY_TABLES_MAX)
        return INLAY_E_CORRUPT;
    for (unsigned i = 0; i < sc->tables; i++) {
        struct inlay_table *t = &p->table[i];
        t->kind = inlay_bytes_u8(b);
        t->addr[INLAY_OLD] = inlay_bytes_uvarint(b);
        t->addr[INLAY_NEW] = inlay_bytes_uvarint(b);
        t->len[INLAY_OLD] = inlay_bytes_uvarint(b);
        if (t->kind > (i ? INLAY_TABLE_INDEX : INLAY_TABLE_DATA))
            return INLAY_E_CORRUPT;
    }
    return INLAY_OK;
}

static int plan_moves(struct inlay_lzma_plan *p, struct inlay_bytes *b)
{
    struct inlay_map *map = &p->predict->map;
    uint32_t pos = 0, diagonal = 0;
    map->count = inlay_bytes_uvarint(b);
    if (map->count > p->predict->map.room)
        return INLAY_E_CORRUPT;
    for (uint32_t i = 0; i < map->count; i++)
        map->move[i].new_pos = inlay_bytes_uvarint(b);
    for (uint32_t i = 0; i < map->count; i++) {
        struct inlay_move *m = &map->move[i];
        m->len = inlay_bytes_uvarint(b);
        if (m->new_pos >= p->new_size - pos || m->len >= p->new_size - pos - m->new_pos)
            return INLAY_E_CORRUPT;
        m->len++;
        m->new_pos += pos;
        pos = m->new_pos + m->len;
    }
    for (uint32_t i = 0; i < map->count; i++) {
        struct inlay_move *m = &map->move[i];
        diagonal += inlay_lzma_unfold(inlay_bytes_uvarint(b));
        m->old_pos = m->new_pos + diagonal;
        if (m->old_pos > p->old_size || m->len > p->old_size - m->old_pos)
            return INLAY_E_CORRUPT;
    }
    inlay_map_sort(map);
    return INLAY_OK;
}

static int plan_pool(struct inlay_lzma_plan *p, struct inlay_bytes *b)
{
    uint32_t pos = 0;
    p->pool_count = inlay_bytes_uvarint(b);
    if (p->pool_count > p->pool_room)
        return INLAY_E_CORRUPT;
    for (uint32_t i = 0; i < p->pool_count; i++) {
        struct inlay_range *r = &p->pool[i];
        uint32_t room = p->old_size - pos, gap = inlay_bytes_uvarint(b);
        r->len = inlay_bytes_uvarint(b);
        if (gap >= room || r->len >= room - gap)
            return INLAY_E_CORRUPT;
        r->len++;
        r->pos = pos + gap;
        pos = r->pos + r->len;
    }
    return INLAY_OK;
}

int inlay_lzma_plan_read(struct inlay_lzma_plan *p, const uint8_t *at, size_t len)
{
    struct inlay_bytes b = {.at = at, .left = len};
    struct inlay_scene *sc = &p->predict->scene;
    sc->data_lo = inlay_bytes_uvarint(&b);
    sc->data_hi = inlay_bytes_uvarint(&b);
    int status = plan_side(&b, sc, INLAY_OLD, p->old_size);
    if (!status)
        status = plan_side(&b, sc, INLAY_NEW, p->new_size);
    if (!status)
        status = plan_tables(&b, p->predict);
    if (!status)
        status = plan_moves(p, &b);
    if (!status)
        status = plan_pool(p, &b);
    return status || b.bad || b.left ? INLAY_E_CORRUPT : INLAY_OK;
}
