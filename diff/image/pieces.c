/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of an image at their addresses, joined to one run of bytes. */
#include "image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define GAP_MAX (4u << 20)

int image_pieces_add(struct image_pieces *p, uint64_t addr, const uint8_t *data, size_t len,
                     size_t at)
{
    struct image_piece *last = p->count ? &p->at[p->count - 1] : NULL;
    size_t pos = p->bytes.len;
    if (!len)
        return 0;
    if (inlay_buffer_add(&p->bytes, data, len))
        return -1;
    if (last && last->addr + last->len == addr) {
        last->len += len;
        return 0;
    }
    if (p->count == p->room) {
        size_t room = p->room ? p->room * 2 : 16;
        struct image_piece *grown = realloc(p->at, room * sizeof *grown);
        if (!grown)
            return -1;
        p->at = grown;
        p->room = room;
    }
    p->at[p->count++] = (struct image_piece){addr, pos, len, at};
    return 0;
}

void image_pieces_free(struct image_pieces *p)
{
    free(p->at);
    inlay_buffer_free(&p->bytes);
    *p = (struct image_pieces){0};
}

static int by_address(const void *a, const void *b)
{
    const struct image_piece *x = a, *y = b;
    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return (x->pos > y->pos) - (x->pos < y->pos);
}

static int check_pair(const struct image_pieces *p, const struct image_piece *a,
                      const struct image_piece *b, const char *where, struct inlay_error *err)
{
    uint64_t end = a->addr + a->len;
    if (end > b->addr)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "%s: %s %zu and %s %zu both have data for address 0x%" PRIx64
                          "; rebuild the file or merge its parts without overlap",
                          where, p->unit, a->at, p->unit, b->at, b->addr);
    if (b->addr - end > GAP_MAX)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "%s: a gap of %" PRIu64 " bytes between 0x%" PRIx64 " and 0x%" PRIx64
                          " (%s %zu) is more than one flash image; extract the part that is to be "
                          "updated, for example with objcopy --only-section or srec_cat -crop",
                          where, b->addr - end, end, b->addr, p->unit, b->at);
    return 0;
}

int image_pieces_join(struct image_pieces *p, const char *where, struct inlay_image *image,
                      struct inlay_error *err)
{
    if (!p->count)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "%s: there is no data in it to put into flash; check that it is complete",
                          where);
    qsort(p->at, p->count, sizeof *p->at, by_address);
    for (size_t i = 1; i < p->count; i++) {
        int code = check_pair(p, &p->at[i - 1], &p->at[i], where, err);
        if (code)
            return code;
    }
    const struct image_piece *last = &p->at[p->count - 1];
    uint64_t size = last->addr + last->len - p->at[0].addr;
    if (size > INLAY_IMAGE_MAX)
        return inlay_fail(err, INLAY_EXIT_LIMIT,
                          "%s: laid out it takes %" PRIu64 " bytes; the most is %u", where, size,
                          INLAY_IMAGE_MAX);
    image->data = malloc((size_t)size);
    if (!image->data)
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory for %" PRIu64 " bytes", size);
    memset(image->data, 0xff, (size_t)size);
    for (size_t i = 0; i < p->count; i++)
        memcpy(image->data + (p->at[i].addr - p->at[0].addr), p->bytes.data + p->at[i].pos,
               p->at[i].len);
    image->size = (size_t)size;
    image->base = p->at[0].addr;
    image->base_known = 1;
    return 0;
}
