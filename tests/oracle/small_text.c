/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "New data" and "Taught models". */
#include "../../patch/usual.h" /* what is usual, which is part of the format */
#include "small.h"

#include <string.h>

/* ---- the text ---- */

enum { THUMB_JUMP = 0xb7, THUMB_CALL = 0xb8 };

void forget_text(struct small *s)
{
    s->text = s->far = s->word = 0;
    s->last_parcel = 0;
}

static void note(struct small *s, uint32_t byte)
{
    s->text = s->text << 8 | byte % 256;
}

static uint32_t here(const struct small *s)
{
    return s->in_old ? old_addr_of(&s->scene, s->pos) : new_addr_of(&s->scene, s->pos);
}

/* Where an instruction leads in the new image. */
static uint32_t leads_to(const struct small *s, const uint8_t *b, unsigned len)
{
    struct registers none = {{0}, 0};
    struct unit u;
    unsigned quality;
    cpu_parse(s->scene.cpu_id, &none, b, len, here(s), &u);
    return s->in_old ? where_to(s, u.target, &quality) : u.target;
}

/* The text of an instruction that leads far: where to, in units of so many bytes, and its kind. */
static void note_far(struct small *s, const uint8_t *b, unsigned len, unsigned unit, unsigned kind)
{
    s->far = leads_to(s, b, len);
    note(s, s->far / unit);
    note(s, kind);
}

static void note_all(struct small *s, const uint8_t *b, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        note(s, b[i]);
}

static unsigned thumb_far(const uint8_t *b, unsigned len)
{
    if (len != 4 || (b[1] & 0xf8) != 0xf0)
        return 0;
    return (b[3] & 0xd0) == 0xd0 ? THUMB_CALL : (b[3] & 0xd0) == 0x90 ? THUMB_JUMP : 0;
}

static int thumb_load(unsigned second_byte)
{
    return second_byte / 8 == 9;
}

static int pool_ahead(const struct small *s)
{
    uint32_t ahead = s->word - here(s);
    return ahead >= 1 && ahead <= 4096;
}

static unsigned thumb_turn(const struct small *s, unsigned imm)
{
    uint32_t pc = (here(s) + 4) & ~3u;
    uint32_t words = pool_ahead(s) ? (s->word - pc) / 4 : 0;
    return (words - imm) % 256;
}

static uint32_t xtensa_turn(const struct small *s, uint32_t imm)
{
    return (s->word / 4 - (here(s) + 3) / 4 - imm) % 65536;
}

static void note_thumb(struct small *s, const uint8_t *b, unsigned len)
{
    unsigned far = thumb_far(b, len);
    if (far) {
        note_far(s, b, 4, 2, far);
    } else if (len == 2 && thumb_load(b[1])) {
        note(s, thumb_turn(s, b[0]));
        note(s, b[1]);
        uint32_t end = ((here(s) + 4) & ~3u) + 4u * b[0] + 4;
        if (!pool_ahead(s) || end - s->word < 4096)
            s->word = end;
    } else {
        note_all(s, b, len);
    }
}

static void note_xtensa(struct small *s, const uint8_t *b, unsigned len)
{
    if (len == 3 && b[0] % 16 == 5) {
        note_far(s, b, 3, 4, b[0] % 64);
    } else if (len == 3 && b[0] % 16 == 1) {
        uint32_t imm = get16(b + 1), turn = xtensa_turn(s, imm);
        note(s, turn);
        note(s, b[0]);
        if (turn == 0 || turn > 100)
            s->word = ((here(s) + 3) / 4 + imm + 1) * 4;
    } else {
        note_all(s, b, len);
    }
}

enum { RISCV_JUMP = 0x6b, RISCV_CALL = 0xeb };

static unsigned riscv_far(const uint8_t *b, unsigned len)
{
    if (len != 4 || b[1] % 16 != 0)
        return 0;
    return b[0] == 0xef ? RISCV_CALL : b[0] == 0x6f ? RISCV_JUMP : 0;
}

