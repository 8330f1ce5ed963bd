/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small update routine that survives any two cuts, and many ways to get it
 * wrong.  The simulator's tests run it in the patcher's place, so that what
 * they find says something about the simulator alone.
 *
 * Its patch is old XOR new, as long as the slot.  Each block is staged, then
 * moved; a record of either is written to one of three journal blocks.  After
 * a reset the newest record is written once more before it is acted on, and
 * never over the newest record that says something else: that one is solid.
 * Journal blocks without a readable record are erased before anything else.
 */
#ifndef TOY_DEVICE_H
#define TOY_DEVICE_H

#include <stdint.h>
#include <string.h>

#include "sim/sim.h"

enum toy_bug {
    TOY_SOUND,
    TOY_NO_STAGE,      /* rewrites a block from its own old content */
    TOY_EARLY_RECORD,  /* says "staged" before it is */
    TOY_LATE_RECORD,   /* moves a block before it says "staged" */
    TOY_NO_CHECK,      /* believes records without a check */
    TOY_NO_REWRITE,    /* acts on a record found after a reset */
    TOY_TWO_JOURNALS,  /* has no third block for the rewritten record */
    TOY_THREE_STRIKES, /* gives up at the third reset */
    TOY_LEAVES_GHOSTS, /* leaves records that are unreadable for now */
    TOY_TRUSTS_ERASED, /* does not erase what reads erased */
    TOY_NO_READ_CHECK, /* does not notice that a read failed */
    TOY_OUTSIDE,       /* writes behind its area */
    TOY_REWRITES,      /* writes a granule twice */
    TOY_RAM,           /* writes behind its RAM */
    TOY_NOT_ALL,       /* forgets the last block */
    TOY_NEVER_ALREADY, /* starts over after the end */
    TOY_ENDLESS,       /* asks to be called again for ever */
    TOY_DAMAGES_OLD,   /* A/B: erases the old image */
    TOY_RETURNS_ERROR, /* gives up */
    TOY_REMEMBERS      /* depends on what no reset sets */
};

struct toy {
    enum toy_bug bug;
    struct inlay_sim_board *b;
    uint8_t *buf;   /* one block, in RAM */
    uint32_t seq;   /* of the newest record */
    uint32_t state; /* 2 * blocks moved, + 1 if the next one is staged */
    int used[3];    /* what the journal blocks hold: -1 nothing, else a state */
    uint32_t seqs[3];
};

struct toy_record {
    uint32_t magic, seq, state, check;
};

static uint32_t toy_block_pos(const struct inlay_flash *f, uint32_t i, uint32_t *len)
{
    uint32_t pos = 0;
    for (unsigned r = 0;; r++) {
        *len = f->region[r].block_len;
        if (i < f->region[r].count)
            return pos + i * *len;
        pos += f->region[r].count * *len;
        i -= f->region[r].count;
    }
}

static int toy_erase(struct toy *t, const struct inlay_flash *f, uint32_t pos, uint32_t len)
{
    if (t->bug == TOY_TRUSTS_ERASED) {
        uint32_t n = 0;
        uint8_t byte;
        while (n < len && !f->read(f->ctx, pos + n, &byte, 1) && byte == f->erased)
            n++;
        if (n == len)
            return 0;
    }
    return f->erase(f->ctx, pos, len);
}

/* Erases a block and programs it from the buffer in two parts; checks it. */
static int toy_fill(struct toy *t, const struct inlay_flash *f, uint32_t pos, uint32_t len)
{
    for (int tries = 0; tries < 3; tries++) {
        uint32_t i = 0;
        if (toy_erase(t, f, pos, len) || f->write(f->ctx, pos, t->buf, len / 2) ||
            f->write(f->ctx, pos + len / 2, t->buf + len / 2, len / 2))
            continue;
        if (t->bug == TOY_TRUSTS_ERASED)
            return 0;
        for (uint8_t byte; i < len && !f->read(f->ctx, pos + i, &byte, 1) && byte == t->buf[i];)
            i++;
        if (i == len)
            return 0;
    }
    return -1;
}

