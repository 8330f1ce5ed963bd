/* SPDX-License-Identifier: Apache-2.0 */
/* A growable run of bytes on the heap. */
#ifndef INLAY_BUFFER_H
#define INLAY_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct inlay_buffer {
    uint8_t *data; /* owned; NULL while empty */
    size_t len;
    size_t room;
};

/* All return 0, or -1 if memory is out, with the buffer as it was. */
int inlay_buffer_reserve(struct inlay_buffer *b, size_t more);
int inlay_buffer_add(struct inlay_buffer *b, const void *data, size_t len);
int inlay_buffer_add_byte(struct inlay_buffer *b, uint8_t byte);
void inlay_buffer_free(struct inlay_buffer *b);

#ifdef __cplusplus
}
#endif

#endif