static void note_riscv(struct small *s, const uint8_t *b, unsigned len)
{
    unsigned far = riscv_far(b, len);
    if (far) {
        note_far(s, b, 4, 2, far);
    } else {
        note_all(s, b, len);
    }
}

void pass_bytes(struct small *s, const uint8_t *bytes, unsigned len)
{
    if (s->scene.cpu_id == CPU_THUMB2)
        note_thumb(s, bytes, len);
    else if (s->scene.cpu_id == CPU_XTENSA)
        note_xtensa(s, bytes, len);
    else if (s->scene.cpu_id == CPU_RISCV)
        note_riscv(s, bytes, len);
    else
        note_all(s, bytes, len);
    s->pos += len;
    s->run_left -= len;
}

/* ---- contexts ---- */

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

/* The bytes of a far target are at places 8 to 10, those of a literal's turn at 11 and 12. */
static void field_contexts(const struct small *s, const struct text *t, uint32_t *ctx)
{
    uint32_t b = t->before;
    uint32_t key = (t->place << 24 ^ t->known) * 0x2c1b3c6du;
    ctx[0] = key;
    ctx[1] = key ^ (65536 + b % 65536) * 0x3d4d51cbu;
    ctx[2] = key ^ (s->far + 1) * 0x3d4d51cbu;
    ctx[3] = key ^ (512 + b % 256) * 0x3d4d51cbu;
    ctx[4] = key ^ b * 0x3d4d51cbu ^ 5;
    ctx[5] = key ^ (262144 + b / 65536) * 0x3d4d51cbu;
    ctx[6] = (t->place << 24) + t->known % 256;
    ctx[7] = key ^ s->pos / 512 * 0x3d4d51cbu ^ 7;
}

/* Small models know what Thumb-2 code usually is, by the byte before. */
static unsigned usual_kind(const struct small *s, const struct text *t)
{
    if (s->large || s->scene.cpu_id != CPU_THUMB2 || t->place >= 2)
        return 15;
    uint32_t before = (t->place ? t->known : t->before) % 256;
    unsigned two = inlay_usual_thumb2.kind[t->place][before / 2];
    return before % 2 ? two / 16 : two % 16;
}

void text_contexts(struct small *s, const struct text *t, uint32_t *ctx)
{
    s->usual = usual_kind(s, t);
    if (t->place >= 8)
        field_contexts(s, t, ctx);
    else if (t->place < 4 && s->scene.cpu->fresh == BY_HALVES)
        half_contexts(t, ctx);
    else if (t->place < 4 && s->scene.cpu->fresh == BY_PARCELS)
        parcel_contexts(s, t, ctx);
    else
        plain_contexts(t, ctx);
}

/* ---- new code and data ---- */

/* Byte t->place, which is `wanted` if it is learned. */
static unsigned new_byte(struct small *s, struct text *t, unsigned set, unsigned wanted)
{
    uint32_t ctx[8];
    uint8_t *memo[2];
    text_contexts(s, t, ctx);
    for (unsigned i = 0; i < 2; i++) {
        memo[i] = &s->memo[i][hash(ctx[i] + 1, 9)];
        s->expected[i].byte = *memo[i];
        s->expected[i].counter = (int)(C_GUESS + 8 * (16 * i + 12 + s->memo_hits[i] % 4));
    }
    unsigned byte = mixed_byte(s, ctx, set, wanted);
    for (unsigned i = 0; i < 2; i++) {
        s->memo_hits[i] = (uint8_t)(s->memo_hits[i] * 2 + (*memo[i] == byte));
        *memo[i] = (uint8_t)byte;
    }
    t->place++;
    t->known = t->known << 8 | byte;
    return byte;
}

