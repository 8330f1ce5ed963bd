/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's state while it decodes codec 1. */
#ifndef SMALL_H
#define SMALL_H

#include "oracle.h"

enum { KIND_GAP, KIND_LEN, KIND_OLD, KIND_BLOCK, KIND_MISC, KIND_DELTA };

/* Numbers of the plain counters, as in FORMAT.md. */
enum {
    C_COPY = 378,
    C_WHOLE = 382,
    C_END = 384,
    C_RECENT = 385,
    C_STEP = 417,
    C_TREND = 421,
    C_SIGN = 425,
    C_NEAR = 431,
    C_CALM = 463,
    C_FAR = 466,
    C_GUESS = 468,
    C_CLASS = 724,
    C_PRIORS = 920
};

struct pair {
    uint32_t from, to;
};

struct small {
    const struct patch *p;
    const uint8_t *old;
    uint8_t *out;
    struct scene scene;
    unsigned votes, large, flags, moves, ranges;
    uint32_t to_learn;        /* most bytes of the old image */
    uint32_t flag_size, rows; /* counters of a flag table, rows of 16 of a byte table */

    /* range coder */
    const uint8_t *in;
    uint32_t in_pos, in_end;
    uint32_t range, code;

    /* models */
    struct counter plain[C_PRIORS];
    struct counter *flag[10], *byte[8];
    uint16_t *mark[8]; /* whose counters 16 of a byte table are, 0 at first */
    int32_t flag_weight_a[20][22], flag_weight_b[13][22];
    int32_t byte_weight_a[21][22], byte_weight_b[64][22];

    /* what was seen */
    uint32_t hits, run_hits, last_delta, half_delta[32];
    uint8_t type_hits[32], candidate_hits[4];
    struct pair lesson[2][32], swap[512], shift[32];
    unsigned lessons[2], shifts;
    unsigned calm_left, calm;
    uint32_t text; /* its last four bytes, the newest lowest */
    uint32_t far, word;
    uint8_t last_parcel;
    struct expected {
        int counter; /* the first of eight, or none below 0 */
        uint8_t byte;
    } expected[2];
    uint8_t memo[2][512], memo_hits[2];
    unsigned usual; /* which list of log-odds the next byte has; 15: none */

    /* where we are */
    uint32_t recent[16];
    uint32_t next_block, way; /* and where it goes from there: 1, or -1 modulo 2^32 */
    unsigned trend;
    uint32_t pos, end;
    int run;
    uint32_t run_left, diagonal;
    const uint8_t *lesson_text; /* learns these bytes instead of decoding; or NULL */
    int in_old;                 /* lesson_text is of the old image */
    struct registers registers;
};

/* ---- small_code.c ---- */

void open_coder(struct small *s);
unsigned code_bit(struct small *s, uint32_t p);
unsigned plain_bit(struct small *s, unsigned counter);
uint32_t raw_bits(struct small *s, unsigned n);
uint32_t number(struct small *s, unsigned kind);
uint32_t signed_number(struct small *s, unsigned kind);
unsigned mixed_flag(struct small *s, const uint32_t *ctx, unsigned class, unsigned a, unsigned b);
unsigned mixed_byte(struct small *s, const uint32_t *ctx, unsigned set, unsigned wanted);
uint32_t hash(uint32_t v, unsigned bits);
void reset_group(struct small *s);
void reset_but_lessons(struct small *s);
void reset_steps(struct small *s);

/* ---- small_text.c ---- */

/* A byte among bytes: its place in the instruction, those before it there, and those before. */
struct text {
    unsigned place;
    uint32_t known, before;
};

void text_contexts(struct small *s, const struct text *t, uint32_t *ctx);
unsigned new_unit(struct small *s, uint8_t *out);
void forget_text(struct small *s);
void pass_bytes(struct small *s, const uint8_t *bytes, unsigned len);
void learn_old_text(struct small *s);
void learn_copy(struct small *s, const uint8_t *bytes, unsigned len);

/* ---- small_unit.c ---- */

unsigned copy_unit(struct small *s, uint8_t *out);
uint32_t where_to(const struct small *s, uint32_t target, unsigned *quality);

/* ---- small.c ---- */

void remember(struct small *s, uint32_t diagonal);
uint32_t coded_diagonal(struct small *s, uint32_t next);

#endif
