/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEN_TEXT_H
#define FEN_TEXT_H

#include "fen.h"

struct unit {
    const char *name;
    int32_t scale; /* how many base units one of these is */
};

int text_split(char *line, char **words, int max);
bool text_number(const char *s, int32_t *value);
bool text_quantity(const char *s, const struct unit *units, size_t count, int32_t *value);
char *text_fixed(char *buf, size_t size, int32_t value, unsigned decimals);
bool text_match(const char *pattern, const char *s);
void text_dump(const void *data, size_t len, uint32_t address);
unsigned text_distance(const char *a, const char *b);

extern const struct unit text_time_units[4];

#endif