static uint32_t new_far(struct small *s, struct text *t, unsigned kind, uint32_t wanted)
{
    t->place = 8;
    t->known = kind;
    for (unsigned i = 0; i < 3; i++)
        new_byte(s, t, 16 + i, wanted >> (16 - 8 * i) & 255);
    return t->known & 0xffffff;
}

/* What comes next, where it is learned. */
static void get_wanted(const struct small *s, uint8_t *b, unsigned len)
{
    memset(b, 0, 4);
    if (s->lesson_text)
        memcpy(b, s->lesson_text, len);
}

static void aim_at(struct small *s, uint8_t *b, unsigned len, uint32_t target)
{
    struct registers none = {{0}, 0};
    struct unit u;
    cpu_parse(s->scene.cpu_id, &none, b, len, here(s), &u);
    cpu_aim(s->scene.cpu_id, &none, &u, b, here(s), here(s), target);
}

static void thumb_far_insn(struct small *s, struct text *t, unsigned kind, const uint8_t *wanted,
                           uint8_t *out)
{
    uint32_t pc = here(s) + 4;
    uint32_t to = s->lesson_text ? leads_to(s, wanted, 4) : 0;
    to = new_far(s, t, kind, to / 2) * 2 + pc % 2;
    put16(out, 0xf000);
    put16(out + 2, kind == THUMB_CALL ? 0xd000 : 0x9000);
    aim_at(s, out, 4, pc + sign_extend((to - pc) & 0x1ffffff, 25));
}

static unsigned new_thumb(struct small *s, uint8_t *out)
{
    uint8_t wanted[4];
    unsigned len = s->run_left >= 4 ? 4 : 2;
    struct text t = {0, 0, s->text};
    get_wanted(s, wanted, len);
    unsigned far = s->lesson_text ? thumb_far(wanted, len) : 0;
    unsigned high = new_byte(s, &t, 0, far ? far : wanted[1]);
    if (len == 4 && (high == THUMB_JUMP || high == THUMB_CALL) &&
        (s->lesson_text ? far != 0 : plain_bit(s, C_FAR + high - THUMB_JUMP))) {
        thumb_far_insn(s, &t, high, wanted, out);
        return 4;
    }
    out[1] = (uint8_t)high;
    if (thumb_load(high)) {
        if (!pool_ahead(s))
            t.place = 3;
        out[0] = (uint8_t)thumb_turn(s, new_byte(s, &t, 2, thumb_turn(s, wanted[0])));
    } else {
        out[0] = (uint8_t)new_byte(s, &t, 2, wanted[0]);
    }
    if (high < 0xe8 || len < 4)
        return 2;
    t.place = 2;
    t.before = s->text << 16 | (uint32_t)out[0] << 8 | out[1];
    t.known = 0;
    out[3] = (uint8_t)new_byte(s, &t, 1, wanted[3]);
    out[2] = (uint8_t)new_byte(s, &t, 3, wanted[2]);
    return 4;
}

static unsigned new_half(struct small *s, uint8_t *out)
{
    uint8_t wanted[4];
    struct text t = {0, 0, s->text};
    get_wanted(s, wanted, 2);
    out[1] = (uint8_t)new_byte(s, &t, 0, wanted[1]);
    out[0] = (uint8_t)new_byte(s, &t, 2, wanted[0]);
    return 2;
}

/* The rest of a call or a load of Xtensa; 0: it is neither. */
static int xtensa_field(struct small *s, struct text *t, const uint8_t *wanted, uint8_t *out)
{
    if (out[0] % 16 == 5) {
        uint32_t from = (here(s) & ~3u) + 4;
        uint32_t to = s->lesson_text ? leads_to(s, wanted, 3) : 0;
        to = new_far(s, t, out[0], to / 4 & 0x3ffff) * 4;
        put16(out + 1, 0);
        aim_at(s, out, 3, from + sign_extend((to - from) & 0xfffff, 20));
        return 1;
    }
    if (out[0] % 16 != 1)
        return 0;
    uint32_t turn = xtensa_turn(s, get16(wanted + 1));
    t->place = 11;
    t->known = 0;
    new_byte(s, t, 19, turn / 256);
    new_byte(s, t, 20, turn % 256);
    put16(out + 1, xtensa_turn(s, t->known));
    return 1;
}

