/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json.h"

#include "lib/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PATH_MAX_LEN  48u
#define VALUE_MAX_LEN 48u
#define DEPTH_MAX     8u

static void put_text(struct json_writer *w, const char *s)
{
    while (*s)
        w->put(w->ctx, *s++);
}

static void put_quoted(struct json_writer *w, const char *s)
{
    char code[8];
    w->put(w->ctx, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            w->put(w->ctx, '\\');
            w->put(w->ctx, (char)c);
        } else if (c < 32) {
            snprintf(code, sizeof code, "\\u%04x", c);
            put_text(w, code);
        } else {
            w->put(w->ctx, (char)c);
        }
    }
    w->put(w->ctx, '"');
}

static void put_key(struct json_writer *w, const char *key)
{
    uint32_t bit = 1u << w->depth;
    if (w->depth && !(w->first & bit))
        w->put(w->ctx, ',');
    w->first &= ~bit;
    if (key) {
        put_quoted(w, key);
        w->put(w->ctx, ':');
    }
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
    put_key(w, key);
    w->put(w->ctx, bracket);
    w->depth++;
    w->first |= 1u << w->depth;
}

void json_close(struct json_writer *w, char bracket)
{
    w->put(w->ctx, bracket);
    w->depth--;
}

void json_int(struct json_writer *w, const char *key, int32_t v)
{
    char buf[16];
    put_key(w, key);
    snprintf(buf, sizeof buf, "%ld", (long)v);
    put_text(w, buf);
}

void json_fixed(struct json_writer *w, const char *key, int32_t v, unsigned decimals)
{
    char buf[20];
    put_key(w, key);
    put_text(w, text_fixed(buf, sizeof buf, v, decimals));
}

void json_string(struct json_writer *w, const char *key, const char *s)
{
    put_key(w, key);
    put_quoted(w, s);
}

void json_bool(struct json_writer *w, const char *key, bool v)
{
    put_key(w, key);
    put_text(w, v ? "true" : "false");
}

struct walk {
    const char *s;
    json_visitor *visit;
    void *ctx;
    char path[PATH_MAX_LEN];
    char value[VALUE_MAX_LEN];
};

static void skip_space(struct walk *k)
{
    while (isspace((unsigned char)*k->s))
        k->s++;
}

static int read_string(struct walk *k)
{
    size_t len = 0;
    for (k->s++; *k->s && *k->s != '"'; k->s++) {
        char c = *k->s;
        if (c == '\\' && k->s[1]) {
            c = *++k->s;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        if (len + 1 == VALUE_MAX_LEN)
            return FEN_ERR_FULL;
        k->value[len++] = c;
    }
    k->value[len] = '\0';
    if (*k->s != '"')
        return FEN_ERR_MISSING;
    k->s++;
    return FEN_OK;
}

static int read_scalar(struct walk *k)
{
    size_t len = 0;
    while (*k->s && !strchr(",]} \t\r\n", *k->s)) {
        if (len + 1 == VALUE_MAX_LEN)
            return FEN_ERR_FULL;
        k->value[len++] = *k->s++;
    }
    k->value[len] = '\0';
    return len ? FEN_OK : FEN_ERR_MISSING;
}

static int push_path(struct walk *k, size_t mark, unsigned index, bool object)
{
    const char *dot = mark ? "." : "";
    int n = object ? snprintf(k->path + mark, PATH_MAX_LEN - mark, "%s%s", dot, k->value)
                   : snprintf(k->path + mark, PATH_MAX_LEN - mark, "%s%u", dot, index);
    return n < (int)(PATH_MAX_LEN - mark) ? FEN_OK : FEN_ERR_FULL;
}

static int walk_value(struct walk *k, unsigned depth);

static int walk_member(struct walk *k, unsigned depth, size_t mark, unsigned index, bool object)
{
    skip_space(k);
    if (object) {
        int err = *k->s == '"' ? read_string(k) : FEN_ERR_MISSING;
        if (err)
            return err;
        skip_space(k);
        if (*k->s++ != ':')
            return FEN_ERR_MISSING;
    }
    int err = push_path(k, mark, index, object);
    if (!err)
        err = walk_value(k, depth + 1);
    k->path[mark] = '\0';
    skip_space(k);
    return err;
}

static int walk_group(struct walk *k, unsigned depth, bool object)
{
    char end = object ? '}' : ']';
    size_t mark = strlen(k->path);
    k->s++;
    skip_space(k);
    if (*k->s == end) {
        k->s++;
        return FEN_OK;
    }
    for (unsigned index = 0;; index++) {
        int err = walk_member(k, depth, mark, index, object);
        if (err)
            return err;
        char c = *k->s++;
        if (c == end)
            return FEN_OK;
        if (c != ',')
            return FEN_ERR_MISSING;
    }
}

static int walk_value(struct walk *k, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return FEN_ERR_FULL;
    skip_space(k);
    if (*k->s == '{' || *k->s == '[')
        return walk_group(k, depth, *k->s == '{');
    bool quoted = *k->s == '"';
    int err = quoted ? read_string(k) : read_scalar(k);
    return err ? err : k->visit(k->ctx, k->path, k->value, quoted);
}

int json_walk(const char *s, json_visitor *visit, void *ctx)
{
    struct walk k = {.s = s, .visit = visit, .ctx = ctx};
    int err = walk_value(&k, 0);
    skip_space(&k);
    return err ? err : *k.s ? FEN_ERR_RANGE : FEN_OK;
}
