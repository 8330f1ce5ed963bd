/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/ring.h"

bool ring_put(struct ring *r, uint8_t c)
{
    if (ring_used(r) > r->mask) {
        r->lost++;
        return false;
    }
    r->space[r->head & r->mask] = c;
    r->head++;
    return true;
}

int ring_get(struct ring *r)
{
    if (r->head == r->tail)
        return -1;
    int c = r->space[r->tail & r->mask];
    r->tail++;
    return c;
}

uint32_t ring_used(const struct ring *r)
{
    return r->head - r->tail;
}

size_t ring_peek(const struct ring *r, uint8_t *buf, size_t len)
{
    size_t used = ring_used(r), n = len < used ? len : used;
    for (size_t i = 0; i < n; i++)
        buf[i] = r->space[(r->tail + i) & r->mask];
    return n;
}
