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
#include "usual.h"

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
/* Counters of a kind: for the size, and by size for the two bits below the leading one. */
#define NUMBER_SIZES    24u
#define NUMBER_TOPS     12u
#define NUMBER_LOW      (NUMBER_SIZES + 3u * NUMBER_TOPS) /* for the two lowest bits of others */
#define NUMBER_COUNTERS (NUMBER_LOW + 3u)

/* A byte that may come next.  How sure it is, is learned by bit and ... */
#define HUNCHES    2u
#define HUNCH_MISS 12u /* for missed units: byte (2 of short units, 4 of others), was one wrong */
#define HUNCH_MEMO 4u  /* for new data: how the last two turned out */
#define HUNCH_SETS (HUNCHES * (HUNCH_MISS + HUNCH_MEMO))

enum walk_flag {
    FLAG_COPY = NUMBER_KINDS * NUMBER_COUNTERS, /* copy or new data, by what was before */
    FLAG_WHOLE = FLAG_COPY + 4,                 /* to the end of the gap, by copy */
    FLAG_END = FLAG_WHOLE + 2,                  /* the last move reaches the end */
    FLAG_RECENT = FLAG_END + 1,                 /* a tree of 32 */
    FLAG_STEP = FLAG_RECENT + 32,               /* a block is next: 3, see walk_step(); staged */
    FLAG_TREND = FLAG_STEP + 4, /* the next one in the same direction, by last time */
    FLAG_SIGN = FLAG_TREND + 4,
    FLAG_NEAR = FLAG_SIGN + NUMBER_KINDS,     /* a missed target is near, by type */
    FLAG_CALM = FLAG_NEAR + INLAY_UNIT_TYPES, /* many units in a row are right, by how many were */
    FLAG_FAR = FLAG_CALM + 3,                 /* what looks like a far target is one, by kind */
    FLAG_HUNCH = FLAG_FAR + 2,                /* the next bit is as expected: a set for each ... */
    CONTROL_COUNTERS = FLAG_HUNCH + HUNCH_SETS * 8u
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

#define FLAGS_SMALL 6u  /* contexts that are hashed into a table each ... */
#define FLAGS_LARGE 10u /* ... with large models; and one that has a counter per class */
#define CLASSES     196u
#define BYTE_SETS   21u
#define SEEN_FROM   2u /* the contexts from here on are the longer ones */

/* What a missed unit may have become, tried in this order. */
enum walk_candidate {
    CANDIDATE_OLD,   /* the old unit, although its address moved */
    CANDIDATE_SWAP,  /* what the same unit became last time */
    CANDIDATE_NEAR,  /* moved like the nearest value or target that was corrected */
    CANDIDATE_DELTA, /* changed by as much as the last unit that missed */
    CANDIDATES
};
#define FLAG_SETS (16u + CANDIDATES) /* by type, or by candidate */
#define FLAG_MORE (9u + CANDIDATES)
#define FLAG_ROWS (FLAG_SETS + FLAG_MORE)

/* Old addresses whose new ones had to be corrected. */
struct walk_lesson {
    uint32_t from;
    uint32_t to;
};
#define LESSONS 32u
/* The latest of each list outlive a commit: in the image, outside. */
#define LESSONS_KEPT_IN  12u
#define LESSONS_KEPT_OUT 8u

/* What a unit's value was and became. */
struct walk_swap {
    uint32_t from;
    uint32_t to;
};
#define SHIFTS 32u /* the latest ones */

/* A byte that may come, and its counters; base 0: none. */
struct walk_hunch {
    uint16_t base;
    uint8_t byte;
};
#define MEMO_LOG2  9u
#define HALF_KINDS 32u

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
    struct inlay_table *table; /* the scene's */
    struct inlay_map map;
    struct inlay_range *pool;
    uint32_t pool_count;
    uint32_t plan_left; /* items left in this phase */
    uint32_t plan_pos;  /* where the last item ended */

