/* SPDX-License-Identifier: Apache-2.0 */
/* Two images, a processor, and which addresses mean which bytes. */
#ifndef INLAY_SCENE_H
#define INLAY_SCENE_H

#include "arch.h"

/* Unit types that the scene adds to a processor's. */
enum inlay_scene_type {
    INLAY_TYPE_POINTER = INLAY_UNIT_TYPES - 8, /* an aligned word: an address in the image */
    INLAY_TYPE_DATA_POINTER,                   /* the same, outside: RAM, ROM, peripherals */
    INLAY_TYPE_EDGE,                           /* bytes up to where a unit can start */
    INLAY_TYPE_FROM_HERE,                      /* a word: an address minus the word's own */
    INLAY_TYPE_FROM_BASE,                      /* a word: an address minus that of its table */
    INLAY_TYPE_FROM_HERE31,                    /* the same as FROM_HERE, in 31 bits */
    INLAY_TYPE_BACK,                           /* a word: its own address minus an address */
    INLAY_TYPE_FRAME                           /* another word of .eh_frame */
};

enum inlay_side { INLAY_OLD, INLAY_NEW };

struct inlay_scene {
    const struct inlay_arch *arch;
    uint8_t spaces[2]; /* by enum inlay_side */
    struct inlay_space space[2][INLAY_SPACES_MAX];
    uint32_t data_lo, data_hi; /* addresses outside the image that are worth following */
    uint8_t tables;
    const struct inlay_table *table; /* the caller's, at most INLAY_TABLES_MAX */
};

/* 1 and the address of a position; 0 and the position itself if it has none. */
int inlay_scene_addr(const struct inlay_scene *sc, enum inlay_side side, uint32_t pos,
                     uint32_t *addr);
/* 1 and the position that an address means, or 0. */
int inlay_scene_pos(const struct inlay_scene *sc, enum inlay_side side, uint32_t addr,
                    uint32_t *pos);
/*
 * Takes the unit at b apart: n bytes, 1 to INLAY_WINDOW, that belong to image
 * `side` at addr.  The unit is 1 to n bytes long.
 */
void inlay_scene_parse(const struct inlay_scene *sc, enum inlay_side side,
                       struct inlay_arch_state *st, const uint8_t *b, uint32_t n, uint32_t addr,
                       struct inlay_unit *u);
/* Rewrites a parsed unit for another target; 0 if it cannot reach it. */
int inlay_scene_aim(const struct inlay_scene *sc, const struct inlay_arch_state *st,
                    const struct inlay_unit *u, uint8_t *b, uint32_t old_addr, uint32_t new_addr,
                    uint32_t target);
/* What a word of the new image refers to if it is of one of the scene's types: aim()'s inverse. */
uint32_t inlay_scene_word_target(const struct inlay_scene *sc, enum inlay_scene_type type,
                                 const uint8_t *b, uint32_t old_addr, uint32_t new_addr);

#endif
