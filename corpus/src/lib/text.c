/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct unit text_time_units[4] = {
    {"s", 1},
    {"min", 60},
    {"h", 3600},
    {"d", 86400},
};

/* Splits at blanks; double quotes hold a word together. */
int text_split(char *line, char **words, int max)
{
    int count = 0;
    char *p = line;
    while (count < max) {
        while (isspace((unsigned char)*p))
            p++;
        if (!*p)
            break;
        bool quoted = *p == '"';
        words[count++] = quoted ? ++p : p;
        while (*p && (quoted ? *p != '"' : !isspace((unsigned char)*p)))
            p++;
        if (*p)
            *p++ = '\0';
    }
    return count;
}

bool text_number(const char *s, int32_t *value)
{
    char *end;
    errno = 0;
    long v = strtol(s, &end, 0);
    if (errno || end == s || *end)
        return false;
    *value = (int32_t)v;
    return true;
}

bool text_quantity(const char *s, const struct unit *units, size_t count, int32_t *value)
{
    char *end;
    double v = strtod(s, &end);
    if (end == s)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(end, units[i].name) == 0) {
            *value = (int32_t)(v * units[i].scale);
            return true;
        }
    }
    if (*end)
        return false;
    *value = (int32_t)v;
    return true;
}

char *text_fixed(char *buf, size_t size, int32_t value, unsigned decimals)
{
    static const int32_t tens[] = {1, 10, 100, 1000, 10000};
    int32_t scale = tens[decimals < FEN_COUNT(tens) ? decimals : 4];
    int32_t whole = value / scale, part = value % scale;
    const char *sign = value < 0 ? "-" : "";
    if (scale == 1)
        snprintf(buf, size, "%ld", (long)value);
    else
        snprintf(buf, size, "%s%ld.%0*ld", sign, labs(whole), (int)decimals, labs(part));
    return buf;
}

/* '*' matches any run, '?' one character. */
bool text_match(const char *pattern, const char *s)
{
    const char *star = NULL, *retry = NULL;
    while (*s) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star;
            s = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

void text_dump(const void *data, size_t len, uint32_t address)
{
    const uint8_t *p = data;
    for (size_t row = 0; row < len; row += 16) {
        printf("%08lx ", (unsigned long)(address + row));
        for (size_t i = row; i < row + 16; i++)
            if (i < len)
                printf(" %02x", p[i]);
            else
                printf("   ");
        printf("  ");
        for (size_t i = row; i < row + 16 && i < len; i++)
            putchar(isprint(p[i]) ? p[i] : '.');
        putchar('\n');
    }
}

/* Edit distance, for "did you mean". Words longer than 15 are cut. */
unsigned text_distance(const char *a, const char *b)
{
    uint8_t row[16];
    size_t len = strlen(b);
    len = len > 15 ? 15 : len;
    for (size_t j = 0; j <= len; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 0; a[i] && i < 15; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)(i + 1);
        for (size_t j = 0; j < len; j++) {
            uint8_t cost = (uint8_t)(diagonal + (a[i] != b[j]));
            diagonal = row[j + 1];
            uint8_t side = (uint8_t)((row[j] < diagonal ? row[j] : diagonal) + 1);
            row[j + 1] = cost < side ? cost : side;
        }
    }
    return row[len];
}
