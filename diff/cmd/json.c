/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

/* Bytes of the UTF-8 character at text, or 0 if it is not one. */
static size_t utf8_len(const unsigned char *text)
{
    size_t len = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : 3;
    /* Nobody needs to tell overlong forms, surrogates and the rare four-byte ones apart here. */
    if (text[0] >= 0xe1 && (text[0] > 0xef || text[0] == 0xed))
        return 0;
    if (text[0] == 0xe0 && text[1] < 0xa0)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

static void write_text(FILE *to, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    fputc('"', to);
    while (*c) {
        size_t len = utf8_len(c);
        if (*c == '"' || *c == '\\')
            fprintf(to, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(to, "\\u%04x", *c);
        else if (!len)
            fputs("\\ufffd", to);
        else
            fwrite(c, 1, len, to);
        c += len ? len : 1;
    }
    fputc('"', to);
}

static void new_line(struct json *j)
{
    fprintf(j->to, "\n%*s", j->depth * 2, "");
}

/* Everything that stands before a value. */
static void lead(struct json *j, const char *key)
{
    if (j->depth) {
        if (!j->empty[j->depth - 1])
            fputc(',', j->to);
        j->empty[j->depth - 1] = 0;
        new_line(j);
    }
    if (key) {
        write_text(j->to, key);
        fputs(": ", j->to);
    }
}

static void nest(struct json *j, const char *key, char open, char close)
{
    lead(j, key);
    fputc(open, j->to);
    j->empty[j->depth] = 1;
    j->close[j->depth] = close;
    j->depth++;
}

void json_begin(struct json *j, FILE *to, const char *schema)
{
    *j = (struct json){.to = to};
    nest(j, NULL, '{', '}');
    json_text(j, "schema", schema);
}

void json_finish(struct json *j)
{
    json_end(j);
    fputc('\n', j->to);
}

void json_object(struct json *j, const char *key)
{
    nest(j, key, '{', '}');
}

void json_array(struct json *j, const char *key)
{
    nest(j, key, '[', ']');
}

void json_end(struct json *j)
{
    j->depth--;
    if (!j->empty[j->depth])
        new_line(j);
    fputc(j->close[j->depth], j->to);
}

void json_text(struct json *j, const char *key, const char *text)
{
    lead(j, key);
    if (text)
        write_text(j->to, text);
    else
        fputs("null", j->to);
}

void json_number(struct json *j, const char *key, uint64_t value)
{
    lead(j, key);
    fprintf(j->to, "%llu", (unsigned long long)value);
}

void json_real(struct json *j, const char *key, double value)
{
    lead(j, key);
    fprintf(j->to, "%.3f", value);
}

void json_bool(struct json *j, const char *key, int value)
{
    lead(j, key);
    fputs(value ? "true" : "false", j->to);
}

void json_hex(struct json *j, const char *key, const uint8_t *data, size_t len)
{
    lead(j, key);
    fputc('"', j->to);
    for (size_t i = 0; i < len; i++)
        fprintf(j->to, "%02x", data[i]);
    fputc('"', j->to);
}
