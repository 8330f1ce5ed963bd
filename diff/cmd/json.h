/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON, one member a line.  Arrays hold objects or plain values. */
#ifndef INLAY_JSON_H
#define INLAY_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 8

struct json {
    FILE *to;
    int depth;
    int empty[JSON_DEPTH_MAX]; /* 1: nothing written at this depth yet */
    char close[JSON_DEPTH_MAX];
};

/* Opens the document, an object whose first member is "schema". */
void json_begin(struct json *j, FILE *to, const char *schema);
/* Closes it; json_end() must have closed all else. */
void json_finish(struct json *j);

/* key is NULL inside an array. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j);

void json_text(struct json *j, const char *key, const char *text); /* NULL: null */
void json_number(struct json *j, const char *key, uint64_t value);
void json_real(struct json *j, const char *key, double value); /* three decimals */
void json_bool(struct json *j, const char *key, int value);
void json_hex(struct json *j, const char *key, const uint8_t *data, size_t len);

#endif
