/* SPDX-License-Identifier: Apache-2.0 */
/* Intel HEX: records ":LLAAAATT data CC", the sum of all bytes 0 modulo 256. */
#include "image.h"

#include <string.h>

#define RECORD_MAX (5 + 255)

enum {
    HEX_DATA = 0,
    HEX_END = 1,
    HEX_SEGMENT = 2,
    HEX_START_CS = 3,
    HEX_LINEAR = 4,
    HEX_START = 5
};

struct hex_record {
    uint8_t len, type;
    uint16_t addr;
    const uint8_t *data;
};

struct hex_state {
    struct image_pieces pieces;
    uint64_t upper; /* added to a record's address */
    int segmented;  /* 1: addresses wrap within 64 KB */
    int ended;
};

static int fail(const struct image_file *f, size_t line, const char *what, struct inlay_error *err)
{
    return inlay_fail(err, INLAY_EXIT_USAGE, "%s:%zu: %s", f->where, line, what);
}

/* Decodes a line into raw, which the record points into.  NULL, or what is wrong with it. */
static const char *decode(const struct image_line *line, uint8_t raw[RECORD_MAX],
                          struct hex_record *r)
{
    uint8_t sum = 0;
    size_t len = line->len / 2;
    if (line->text[0] != ':')
        return "this line does not start with ':'; the Intel HEX file is damaged";
    if (len < 5 || len > RECORD_MAX || image_unhex(line->text + 1, line->len - 1, raw))
        return "this is not an Intel HEX record; the file is damaged";
    if (raw[0] != len - 5)
        return "the record is longer or shorter than it says; the file is damaged";
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + raw[i]);
    if (sum)
        return "the checksum is wrong; the file is damaged, build or download it again";
    *r = (struct hex_record){raw[0], raw[3], (uint16_t)(raw[1] << 8 | raw[2]), raw + 4};
    return NULL;
}

static int add_data(struct hex_state *s, const struct hex_record *r, size_t line)
{
    size_t first = r->len;
    if (s->segmented && r->addr + (size_t)r->len > 0x10000)
        first = 0x10000u - r->addr;
    if (image_pieces_add(&s->pieces, s->upper + r->addr, r->data, first, line))
        return -1;
    return image_pieces_add(&s->pieces, s->upper, r->data + first, r->len - first, line);
}

static int take(struct hex_state *s, const struct hex_record *r, const struct image_file *f,
                size_t line, struct inlay_error *err)
{
    switch (r->type) {
    case HEX_DATA:
        if (add_data(s, r, line))
            return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for %s", f->where);
        return 0;
    case HEX_END:
        s->ended = 1;
        return 0;
    case HEX_SEGMENT:
    case HEX_LINEAR:
        if (r->len != 2)
            return fail(f, line, "an address record has two bytes; the file is damaged", err);
        s->segmented = r->type == HEX_SEGMENT;
        s->upper = (uint64_t)(r->data[0] << 8 | r->data[1]) << (s->segmented ? 4 : 16);
        return 0;
    case HEX_START_CS:
    case HEX_START:
        return 0;
    default:
        return fail(f, line,
                    "an unknown record type; if this is a universal HEX for several boards, "
                    "extract the image of one board first",
                    err);
    }
}

int image_is_hex(const struct image_file *f)
{
    size_t pos = 0;
    struct image_line line = {0};
    uint8_t raw[RECORD_MAX];
    /* The checksum may be wrong (that is worth a message), the digits may not. */
    return image_next_line(f, &pos, &line) && line.text[0] == ':' && line.len >= 11 &&
           line.len / 2 <= RECORD_MAX && !image_unhex(line.text + 1, line.len - 1, raw);
}

static int read_records(const struct image_file *f, struct hex_state *s, struct inlay_error *err)
{
    size_t pos = 0;
    struct image_line line = {0};
    uint8_t raw[RECORD_MAX];
    while (image_next_line(f, &pos, &line)) {
        struct hex_record r;
        const char *wrong = s->ended ? "there is more after the end record; split the file"
                                     : decode(&line, raw, &r);
        if (wrong)
            return fail(f, line.number, wrong, err);
        int code = take(s, &r, f, line.number, err);
        if (code)
            return code;
    }
    if (!s->ended)
        return fail(f, line.number, "the end record (:00000001FF) is missing; the file was cut off",
                    err);
    return 0;
}

int image_read_hex(const struct image_file *f, struct inlay_image *image, struct inlay_error *err)
{
    struct hex_state s = {.pieces.unit = "line"};
    int code = read_records(f, &s, err);
    if (!code)
        code = image_pieces_join(&s.pieces, f->where, image, err);
    image_pieces_free(&s.pieces);
    return code;
}
