/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: contexts for bytes that come as new code and data, the most
 * useful ones first; params.votes says how many count.
 */
#ifndef INLAY_WALK_TEXT_H
#define INLAY_WALK_TEXT_H

#include "walk_byte.h"

/* What a byte is. */
enum walk_place {
    PLACE_CODE = 0,  /* to 3: a byte of an instruction, in the order of coding */
    PLACE_DATA = 4,  /* to 7: by position modulo 4 */
    PLACE_FAR = 8,   /* to 10: of a far target, from the top */
    PLACE_TURN = 11, /* to 12: of a literal's turn, from the top */
};

/* A byte that is to be coded, and what is known around it. */
struct walk_text {
    unsigned place;
    uint32_t known;  /* bytes of its instruction, the newest lowest */
    uint32_t before; /* the text before it, or before its halfword */
};

#define MIX_A 0x2c1b3c6du
#define MIX_B 0x3d4d51cbu

/* Halfwords, the high byte first; places 2 and 3: the second half of an instruction. */
static void walk_half_contexts(const struct walk_text *t, uint32_t *ctx)
{
    uint32_t hi1 = t->before & 255u, lo1 = t->before >> 8 & 255u;
    uint32_t half2 = t->before >> 16, hi2 = half2 & 255u;
    uint32_t key = t->place >> 1 | (t->place & 1u ? (t->known & 255u) << 1 | 0x200u : 0u);
    ctx[0] = key;
    ctx[1] = key | hi1 << 10 | 1u << 18;
    ctx[2] = key | (t->before & 0xffffu) << 10 | 2u << 28;
    ctx[3] = key | (t->place & 1u ? lo1 : hi2) << 18 | (t->place & 1u ? 0u : hi1) << 10 | 3u << 28;
    ctx[4] = key ^ t->before * MIX_B;
    ctx[5] = key | (uint32_t)(half2 << 10) | 5u << 28;
    ctx[6] = key | (hi1 << 8 | (t->place & 1u ? hi2 : lo1 & 7u)) << 10 | 6u << 28;
    ctx[7] = key | (t->before & 0xf8c7u) << 10 | 8u << 28;
}

/* Instructions of two to four bytes, byte by byte. */
static void walk_parcel_contexts(const struct walk *s, const struct walk_text *t, uint32_t *ctx)
{
    uint32_t key = (uint32_t)t->place << 28;
    uint32_t b = t->before;
    ctx[0] = (b & 0xffu) | 5u << 24;
    ctx[1] = key ^ (t->known * MIX_B + 2u);
    ctx[2] = (key | (s->parcel & 255u) << 8 | (t->known & 255u)) ^ 3u << 24;
    ctx[3] = (b & 0xffffu) | 4u << 24;
    ctx[4] = (b & 0xffffffu) | 6u << 24;
    ctx[5] = key | (b >> 16 & 0xffu) | 7u << 24;
    ctx[6] = b * MIX_B + 8u;
    ctx[7] = key | (b >> 8 & 0xffffu) | 9u << 24;
}

/* Anything else: by the bytes before, and PLACE_DATA + position modulo 4. */
static void walk_plain_contexts(const struct walk_text *t, uint32_t *ctx)
{
    uint32_t b = t->before, at = t->place & 3u;
    ctx[0] = at | 1u << 24;
    ctx[1] = (b & 255u) << 2 | at | 2u << 24;
    ctx[2] = (b & 0xffffu) | 3u << 24;
    ctx[3] = (b & 0xffffffu) | 4u << 24;
    ctx[4] = (b >> 8 & 255u) << 2 | at | 5u << 24;
    ctx[5] = b * MIX_B + 6u;
    ctx[6] = (b >> 16 & 0xffffu) << 2 | at | 7u << 24;
    ctx[7] = (b >> 24) << 2 | at | 8u << 24;
}

/* Targets and turns: all that is known of it, and what came before the instruction. */
static void walk_field_contexts(const struct walk *s, const struct walk_text *t, uint32_t *ctx)
{
    uint32_t key = (t->known ^ (uint32_t)t->place << 24) * MIX_A;
    uint32_t b = t->before;
    ctx[0] = key;
    ctx[1] = key ^ ((b & 0xffffu) + 0x10000u) * MIX_B;
    ctx[2] = key ^ (s->far + 1u) * MIX_B;
    ctx[3] = key ^ ((b & 0xffu) + 0x200u) * MIX_B;
    ctx[4] = key ^ b * MIX_B ^ 5u;
    ctx[5] = key ^ ((b >> 16) + 0x40000u) * MIX_B;
    ctx[6] = (t->known & 255u) + ((uint32_t)t->place << 24);
    ctx[7] = key ^ (s->pos >> 9) * MIX_B ^ 7u;
}

/* Which kind of byte comes before one of an instruction. */
static unsigned walk_usual_kind(const struct walk *s, const struct walk_text *t)
{
    if (!walk_knows_usual(&s->params) || t->place > PLACE_CODE + 1u)
        return INLAY_USUAL_KINDS;
    return inlay_usual_at(s->scene.arch->usual->kind[t->place],
                          (t->place == PLACE_CODE ? t->before : t->known) & 255u);
}

/* Contexts of a byte, and what is usual there. */
static void walk_text_contexts(struct walk *s, const struct walk_text *t, uint32_t *ctx)
{
    unsigned kind = s->scene.arch->literal_kind;
    s->usual = (uint8_t)walk_usual_kind(s, t);
    if (t->place >= PLACE_FAR)
        walk_field_contexts(s, t, ctx);
    else if (t->place >= PLACE_DATA)
        walk_plain_contexts(t, ctx);
    else if (kind == INLAY_LITERAL_HALVES)
        walk_half_contexts(t, ctx);
    else if (kind == INLAY_LITERAL_PARCELS)
        walk_parcel_contexts(s, t, ctx);
    else
        walk_plain_contexts(t, ctx);
}

#endif