    /* where we are */
    uint32_t pos, end;   /* in the new image; end of the block */
    uint32_t next_block; /* if the direction stays */
    uint8_t down;        /* which that is */
    uint8_t trend;       /* 1: it stayed last time */
    uint8_t in_group;    /* 1: there was a block since the last commit */
    uint16_t staged;     /* blocks of this group */
    enum walk_run run;
    uint32_t run_left;
    uint32_t diagonal; /* old position minus new position */
    uint32_t recent[RECENT];
    uint8_t pending[INLAY_UNIT_MAX], pending_len, pending_pos;

    /* what the models look at */
    uint32_t before;     /* the last four bytes of the text (walk_note.h), the newest lowest */
    uint32_t hits;       /* the last outcomes, 1: predicted right, newest lowest */
    uint32_t run_length; /* right predictions in a row */
    uint16_t calm_left;  /* units that the last FLAG_CALM still speaks of */
    uint8_t calm;        /* what it said: 1, all of them are right */
    uint8_t type_hits[INLAY_UNIT_TYPES];
    uint32_t last_delta;             /* new minus old in the last unit that missed */
    uint16_t half_delta[HALF_KINDS]; /* the same for halfwords, by their top bits; 0: none yet */
    uint8_t parcel; /* INLAY_LITERAL_PARCELS: the first byte of the last new instruction */
    uint32_t far;   /* the last far target of the code */
    uint32_t word;  /* address of the literal word that is next in turn */
    struct walk_hunch hunch[HUNCHES];
    uint8_t memo[HUNCHES][1u << MEMO_LOG2]; /* by context: the byte that came last time */
    uint8_t memo_hits[HUNCHES];
    uint8_t usual; /* what is usual for the next byte: a kind */
    struct inlay_arch_state old_state;
    struct walk_cache cache;
    struct walk_lesson lesson[2][LESSONS]; /* 0: in the image, 1: outside */
    uint8_t lessons[2];
    struct walk_swap shift[SHIFTS];
    uint8_t shifts;
    uint8_t candidate_hits[CANDIDATES];

    uint16_t control[CONTROL_COUNTERS];
    uint16_t class[CLASSES];
    struct walk_swap *swap; /* 1 << walk_swaps_log2(), by hash */
    uint16_t *flag;         /* walk_flags() tables of counters, of small models of states */
    uint16_t *byte;         /* params.votes tables of rows of 16, the same */
    int16_t *weight_flag;   /* FLAG_ROWS rows of walk_flag_row() */
    int16_t *weight_byte;   /* walk_byte_rows() rows of walk_byte_row() */
    const uint8_t *taught;  /* while bytes are learned that are known: these; else NULL */
    uint8_t side;           /* enum inlay_side: which image these are from */
};

/* ---- simple decisions ---- */

static unsigned walk_bit(struct walk *s, unsigned counter, unsigned want)
{
    uint16_t *c = &s->control[counter];
    unsigned bit = inlay_coder_bit(&s->rc, inlay_counter_p(*c), want);
    INLAY_TRACE(s, counter, bit);
    inlay_counter_learn(c, bit, INLAY_COUNTER_SLOW);
    return bit;
}

static unsigned walk_least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned walk_raw(struct walk *s, unsigned bits, unsigned want)
{
    unsigned v = 0;
    while (bits-- > 0)
        v = v << 1 | inlay_coder_bit(&s->rc, 32768, want >> bits & 1u);
    return v;
}

/*
 * Exp-Golomb: how many bits v + 1 has, then those bits.  The top two are modelled, and the lowest
 * two, as much is aligned.
 */
