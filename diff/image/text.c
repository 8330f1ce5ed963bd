/* SPDX-License-Identifier: Apache-2.0 */
/* What Intel HEX and S-records have in common: lines of hexadecimal digits. */
#include "image.h"

static int is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\0' || c == 0x1a;
}

int image_next_line(const struct image_file *f, size_t *pos, struct image_line *line)
{
    while (*pos < f->len) {
        size_t start = *pos, end = start;
        while (end < f->len && f->data[end] != '\n')
            end++;
        *pos = end + 1;
        line->number++;
        while (start < end && is_blank(f->data[start]))
            start++;
        while (end > start && is_blank(f->data[end - 1]))
            end--;
        if (start == end)
            continue;
        line->text = f->data + start;
        line->len = end - start;
        return 1;
    }
    return 0;
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

int image_unhex(const uint8_t *text, size_t len, uint8_t *out)
{
    if (len % 2)
        return -1;
    for (size_t i = 0; i < len; i += 2) {
        int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0)
            return -1;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return 0;
}
