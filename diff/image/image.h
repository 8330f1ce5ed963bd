/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of image formats share. */
#ifndef INLAY_IMAGE_H
#define INLAY_IMAGE_H

#include "inlay.h"

/* A file that is being read: its bytes and what messages call it. */
struct image_file {
    const uint8_t *data;
    size_t len;
    const char *where;
};

/* Bytes that belong at an address; at is the line, block or segment that said so. */
struct image_piece {
    uint64_t addr;
    size_t pos; /* in image_pieces.bytes */
    size_t len;
    size_t at;
};

/* Pieces of an image, in any order. */
struct image_pieces {
    struct image_piece *at; /* owned */
    size_t count, room;
    struct inlay_buffer bytes;
    const char *unit; /* what image_piece.at counts: "line", "block", "segment" */
};

/* Adds bytes; those that continue the last piece join it.  Returns 0, or -1 without memory. */
int image_pieces_add(struct image_pieces *p, uint64_t addr, const uint8_t *data, size_t len,
                     size_t at);
void image_pieces_free(struct image_pieces *p);

/*
 * Lays pieces out by address, gaps 0xFF, into image's data, size and base.
 * Pieces that overlap, gaps that are too large and files without any data
 * are refused.
 */
int image_pieces_join(struct image_pieces *p, const char *where, struct inlay_image *image,
                      struct inlay_error *err);

/* Each: 1 if the file is of that kind. */
int image_is_elf(const struct image_file *f);
int image_is_hex(const struct image_file *f);
int image_is_srec(const struct image_file *f);
int image_is_uf2(const struct image_file *f);

/* Each: 0 and fills *image, or INLAY_EXIT_USAGE. */
int image_read_elf(const struct image_file *f, struct inlay_image *image, struct inlay_error *err);
int image_read_hex(const struct image_file *f, struct inlay_image *image, struct inlay_error *err);
int image_read_srec(const struct image_file *f, struct inlay_image *image, struct inlay_error *err);
int image_read_uf2(const struct image_file *f, struct inlay_image *image, struct inlay_error *err);

/* Takes the file's bytes as they are.  0 or INLAY_EXIT_FAILURE. */
int image_read_raw(const struct image_file *f, struct inlay_image *image, struct inlay_error *err);

/* Lines of text formats. */
struct image_line {
    const uint8_t *text; /* without blanks at its ends */
    size_t len;
    size_t number; /* from 1 */
};

/* Takes the next line that is not blank from *pos on: 1, or 0 at the end. */
int image_next_line(const struct image_file *f, size_t *pos, struct image_line *line);
/* Decodes pairs of hexadecimal digits; -1 if text is not that. */
int image_unhex(const uint8_t *text, size_t len, uint8_t *out);

#endif
