/* SPDX-License-Identifier: Apache-2.0 */
/* A small CBOR writer and reader (RFC 8949, definite lengths). */
#ifndef FEN_CBOR_H
#define FEN_CBOR_H

#include "fen.h"

struct cbor_writer {
    uint8_t *buf;
    size_t size, len;
    bool overflow;
};

struct cbor_reader {
    const uint8_t *buf;
    size_t len, pos;
};

enum cbor_kind {
    CBOR_INT,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_BOOL,
    CBOR_NULL,
    CBOR_FLOAT
};

struct cbor_item {
    enum cbor_kind kind;
    int64_t number; /* value, or the number of items */
    float real;
    const uint8_t *data;
};

void cbor_int(struct cbor_writer *w, int32_t v);
void cbor_text(struct cbor_writer *w, const char *s);
void cbor_bytes(struct cbor_writer *w, const void *data, size_t len);
void cbor_array(struct cbor_writer *w, uint32_t count);
void cbor_map(struct cbor_writer *w, uint32_t count);
void cbor_bool(struct cbor_writer *w, bool v);
void cbor_float(struct cbor_writer *w, float v);
int cbor_next(struct cbor_reader *r, struct cbor_item *item);
int cbor_skip(struct cbor_reader *r);
void cbor_print(struct cbor_reader *r);

#endif
