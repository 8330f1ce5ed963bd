/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small codec's walk over a new image, written once for both directions:
 * codec_mix.c compiles it as the decoder, the differ as the encoder, so that
 * the two cannot disagree.  Include coder.h (or the differ's counterpart)
 * first; docs/FORMAT.md describes what is coded, docs/CODEC.md why.
 */
#ifndef INLAY_WALK_H
#define INLAY_WALK_H

#include "bits.h"
#include "codec.h"
#include "map.h"
#include "mix_params.h"
#include "model.h"
#include "scene.h"

#include <string.h>

/* No unit, op or plan item takes more payload than this. */
#define WALK_MARGIN 192u

/* Kinds of numbers, each with counters of its own. */
enum walk_number {
    NUMBER_GAP,   /* plan: from one move to the next; body: literal lengths */
    NUMBER_LEN,   /* lengths of moves and copies */
    NUMBER_OLD,   /* where a copy comes from */
    NUMBER_BLOCK, /* which block is next */
    NUMBER_MISC,  /* counts, addresses */
    NUMBER_DELTA, /* a target that is a little off */
    NUMBER_KINDS
};
#define NUMBER_COUNTERS 80u /* 32 for the size, 16 + 32 for the two top bits below */

enum walk_flag {
    FLAG_COPY = NUMBER_KINDS * NUMBER_COUNTERS, /* copy or new data, by what was before */
    FLAG_WHOLE = FLAG_COPY + 4,                 /* to the end of the gap, by copy */
    FLAG_RECENT = FLAG_WHOLE + 2,               /* a tree of 32 */
    FLAG_STEP = FLAG_RECENT + 32,               /* what comes next */
    FLAG_TREND = FLAG_STEP + 4,                 /* next block: the one above, by last time */
    FLAG_SIGN = FLAG_TREND + 4,
    FLAG_NEAR = FLAG_SIGN + NUMBER_KINDS, /* a missed target is near, by type */
    CONTROL_COUNTERS = FLAG_NEAR + INLAY_UNIT_TYPES
};

#define RECENT      16u /* diagonals remembered */
#define RECENT_NEXT 16u /* the diagonal of the region that follows */
#define RECENT_NONE 17u

/* How a target was predicted; a context. */
enum walk_quality {
    QUALITY_NONE,                   /* the unit has no target */
    QUALITY_LEARNED,                /* this very target was corrected before */
    QUALITY_MAP,                    /* + enum inlay_map_trust, 4 values */
    QUALITY_DATA = QUALITY_MAP + 4, /* outside the image, moved like its neighbour */
    QUALITY_FIXED                   /* outside the image, nothing known */
};

#define TABLES_FLAG 6u                /* contexts that are hashed into a table each */
#define VOTES_FLAG  (TABLES_FLAG + 1u) /* and one that has a counter per class */
#define CLASSES     192u
#define VOTES_BYTE 4u
#define BYTE_SETS  16u

/* What a missed unit may have become, tried in this order. */
enum walk_candidate {
    CANDIDATE_OLD,   /* the old unit, although its address moved */
    CANDIDATE_SWAP,  /* what the same unit became last time */
    CANDIDATE_NEAR,  /* moved like the nearest value or target that was corrected */
    CANDIDATE_DELTA, /* changed by as much as the last unit that missed */
    CANDIDATES
};
#define FLAG_SETS (16u + CANDIDATES) /* by type, or by candidate */
#define FLAG_MORE (8u + CANDIDATES)

/* Old addresses whose new ones had to be corrected. */
struct walk_lesson {
    uint32_t from;
    uint32_t to;
};
#define LESSONS 32u

/* What a unit's value was and became. */
struct walk_swap {
    uint32_t from;
    uint32_t to;
};
#define SWAPS  128u /* by hash */
#define SHIFTS 32u  /* the latest ones */

struct walk_cache {
    uint32_t pos;
    uint32_t len;
    uint8_t bytes[64];
};

enum walk_run { RUN_NONE, RUN_MOVE, RUN_COPY, RUN_NEW };

struct walk {
    struct inlay_coder rc;
    INLAY_TRUTH
    struct inlay_codec_setup setup;
    struct inlay_mix_params params;
    struct inlay_scene scene;

    /* the plan */
    uint8_t phase;
    struct inlay_map map;
    struct inlay_range *pool;
    uint32_t pool_count;
    uint32_t plan_left; /* items left in this phase */
    uint32_t plan_pos;  /* where the last item ended */

    /* where we are */
    uint32_t pos, end;   /* in the new image; end of the block */
    uint32_t last_block; /* plus 1; 0: none yet */
    uint8_t trend;       /* the last step went up by one */
    enum walk_run run;
    uint32_t run_left;
    uint32_t diagonal; /* old position minus new position */
    uint32_t recent[RECENT];
    uint8_t pending[INLAY_UNIT_MAX], pending_len, pending_pos;

    /* what the models look at */
    uint32_t before;     /* the last four bytes of the new image, the newest lowest */
    uint32_t hits;       /* the last outcomes, 1: predicted right, newest lowest */
    uint32_t run_length; /* right predictions in a row */
    uint8_t type_hits[INLAY_UNIT_TYPES];
    uint32_t last_delta; /* new minus old in the last unit that missed */
    uint8_t half;        /* INLAY_LITERAL_HALVES: 1 in the second half of an instruction */
    struct inlay_arch_state old_state, new_state;
    struct walk_cache cache;
    struct walk_lesson lesson[2][LESSONS]; /* 0: in the image, 1: outside */
    uint8_t lessons[2];
    struct walk_swap swap[SWAPS];
    struct walk_swap shift[SHIFTS];
    uint8_t shifts;
    uint8_t candidate_hits[CANDIDATES];

    uint16_t control[CONTROL_COUNTERS];
    uint32_t class[CLASSES];
    int32_t weight_flag[FLAG_SETS + FLAG_MORE][2u * VOTES_FLAG];
    int32_t weight_byte[BYTE_SETS + 8u][2u * VOTES_BYTE];
    uint32_t *flag; /* TABLES_FLAG tables of 1 << params.flag_log2 */
    uint16_t *byte; /* VOTES_BYTE tables of 1 << params.byte_log2 */
};

/* ---- simple decisions ---- */

static unsigned walk_bit(struct walk *s, unsigned counter, unsigned want)
{
    uint16_t *c = &s->control[counter];
    unsigned bit = inlay_coder_bit(&s->rc, inlay_coarse_p(*c), want);
    INLAY_TRACE(s, counter, bit);
    inlay_coarse_learn(c, bit, 14);
    return bit;
}

static unsigned walk_raw(struct walk *s, unsigned bits, unsigned want)
{
    unsigned v = 0;
    while (bits-- > 0)
        v = v << 1 | inlay_coder_bit(&s->rc, 32768, want >> bits & 1u);
    return v;
}

/* Exp-Golomb: how many bits v + 1 has, then those bits; the top two are modelled. */
static uint32_t walk_number(struct walk *s, enum walk_number kind, uint32_t want)
{
    unsigned base = (unsigned)kind * NUMBER_COUNTERS;
    unsigned size = 0, want_size = 0;
    while (want_size < 31 && (want + 1u) >> want_size > 1u)
        want_size++;
    while (size < 31 && walk_bit(s, base + size, size < want_size))
        size++;
    unsigned top = size < 15 ? size : 15;
    uint32_t v = 1;
    for (unsigned i = size; i-- > 0;) {
        unsigned bit = (want + 1u) >> i & 1u;
        if (i + 1u == size)
            bit = walk_bit(s, base + 32u + top, bit);
        else if (i + 2u == size)
            bit = walk_bit(s, base + 48u + 2u * top + (v & 1u), bit);
        else
            bit = walk_raw(s, 1, bit);
        v = v << 1 | bit;
    }
    return v - 1u;
}

/* A signed number, modulo 2^32. */
static uint32_t walk_signed(struct walk *s, enum walk_number kind, uint32_t want)
{
    uint32_t down = want >> 31;
    uint32_t size = walk_number(s, kind, down ? 0u - want : want);
    if (size == 0)
        return 0;
    return walk_bit(s, FLAG_SIGN + (unsigned)kind, down) ? 0u - size : size;
}

static unsigned walk_tree(struct walk *s, unsigned base, unsigned bits, unsigned want)
{
    unsigned node = 1;
    for (unsigned i = bits; i-- > 0;)
        node = node << 1 | walk_bit(s, base + node, want >> i & 1u);
    return node - (1u << bits);
}

/* ---- mixed decisions ---- */

static uint32_t walk_hash(uint32_t v, unsigned bits)
{
    return v * 0x9e3779b1u >> (32u - bits);
}

/* Decides one flag; ctx[i] picks the counter of table i, a and b the weights. */
static unsigned walk_flag(struct walk *s, const uint32_t *ctx, unsigned class, unsigned a,
                          unsigned b, unsigned want)
{
    struct inlay_ballot ballot = {.weight = {s->weight_flag[a], s->weight_flag[FLAG_SETS + b]}};
    uint32_t *counter[VOTES_FLAG];
    unsigned bits = s->params.flag_log2;
    for (unsigned i = 0; i < VOTES_FLAG; i++) {
        counter[i] = i < TABLES_FLAG
                         ? s->flag + ((uint32_t)i << bits) + walk_hash(ctx[i] + 1u, bits)
                         : &s->class[class];
        inlay_vote(&ballot, inlay_fine_p(*counter[i]));
    }
    unsigned bit = inlay_coder_bit(&s->rc, inlay_mix(&ballot), want);
    INLAY_TRACE(s, CONTROL_COUNTERS + class, bit);
    inlay_mix_learn(&ballot, bit, 12);
    for (unsigned i = 0; i < VOTES_FLAG; i++)
        inlay_fine_learn(counter[i], bit, 250);
    return bit;
}

/*
 * Decides one byte from the top bit down.  A context's counters for one
 * nibble lie side by side: one cache line each.
 */
static unsigned walk_byte(struct walk *s, const uint32_t *ctx, unsigned set, unsigned want)
{
    unsigned bits = s->params.byte_log2;
    unsigned node = 1;
    uint16_t *slots[VOTES_BYTE];
    for (unsigned depth = 0; depth < 8; depth++) {
        struct inlay_ballot ballot = {
            .weight = {s->weight_byte[set], s->weight_byte[BYTE_SETS + depth]}};
        if ((depth & 3u) == 0)
            for (unsigned i = 0; i < VOTES_BYTE; i++)
                slots[i] =
                    s->byte + ((uint32_t)i << bits) +
                    (walk_hash((ctx[i] + 1u) * 0x2545f491u + node * 0x10001u, bits - 4u) << 4);
        unsigned at = depth < 4 ? node : (node & ((1u << (depth - 4u)) - 1u)) | 1u << (depth - 4u);
        for (unsigned i = 0; i < VOTES_BYTE; i++)
            inlay_vote(&ballot, inlay_coarse_p(slots[i][at]));
        unsigned bit = inlay_coder_bit(&s->rc, inlay_mix(&ballot), want >> (7u - depth) & 1u);
        inlay_mix_learn(&ballot, bit, 10);
        for (unsigned i = 0; i < VOTES_BYTE; i++)
            inlay_coarse_learn(&slots[i][at], bit, 6);
        node = node << 1 | bit;
    }
    return node & 255u;
}

/* ---- addresses ---- */

/* The space that maps a new position back, even if it is a little outside. */
static uint32_t walk_new_addr(const struct walk *s, uint32_t pos)
{
    uint32_t addr;
    if (inlay_scene_addr(&s->scene, INLAY_NEW, pos, &addr) || s->scene.spaces[1] == 0)
        return addr;
    const struct inlay_space *sp = &s->scene.space[1][s->scene.spaces[1] - 1u];
    return sp->addr + (pos - sp->pos);
}

static const struct walk_lesson *walk_exact_lesson(const struct walk *s, unsigned outside,
                                                   uint32_t target)
{
    for (unsigned i = 0; i < LESSONS; i++)
        if (s->lesson[outside][i].from == target && s->lesson[outside][i].to)
            return &s->lesson[outside][i];
    return 0;
}

/* The lesson about the nearest address within 64 KB, or none. */
static const struct walk_lesson *walk_near_lesson(const struct walk *s, unsigned outside,
                                                  uint32_t target)
{
    const struct walk_lesson *best = 0;
    uint32_t best_distance = 0x10000u;
    for (unsigned i = 0; i < LESSONS; i++) {
        const struct walk_lesson *l = &s->lesson[outside][i];
        uint32_t distance = l->from > target ? l->from - target : target - l->from;
        if (l->to && distance < best_distance) {
            best = l;
            best_distance = distance;
        }
    }
    return best;
}

static void walk_learn_target(struct walk *s, uint32_t from, uint32_t to)
{
    uint32_t pos;
    unsigned outside = !inlay_scene_pos(&s->scene, INLAY_OLD, from, &pos);
    struct walk_lesson *list = s->lesson[outside];
    for (unsigned i = 0; i < LESSONS; i++)
        if (list[i].from == from && list[i].to) {
            list[i].to = to;
            return;
        }
    unsigned at = s->lessons[outside]++ % LESSONS;
    list[at].from = from;
    list[at].to = to;
}

/* Where an old address went. */
static uint32_t walk_map_target(const struct walk *s, uint32_t target, enum walk_quality *quality)
{
    uint32_t pos;
    uint32_t thumb = s->scene.arch->granule == 2 ? target & 1u : 0u; /* the bit of a code pointer */
    unsigned inside = (unsigned)inlay_scene_pos(&s->scene, INLAY_OLD, target - thumb, &pos);
    const struct walk_lesson *l = walk_exact_lesson(s, !inside, target);
    if (l) {
        *quality = QUALITY_LEARNED;
        return l->to;
    }
    if (inside) {
        enum inlay_map_trust trust;
        uint32_t addr = walk_new_addr(s, inlay_map_find(&s->map, pos, &trust));
        *quality = (enum walk_quality)((unsigned)QUALITY_MAP + (unsigned)trust);
        return addr + thumb;
    }
    l = walk_near_lesson(s, 1, target);
    *quality = l ? QUALITY_DATA : QUALITY_FIXED;
    return l ? target + (l->to - l->from) : target;
}

/* ---- copying one unit ---- */

struct walk_guess {
    struct inlay_unit unit;
    uint32_t old_addr, new_addr;
    enum walk_quality quality;
    uint32_t target; /* predicted */
    uint8_t old[INLAY_UNIT_MAX], now[INLAY_UNIT_MAX];
    uint8_t changed; /* now differs from old */
    uint8_t has_swap, near;
    uint32_t near_target;
    uint32_t value;
    struct walk_swap *swap;
};

/* Makes at least n bytes of the old image at pos available. */
static int walk_read(struct walk *s, uint32_t pos, uint32_t n, uint32_t most, const uint8_t **bytes)
{
    struct walk_cache *c = &s->cache;
    uint32_t skip = pos - c->pos;
    if (skip > c->len || c->len - skip < n) {
        uint32_t len = most < sizeof c->bytes ? most : (uint32_t)sizeof c->bytes;
        c->len = 0;
        int status = s->setup.old.read(s->setup.old.ctx, pos, c->bytes, len);
        if (status)
            return status;
        c->pos = pos;
        c->len = len;
        skip = 0;
    }
    *bytes = c->bytes + skip;
    return 0;
}

static void walk_aim(const struct walk *s, struct walk_guess *g)
{
    memcpy(g->now, g->old, g->unit.len);
    g->quality = QUALITY_NONE;
    if (!g->unit.has_target)
        return;
    g->target = walk_map_target(s, g->unit.target, &g->quality);
    inlay_scene_aim(&s->scene, &s->old_state, &g->unit, g->now, g->old_addr, g->new_addr,
                    g->target);
    g->changed = memcmp(g->now, g->old, g->unit.len) != 0;
}

static int walk_guess_unit(struct walk *s, struct walk_guess *g)
{
    const uint8_t *bytes;
    uint32_t old_pos = s->pos + s->diagonal;
    uint32_t n = s->run_left < INLAY_WINDOW ? s->run_left : INLAY_WINDOW;
    int status = walk_read(s, old_pos, n, s->run_left, &bytes);
    if (status)
        return status;
    memset(g, 0, sizeof *g);
    inlay_scene_addr(&s->scene, INLAY_OLD, old_pos, &g->old_addr);
    g->new_addr = walk_new_addr(s, s->pos);
    inlay_scene_parse(&s->scene, INLAY_OLD, &s->old_state, bytes, n, g->old_addr, &g->unit);
    memcpy(g->old, bytes, g->unit.len);
    walk_aim(s, g);
    return 0;
}

/* The first four bytes of a unit as a number; of Thumb's, the first halfword on top. */
static uint32_t walk_value(const struct walk *s, const uint8_t *b, unsigned len)
{
    if (len == 1)
        return b[0];
    if (len == 2)
        return inlay_get16(b);
    if (len == 3)
        return inlay_get16(b) | (uint32_t)b[2] << 16;
    if (s->scene.arch->granule == 2)
        return inlay_get16(b) << 16 | inlay_get16(b + 2);
    return inlay_get32(b);
}

static void walk_put_value(const struct walk *s, uint8_t *b, unsigned len, uint32_t v)
{
    if (len >= 4 && s->scene.arch->granule == 2)
        v = v << 16 | v >> 16;
    for (unsigned i = 0; i < len && i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

static struct walk_swap *walk_swap_of(struct walk *s, const struct walk_guess *g)
{
    return &s->swap[walk_hash(g->value + g->unit.len, 7)];
}

/* The swap's replacement for this unit, if it says anything new. */
static int walk_swap_applies(const struct walk *s, const struct walk_swap *w,
                             const struct walk_guess *g)
{
    uint8_t to[INLAY_UNIT_MAX];
    memcpy(to, g->now, g->unit.len);
    walk_put_value(s, to, g->unit.len, w->to);
    return (w->from | w->to) && w->from == g->value && memcmp(to, g->now, g->unit.len) != 0;
}

static unsigned walk_log2(uint32_t v)
{
    unsigned n = 0;
    while (v > 1u) {
        v >>= 1;
        n++;
    }
    return n;
}

/* Contexts for the decisions about one unit; `what` keeps the decisions apart. */
static void walk_flag_contexts(const struct walk *s, const struct walk_guess *g, unsigned what,
                               unsigned swap, uint32_t *ctx)
{
    uint32_t t = g->unit.type;
    uint32_t key =
        what << 27 | t << 22 | (uint32_t)g->changed << 21 | (uint32_t)g->quality << 17 | swap << 16;
    uint32_t run = walk_log2(s->run_length + 1u);
    ctx[0] = key | (s->hits & 3u);
    ctx[1] = what << 27 | 1u << 26 | (s->hits & 255u);
    ctx[2] = key | s->type_hits[t];
    ctx[3] = key | run << 8 | 0x80u;
    ctx[4] = what << 27 | 3u << 25 | (uint32_t)(g->changed) << 25 | t << 18 |
             (inlay_get16(g->old) & (s->scene.arch->granule == 2 ? 0xff00u : 0xffu)) | swap << 16;
    ctx[5] = what << 27 | 5u << 24 | (g->old_addr & 3u) << 20 | (run > 7 ? 7 : run) << 12 |
             (uint32_t)g->changed << 11 | swap << 10 | (uint32_t)g->quality << 4 | (s->hits & 15u);
}

/* What is known of a decision before anything was learned: CLASSES of them. */
static unsigned walk_class(const struct walk_guess *g, unsigned what, unsigned swap)
{
    unsigned len = g->unit.len < 4u ? g->unit.len - 1u : 3u;
    if (what)
        return 128u + (what - 1u) * 16u + g->unit.has_target * 8u + g->changed * 4u + swap;
    return (((unsigned)g->quality * 2u + g->changed) * 4u + len) * 2u + swap;
}

static unsigned walk_unit_flag(struct walk *s, const struct walk_guess *g, unsigned what,
                               unsigned swap, unsigned want)
{
    uint32_t ctx[TABLES_FLAG];
    unsigned class = walk_class(g, what, swap);
    walk_flag_contexts(s, g, what, swap, ctx);
    if (what)
        return walk_flag(s, ctx, class, 15u + what, 7u + what, want);
    return walk_flag(s, ctx, class, g->unit.type & 15u,
                     (unsigned)g->changed * 4u + swap * 2u + (s->hits & 1u), want);
}

/* The bytes of a unit that nothing predicted. */
static void walk_miss_bytes(struct walk *s, const struct walk_guess *g, uint8_t *out)
{
    uint32_t t = g->unit.type;
    unsigned len = g->unit.len;
    unsigned first = s->scene.arch->literal_kind == INLAY_LITERAL_HALVES && len >= 2 ? 1 : 0;
    uint32_t so_far = 0;
    for (unsigned k = 0; k < len; k++) {
        unsigned i = k ^ (first && (k | 1u) < len ? 1u : 0u);
        uint32_t ctx[VOTES_BYTE] = {
            (t << 3 | i) << 8 | g->now[i] | 1u << 24,
            (uint32_t)g->now[i] << 8 | (so_far & 255u) | 2u << 24 | (k ? 1u << 20 : 0u),
            (so_far & 0xffffu) | t << 16 | 3u << 24 | (uint32_t)i << 28,
            (uint32_t)g->now[i] << 8 | (s->last_delta & 255u) | 4u << 24,
        };
        out[i] = (uint8_t)walk_byte(s, ctx, 8u + (i & 3u) + (t >= INLAY_TYPE_POINTER ? 4u : 0u),
                                    INLAY_WANT(truth_byte(s, i)));
        so_far = so_far << 8 | out[i];
    }
}

/* The latest shift of a value close to this one. */
static const struct walk_swap *walk_near_shift(const struct walk *s, uint32_t value)
{
    const struct walk_swap *best = 0;
    uint32_t best_distance = 0xffffffffu;
    for (unsigned i = 0; i < SHIFTS; i++) {
        const struct walk_swap *w = &s->shift[i];
        uint32_t distance = w->from > value ? w->from - value : value - w->from;
        if ((w->from | w->to) && distance < best_distance) {
            best = w;
            best_distance = distance;
        }
    }
    return best;
}

/* Writes a candidate into out; 0 if there is none of this kind. */
static int walk_candidate(struct walk *s, const struct walk_guess *g, enum walk_candidate kind,
                          uint8_t *out)
{
    unsigned len = g->unit.len;
    memcpy(out, g->old, len);
    if (kind == CANDIDATE_OLD)
        return g->changed;
    if (kind == CANDIDATE_SWAP) {
        walk_put_value(s, out, len, g->swap->to);
        return g->has_swap;
    }
    if (kind == CANDIDATE_DELTA) {
        walk_put_value(s, out, len, g->value + s->last_delta);
        return s->last_delta != 0;
    }
    if (g->unit.has_target)
        return g->near && inlay_scene_aim(&s->scene, &s->old_state, &g->unit, out, g->old_addr,
                                          g->new_addr, g->near_target);
    const struct walk_swap *w = walk_near_shift(s, g->value);
    if (w)
        walk_put_value(s, out, len, g->value + (w->to - w->from));
    return w != 0;
}

/* A missed target is often only a little off. */
static int walk_near_target(struct walk *s, struct walk_guess *g, uint8_t *out)
{
    memcpy(out, g->old, g->unit.len);
    if (!walk_bit(s, FLAG_NEAR + g->unit.type, INLAY_WANT(truth_is_near(s, g))))
        return 0;
    uint32_t target =
        g->near_target + walk_signed(s, NUMBER_DELTA, INLAY_WANT(truth_near_delta(s, g)));
    inlay_scene_aim(&s->scene, &s->old_state, &g->unit, out, g->old_addr, g->new_addr, target);
    return 1;
}

static void walk_missed_unit(struct walk *s, struct walk_guess *g, uint8_t *out)
{
    uint8_t tried[CANDIDATES][INLAY_UNIT_MAX];
    unsigned n = 0, len = g->unit.len;
    const struct walk_lesson *l = 0;
    uint32_t pos;
    if (g->unit.has_target) {
        l = walk_near_lesson(s, !inlay_scene_pos(&s->scene, INLAY_OLD, g->unit.target, &pos),
                             g->unit.target);
        g->near_target = l ? g->unit.target + (l->to - l->from) : g->target;
        g->near = l != 0;
    }
    for (unsigned k = 0; k < CANDIDATES; k++) {
        if (!walk_candidate(s, g, (enum walk_candidate)k, tried[n]) ||
            memcmp(tried[n], g->now, len) == 0)
            continue;
        unsigned i = 0;
        while (i < n && memcmp(tried[i], tried[n], len) != 0)
            i++;
        if (i < n)
            continue;
        unsigned right = walk_unit_flag(s, g, 1u + k, s->candidate_hits[k] & 3u,
                                        INLAY_WANT(truth_is(s, tried[n], len)));
        s->candidate_hits[k] = (uint8_t)((unsigned)s->candidate_hits[k] << 1 | (unsigned)right);
        if (right) {
            memcpy(out, tried[n], len);
            return;
        }
        n++;
    }
    INLAY_ACCOUNT(s, corrections);
    if (g->unit.has_target && walk_near_target(s, g, out))
        return;
    walk_miss_bytes(s, g, out);
}

/* What a word of the new image refers to, if it is of the same kind as the old one. */
static uint32_t walk_word_target(const struct walk *s, const struct walk_guess *g,
                                 const uint8_t *now)
{
    uint8_t zero[INLAY_UNIT_MAX] = {0};
    /* The word that refers to address 0 tells what is subtracted. */
    inlay_scene_aim(&s->scene, &s->old_state, &g->unit, zero, g->old_addr, g->new_addr, 0);
    uint32_t target = inlay_get32(now) - inlay_get32(zero);
    return g->unit.type == INLAY_TYPE_FROM_HERE31 ? target & 0x7fffffffu : target;
}

/* After a miss: remembers what the unit became. */
static void walk_learn(struct walk *s, struct walk_guess *g, const uint8_t *out)
{
    struct walk_swap now = {g->value, walk_value(s, out, g->unit.len)};
    *g->swap = now;
    s->last_delta = now.to - now.from;
    if (!g->unit.has_target) {
        s->shift[s->shifts++ % SHIFTS] = now;
        return;
    }
    if (g->unit.type >= INLAY_TYPE_POINTER) {
        walk_learn_target(s, g->unit.target, walk_word_target(s, g, out));
        return;
    }
    struct inlay_unit u;
    struct inlay_arch_state st = s->new_state;
    s->scene.arch->parse(&st, out, g->unit.len, g->new_addr, &u);
    if (u.has_target && u.type == g->unit.type)
        walk_learn_target(s, g->unit.target, u.target);
}

static int walk_copy_unit(struct walk *s, uint8_t *out, unsigned *len)
{
    struct walk_guess g;
    int status = walk_guess_unit(s, &g);
    if (status)
        return status;
    g.value = walk_value(s, g.old, g.unit.len);
    g.swap = walk_swap_of(s, &g);
    g.has_swap = (uint8_t)walk_swap_applies(s, g.swap, &g);
    INLAY_ACCOUNT(s, addresses);
    unsigned hit = walk_unit_flag(s, &g, 0, g.has_swap, INLAY_WANT(truth_is(s, g.now, g.unit.len)));
    if (hit) {
        memcpy(out, g.now, g.unit.len);
    } else {
        walk_missed_unit(s, &g, out);
        walk_learn(s, &g, out);
    }
    s->hits = s->hits << 1 | hit;
    s->type_hits[g.unit.type] = (uint8_t)((unsigned)s->type_hits[g.unit.type] << 1 | (unsigned)hit);
    s->run_length = hit ? s->run_length + 1u : 0u;
    *len = g.unit.len;
    return 0;
}

/* ---- new data ---- */

static void walk_new_half(struct walk *s, uint8_t *out)
{
    uint32_t b = s->before;
    uint32_t high_before = b & 255u, low_before = b >> 8 & 255u;
    uint32_t hi_ctx[VOTES_BYTE] = {
        (uint32_t)s->half | 1u << 24,
        high_before << 1 | s->half | 2u << 24,
        (high_before << 8 | low_before) << 1 | s->half | 3u << 24,
        (high_before << 8 | (b >> 16 & 255u)) << 1 | s->half | 4u << 24,
    };
    unsigned hi = walk_byte(s, hi_ctx, s->half, INLAY_WANT(truth_byte(s, 1)));
    uint32_t lo_ctx[VOTES_BYTE] = {
        (uint32_t)hi << 1 | s->half | 5u << 24,
        ((uint32_t)hi << 8 | high_before) << 1 | s->half | 6u << 24,
        (uint32_t)hi << 16 | (b & 0xffffu) | 7u << 24,
        ((uint32_t)hi << 8 | low_before) << 1 | s->half | 8u << 24,
    };
    out[1] = (uint8_t)hi;
    out[0] = (uint8_t)walk_byte(s, lo_ctx, 2u + s->half, INLAY_WANT(truth_byte(s, 0)));
    s->half = !s->half && hi >= 0xe8u;
}

static unsigned walk_new_unit(struct walk *s, uint8_t *out)
{
    INLAY_ACCOUNT(s, new_data);
    if (s->scene.arch->literal_kind == INLAY_LITERAL_HALVES && s->run_left >= 2 && !(s->pos & 1u)) {
        walk_new_half(s, out);
        return 2;
    }
    uint32_t b = s->before;
    uint32_t ctx[VOTES_BYTE] = {
        (s->pos & 3u) | 1u << 24,
        (b & 255u) << 2 | (s->pos & 3u) | 2u << 24,
        (b & 0xffffu) | 3u << 24,
        (b & 0xffffffu) | 4u << 24,
    };
    out[0] = (uint8_t)walk_byte(s, ctx, 4u + (s->pos & 3u), INLAY_WANT(truth_byte(s, 0)));
    return 1;
}

/* ---- runs ---- */

static void walk_remember(struct walk *s, uint32_t diagonal)
{
    unsigned i = 0;
    while (i + 1u < RECENT && s->recent[i] != diagonal)
        i++;
    for (; i > 0; i--)
        s->recent[i] = s->recent[i - 1u];
    s->recent[0] = diagonal;
    s->diagonal = diagonal;
}

/* The first move that ends after pos, or map.count. */
static uint32_t walk_next_move(const struct walk *s)
{
    uint32_t lo = 0, hi = s->map.count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2u;
        const struct inlay_move *m = &s->map.move[mid];
        if (m->new_pos + m->len <= s->pos)
            lo = mid + 1u;
        else
            hi = mid;
    }
    return lo;
}

/* Which diagonal a copy is on; next is the one of the move behind the gap. */
static uint32_t walk_diagonal(struct walk *s, uint32_t next, uint32_t want)
{
    unsigned index = 0;
#ifdef INLAY_ENCODER
    while (index < RECENT && s->recent[index] != want)
        index++;
    if (index == RECENT)
        index = next == want ? RECENT_NEXT : RECENT_NONE;
#endif
    index = walk_tree(s, FLAG_RECENT, 5, index);
    if (index < RECENT)
        return s->recent[index];
    if (index == RECENT_NEXT)
        return next;
    return s->recent[0] + walk_signed(s, NUMBER_OLD, want - s->recent[0]);
}

static int walk_gap_run(struct walk *s, uint32_t left, uint32_t next)
{
    unsigned copy = s->run == RUN_NEW && s->run_left == 0;
    INLAY_ACCOUNT(s, control);
    if (!copy)
        copy = walk_bit(s, FLAG_COPY + (unsigned)s->run, INLAY_WANT(truth_is_copy(s)));
    uint32_t len = left;
    if (!walk_bit(s, FLAG_WHOLE + copy, INLAY_WANT(truth_run_len(s, left) == left))) {
        len = 1u + walk_number(s, copy ? NUMBER_LEN : NUMBER_GAP,
                               INLAY_WANT(truth_run_len(s, left) - 1u));
        if (len >= left)
            return INLAY_E_CORRUPT;
    }
    if (copy) {
        walk_remember(s, walk_diagonal(s, next, INLAY_WANT(truth_diagonal(s))));
        uint32_t old_pos = s->pos + s->diagonal;
        if (old_pos > s->setup.old_size || len > s->setup.old_size - old_pos)
            return INLAY_E_CORRUPT;
    }
    s->run = copy ? RUN_COPY : RUN_NEW;
    s->run_left = len;
    return 0;
}

/* Finds out what produces the bytes from pos on. */
static int walk_begin_run(struct walk *s)
{
    uint32_t i = walk_next_move(s);
    const struct inlay_move *m = i < s->map.count ? &s->map.move[i] : 0;
    uint32_t limit = s->end;
    if (m && m->new_pos <= s->pos) {
        uint32_t end = m->new_pos + m->len;
        walk_remember(s, m->old_pos - m->new_pos);
        s->run = RUN_MOVE;
        s->run_left = (end < s->end ? end : s->end) - s->pos;
        return 0;
    }
    if (m && m->new_pos < limit)
        limit = m->new_pos;
    return walk_gap_run(s, limit - s->pos, m ? m->old_pos - m->new_pos : 0);
}

/* Produces the next unit at s->pos: *len bytes, 1 to INLAY_UNIT_MAX. */
static int walk_unit(struct walk *s, uint8_t *out, unsigned *len)
{
    int status = 0;
    if (s->run_left == 0) {
        status = walk_begin_run(s);
        if (status)
            return status;
        memset(&s->old_state, 0, sizeof s->old_state);
        s->half = 0;
    }
    if (s->run == RUN_NEW)
        *len = walk_new_unit(s, out);
    else
        status = walk_copy_unit(s, out, len);
    if (status)
        return status;
    for (unsigned i = 0; i < *len; i++)
        s->before = s->before << 8 | out[i];
    s->pos += *len;
    s->run_left -= *len;
    return 0;
}

#endif