static uint32_t walk_number(struct walk *s, enum walk_number kind, uint32_t want)
{
    unsigned base = (unsigned)kind * NUMBER_COUNTERS;
    unsigned size = 0, want_size = 0;
    while (want_size < 31 && (want + 1u) >> want_size > 1u)
        want_size++;
    while (size < 31 && walk_bit(s, base + walk_least(size, NUMBER_SIZES - 1u), size < want_size))
        size++;
    unsigned top = base + NUMBER_SIZES + 3u * walk_least(size, NUMBER_TOPS - 1u);
    uint32_t v = 1;
    for (unsigned i = size; i-- > 0;) {
        unsigned bit = (want + 1u) >> i & 1u;
        if (i + 1u == size)
            bit = walk_bit(s, top, bit);
        else if (i + 2u == size)
            bit = walk_bit(s, top + 1u + (v & 1u), bit);
        else if (i < 2)
            bit = walk_bit(s, base + NUMBER_LOW + (i ? 0u : 1u + (v & 1u)), bit);
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

static unsigned walk_flags(const struct inlay_mix_params *p)
{
    return p->large ? FLAGS_LARGE : FLAGS_SMALL;
}

static unsigned walk_swaps_log2(const struct inlay_mix_params *p)
{
    return p->large ? 9u : 6u;
}

/* 1 if what is usual votes on bytes, too. */
static unsigned walk_knows_usual(const struct inlay_mix_params *p)
{
    return !p->large && p->arch == INLAY_ARCH_THUMB2;
}

/* Weights in a row: two for each voter. */
static unsigned walk_flag_row(const struct inlay_mix_params *p)
{
    return 2u * (walk_flags(p) + 1u);
}

static unsigned walk_byte_row(const struct inlay_mix_params *p)
{
    return 2u * (p->votes + HUNCHES + walk_knows_usual(p));
}

/* Rows of weights for bytes: by what these are, and by which of the longer contexts were seen. */
static unsigned walk_byte_rows(const struct inlay_mix_params *p)
{
    return BYTE_SETS + (1u << (p->votes - SEEN_FROM));
}

/* The tables of small models. */
static uint8_t *walk_states(uint16_t *table)
{
    return (uint8_t *)table;
}

static uint32_t walk_hash(uint32_t v, unsigned bits)
{
    return v * 0x9e3779b1u >> (32u - bits);
}

/* Spreads a hash over a table. */
static uint32_t walk_place(uint32_t hash, uint32_t size)
{
    return (uint32_t)((uint64_t)hash * size >> 32);
}

/* A cell of a flag table: a counter of large models, or a state. */
union walk_cell {
    uint16_t *counter;
    uint8_t *state;
};

static union walk_cell walk_flag_cell(const struct walk *s, unsigned table, uint32_t ctx)
{
    uint32_t room = inlay_mix_flags(&s->params);
    size_t at = (size_t)table * room + walk_place(walk_hash(ctx + 1u, 32), room);
    union walk_cell cell;
    if (s->params.large)
        cell.counter = s->flag + at;
    else
        cell.state = walk_states(s->flag) + at;
    return cell;
}

static void walk_flag_learn(const struct walk *s, union walk_cell cell, unsigned bit)
{
    if (s->params.large)
        inlay_counter_learn(cell.counter, bit, INLAY_COUNTER_SLOW);
    else
        inlay_state_learn(cell.state, bit);
}

/* Decides one flag; ctx[i] picks the cell of table i, a and b the weights. */
static unsigned walk_flag(struct walk *s, const uint32_t *ctx, unsigned class, unsigned a,
                          unsigned b, unsigned want)
{
    unsigned tables = walk_flags(&s->params), row = walk_flag_row(&s->params);
    struct inlay_ballot ballot;
    ballot.n = 0;
    ballot.weight[0] = s->weight_flag + a * row;
    ballot.weight[1] = s->weight_flag + (FLAG_SETS + b) * row;
    union walk_cell cell[FLAGS_LARGE];
    for (unsigned i = 0; i < tables; i++) {
        cell[i] = walk_flag_cell(s, i, ctx[i]);
        if (s->params.large)
            inlay_vote(&ballot, inlay_counter_p(*cell[i].counter));
        else
            inlay_vote_odds(&ballot, inlay_state_odds(*cell[i].state));
    }
    inlay_vote(&ballot, inlay_counter_p(s->class[class]));
    unsigned bit = inlay_coder_bit(&s->rc, inlay_mix(&ballot), want);
    INLAY_TRACE(s, CONTROL_COUNTERS + class, bit);
    inlay_mix_learn(&ballot, bit, 28);
    for (unsigned i = 0; i < tables; i++)
        walk_flag_learn(s, cell[i], bit);
    inlay_counter_learn(&s->class[class], bit, INLAY_COUNTER_SLOW);
    return bit;
}

#endif
