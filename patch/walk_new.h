/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: new code and data, an instruction at a time where the processor is known. */
#ifndef INLAY_WALK_NEW_H
#define INLAY_WALK_NEW_H

#include "walk_note.h"

#define NEW_MAX 4u /* bytes of the longest instruction here */

/* Sets of weights. */
enum { SET_HALF = 0, SET_PARCEL = 0, SET_DATA = 4, SET_MISS = 8, SET_FAR = 16, SET_TURN = 19 };

/* What is to come, as far as it is known: to the differ, or while it is taught. */
static void walk_want(struct walk *s, uint8_t *want, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        want[i] = s->taught ? s->taught[i] : (uint8_t)INLAY_WANT(truth_byte(s, i));
}

/* Decides the byte at t->place, which then is known. */
static unsigned walk_text_byte(struct walk *s, struct walk_text *t, unsigned set, unsigned want)
{
    uint32_t ctx[INLAY_MIX_VOTES_MAX];
    walk_text_contexts(s, t, ctx);
    unsigned byte = walk_new_byte(s, ctx, set, want);
    t->place++;
    t->known = t->known << 8 | byte;
    return byte;
}

/* A far target, in some unit: 24 bits. */
static uint32_t walk_new_far(struct walk *s, struct walk_text *t, unsigned kind, uint32_t want)
{
    t->place = PLACE_FAR;
    t->known = kind;
    for (unsigned i = 0; i < 3; i++)
        walk_text_byte(s, t, SET_FAR + i, want >> (16u - 8u * i) & 255u);
    return t->known & 0xffffffu;
}

/* Makes the instruction in b, which has some target, refer to this one. */
static void walk_new_aim(struct walk *s, uint8_t *b, unsigned len, uint32_t target)
{
    struct inlay_unit u;
    struct inlay_arch_state st = {{0}, 0};
    uint32_t here = walk_here(s);
    s->scene.arch->parse(&st, b, len, here, &u);
    s->scene.arch->aim(&st, &u, b, here, here, target);
}

/* Whether what looks like an instruction with a far target is one. */
static unsigned walk_is_far(struct walk *s, unsigned is_call, unsigned far)
{
    return s->taught ? far != 0 : walk_bit(s, FLAG_FAR + is_call, far != 0);
}

/* ---- halfwords: Thumb, AVR ---- */

static void walk_thumb_new_far(struct walk *s, struct walk_text *t, unsigned kind,
                               const uint8_t *want, uint8_t *out)
{
    uint32_t pc = walk_here(s) + 4u, target = walk_far_target(s, want, 4);
    target = walk_new_far(s, t, kind, target >> 1 & 0xffffffu) << 1 | (pc & 1u);
    inlay_put16(out, 0xf000u);
    inlay_put16(out + 2, kind == THUMB_CALL ? 0xd000u : 0x9000u);
    walk_new_aim(s, out, 4, pc + inlay_sign(target - pc, 25));
}

/* The low byte of a halfword whose high one is known: of loads, the turn. */
static void walk_thumb_new_low(struct walk *s, struct walk_text *t, unsigned want, uint8_t *out)
{
    if (!walk_thumb_is_load(out[1])) {
        out[0] = (uint8_t)walk_text_byte(s, t, SET_HALF + 2u, want);
        return;
    }
    if (!walk_thumb_pool(s))
        t->place = PLACE_CODE + 3u; /* where such bytes are rare: keeps the two kinds apart */
    out[0] =
        (uint8_t)walk_thumb_turn(s, walk_text_byte(s, t, SET_HALF + 2u, walk_thumb_turn(s, want)));
}

/* The high byte first: it says what the instruction is. */
static unsigned walk_new_thumb(struct walk *s, uint8_t *out)
{
    uint8_t want[NEW_MAX] = {0};
    unsigned len = s->run_left < 4u ? 2u : 4u;
    struct walk_text t = {.place = PLACE_CODE, .before = s->before};
    walk_want(s, want, len);
    unsigned far = walk_thumb_far(want, len);
    unsigned hi = walk_text_byte(s, &t, SET_HALF, far ? far : want[1]);
    if (len == 4 && (hi == THUMB_CALL || hi == THUMB_JUMP) &&
        walk_is_far(s, hi == THUMB_CALL, far)) {
        walk_thumb_new_far(s, &t, hi, want, out);
        return 4;
    }
    out[1] = (uint8_t)hi;
    walk_thumb_new_low(s, &t, want[0], out);
    if (hi < 0xe8u || len < 4u)
        return 2;
    t = (struct walk_text){PLACE_CODE + 2u, 0, s->before << 16 | (uint32_t)out[0] << 8 | hi};
    out[3] = (uint8_t)walk_text_byte(s, &t, SET_HALF + 1u, want[3]);
    out[2] = (uint8_t)walk_text_byte(s, &t, SET_HALF + 3u, want[2]);
    return 4;
}

static unsigned walk_new_half(struct walk *s, uint8_t *out)
{
    uint8_t want[2];
    struct walk_text t = {.place = PLACE_CODE, .before = s->before};
    walk_want(s, want, 2);
    out[1] = (uint8_t)walk_text_byte(s, &t, SET_HALF, want[1]);
    out[0] = (uint8_t)walk_text_byte(s, &t, SET_HALF + 2u, want[0]);
    return 2;
}

