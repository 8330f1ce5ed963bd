/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: the text, which is what contexts see of the image so far.  It is
 * the image's bytes, but for instructions with far targets and literal loads:
 * these stand in it by what they refer to, the same wherever they are.
 */
#ifndef INLAY_WALK_NOTE_H
#define INLAY_WALK_NOTE_H

#include "walk_guess.h"

/* First bytes that no Thumb instruction has stand for those with far targets. */
enum { THUMB_JUMP = 0xb7, THUMB_CALL = 0xb8 };

/* Address of what is at s->pos, in the image that is learned from or else the new one. */
static uint32_t walk_here(const struct walk *s)
{
    uint32_t addr;
    if (s->side == INLAY_NEW)
        return walk_new_addr(s, s->pos);
    inlay_scene_addr(&s->scene, INLAY_OLD, s->pos, &addr);
    return addr;
}

/* What the instruction refers to in the new image. */
static uint32_t walk_far_target(const struct walk *s, const uint8_t *b, unsigned len)
{
    struct inlay_unit u;
    struct inlay_arch_state st = {{0}, 0};
    enum walk_quality quality;
    s->scene.arch->parse(&st, b, len, walk_here(s), &u);
    return s->side == INLAY_NEW ? u.target : walk_map_target(s, u.target, &quality);
}

/* Before the text starts, and where it starts anew. */
static void walk_forget_text(struct walk *s)
{
    s->side = INLAY_NEW;
    s->before = 0;
    s->parcel = 0;
    s->far = s->word = 0;
}

static void walk_note_byte(struct walk *s, unsigned byte)
{
    s->before = s->before << 8 | (byte & 255u);
}

static void walk_note_bytes(struct walk *s, const uint8_t *b, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        walk_note_byte(s, b[i]);
}

/* An instruction with a far target: that, in units of 1 << shift bytes, and what it is. */
static void walk_note_far(struct walk *s, const uint8_t *b, unsigned len, unsigned shift,
                          unsigned kind)
{
    s->far = walk_far_target(s, b, len);
    walk_note_byte(s, s->far >> shift);
    walk_note_byte(s, kind);
}

/* ---- Thumb ---- */

/* THUMB_CALL, THUMB_JUMP, or 0 for anything else. */
static unsigned walk_thumb_far(const uint8_t *b, unsigned len)
{
    uint32_t lo = len == 4 ? inlay_get16(b + 2) & 0xd000u : 0;
    if ((inlay_get16(b) & 0xf800u) != 0xf000u)
        return 0;
    return lo == 0xd000u ? THUMB_CALL : lo == 0x9000u ? THUMB_JUMP : 0;
}

static unsigned walk_thumb_is_load(unsigned hi)
{
    return (hi & 0xf8u) == 0x48u;
}

/* 1 if loads around here are known to take words from a pool ahead. */
static unsigned walk_thumb_pool(const struct walk *s)
{
    return s->word - walk_here(s) - 1u < 4096u;
}

/* A load's offset as its turn, 0 being the next word of the pool, 1 the last one; its own inverse.
 */
static unsigned walk_thumb_turn(const struct walk *s, unsigned imm)
{
    uint32_t from = (walk_here(s) + 4u) & ~(uint32_t)3;
    uint32_t next = walk_thumb_pool(s) ? s->word : from;
    return (((next - from) >> 2) - imm) & 255u;
}

static void walk_thumb_take(struct walk *s, unsigned imm)
{
    uint32_t end = ((walk_here(s) + 4u) & ~(uint32_t)3) + 4u * imm + 4u;
    if (!walk_thumb_pool(s) || end - s->word < 4096u)
        s->word = end;
}

static void walk_note_thumb(struct walk *s, const uint8_t *b, unsigned len)
{
    unsigned far = len == 4 ? walk_thumb_far(b, len) : 0;
    if (far) {
        walk_note_far(s, b, len, 1, far);
    } else if (len == 2 && walk_thumb_is_load(b[1])) {
        walk_note_byte(s, walk_thumb_turn(s, b[0]));
        walk_note_byte(s, b[1]);
        walk_thumb_take(s, b[0]);
    } else {
        walk_note_bytes(s, b, len);
    }
}

/* ---- Xtensa ---- */

enum { XTENSA_LOAD = 1, XTENSA_CALL = 5 }; /* low nibbles: L32R, CALLN */

/* A load's offset as its turn, as above; literals of a function follow each other. */
static uint32_t walk_xtensa_turn(const struct walk *s, uint32_t imm)
{
    return ((s->word >> 2) - ((walk_here(s) + 3u) >> 2) - imm) & 0xffffu;
}

static void walk_xtensa_take(struct walk *s, uint32_t imm)
{
    if (walk_xtensa_turn(s, imm) - 1u >= 100u)
        s->word = (((walk_here(s) + 3u) >> 2) + imm + 1u) << 2;
}

static void walk_note_xtensa(struct walk *s, const uint8_t *b, unsigned len)
{
    if (len == 3 && (b[0] & 15u) == XTENSA_CALL) {
        walk_note_far(s, b, len, 2, b[0] & 0x3fu);
    } else if (len == 3 && (b[0] & 15u) == XTENSA_LOAD) {
        uint32_t imm = inlay_get16(b + 1);
        walk_note_byte(s, walk_xtensa_turn(s, imm));
        walk_note_byte(s, b[0]);
        walk_xtensa_take(s, imm);
    } else {
        walk_note_bytes(s, b, len);
    }
}

/* ---- RISC-V ---- */

/* Opcodes that are not in use stand for JAL with ra and without a register. */
enum { RISCV_JUMP = 0x6b, RISCV_CALL = 0xeb, RISCV_JAL = 0x04 /* more than these */ };

/* RISCV_CALL, RISCV_JUMP, or 0 for anything else. */
static unsigned walk_riscv_far(const uint8_t *b, unsigned len)
{
    unsigned kind = b[0] - (unsigned)RISCV_JAL;
    return len == 4 && !(b[1] & 15u) && (kind == RISCV_CALL || kind == RISCV_JUMP) ? kind : 0;
}

static void walk_note_riscv(struct walk *s, const uint8_t *b, unsigned len)
{
    unsigned far = walk_riscv_far(b, len);
    if (far) {
        walk_note_far(s, b, len, 1, far);
    } else {
        walk_note_bytes(s, b, len);
    }
}

/* Adds an instruction, or what else there is at s->pos, to the text. */
static void walk_note(struct walk *s, const uint8_t *b, unsigned len)
{
    if (s->scene.arch->id == INLAY_ARCH_THUMB2)
        walk_note_thumb(s, b, len);
    else if (s->scene.arch->id == INLAY_ARCH_XTENSA)
        walk_note_xtensa(s, b, len);
    else if (s->scene.arch->id == INLAY_ARCH_RISCV)
        walk_note_riscv(s, b, len);
    else
        walk_note_bytes(s, b, len);
}

#endif
