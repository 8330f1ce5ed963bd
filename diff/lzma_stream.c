/* SPDX-License-Identifier: Apache-2.0 */
#include "lzma_stream.h"

static void *arena_take(void *opaque, size_t count, size_t size)
{
    struct inlay_lzma_stream *a = opaque;
    if (size && count > SIZE_MAX / 2 / size)
        return NULL;
    size_t len = (count * size + 15u) & ~(size_t)15u;
    if (len > a->size - a->used)
        return NULL;
    void *at = a->memory + a->used;
    a->used += len;
    return at;
}

/* All of it is given back at once, when a stream starts. */
static void arena_give(void *opaque, void *ptr)
{
    (void)opaque;
    (void)ptr;
}

int inlay_lzma_starve(const struct inlay_input *in)
{
    return in->last ? INLAY_E_CORRUPT : INLAY_MORE;
}

/* Every stream starts with an empty dictionary, so that a group can be redone alone. */
int inlay_lzma_open(struct inlay_lzma_stream *s, const struct inlay_lzma_params *params)
{
    static const lzma_stream fresh = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    lzma_filter filters[2];
    inlay_lzma_filters(params, &options, filters);
    s->used = 0;
    s->allocator = (lzma_allocator){arena_take, arena_give, s};
    s->lzma = fresh;
    s->lzma.allocator = &s->allocator;
    if (lzma_raw_decoder(&s->lzma, filters) != LZMA_OK)
        return INLAY_E_LIMIT;
    s->open = 1;
    return INLAY_OK;
}

static int run_stream(struct inlay_lzma_stream *s, struct inlay_input *in, lzma_ret *ret)
{
    s->lzma.next_in = in->next;
    s->lzma.avail_in = in->left;
    *ret = lzma_code(&s->lzma, LZMA_RUN);
    in->next = s->lzma.next_in;
    in->left = s->lzma.avail_in;
    if (*ret == LZMA_OK || *ret == LZMA_STREAM_END || *ret == LZMA_BUF_ERROR)
        return INLAY_OK;
    return *ret == LZMA_MEM_ERROR || *ret == LZMA_MEMLIMIT_ERROR ? INLAY_E_LIMIT : INLAY_E_CORRUPT;
}

int inlay_lzma_inflate(struct inlay_lzma_stream *s, struct inlay_input *in, uint8_t *out,
                       uint32_t want, uint32_t *got)
{
    while (*got < want) {
        lzma_ret ret;
        s->lzma.next_out = out + *got;
        s->lzma.avail_out = want - *got;
        int status = run_stream(s, in, &ret);
        if (status)
            return status;
        uint32_t now = want - (uint32_t)s->lzma.avail_out;
        int stuck = now == *got;
        *got = now;
        if (*got < want && ret == LZMA_STREAM_END)
            return INLAY_E_CORRUPT;
        if (*got < want && in->left == 0 && stuck)
            return inlay_lzma_starve(in);
    }
    return INLAY_OK;
}

int inlay_lzma_close(struct inlay_lzma_stream *s, struct inlay_input *in)
{
    while (s->open) {
        lzma_ret ret;
        uint8_t surplus;
        size_t left = in->left;
        s->lzma.next_out = &surplus;
        s->lzma.avail_out = 1;
        int status = run_stream(s, in, &ret);
        if (status || s->lzma.avail_out == 0)
            return INLAY_E_CORRUPT;
        if (ret == LZMA_STREAM_END)
            s->open = 0;
        else if (in->left == 0)
            return inlay_lzma_starve(in);
        else if (in->left == left && ret == LZMA_BUF_ERROR)
            return INLAY_E_CORRUPT;
    }
    return INLAY_OK;
}
