/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "New data" and "Taught models". */
#include "small.h"

#include <string.h>

uint32_t tail_bytes(const struct small *s)
{
    return s->tail[0] | (uint32_t)s->tail[1] << 8 | (uint32_t)s->tail[2] << 16 |
           (uint32_t)s->tail[3] << 24;
}

void pass_bytes(struct small *s, const uint8_t *bytes, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        memmove(s->tail + 1, s->tail, 3);
        s->tail[0] = bytes[i];
    }
    s->pos += len;
    s->run_left -= len;
}

static void half_contexts(const struct text *t, uint32_t *ctx)
{
    int low = t->place % 2;
    uint32_t b = t->before, a1 = b % 256, a2 = b / 256 % 256, a3 = b >> 16 & 255;
    uint32_t key = (low ? 512 + 2 * (t->known % 256) : 0) + t->place / 2;
    ctx[0] = key;
    ctx[1] = key | 1u << 18 | a1 << 10;
    ctx[2] = key | 2u << 28 | (a2 << 8 | a1) << 10;
    ctx[3] = key | 3u << 28 | (low ? a2 << 18 : a3 << 18 | a1 << 10);
    ctx[4] = key ^ (b * 0x3d4d51cbu);
    ctx[5] = key | 5u << 28 | b >> 16 << 10;
    ctx[6] = key | 6u << 28 | a1 << 18 | (low ? a3 : a2 % 8) << 10;
    ctx[7] = key | 8u << 28 | (b & 0xf8c7) << 10;
}

static void parcel_contexts(const struct small *s, const struct text *t, uint32_t *ctx)
{
    uint32_t b = t->before, at = t->place << 28;
    ctx[0] = 5u << 24 | b % 256;
    ctx[1] = at ^ (t->known * 0x3d4d51cbu + 2);
    ctx[2] = (at | (uint32_t)s->last_parcel << 8 | t->known % 256) ^ 3u << 24;
    ctx[3] = 4u << 24 | b % 65536;
    ctx[4] = 6u << 24 | (b & 0xffffff);
    ctx[5] = at | 7u << 24 | (b >> 16 & 255);
    ctx[6] = b * 0x3d4d51cbu + 8;
    ctx[7] = at | 9u << 24 | (b >> 8 & 0xffff);
}

static void plain_contexts(const struct text *t, uint32_t *ctx)
{
    uint32_t b = t->before, at = t->place % 4;
    ctx[0] = 1u << 24 | at;
    ctx[1] = 2u << 24 | b % 256 << 2 | at;
    ctx[2] = 3u << 24 | b % 65536;
    ctx[3] = 4u << 24 | (b & 0xffffff);
    ctx[4] = 5u << 24 | (b >> 8 & 255) << 2 | at;
    ctx[5] = b * 0x3d4d51cbu + 6;
    ctx[6] = 7u << 24 | (b >> 16) << 2 | at;
    ctx[7] = 8u << 24 | (b >> 24) << 2 | at;
}

void text_contexts(const struct small *s, const struct text *t, uint32_t *ctx)
{
    if (t->place < 4 && s->scene.cpu->fresh == BY_HALVES)
        half_contexts(t, ctx);
    else if (t->place < 4 && s->scene.cpu->fresh == BY_PARCELS)
        parcel_contexts(s, t, ctx);
    else
        plain_contexts(t, ctx);
}

static unsigned new_byte(struct small *s, const struct text *t, unsigned set, unsigned i)
{
    uint32_t ctx[8];
    text_contexts(s, t, ctx);
    return mixed_byte(s, ctx, set, i);
}

static unsigned new_half(struct small *s, uint8_t *out)
{
    unsigned half = s->second_half;
    struct text t = {2 * half, 0, tail_bytes(s)};
    out[1] = (uint8_t)new_byte(s, &t, half, 1);
    t.place++;
    t.known = out[1];
    out[0] = (uint8_t)new_byte(s, &t, 2 + half, 0);
    s->second_half = !half && out[1] >= 0xe8;
    return 2;
}

/* An instruction of two to four bytes, or what of it fits the run. */
static unsigned new_parcel(struct small *s, uint8_t *out)
{
    struct text t = {0, 0, tail_bytes(s)};
    unsigned len = 1;
    while (t.place < len) {
        unsigned i = t.place;
        out[i] = (uint8_t)new_byte(s, &t, i, i);
        t.known = t.known << 8 | out[i];
        t.before = t.before << 8 | out[i];
        if (i == 0 && s->scene.cpu_id == CPU_XTENSA)
            len = out[0] % 16 >= 8 && out[0] % 16 < 14 ? 2 : 3;
        else if (i == 0)
            len = out[0] % 4 == 3 ? 4 : 2;
        if (len > s->run_left)
            len = s->run_left;
        t.place++;
    }
    s->last_parcel = out[0];
    return len;
}

unsigned new_unit(struct small *s, uint8_t *out)
{
    if (s->scene.cpu->fresh == BY_HALVES && s->run_left >= 2 && s->pos % 2 == 0)
        return new_half(s, out);
    if (s->scene.cpu->fresh == BY_PARCELS)
        return new_parcel(s, out);
    struct text t = {4 + s->pos % 4, 0, tail_bytes(s)};
    out[0] = (uint8_t)new_byte(s, &t, t.place, 0);
    return 1;
}

/* ---- taught models ---- */

static void learn_text(struct small *s, const uint8_t *bytes, uint32_t len)
{
    uint8_t unit[UNIT_MAX];
    s->run_left = len;
    while (s->run_left > 0) {
        s->lesson_text = bytes + (len - s->run_left);
        pass_bytes(s, s->lesson_text, new_unit(s, unit));
    }
    s->lesson_text = NULL;
}

void learn_copy(struct small *s, const uint8_t *bytes, unsigned len)
{
    uint32_t left = s->run_left;
    learn_text(s, bytes, len);
    s->run_left = left - len;
}

void learn_old_text(struct small *s)
{
    uint32_t size = s->p->old_size, n = size < 262144 ? size : 262144;
    s->pos = (size - n) / 2 / 4 * 4;
    learn_text(s, s->old + s->pos, n);
    memset(s->tail, 0, sizeof s->tail);
    s->second_half = s->last_parcel = 0;
}