static uint32_t toy_check(const struct toy_record *r)
{
    return (uint32_t)inlay_model_mix(inlay_model_mix(r->magic, r->seq), r->state);
}

static int toy_record_at(struct toy *t, unsigned i, struct toy_record *r)
{
    const struct inlay_flash *w = t->b->work;
    uint32_t len, pos = toy_block_pos(w, i, &len);
    if (w->read(w->ctx, pos, r, sizeof *r) && t->bug != TOY_NO_READ_CHECK)
        return 0;
    return r->magic == 0x70796f74 &&
           (t->bug == TOY_NO_CHECK || t->bug == TOY_NO_READ_CHECK || r->check == toy_check(r));
}

/* Finds the newest record. 1 if there is one. */
static int toy_resume(struct toy *t)
{
    int found = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct toy_record r;
        t->used[i] = -1;
        if (!toy_record_at(t, i, &r))
            continue;
        t->used[i] = (int)r.state;
        t->seqs[i] = r.seq;
        if (!found || r.seq > t->seq) {
            t->seq = r.seq;
            t->state = r.state;
        }
        found = 1;
    }
    return found;
}

static int toy_newest(const struct toy *t, int not_this, int not_state)
{
    int newest = -1;
    for (int i = 0; i < 3; i++)
        if (i != not_this && t->used[i] >= 0 && t->used[i] != not_state &&
            (newest < 0 || t->seqs[i] > t->seqs[newest]))
            newest = i;
    return newest;
}

/* The journal block to write: an empty one, or neither the newest record's nor the solid one's. */
static int toy_victim(const struct toy *t)
{
    int newest = toy_newest(t, -1, -1), solid, i = 0;
    if (t->bug == TOY_TWO_JOURNALS)
        return (int)(t->seq + 1) % 2;
    for (i = 0; i < 3; i++)
        if (t->used[i] < 0)
            return i;
    solid = toy_newest(t, newest, t->used[newest]);
    if (solid < 0) /* all say the same: the middle one goes */
        return toy_newest(t, newest, -1);
    for (i = 0; i == newest || i == solid;)
        i++;
    return i;
}

static int toy_note(struct toy *t, uint32_t state)
{
    const struct inlay_flash *w = t->b->work;
    int i = toy_victim(t);
    uint32_t len, pos = toy_block_pos(w, (uint32_t)i, &len);
    struct toy_record r = {0x70796f74, t->seq + 1, state, 0};
    r.check = toy_check(&r);
    memset(t->buf, 0x5A, len);
    memcpy(t->buf, &r, sizeof r);
    t->seq++;
    t->state = state;
    t->used[i] = (int)state;
    t->seqs[i] = t->seq;
    return toy_fill(t, w, pos, len);
}

/* Puts block i of the new image into the buffer. */
static int toy_make(struct toy *t, uint32_t i, uint32_t *pos, uint32_t *len)
{
    *pos = toy_block_pos(t->b->slot, i, len);
    if (t->b->old->read(t->b->old->ctx, *pos, t->buf, *len) && t->bug != TOY_NO_READ_CHECK)
        return -1;
    for (uint32_t k = 0; k < *len; k++)
        t->buf[k] ^= t->b->patch[*pos + k];
    *t->b->mark = *pos + *len;
    t->b->fed += *len;
    t->b->low = *pos < t->b->low ? *pos : t->b->low;
    t->b->high = *pos + *len > t->b->high ? *pos + *len : t->b->high;
    return 0;
}

static int toy_stage(struct toy *t, uint32_t i)
{
    uint32_t pos, len, room, stage = toy_block_pos(t->b->work, 3, &room);
    if (t->bug == TOY_EARLY_RECORD && toy_note(t, 2 * i + 1))
        return -1;
    if (toy_make(t, i, &pos, &len))
        return -1;
    memset(t->buf + len, 0x5A, room - len);
    if (toy_fill(t, t->b->work, stage, room))
        return -1;
    return t->bug == TOY_EARLY_RECORD || t->bug == TOY_LATE_RECORD ? 0 : toy_note(t, 2 * i + 1);
}

