/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises what kind of file an image comes in. */
#include "image.h"
#include "file.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MAX (4 * (size_t)INLAY_IMAGE_MAX) /* text formats take up to three times as much */

static const struct {
    enum inlay_image_kind kind;
    int (*is)(const struct image_file *f);
    int (*read)(const struct image_file *f, struct inlay_image *image, struct inlay_error *err);
} formats[] = {
    {INLAY_IMAGE_ELF, image_is_elf, image_read_elf},
    {INLAY_IMAGE_UF2, image_is_uf2, image_read_uf2},
    {INLAY_IMAGE_HEX, image_is_hex, image_read_hex},
    {INLAY_IMAGE_SREC, image_is_srec, image_read_srec},
};

int image_read_raw(const struct image_file *f, struct inlay_image *image, struct inlay_error *err)
{
    if (f->len > INLAY_IMAGE_MAX)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "%s is %zu bytes; the most an image may have is %u", f->where, f->len,
                          INLAY_IMAGE_MAX);
    if (!f->len)
        return 0;
    image->data = malloc(f->len);
    if (!image->data)
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for %zu bytes", f->len);
    memcpy(image->data, f->data, f->len);
    image->size = f->len;
    return 0;
}

int inlay_image_parse(const uint8_t *data, size_t len, const char *where, struct inlay_image *image,
                      struct inlay_error *err)
{
    const struct image_file f = {data, len, where};
    *image = (struct inlay_image){0};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (!formats[i].is(&f))
            continue;
        image->kind = formats[i].kind;
        int code = formats[i].read(&f, image, err);
        if (code)
            inlay_image_free(image);
        return code;
    }
    return image_read_raw(&f, image, err);
}

int inlay_image_load(const char *path, struct inlay_image *image, struct inlay_error *err)
{
    struct inlay_buffer file;
    *image = (struct inlay_image){0};
    int code = inlay_file_read(path, FILE_MAX, &file, err);
    if (code)
        return code;
    code = inlay_image_parse(file.data, file.len, strcmp(path, "-") ? path : "standard input",
                             image, err);
    inlay_buffer_free(&file);
    return code;
}

void inlay_image_free(struct inlay_image *image)
{
    free(image->data);
    *image = (struct inlay_image){0};
}

const char *inlay_image_kind_name(enum inlay_image_kind kind)
{
    static const char *const names[] = {"raw",       "elf firmware", "elf file",
                                        "intel hex", "s-record",     "uf2"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "raw";
}
