/* SPDX-License-Identifier: Apache-2.0 */
/* Motorola S-records: "Sn LL address data CC", the sum of all bytes 255 modulo 256. */
#include "image.h"

#define RECORD_MAX 256

struct srec_state {
    struct image_pieces pieces;
    size_t records; /* of data */
    int ended;
};

static int fail(const struct image_file *f, size_t line, const char *what, struct inlay_error *err)
{
    return inlay_fail(err, INLAY_EXIT_USAGE, "%s:%zu: %s", f->where, line, what);
}

/* Bytes of address in a record of type '0' to '9', or 0 for one there is not. */
static size_t address_len(uint8_t type)
{
    static const uint8_t len[10] = {2, 2, 3, 4, 0, 2, 3, 4, 3, 2};
    return type >= '0' && type <= '9' ? len[type - '0'] : 0;
}

/* Decodes what follows the type; raw[0] is the count.  NULL, or what is wrong. */
static const char *decode(const struct image_line *line, uint8_t raw[RECORD_MAX])
{
    uint8_t sum = 0;
    size_t len = line->len / 2 - 1;
    if (line->text[0] != 'S' || line->len < 4)
        return "this line does not start with 'S'; the S-record file is damaged";
    if (!address_len(line->text[1]))
        return "there is no such record type; the S-record file is damaged";
    if (len > RECORD_MAX || image_unhex(line->text + 2, line->len - 2, raw))
        return "this is not an S-record; the file is damaged";
    if (raw[0] != len - 1 || raw[0] < address_len(line->text[1]) + 1)
        return "the record is longer or shorter than it says; the file is damaged";
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + raw[i]);
    if (sum != 0xff)
        return "the checksum is wrong; the file is damaged, build or download it again";
    return NULL;
}

static int take(struct srec_state *s, uint8_t type, const uint8_t *raw, const struct image_file *f,
                size_t line, struct inlay_error *err)
{
    size_t skip = address_len(type);
    uint32_t addr = 0;
    for (size_t i = 0; i < skip; i++)
        addr = addr << 8 | raw[1 + i];
    if (type >= '1' && type <= '3') {
        s->records++;
        if (image_pieces_add(&s->pieces, addr, raw + 1 + skip, raw[0] - skip - 1u, line))
            return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for %s", f->where);
    } else if (type == '5' || type == '6') {
        if (addr != (s->records & (type == '5' ? 0xffffu : 0xffffffu)))
            return fail(f, line, "the record count is wrong; the file lost records on the way",
                        err);
    } else if (type >= '7') {
        s->ended = 1;
    }
    return 0;
}

int image_is_srec(const struct image_file *f)
{
    size_t pos = 0;
    struct image_line line = {0};
    uint8_t raw[RECORD_MAX];
    return image_next_line(f, &pos, &line) && line.text[0] == 'S' && line.len >= 10 &&
           address_len(line.text[1]) && line.len / 2 - 1 <= RECORD_MAX &&
           !image_unhex(line.text + 2, line.len - 2, raw);
}

static int read_records(const struct image_file *f, struct srec_state *s, struct inlay_error *err)
{
    size_t pos = 0;
    struct image_line line = {0};
    uint8_t raw[RECORD_MAX];
    while (image_next_line(f, &pos, &line)) {
        const char *wrong =
            s->ended ? "there is more after the end record; split the file" : decode(&line, raw);
        if (wrong)
            return fail(f, line.number, wrong, err);
        int code = take(s, line.text[1], raw, f, line.number, err);
        if (code)
            return code;
    }
    if (!s->ended)
        return fail(f, line.number,
                    "the end record (S7, S8 or S9) is missing; the file was cut off", err);
    return 0;
}

int image_read_srec(const struct image_file *f, struct inlay_image *image, struct inlay_error *err)
{
    struct srec_state s = {.pieces.unit = "line"};
    int code = read_records(f, &s, err);
    if (!code)
        code = image_pieces_join(&s.pieces, f->where, image, err);
    image_pieces_free(&s.pieces);
    return code;
}
