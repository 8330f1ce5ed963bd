/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

int inlay_buffer_reserve(struct inlay_buffer *b, size_t more)
{
    if (more <= b->room - b->len)
        return 0;
    if (more > SIZE_MAX / 2 - b->len)
        return -1;
    size_t room = b->room ? b->room : 256;
    while (room - b->len < more)
        room *= 2;
    uint8_t *data = realloc(b->data, room);
    if (!data)
        return -1;
    b->data = data;
    b->room = room;
    return 0;
}

int inlay_buffer_add(struct inlay_buffer *b, const void *data, size_t len)
{
    if (inlay_buffer_reserve(b, len))
        return -1;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    return 0;
}

int inlay_buffer_add_byte(struct inlay_buffer *b, uint8_t byte)
{
    return inlay_buffer_add(b, &byte, 1);
}

void inlay_buffer_free(struct inlay_buffer *b)
{
    free(b->data);
    *b = (struct inlay_buffer){0};
}
