/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a block of the new image is made from the old one: what to copy and
 * which bytes are others.  Where blocks resemble old content this is much
 * shorter than the blocks, so one group can stage more of them.
 *
 *   token      low five bits: bytes to copy, 31: and as many as a byte says;
 *              top three: bytes of text behind them, 7: and as many as a byte says
 *   text       those bytes
 *   0, 4 bytes no token but a new diagonal, which is 0 where a block starts
 *
 * Text stands for old bytes too, as many: what is copied next comes behind these.
 */
#ifndef INLAY_RECIPE_H
#define INLAY_RECIPE_H

#include "codec.h"
#include "flash.h"

#define INLAY_RECIPE_COPY 286u /* bytes that one token copies at most */
#define INLAY_RECIPE_TEXT 64u  /* bytes of text in one token at most */
#define INLAY_RECIPE_HEAD 5u   /* bytes of a new diagonal, which is longer than any token */
#define INLAY_RECIPE_MAX  (2u * (INLAY_RECIPE_HEAD + INLAY_RECIPE_TEXT)) /* see below */

/* The blocks of a slot, and those of them that are overwritten when the recipe is followed. */
struct inlay_moved {
    const struct inlay_region *region;
    uint32_t regions;
    const uint32_t *blocks; /* their indices */
    uint32_t count;
};

/* What was not written yet. */
struct inlay_recipe {
    struct inlay_span from; /* the block that was copied from last ... */
    uint8_t is_moved;       /* ... 1: it is overwritten */
    uint32_t diagonal;      /* old less new position of what is copied */
    uint32_t copied;        /* bytes to copy, and behind them ... */
    uint8_t changed;        /* ... bytes of text, */
    uint8_t tail;           /* of which the last are as in the old image */
    uint8_t text[INLAY_RECIPE_TEXT];
};

/* One token, or a new diagonal, which copies and changes nothing. */
struct inlay_recipe_token {
    uint32_t copied;
    uint32_t changed;
    uint32_t diagonal;
};

void inlay_recipe_begin(struct inlay_recipe *r);
/*
 * Adds the byte at pos of the new image; the old one has `old` at from, which
 * may be INLAY_NOWHERE.  Writes what is settled by that to out, INLAY_RECIPE_MAX
 * bytes at most, and returns how many.  inlay_recipe_end() writes what is left.
 */
uint32_t inlay_recipe_add(struct inlay_recipe *r, const struct inlay_moved *moved, uint32_t pos,
                          uint32_t from, uint8_t old, uint8_t byte, uint8_t *out);
uint32_t inlay_recipe_end(struct inlay_recipe *r, uint8_t *out);

/* Reads the token at b, which must have INLAY_RECIPE_HEAD bytes; how many it takes, without text.
 */
uint32_t inlay_recipe_read(struct inlay_recipe_token *t, const uint8_t *b);

#endif
