/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of the new image are (approximate) copies of the old one. */
#ifndef INLAY_SEGMENT_H
#define INLAY_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

/* new[new_pos .. +len) resembles old[old_pos .. +len); bytes may differ. */
struct inlay_segment {
    uint32_t new_pos;
    uint32_t old_pos;
    uint32_t len; /* 1 or more */
};

/* Ascending in new_pos and apart; what lies between them is new data. */
struct inlay_segments {
    struct inlay_segment *at; /* owned, free() */
    size_t count;
    size_t room;
};

int inlay_segments_add(struct inlay_segments *s,
                       struct inlay_segment segment); /* 0, or -1: no memory */
/* Fills *to, which held nothing, with the same ones.  0, or -1: no memory, *to is empty. */
int inlay_segments_copy(const struct inlay_segments *from, struct inlay_segments *to);
void inlay_segments_free(struct inlay_segments *s);

/*
 * Sorts segments by old_pos and drops those that lie, in the old image, within
 * one that is more than INLAY_ECHO times as long: of bytes that were copied
 * twice, the long copy says where they went, the short one only looks like
 * them.  Returns how many are left.
 */
#define INLAY_ECHO 8u
size_t inlay_segments_drop_echoes(struct inlay_segment *at, size_t count);

struct inlay_match_options {
    const struct inlay_segments *hint; /* of an earlier pass, whose diagonals are tried; or NULL */
    const uint8_t *prices; /* what each byte of new would cost as new data, in 1/16 bit; or NULL */
    unsigned jobs;         /* threads at most, which changes nothing about the result; 0 is 1 */
};

/*
 * Finds segments among the longest matches, by what they cost.
 * old_view and new_view are what is compared (images after normalisation, or
 * the images themselves); both have the sizes given.  Deterministic.
 * Returns 0, or -1 if memory is out.
 */
int inlay_match_images(const uint8_t *old_view, size_t old_size, const uint8_t *new_view,
                       size_t new_size, const struct inlay_match_options *options,
                       struct inlay_segments *out);

#endif
