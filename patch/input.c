/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

/* What is there for the codec, up to payload byte `end`. */
struct inlay_input *inlay_input_window(struct inlay_patcher *p, uint32_t end)
{
    p->in.left = (size_t)(p->in_end - p->in.next);
    p->in.last = p->in.left >= end - p->pos;
    if (p->in.last)
        p->in.left = end - p->pos;
    p->in_start = p->in.next;
    return &p->in;
}

/* Notes what the codec took of the window, and asks for a chunk if that is what it wants. */
enum inlay_status inlay_input_taken(struct inlay_patcher *p, int status)
{
    p->pos += (uint32_t)(p->in.next - p->in_start);
    if (status != INLAY_MORE)
        return (enum inlay_status)status;
    if (p->in.last || p->in.left > INLAY_CARRY_MAX)
        return INLAY_E_CORRUPT;
    p->in_end = p->chunk + INLAY_CARRY_MAX;
    p->in.next = memmove(p->chunk + INLAY_CARRY_MAX - p->in.left, p->in.next, p->in.left);
    p->got = 0;
    p->want = 1;
    return INLAY_MORE;
}

void inlay_input_seek(struct inlay_patcher *p, uint32_t pos, const uint8_t *link)
{
    inlay_chain_seek(&p->chain, &p->man, p->identity, pos, link);
    p->in.next = p->in_end = p->chunk + INLAY_CARRY_MAX;
    p->pos = pos;
    p->want = 0;
    p->got = 0;
}

/* Opens a chunk that is all there; the codec may read it if it is the right one. */
static enum inlay_status take_chunk(struct inlay_patcher *p, uint32_t len)
{
    uint32_t start = p->chain.index * p->chain.step;
    uint8_t *chunk = p->chunk + INLAY_CARRY_MAX;
    enum inlay_status st = inlay_chain_take(&p->chain, p->cfg->crypto, chunk, len);
    if (st != INLAY_OK)
        return p->doubt ? INLAY_E_BUSY : st;
    p->doubt = 0;
    /* The rest of the chunk before is in front of it, or a resume skips into it. */
    p->in.next = chunk + (int32_t)(p->pos - start);
    p->in_end = chunk + (p->chain.index < p->chain.count ? p->chain.step : len);
    p->want = 0;
    p->got = 0;
    return INLAY_AGAIN;
}

enum inlay_status inlay_input_feed(struct inlay_patcher *p, const uint8_t *data, size_t len,
                                   size_t *used)
{
    uint32_t whole = inlay_chain_len(&p->chain, &p->man);
    size_t n = whole - p->got;
    if (n > len)
        n = len;
    memcpy(p->chunk + INLAY_CARRY_MAX + p->got, data, n);
    p->got += (uint32_t)n;
    *used = n;
    return p->got < whole ? INLAY_MORE : take_chunk(p, whole);
}
