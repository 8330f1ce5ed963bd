/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left of an erase or a program when power fails in the middle.
 *
 * A torn operation is a `want` for every byte of its range, and a choice of
 * which of the bits that were to change did.  Afterwards every granule is
 * judged: whether it reads at all, and whether it may be programmed.
 */
#include "flash_model.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[INLAY_TORN_COUNT] = {
    "before",      "after",       "prefix", "suffix",    "random",  "one-bit",
    "all-but-one", "half-erased", "weak",   "neighbour", "unstable"};

const char *inlay_torn_name(enum inlay_torn torn)
{
    return names[torn];
}

enum inlay_torn inlay_torn_find(const char *name)
{
    unsigned i = 0;
    while (i < INLAY_TORN_COUNT && strcmp(names[i], name))
        i++;
    return (enum inlay_torn)i;
}

int inlay_torn_applies(enum inlay_torn torn, int is_erase)
{
    if (torn == INLAY_TORN_HALF_ERASED || torn == INLAY_TORN_WEAK)
        return is_erase;
    return torn != INLAY_TORN_NEIGHBOUR || !is_erase;
}

/* An operation being torn. */
struct tear {
    struct inlay_model_area *area;
    int is_erase;
    uint32_t pos, len;
    const uint8_t *buf; /* what was to be programmed */
    uint64_t random;
    uint64_t draws;
};

static uint64_t draw(struct tear *t)
{
    return inlay_model_mix(t->random, t->draws++);
}

/* What byte i of the range would be if the operation had finished. */
static uint8_t wanted(const struct tear *t, uint32_t i)
{
    uint8_t now = t->area->data[t->pos + i];
    if (t->is_erase)
        return t->area->spec.erased;
    return t->area->spec.erased ? now & t->buf[i] : now | t->buf[i];
}

/* Bits of byte i that the operation changes. */
static uint8_t changing(const struct tear *t, uint32_t i)
{
    return t->area->data[t->pos + i] ^ wanted(t, i);
}

/* Position of one of the bits that change, or UINT64_MAX if none does. */
static uint64_t pick_bit(struct tear *t)
{
    uint64_t bits = 0, chosen, at = 0;
    for (uint32_t i = 0; i < t->len; i++)
        bits += (unsigned)__builtin_popcount(changing(t, i));
    if (!bits)
        return UINT64_MAX;
    chosen = draw(t) % bits;
    for (;; at++)
        if (changing(t, (uint32_t)(at / 8)) >> at % 8 & 1 && !chosen--)
            return at;
}

/* A cut place for prefix and suffix, inside the range; every other one at a granule's end. */
static uint32_t pick_cut(struct tear *t)
{
    uint32_t w = t->area->spec.write_size;
    uint32_t n = t->len > 1 ? 1 + (uint32_t)(draw(t) % (t->len - 1)) : 0;
    if ((t->is_erase || draw(t) & 1) && t->len > w)
        n = n < w ? w : n - n % w;
    return n;
}

/* done gets the bits of byte i that did change. */
static void choose_bits(struct tear *t, enum inlay_torn torn, uint8_t *done)
{
    uint32_t cut = 0;
    uint64_t bit = UINT64_MAX;
    if (torn == INLAY_TORN_PREFIX || torn == INLAY_TORN_SUFFIX)
        cut = pick_cut(t);
    if (torn == INLAY_TORN_ONE_BIT || torn == INLAY_TORN_ALL_BUT_ONE)
        bit = pick_bit(t);
    for (uint32_t i = 0; i < t->len; i++) {
        uint8_t mask = 0xFF, here = bit / 8 == i ? (uint8_t)(1u << bit % 8) : 0;
        if (torn == INLAY_TORN_PREFIX)
            mask = i < cut ? 0xFF : 0;
        else if (torn == INLAY_TORN_SUFFIX)
            mask = i < cut ? 0 : 0xFF;
        else if (torn == INLAY_TORN_RANDOM || torn == INLAY_TORN_NEIGHBOUR)
            mask = (uint8_t)draw(t);
        else if (torn == INLAY_TORN_ONE_BIT)
            mask = here;
        else if (torn == INLAY_TORN_ALL_BUT_ONE)
            mask = (uint8_t)~here;
        done[i] = changing(t, i) & mask;
    }
}

/* Half-erased: whole granules, any of them. */
static void choose_granules(struct tear *t, uint8_t *done)
{
    uint32_t w = t->area->spec.write_size;
    for (uint32_t i = 0; i < t->len; i += w) {
        int yes = draw(t) & 1;
        for (uint32_t k = i; k < i + w; k++)
            done[k] = yes ? changing(t, k) : 0;
    }
}

/* What became of a granule, given whether any and all of its bits were changed. */
static uint8_t judge(const struct tear *t, uint8_t cell, int any, int all)
{
    uint8_t torn = t->area->spec.ecc && any && !all ? INLAY_CELL_TORN : 0;
    if (!t->is_erase)
        return (uint8_t)((cell & INLAY_CELL_WRITES) < INLAY_CELL_WRITES ? cell + 1 : cell) | torn;
    if (all)
        return INLAY_CELL_WEAK;
    return any ? INLAY_CELL_DIRTY | torn : cell;
}

