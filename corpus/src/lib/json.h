/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: a streaming writer and a pull parser over a string. */
#ifndef FEN_JSON_H
#define FEN_JSON_H

#include "fen.h"

struct json_writer {
    void (*put)(void *ctx, char c);
    void *ctx;
    uint8_t depth;
    uint32_t first; /* one bit per level: nothing written yet */
};

void json_open(struct json_writer *w, const char *key, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_int(struct json_writer *w, const char *key, int32_t v);
void json_fixed(struct json_writer *w, const char *key, int32_t v, unsigned decimals);
void json_string(struct json_writer *w, const char *key, const char *s);
void json_bool(struct json_writer *w, const char *key, bool v);

/* Calls back with each scalar of an object tree, its path as "a.b.2". */
typedef int json_visitor(void *ctx, const char *path, const char *value, bool quoted);
int json_walk(const char *s, json_visitor *visit, void *ctx);

#endif
