/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains in one hash table: the key of a link is made of all blocks before it
 * and what they held; its value is the block that is touched next, or the end.
 *
 * A boot is watched in segments.  The first starts at the reset, another one
 * wherever the device's RAM is its whole state besides flash.  All end where
 * the boot ends, so each block that is touched may belong to several chains.
 */
#include "sim_memo.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENTS_MAX 16u
#define ROOM_FIRST   (1u << 12)
#define ROOM_MAX     (1u << 21) /* links of 40 bytes; half of it is used */
#define THE_END      UINT32_MAX

struct key {
    uint64_t a, b;
};

struct link {
    struct key key;
    struct inlay_memo_end end; /* from the chain's start, if this is the end */
    uint32_t next;             /* 0: no link here; 1 + block, or THE_END */
};

struct segment {
    struct key key;
    uint64_t erases; /* the model's, at its start */
    uint32_t low, high;
};

struct inlay_memo {
    struct inlay_model_watch watch; /* first: a pointer to it is one to the memo */
    struct link *link;
    size_t count, room; /* room: a power of two */
    struct inlay_model *m;
    uint32_t first[INLAY_MODEL_AREAS + 1]; /* number of each area's first block */
    uint8_t *seen;                         /* per block: how many segments know it */
    struct segment segment[SEGMENTS_MAX];
    uint32_t segments;
};

/* ---- sums ---- */

static uint64_t word(const uint8_t *p, uint32_t len)
{
    uint64_t v = 0;
    memcpy(&v, p, len < 8 ? len : 8);
    return v;
}

/* Two sums at once, each over all words; equal ones only by an accident of 1 in 2^128. */
static struct key add_bytes(struct key k, const uint8_t *p, uint32_t len)
{
    uint64_t a = k.a ^ len, b = k.b + len;
    while (len) {
        uint32_t n = len < 8 ? len : 8;
        uint64_t v = word(p, n);
        a = ((a << 29 | a >> 35) ^ v) * 0x9FB21C651E98DF25u;
        b = ((b << 37 | b >> 27) + v) * 0xD6E8FEB86659FD93u;
        p += n;
        len -= n;
    }
    return (struct key){inlay_model_mix(a, 1), inlay_model_mix(b, a)};
}

static struct key add_number(struct key k, uint64_t v)
{
    return (struct key){inlay_model_mix(k.a, v), inlay_model_mix(k.b, ~v)};
}

static int any_byte(const uint8_t *p, uint32_t len)
{
    for (; len && !*p; p++)
        len--;
    return len != 0;
}

/* Does what the block reads, or will hold, depend on the boot? */
static int is_uneasy(const struct inlay_model_area *a, const struct inlay_model_block *b)
{
    uint32_t w = a->spec.write_size;
    if (!b->upset)
        return 0;
    if (any_byte(a->noise + b->pos, b->len))
        return 1;
    for (uint32_t g = b->pos / w; g < (b->pos + b->len) / w; g++)
        if (a->cell[g] & (INLAY_CELL_SHAKY | INLAY_CELL_WEAK))
            return 1;
    return 0;
}

/* Everything in a block but its wear. */
static void sum_block(const struct inlay_model_area *a, struct inlay_model_block *b)
{
    uint32_t w = a->spec.write_size;
    struct key k = {0, 0};
    if (b->summed == b->version)
        return;
    k = add_bytes(k, a->data + b->pos, b->len);
    k = add_bytes(k, a->cell + b->pos / w, b->len / w);
    b->uneasy = (uint8_t)is_uneasy(a, b);
    if (b->uneasy)
        k = add_bytes(k, a->noise + b->pos, b->len);
    b->sum[0] = k.a;
    b->sum[1] = k.b;
    b->summed = b->version;
}

void inlay_memo_sum(struct inlay_model *m)
{
    for (unsigned i = 0; i < m->areas; i++)
        for (uint32_t k = 0; k < m->area[i].blocks; k++)
            sum_block(&m->area[i], &m->area[i].block[k]);
}

