/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cbor.h"

#include <stdio.h>
#include <string.h>

static void put_bytes(struct cbor_writer *w, const void *data, size_t len)
{
    if (len > w->size - w->len) {
        w->overflow = true;
        return;
    }
    memcpy(w->buf + w->len, data, len);
    w->len += len;
}

static void put_head(struct cbor_writer *w, unsigned major, uint32_t v)
{
    uint8_t head[5] = {(uint8_t)(major << 5)};
    size_t extra = v < 24 ? 0 : v < 256 ? 1 : v < 65536 ? 2 : 4;
    head[0] |= (uint8_t)(extra == 0 ? v : extra == 1 ? 24 : extra == 2 ? 25 : 26);
    for (size_t i = 0; i < extra; i++)
        head[1 + i] = (uint8_t)(v >> 8 * (extra - 1 - i));
    put_bytes(w, head, 1 + extra);
}

void cbor_int(struct cbor_writer *w, int32_t v)
{
    if (v < 0)
        put_head(w, 1, (uint32_t)(-1 - v));
    else
        put_head(w, 0, (uint32_t)v);
}

void cbor_text(struct cbor_writer *w, const char *s)
{
    size_t len = strlen(s);
    put_head(w, 3, (uint32_t)len);
    put_bytes(w, s, len);
}

void cbor_bytes(struct cbor_writer *w, const void *data, size_t len)
{
    put_head(w, 2, (uint32_t)len);
    put_bytes(w, data, len);
}

void cbor_array(struct cbor_writer *w, uint32_t count)
{
    put_head(w, 4, count);
}

void cbor_map(struct cbor_writer *w, uint32_t count)
{
    put_head(w, 5, count);
}

void cbor_bool(struct cbor_writer *w, bool v)
{
    put_head(w, 7, v ? 21 : 20);
}

void cbor_float(struct cbor_writer *w, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint8_t raw[5] = {0xfa, (uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
                      (uint8_t)bits};
    put_bytes(w, raw, sizeof raw);
}

static int read_head(struct cbor_reader *r, unsigned *major, unsigned *info, uint64_t *value)
{
    if (r->pos >= r->len)
        return FEN_ERR_MISSING;
    uint8_t head = r->buf[r->pos++];
    *major = head >> 5;
    *info = head & 31;
    *value = *info;
    if (*info < 24)
        return FEN_OK;
    if (*info > 27)
        return FEN_ERR_RANGE;
    size_t extra = (size_t)1 << (*info - 24);
    if (extra > r->len - r->pos)
        return FEN_ERR_MISSING;
    *value = 0;
    while (extra--)
        *value = *value << 8 | r->buf[r->pos++];
    return FEN_OK;
}

static int read_simple(unsigned info, uint64_t value, struct cbor_item *item)
{
    switch (info) {
    case 20:
    case 21:
        item->kind = CBOR_BOOL;
        item->number = info - 20;
        return FEN_OK;
    case 22:
        item->kind = CBOR_NULL;
        return FEN_OK;
    case 26: {
        uint32_t bits = (uint32_t)value;
        item->kind = CBOR_FLOAT;
        memcpy(&item->real, &bits, sizeof bits);
        return FEN_OK;
    }
    default:
        return FEN_ERR_RANGE;
    }
}

int cbor_next(struct cbor_reader *r, struct cbor_item *item)
{
    static const uint8_t kinds[] = {CBOR_INT,  CBOR_INT,   CBOR_BYTES,
                                    CBOR_TEXT, CBOR_ARRAY, CBOR_MAP};
    unsigned major, info;
    uint64_t value;
    int err = read_head(r, &major, &info, &value);
    if (err)
        return err;
    memset(item, 0, sizeof *item);
    if (major == 7)
        return read_simple(info, value, item);
    if (major == 6)
        return cbor_next(r, item);
    item->kind = kinds[major];
    item->number = major == 1 ? -1 - (int64_t)value : (int64_t)value;
    if (major == 2 || major == 3) {
        if (value > r->len - r->pos)
            return FEN_ERR_MISSING;
        item->data = r->buf + r->pos;
        r->pos += (size_t)value;
    }
    return FEN_OK;
}

int cbor_skip(struct cbor_reader *r)
{
    struct cbor_item item;
    for (int64_t left = 1; left > 0; left--) {
        int err = cbor_next(r, &item);
        if (err)
            return err;
        if (item.kind == CBOR_ARRAY)
            left += item.number;
        else if (item.kind == CBOR_MAP)
            left += 2 * item.number;
    }
    return FEN_OK;
}

static void print_item(const struct cbor_item *item)
{
    switch (item->kind) {
    case CBOR_INT:
        printf("%ld", (long)item->number);
        break;
    case CBOR_TEXT:
        printf("\"%.*s\"", (int)item->number, (const char *)item->data);
        break;
    case CBOR_BYTES:
        printf("h'");
        for (int64_t i = 0; i < item->number; i++)
            printf("%02x", item->data[i]);
        printf("'");
        break;
    case CBOR_ARRAY:
        printf("array(%ld)", (long)item->number);
        break;
    case CBOR_MAP:
        printf("map(%ld)", (long)item->number);
        break;
    case CBOR_BOOL:
        printf("%s", item->number ? "true" : "false");
        break;
    case CBOR_NULL:
        printf("null");
        break;
    case CBOR_FLOAT:
        printf("%.4f", (double)item->real);
        break;
    }
}

void cbor_print(struct cbor_reader *r)
{
    struct cbor_item item;
    while (cbor_next(r, &item) == FEN_OK) {
        print_item(&item);
        putchar(' ');
    }
    putchar('\n');
}
