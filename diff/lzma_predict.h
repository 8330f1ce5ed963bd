/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a copied unit is likely to become, for both directions of the large
 * codec.  Unlike the small codec it makes one guess only, and remembers
 * everything it was wrong about.
 */
#ifndef INLAY_LZMA_PREDICT_H
#define INLAY_LZMA_PREDICT_H

#include "codec.h"
#include "map.h"
#include "scene.h"

/* A target that was not where the map says. */
struct inlay_lzma_lesson {
    uint32_t from, to;
};

/* By how much the targets in one page of 256 bytes moved. */
struct inlay_lzma_near {
    uint32_t page, shift;
    uint32_t trust; /* 0: free */
};

/* A unit that became another one than its guess. */
struct inlay_lzma_swap {
    uint32_t from, to;
    uint32_t trust; /* 0: free; from 2 on it is believed */
};

struct inlay_lzma_guess {
    struct inlay_unit unit;
    uint32_t old_addr, new_addr;
    uint32_t target;               /* guessed, if the unit has one */
    uint8_t old[INLAY_UNIT_MAX];   /* the unit as it was */
    uint8_t aimed[INLAY_UNIT_MAX]; /* the same at its new place, with its new target */
    uint8_t now[INLAY_UNIT_MAX];   /* the guess: aimed, or what that became before */
    uint32_t value;                /* of aimed */
    struct inlay_lzma_swap *swap;
};

enum inlay_lzma_kind {                   /* how a missed unit is coded */
                       LZMA_KIND_BYTES,  /* its difference from the guess */
                       LZMA_KIND_TARGET, /* the difference between its target and the guess */
                       LZMA_KIND_OLD,    /* as it was */
                       LZMA_KIND_AIMED,  /* not what it became before */
                       LZMA_KINDS
};

struct inlay_lzma_predict {
    struct inlay_scene scene;
    struct inlay_table table[INLAY_TABLES_MAX]; /* the scene's */
    struct inlay_map map;
    struct inlay_old source;
    unsigned table_log2;
    struct inlay_lzma_lesson *lesson; /* by target */
    struct inlay_lzma_near *near;     /* by page */
    struct inlay_lzma_swap *swap;
    struct inlay_lzma_lesson last_data; /* the latest lesson about an address outside */
    struct inlay_arch_state old_state;
    uint32_t cache_pos, cache_len;
    uint8_t cache[1024];
};

/* Bytes that a state's tables take, and dealing them out from at (4-aligned). */
size_t inlay_lzma_predict_need(unsigned table_log2, unsigned moves);
void inlay_lzma_predict_open(struct inlay_lzma_predict *p, unsigned table_log2, unsigned moves,
                             uint8_t *at);
/* Forgets all lessons: a group starts. */
void inlay_lzma_predict_reset(struct inlay_lzma_predict *p);
/* A run of copied bytes starts. */
void inlay_lzma_predict_run(struct inlay_lzma_predict *p);
/* Guesses the unit at old_pos, of a run with left bytes left.  Returns a status. */
int inlay_lzma_guess(struct inlay_lzma_predict *p, uint32_t old_pos, uint32_t new_pos,
                     uint32_t left, struct inlay_lzma_guess *g);
/* The unit turned out to be out[]. */
void inlay_lzma_learn(struct inlay_lzma_predict *p, const struct inlay_lzma_guess *g,
                      const uint8_t *out);

/* What the new unit now[] refers to; 0 if it is not of the old one's kind. */
int inlay_lzma_target(const struct inlay_lzma_predict *p, const struct inlay_lzma_guess *g,
                      const uint8_t *now, uint32_t *target);
/* The unit as it would be with that target; 0 if it cannot reach it. */
int inlay_lzma_aim(const struct inlay_lzma_predict *p, const struct inlay_lzma_guess *g,
                   uint32_t target, uint8_t *out);
/* Adds (sign 1) or takes away (sign -1) a unit of differences. */
void inlay_lzma_shift(const struct inlay_lzma_predict *p, const uint8_t *a, const uint8_t *b,
                      unsigned len, int sign, uint8_t *out);

#endif