static int toy_move(struct toy *t, uint32_t i)
{
    uint32_t len, room, stage = toy_block_pos(t->b->work, 3, &room);
    uint32_t pos = toy_block_pos(t->b->slot, i, &len);
    if (t->b->work->read(t->b->work->ctx, stage, t->buf, len) && t->bug != TOY_NO_READ_CHECK)
        return -1;
    if (toy_fill(t, t->b->slot, pos, len))
        return -1;
    return toy_note(t, 2 * i + 2);
}

static int toy_block(struct toy *t, uint32_t i)
{
    uint32_t pos, len;
    if (t->bug == TOY_NO_STAGE)
        return toy_make(t, i, &pos, &len) || toy_fill(t, t->b->slot, pos, len) ||
               toy_note(t, 2 * i + 2);
    return (!(t->state & 1) && toy_stage(t, i)) || toy_move(t, i);
}

/* Bugs that need no power cut. */
static void toy_misbehave(struct toy *t)
{
    const struct inlay_flash *s = t->b->slot;
    uint32_t len;
    toy_block_pos(s, 0, &len);
    if (t->bug == TOY_OUTSIDE)
        s->write(s->ctx, 1u << 20, t->buf, s->write_size);
    if (t->bug == TOY_REWRITES)
        s->write(s->ctx, 0, t->buf, s->write_size);
    if (t->bug == TOY_RAM)
        t->b->ram[t->b->ram_len] ^= 1;
    if (t->bug == TOY_DAMAGES_OLD)
        t->b->old->erase(t->b->old->ctx, 0, t->b->old->region[0].block_len);
}

/*
 * A journal block that is unreadable in this boot may be readable in the
 * next.  Its record must not come back once something else was done.
 */
static int toy_clear(struct toy *t)
{
    const struct inlay_flash *w = t->b->work;
    for (unsigned i = 0; i < 3 && t->bug != TOY_LEAVES_GHOSTS; i++) {
        uint32_t len, pos = toy_block_pos(w, i, &len);
        if (t->used[i] < 0 && toy_erase(t, w, pos, len))
            return -1;
    }
    return 0;
}

static enum inlay_status toy_in_place(struct toy *t, uint32_t blocks)
{
    static unsigned boots;
    uint8_t byte;
    if (t->bug == TOY_REMEMBERS && boots++ % 3 == 0)
        t->b->slot->read(t->b->slot->ctx, 0, &byte, 1);
    int resumed = toy_resume(t);
    if (resumed && t->state == 2 * blocks && t->bug != TOY_NEVER_ALREADY)
        return INLAY_ALREADY;
    if (resumed && t->bug == TOY_THREE_STRIKES && t->seq >= t->state + 2)
        return INLAY_E_CORRUPT;
    if (toy_clear(t) || (resumed && t->bug != TOY_NO_REWRITE && toy_note(t, t->state)))
        return INLAY_E_FLASH;
    for (uint32_t i = t->state / 2; i < blocks - (t->bug == TOY_NOT_ALL); i++)
        if (toy_block(t, i))
            return INLAY_E_FLASH;
    return INLAY_DONE;
}

static enum inlay_status toy_ab(struct toy *t, uint32_t blocks)
{
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t pos, len;
        if (toy_make(t, i, &pos, &len) || toy_fill(t, t->b->slot, pos, len))
            return INLAY_E_FLASH;
    }
    return INLAY_DONE;
}

/* ctx points to an enum toy_bug. */
static enum inlay_status toy_boot(void *ctx, struct inlay_sim_board *b)
{
    struct toy t = {.bug = *(const enum toy_bug *)ctx, .b = b, .buf = b->ram};
    uint32_t blocks = 0, len = 0;
    while (toy_block_pos(b->slot, blocks, &len) < b->patch_len)
        blocks++;
    b->ram_used = 256;
    toy_misbehave(&t);
    if (t.bug == TOY_ENDLESS)
        return INLAY_AGAIN;
    if (t.bug == TOY_RETURNS_ERROR)
        return INLAY_E_OLD;
    return b->slot == b->old ? toy_in_place(&t, blocks) : toy_ab(&t, blocks);
}

#endif