/* Applies the chosen bits and judges every granule. */
static void apply(struct tear *t, const uint8_t *done)
{
    struct inlay_model_area *a = t->area;
    uint32_t w = a->spec.write_size;
    for (uint32_t i = 0; i < t->len; i += w) {
        uint8_t *cell = &a->cell[(t->pos + i) / w];
        int any = 0, all = 1;
        for (uint32_t k = i; k < i + w; k++) {
            any |= done[k] != 0;
            all &= done[k] == changing(t, k);
        }
        /* A program that did not reach this granule; one that changes nothing may have. */
        if (!t->is_erase && !any && (!all || draw(t) & 1))
            continue;
        *cell = judge(t, *cell, any, all);
        for (uint32_t k = i; k < i + w; k++)
            a->data[t->pos + k] ^= done[k];
    }
}

/* Some of the changed bits are undecided: most often one or two, at most 16. */
static void shake(struct tear *t, const uint8_t *done)
{
    struct inlay_model_area *a = t->area;
    uint32_t w = a->spec.write_size, tries = 0;
    uint32_t count = 1 + (uint32_t)(draw(t) % (1u << draw(t) % 5));
    while (count && tries++ < 4096) {
        uint32_t i = (uint32_t)(draw(t) % t->len);
        uint8_t bit = (uint8_t)(1u << draw(t) % 8);
        if (!(done[i] & bit))
            continue;
        if (a->spec.ecc)
            a->cell[(t->pos + i) / w] |= INLAY_CELL_SHAKY;
        else
            a->noise[t->pos + i] |= bit;
        count--;
    }
}

/* Damages one finished granule that shares a page with the torn program. */
static void hurt_neighbour(struct tear *t)
{
    struct inlay_model_area *a = t->area;
    uint32_t w = a->spec.write_size, page = a->spec.page_len, seen = 0, victim = 0;
    const struct inlay_model_block *b = inlay_model_block_at(a, t->pos);
    uint32_t from = t->pos / page * page, to = (t->pos + t->len + page - 1) / page * page;
    if (from < b->pos)
        from = b->pos;
    if (to > b->pos + b->len)
        to = b->pos + b->len;
    for (uint32_t p = from; p < to; p += w)
        if ((p < t->pos || p >= t->pos + t->len) && a->cell[p / w] & INLAY_CELL_WRITES &&
            draw(t) % ++seen == 0)
            victim = p;
    if (!seen)
        return;
    uint64_t at = draw(t);
    for (uint64_t end = at + 1 + draw(t) % 4; at < end; at++)
        a->data[victim + at / 8 % w] ^= (uint8_t)(1u << at % 8);
    if (a->spec.ecc)
        a->cell[victim / w] |= INLAY_CELL_TORN;
}

/* Some granules, at least one, will not hold what is programmed into them. */
static void weaken(struct tear *t)
{
    struct inlay_model_area *a = t->area;
    uint32_t w = a->spec.write_size, count = t->len / w;
    a->cell[t->pos / w + draw(t) % count] = INLAY_CELL_WEAK;
    for (uint32_t g = 0; g < count; g++)
        if (draw(t) & 1)
            a->cell[t->pos / w + g] = INLAY_CELL_WEAK;
}

/* The modes in which the operation went part of the way. */
static void tear_midway(struct tear *t, enum inlay_torn torn)
{
    struct inlay_model_block *b = inlay_model_block_at(t->area, t->pos);
    uint8_t *done = malloc(t->len);
    if (!done)
        abort(); /* a simulation that leaves a cut out would prove nothing */
    if (torn == INLAY_TORN_HALF_ERASED)
        choose_granules(t, done);
    else
        choose_bits(t, torn, done);
    apply(t, done);
    if (torn == INLAY_TORN_UNSTABLE)
        shake(t, done);
    if (torn == INLAY_TORN_NEIGHBOUR)
        hurt_neighbour(t);
    if (t->is_erase)
        b->erases++;
    inlay_model_touch(t->area, t->pos, t->len);
    free(done);
}

void inlay_model_tear(struct inlay_model_area *a, int is_erase, uint32_t pos, const uint8_t *buf,
                      uint32_t len, const struct inlay_cut *cut)
{
    enum inlay_torn torn = inlay_torn_applies(cut->torn, is_erase) ? cut->torn : INLAY_TORN_RANDOM;
    struct tear t = {.area = a, .is_erase = is_erase, .pos = pos, .len = len, .buf = buf};
    t.random = inlay_model_mix(cut->seed, torn);
    a->model->seed = (uint32_t)inlay_model_mix(a->model->seed, t.random);
    if (torn == INLAY_TORN_BEFORE)
        return;
    if (torn == INLAY_TORN_AFTER || torn == INLAY_TORN_WEAK) {
        if (is_erase)
            inlay_model_wipe(a, inlay_model_block_at(a, pos));
        else
            inlay_model_program(a, pos, buf, len);
        if (torn == INLAY_TORN_WEAK)
            weaken(&t);
        return;
    }
    tear_midway(&t, torn);
}