/* ---- the table ---- */

static struct link *place(struct link *table, size_t room, struct key k)
{
    size_t i = (size_t)k.a & (room - 1);
    while (table[i].next && (table[i].key.a != k.a || table[i].key.b != k.b))
        i = (i + 1) & (room - 1);
    return &table[i];
}

static const struct link *look_up(const struct inlay_memo *memo, struct key k)
{
    const struct link *l = place(memo->link, memo->room, k);
    return l->next ? l : NULL;
}

static void grow(struct inlay_memo *memo)
{
    size_t room = memo->room * 2;
    struct link *table = room <= ROOM_MAX ? calloc(room, sizeof *table) : NULL;
    if (!table)
        return; /* what is not known is run: slower, not wrong */
    for (size_t i = 0; i < memo->room; i++)
        if (memo->link[i].next)
            *place(table, room, memo->link[i].key) = memo->link[i];
    free(memo->link);
    memo->link = table;
    memo->room = room;
}

static void note(struct inlay_memo *memo, const struct link *l)
{
    if (memo->count >= memo->room / 2)
        grow(memo);
    struct link *at = place(memo->link, memo->room, l->key);
    if (at->next && at->next != l->next)
        inlay_model_break(memo->m, "did two different things in the same state of its flash, so "
                                   "it depends on something that a reset does not set");
    if (at->next || memo->count >= memo->room / 2)
        return;
    *at = *l;
    memo->count++;
}

/* ---- chains ---- */

static struct inlay_model_area *area_of(const struct inlay_memo *memo, struct inlay_model *m,
                                        uint32_t id)
{
    unsigned i = 0;
    while (id >= memo->first[i + 1])
        i++;
    return &m->area[i];
}

/* The key behind block `id` as it is in m. */
static struct key follow(const struct inlay_memo *memo, struct inlay_model *m, struct key k,
                         uint32_t id)
{
    struct inlay_model_area *a = area_of(memo, m, id);
    struct inlay_model_block *b = &a->block[id - memo->first[a - m->area]];
    sum_block(a, b);
    k = add_number(add_number(add_number(k, id), b->sum[0]), b->sum[1]);
    /* Unstable and weak cells depend on these. */
    return b->uneasy ? add_number(add_number(k, m->seed), m->boot) : k;
}

/* The end of the chain that starts with k, if m holds all that is on the way. */
static const struct link *find_end(const struct inlay_memo *memo, struct inlay_model *m,
                                   struct key k)
{
    const struct link *l;
    while ((l = look_up(memo, k)) && l->next != THE_END)
        k = follow(memo, m, k, l->next - 1);
    return l;
}

/* Garbage in RAM depends on how many boots there were. */
static struct key start_of(const struct inlay_model *m)
{
    return add_number((struct key){1, 2}, m->boot);
}

int inlay_memo_find(struct inlay_memo *memo, struct inlay_model *m, struct inlay_memo_end *end)
{
    const struct link *l = find_end(memo, m, start_of(m));
    if (l)
        *end = l->end;
    return l != NULL;
}

/* ---- watching ---- */

static void know(struct inlay_memo *memo, uint32_t id, int erased)
{
    for (uint32_t i = memo->seen[id]; i < memo->segments && !erased; i++) {
        struct segment *s = &memo->segment[i];
        note(memo, &(struct link){.key = s->key, .next = id + 1});
        s->key = follow(memo, memo->m, s->key, id);
    }
    memo->seen[id] = (uint8_t)memo->segments;
}

static void touch(struct inlay_model_watch *watch, const struct inlay_model_area *a,
                  const struct inlay_model_block *b, int erased)
{
    struct inlay_memo *memo = (struct inlay_memo *)watch;
    uint32_t id = memo->first[a - memo->m->area] + (uint32_t)(b - a->block);
    if (memo->seen[id] < memo->segments)
        know(memo, id, erased);
}

