/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <string.h>

/* What is there for the codec, up to payload byte `end`. */
struct inlay_input inlay_input_window(const struct inlay_patcher *p, uint32_t end)
{
    struct inlay_input in = p->in;
    in.last = in.left >= end - p->pos;
    if (in.last)
        in.left = end - p->pos;
    return in;
}

/* Notes what the codec took of a window, and asks for a chunk if that is what it wants. */
enum inlay_status inlay_input_taken(struct inlay_patcher *p, const struct inlay_input *in,
                                    int status)
{
    uint32_t used = (uint32_t)(in->next - p->in.next);
    p->in.next = in->next;
    p->in.left -= used;
    p->pos += used;
    if (status != INLAY_MORE)
        return (enum inlay_status)status;
    if (in->last || p->in.left > INLAY_CARRY_MAX)
        return INLAY_E_CORRUPT;
    uint8_t *rest = p->chunk + INLAY_CARRY_MAX - p->in.left;
    memmove(rest, p->in.next, p->in.left);
    p->in.next = rest;
    p->got = 0;
    p->want = 1;
    return INLAY_MORE;
}

void inlay_input_seek(struct inlay_patcher *p, uint32_t pos, const uint8_t *link)
{
    inlay_chain_seek(&p->chain, &p->man, pos, link);
    p->in.next = p->chunk + INLAY_CARRY_MAX;
    p->in.left = 0;
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
    uint32_t end = p->chain.index < p->chain.count ? start + p->chain.step : start + len;
    /* The rest of the chunk before is in front of it, or a resume skips into it. */
    p->in.next = p->pos < start ? chunk - (start - p->pos) : chunk + (p->pos - start);
    p->in.left = end - p->pos;
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