/* ---- parcels: Xtensa, RISC-V ---- */

/* How long the instruction is whose first byte this is. */
static unsigned walk_parcel_len(const struct walk *s, unsigned first)
{
    if (s->scene.arch->id == INLAY_ARCH_XTENSA)
        return (first & 15u) >= 8u && (first & 15u) < 14u ? 2u : 3u;
    return (first & 3u) == 3u ? 4u : 2u;
}

static void walk_xtensa_new_call(struct walk *s, struct walk_text *t, const uint8_t *want,
                                 uint8_t *out)
{
    uint32_t from = (walk_here(s) & ~(uint32_t)3) + 4u, target = walk_far_target(s, want, 3);
    target = walk_new_far(s, t, out[0], target >> 2 & 0x3ffffu) << 2;
    out[1] = out[2] = 0;
    walk_new_aim(s, out, 3, from + inlay_sign(target - from, 20));
}

static void walk_xtensa_new_load(struct walk *s, struct walk_text *t, const uint8_t *want,
                                 uint8_t *out)
{
    uint32_t turn = walk_xtensa_turn(s, inlay_get16(want + 1));
    t->place = PLACE_TURN;
    t->known = 0;
    walk_text_byte(s, t, SET_TURN, turn >> 8);
    walk_text_byte(s, t, SET_TURN + 1u, turn & 255u);
    inlay_put16(out + 1, walk_xtensa_turn(s, t->known));
}

/* What is left of an instruction that has a target; 0: this one has none. */
static unsigned walk_xtensa_new_rest(struct walk *s, struct walk_text *t, const uint8_t *want,
                                     uint8_t *out)
{
    if ((out[0] & 15u) == XTENSA_CALL)
        walk_xtensa_new_call(s, t, want, out);
    else if ((out[0] & 15u) == XTENSA_LOAD)
        walk_xtensa_new_load(s, t, want, out);
    else
        return 0;
    return 3;
}

static unsigned walk_riscv_new_rest(struct walk *s, struct walk_text *t, const uint8_t *want,
                                    uint8_t *out)
{
    unsigned kind = out[0];
    if ((kind != RISCV_CALL && kind != RISCV_JUMP) ||
        !walk_is_far(s, kind == RISCV_CALL, walk_riscv_far(want, 4)))
        return 0;
    uint32_t from = walk_here(s), target = walk_far_target(s, want, 4);
    target = walk_new_far(s, t, kind, target >> 1 & 0xffffffu) << 1 | (from & 1u);
    inlay_put32(out, kind + RISCV_JAL);
    walk_new_aim(s, out, 4, from + inlay_sign(target - from, 21));
    return 4;
}

/* How the first byte stands for this instruction. */
static unsigned walk_parcel_first(const struct walk *s, const uint8_t *b, unsigned len)
{
    if (s->scene.arch->id == INLAY_ARCH_XTENSA)
        return len >= 3u && (b[0] & 15u) == XTENSA_CALL ? b[0] & 0x3fu : b[0];
    unsigned far = walk_riscv_far(b, len);
    return far ? far : b[0];
}

/* A whole instruction, or what of it is left in this run. */
static unsigned walk_new_parcel(struct walk *s, uint8_t *out)
{
    uint8_t want[NEW_MAX] = {0};
    struct walk_text t = {.place = PLACE_CODE, .before = s->before};
    unsigned room = s->run_left < NEW_MAX ? s->run_left : NEW_MAX, len = 0;
    walk_want(s, want, room);
    out[0] = (uint8_t)walk_text_byte(s, &t, SET_PARCEL, walk_parcel_first(s, want, room));
    s->parcel = out[0];
    if (s->scene.arch->id == INLAY_ARCH_XTENSA && room >= 3u)
        len = walk_xtensa_new_rest(s, &t, want, out);
    else if (s->scene.arch->id == INLAY_ARCH_RISCV && room == 4u)
        len = walk_riscv_new_rest(s, &t, want, out);
    if (len)
        return len;
    len = walk_parcel_len(s, out[0]);
    len = len < room ? len : room;
    for (unsigned i = 1; i < len; i++) {
        t.before = t.before << 8 | out[i - 1u];
        out[i] = (uint8_t)walk_text_byte(s, &t, SET_PARCEL + i, want[i]);
    }
    return len;
}

/* The next unit of new code or data: out has it, but while it is taught. */
static unsigned walk_new_unit(struct walk *s, uint8_t *out)
{
    const struct inlay_arch *arch = s->scene.arch;
    INLAY_ACCOUNT(s, new_data);
    if (arch->literal_kind == INLAY_LITERAL_HALVES && s->run_left >= 2 && !(s->pos & 1u))
        return arch->id == INLAY_ARCH_THUMB2 ? walk_new_thumb(s, out) : walk_new_half(s, out);
    if (arch->literal_kind == INLAY_LITERAL_PARCELS)
        return walk_new_parcel(s, out);
    struct walk_text t = {.place = PLACE_DATA + (s->pos & 3u), .before = s->before};
    uint8_t want;
    walk_want(s, &want, 1);
    out[0] = (uint8_t)walk_text_byte(s, &t, t.place, want);
    return 1;
}

#endif
