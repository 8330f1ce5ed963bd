/* SPDX-License-Identifier: Apache-2.0 */
/* Byte ring, one writer and one reader, size a power of two. */
#ifndef FEN_RING_H
#define FEN_RING_H

#include "fen.h"

struct ring {
    uint8_t *space;
    uint32_t mask;
    volatile uint32_t head, tail, lost;
};

#define RING_INIT(array)                                                                           \
    {                                                                                              \
        (array), sizeof(array) - 1, 0, 0, 0                                                        \
    }

bool ring_put(struct ring *r, uint8_t c);
int ring_get(struct ring *r);
uint32_t ring_used(const struct ring *r);
size_t ring_peek(const struct ring *r, uint8_t *buf, size_t len);

#endif