static void open_segment(struct inlay_memo *memo, struct key k)
{
    if (memo->segments < SEGMENTS_MAX)
        memo->segment[memo->segments++] =
            (struct segment){k, memo->m->counts.erases, UINT32_MAX, 0};
}

void inlay_memo_begin(struct inlay_memo *memo, struct inlay_model *m)
{
    memo->m = m;
    m->watch = &memo->watch;
    /* Full: what comes now has less and less to do with what came first. */
    if (memo->count >= ROOM_MAX / 2) {
        memset(memo->link, 0, memo->room * sizeof *memo->link);
        memo->count = 0;
    }
    memset(memo->seen, 0, memo->first[m->areas]);
    memo->segments = 0;
    open_segment(memo, start_of(m));
}

void inlay_memo_fed(struct inlay_memo *memo, uint32_t low, uint32_t high)
{
    for (uint32_t i = 0; i < memo->segments; i++) {
        struct segment *s = &memo->segment[i];
        s->low = low < s->low ? low : s->low;
        s->high = high > s->high ? high : s->high;
    }
}

/* Every segment ends here, after so many erases. */
static void close_segments(struct inlay_memo *memo, uint64_t erases)
{
    for (uint32_t i = 0; i < memo->segments; i++) {
        const struct segment *s = &memo->segment[i];
        note(memo, &(struct link){.key = s->key,
                                  .next = THE_END,
                                  .end = {erases - s->erases, s->low, s->high}});
    }
}

/* This boot goes on like the one whose chain starts with k: it will touch the same blocks. */
static void join(struct inlay_memo *memo, struct key k, const struct inlay_memo_end *end)
{
    const struct link *l;
    while ((l = look_up(memo, k))->next != THE_END) {
        uint32_t id = l->next - 1;
        k = follow(memo, memo->m, k, id);
        know(memo, id, 0);
    }
    inlay_memo_fed(memo, end->low, end->high);
    close_segments(memo, memo->m->counts.erases + end->erases);
}

int inlay_memo_pass(struct inlay_memo *memo, const uint8_t *ram, uint32_t len, uint64_t more,
                    struct inlay_memo_end *end)
{
    struct key k = add_bytes(add_number(start_of(memo->m), more), ram, len);
    const struct link *l = find_end(memo, memo->m, k);
    if (!l) {
        open_segment(memo, k);
        return 0;
    }
    *end = l->end;
    join(memo, k, end);
    memo->m->watch = NULL;
    end->low = memo->segment[0].low;
    end->high = memo->segment[0].high;
    return 1;
}

void inlay_memo_over(struct inlay_memo *memo, int well, const struct inlay_model_area *area,
                     uint32_t len, struct inlay_memo_end *end)
{
    for (uint32_t k = 0; well && k < area->blocks && area->block[k].pos < len; k++)
        touch(&memo->watch, area, &area->block[k], 0);
    if (well)
        close_segments(memo, memo->m->counts.erases);
    memo->m->watch = NULL;
    end->low = memo->segment[0].low;
    end->high = memo->segment[0].high;
}

/* ---- making ---- */

struct inlay_memo *inlay_memo_new(const struct inlay_model *m)
{
    struct inlay_memo *memo = calloc(1, sizeof *memo);
    if (!memo)
        return NULL;
    for (unsigned i = 0; i < m->areas; i++)
        memo->first[i + 1] = memo->first[i] + m->area[i].blocks;
    memo->watch.touch = touch;
    memo->room = ROOM_FIRST;
    memo->link = calloc(memo->room, sizeof *memo->link);
    memo->seen = calloc(memo->first[m->areas], 1);
    if (memo->link && memo->seen)
        return memo;
    inlay_memo_free(memo);
    return NULL;
}

void inlay_memo_free(struct inlay_memo *memo)
{
    if (!memo)
        return;
    free(memo->link);
    free(memo->seen);
    free(memo);
}