/* The rest of a far JAL of RISC-V; 0: it is none. */
static int riscv_field(struct small *s, struct text *t, const uint8_t *wanted, uint8_t *out)
{
    unsigned kind = out[0];
    if (kind != RISCV_JUMP && kind != RISCV_CALL)
        return 0;
    unsigned counter = kind == RISCV_JUMP ? C_FAR : C_FAR + 1;
    if (s->lesson_text ? riscv_far(wanted, 4) == 0 : !plain_bit(s, counter))
        return 0;
    uint32_t from = here(s), to = s->lesson_text ? leads_to(s, wanted, 4) : 0;
    to = new_far(s, t, kind, to / 2) * 2 + from % 2;
    put32(out, kind == RISCV_CALL ? 0xef : 0x6f);
    aim_at(s, out, 4, from + sign_extend((to - from) & 0x1fffff, 21));
    return 1;
}

/* An instruction of two to four bytes, or what of it fits the run. */
static unsigned new_parcel(struct small *s, uint8_t *out)
{
    uint8_t wanted[4];
    struct text t = {0, 0, s->text};
    unsigned room = s->run_left < 4 ? s->run_left : 4;
    int xtensa = s->scene.cpu_id == CPU_XTENSA;
    get_wanted(s, wanted, room);
    unsigned first = wanted[0];
    if (xtensa && room >= 3 && first % 16 == 5)
        first %= 64;
    if (!xtensa && riscv_far(wanted, room))
        first = riscv_far(wanted, room);
    out[0] = (uint8_t)new_byte(s, &t, 0, first);
    s->last_parcel = out[0];
    if (xtensa && room >= 3 && xtensa_field(s, &t, wanted, out))
        return 3;
    if (!xtensa && room == 4 && riscv_field(s, &t, wanted, out))
        return 4;
    unsigned len = out[0] % 4 == 3 ? 4 : 2;
    if (xtensa)
        len = out[0] % 16 >= 8 && out[0] % 16 < 14 ? 2 : 3;
    if (len > room)
        len = room;
    for (unsigned i = 1; i < len; i++) {
        t.before = t.before << 8 | out[i - 1];
        out[i] = (uint8_t)new_byte(s, &t, i, wanted[i]);
    }
    return len;
}

unsigned new_unit(struct small *s, uint8_t *out)
{
    uint8_t wanted[4];
    if (s->scene.cpu->fresh == BY_HALVES && s->run_left >= 2 && s->pos % 2 == 0)
        return s->scene.cpu_id == CPU_THUMB2 ? new_thumb(s, out) : new_half(s, out);
    if (s->scene.cpu->fresh == BY_PARCELS)
        return new_parcel(s, out);
    struct text t = {4 + s->pos % 4, 0, s->text};
    get_wanted(s, wanted, 1);
    out[0] = (uint8_t)new_byte(s, &t, t.place, wanted[0]);
    return 1;
}

/* ---- taught models ---- */

static void learn_text(struct small *s, const uint8_t *bytes, uint32_t len)
{
    uint8_t unit[UNIT_MAX];
    s->run_left = len;
    while (s->run_left > 0) {
        s->lesson_text = bytes + (len - s->run_left);
        unsigned n = new_unit(s, unit);
        pass_bytes(s, s->lesson_text, n);
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
    uint32_t size = s->p->old_size, n = s->to_learn;
    if (n > size)
        n = size;
    s->pos = (size - n) / 2 / 4 * 4;
    s->in_old = 1;
    learn_text(s, s->old + s->pos, n);
    s->in_old = 0;
    forget_text(s);
}
