/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A codec for tests: the payload spells out steps and bytes.
 *
 *   plan:  count, then count times pos, len (the pool's ranges)
 *   body:  'D' block len | 'S' block len, then until len bytes are made
 *            'L' len bytes...   new data, each byte plus the number of commits so far
 *            'O' len pos        copied from the old image
 *          'C' check...         commit
 *          'E'                  end
 *
 * Numbers are 4 bytes, little-endian.  What save() keeps is the number of
 * commits, so a resume that loses it decodes the wrong bytes.
 */
#ifndef RAW_CODEC_H
#define RAW_CODEC_H

#include "bits.h"
#include "codec.h"

#include <string.h>

#define RAW_CODEC_ID 3u
#define RAW_POOL_MAX 8u

struct raw_state {
    struct inlay_codec_setup setup;
    struct inlay_range pool[RAW_POOL_MAX];
    uint32_t pool_count, pool_read;
    uint8_t have_count;
    uint32_t commits;
    uint32_t block_left;
    uint8_t op;
    uint32_t op_left, op_pos;
};

static size_t raw_need(const struct inlay_codec *self, const uint8_t *params, size_t params_len)
{
    (void)self;
    return params_len == 1 && params[0] == 7 ? sizeof(struct raw_state) : 0;
}

static int raw_begin(const struct inlay_codec *self, void *state,
                     const struct inlay_codec_setup *setup)
{
    struct raw_state *s = state;
    (void)self;
    memset(s, 0, sizeof *s);
    s->setup = *setup;
    return INLAY_OK;
}

/* Takes n bytes, or none. */
static const uint8_t *raw_take(struct inlay_input *in, size_t n)
{
    const uint8_t *b = in->next;
    if (in->left < n)
        return NULL;
    in->next += n;
    in->left -= n;
    return b;
}

static int raw_plan(void *state, struct inlay_input *in)
{
    struct raw_state *s = state;
    const uint8_t *b;
    if (!s->have_count) {
        if ((b = raw_take(in, 4)) == NULL)
            return INLAY_MORE;
        s->pool_count = inlay_get32(b);
        s->have_count = 1;
        if (s->pool_count > RAW_POOL_MAX)
            return INLAY_E_CORRUPT;
    }
    while (s->pool_read < s->pool_count) {
        if ((b = raw_take(in, 8)) == NULL)
            return INLAY_MORE;
        s->pool[s->pool_read].pos = inlay_get32(b);
        s->pool[s->pool_read++].len = inlay_get32(b + 4);
    }
    return INLAY_OK;
}

static const struct inlay_range *raw_pool(const void *state, size_t *count)
{
    const struct raw_state *s = state;
    *count = s->pool_count;
    return s->pool;
}

static int raw_next(void *state, struct inlay_input *in, struct inlay_step_cmd *cmd)
{
    struct raw_state *s = state;
    size_t len = 1;
    memset(cmd, 0, sizeof *cmd);
    if (in->left == 0)
        return INLAY_MORE;
    if (*in->next == 'D' || *in->next == 'S')
        len = 9;
    else if (*in->next == 'C')
        len = 1u + s->setup.check_len;
    const uint8_t *b = raw_take(in, len);
    if (b == NULL)
        return INLAY_MORE;
    switch (b[0]) {
    case 'D':
    case 'S':
        cmd->kind = b[0] == 'D' ? INLAY_STEP_DIRECT : INLAY_STEP_STAGED;
        cmd->block = inlay_get32(b + 1);
        cmd->len = s->block_left = inlay_get32(b + 5);
        return INLAY_OK;
    case 'C':
        cmd->kind = INLAY_STEP_COMMIT;
        cmd->check_len = s->setup.check_len;
        memcpy(cmd->check, b + 1, cmd->check_len);
        s->commits++;
        return INLAY_OK;
    case 'E':
        cmd->kind = INLAY_STEP_END;
        return INLAY_OK;
    }
    return INLAY_E_CORRUPT;
}

static int raw_open_op(struct raw_state *s, struct inlay_input *in)
{
    size_t len = in->left > 0 && *in->next == 'O' ? 9u : 5u;
    const uint8_t *b = raw_take(in, len);
    if (b == NULL)
        return INLAY_MORE;
    s->op = b[0];
    s->op_left = inlay_get32(b + 1);
    s->op_pos = len == 9 ? inlay_get32(b + 5) : 0;
    return (s->op == 'O' || s->op == 'L') && s->op_left > 0 && s->op_left <= s->block_left
               ? INLAY_OK
               : INLAY_E_CORRUPT;
}

static int raw_run_op(struct raw_state *s, struct inlay_input *in, uint8_t *out, size_t cap,
                      size_t *n)
{
    *n = s->op_left < cap ? s->op_left : cap;
    if (s->op == 'O') {
        int st = s->setup.old.read(s->setup.old.ctx, s->op_pos, out, (uint32_t)*n);
        s->op_pos += (uint32_t)*n;
        return st;
    }
    if (*n > in->left)
        *n = in->left;
    const uint8_t *b = raw_take(in, *n);
    for (size_t i = 0; i < *n; i++)
        out[i] = (uint8_t)(b[i] + s->commits);
    return *n > 0 ? INLAY_OK : INLAY_MORE;
}

static int raw_produce(void *state, struct inlay_input *in, uint8_t *out, size_t cap, size_t *made,
                       uint32_t *from)
{
    struct raw_state *s = state;
    *made = 0;
    while (*made < cap && s->block_left > 0 && (*made == 0 || s->op_left != 0)) {
        int st = s->op_left == 0 ? raw_open_op(s, in) : INLAY_OK;
        size_t n = 0;
        if (*made == 0)
            *from = s->op == 'O' ? s->op_pos : INLAY_NOWHERE;
        if (st == INLAY_OK)
            st = raw_run_op(s, in, out + *made, cap - *made, &n);
        if (st != INLAY_OK)
            return st;
        *made += n;
        s->op_left -= (uint32_t)n;
        s->block_left -= (uint32_t)n;
    }
    return INLAY_OK;
}

static size_t raw_save(const void *state, uint8_t *buf)
{
    const struct raw_state *s = state;
    inlay_put32(buf, s->commits);
    memset(buf + 4, 0xA5, 60);
    return 64;
}

static int raw_load(void *state, const uint8_t *buf, size_t len)
{
    struct raw_state *s = state;
    if (len != 64 || buf[63] != 0xA5)
        return INLAY_E_JOURNAL;
    s->commits = inlay_get32(buf);
    return INLAY_OK;
}

static const struct inlay_codec raw_codec = {.id = RAW_CODEC_ID,
                                             .need = raw_need,
                                             .begin = raw_begin,
                                             .plan = raw_plan,
                                             .pool = raw_pool,
                                             .next = raw_next,
                                             .produce = raw_produce,
                                             .save = raw_save,
                                             .load = raw_load};
static const struct inlay_codec *const raw_codecs[] = {&raw_codec, NULL};

#endif
