/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Range coder" to "Starting values". */
#include "../../patch/usual.h"
#include "small.h"

#include <string.h>

static uint32_t next_byte(struct small *s)
{
    return s->in_pos < s->in_end ? s->in[s->in_pos++] : 0;
}

void open_coder(struct small *s)
{
    s->range = 0xffffffff;
    for (int i = 0; i < 4; i++)
        s->code = s->code << 8 | next_byte(s);
    if (s->code == 0xffffffff)
        s->code = 0xfffffffe;
}

unsigned code_bit(struct small *s, uint32_t p)
{
    uint32_t bound = (uint32_t)((uint64_t)s->range * p / 65536);
    unsigned bit = s->code < bound;
    if (bit) {
        s->range = bound;
    } else {
        s->code -= bound;
        s->range -= bound;
    }
    while (s->range < 1u << 24) {
        s->range <<= 8;
        s->code = s->code << 8 | next_byte(s);
    }
    return bit;
}

unsigned plain_bit(struct small *s, unsigned counter)
{
    unsigned bit = code_bit(s, counter_p(&s->plain[counter]));
    learn_counter(&s->plain[counter], bit, 15);
    return bit;
}

uint32_t raw_bits(struct small *s, unsigned n)
{
    uint32_t v = 0;
    while (n-- > 0)
        v = v << 1 | code_bit(s, 32768);
    return v;
}

uint32_t number(struct small *s, unsigned kind)
{
    unsigned first = kind * 63, size = 0;
    while (size < 31 && plain_bit(s, first + (size < 23 ? size : 23)))
        size++;
    unsigned top = first + 24 + 3 * (size < 11 ? size : 11), low = first + 60;
    uint32_t v = 1;
    for (unsigned done = 0; done < size; done++) {
        unsigned left = size - done, bit;
        if (done == 0)
            bit = plain_bit(s, top);
        else if (done == 1)
            bit = plain_bit(s, top + 1 + v % 2);
        else if (left == 2)
            bit = plain_bit(s, low);
        else if (left == 1)
            bit = plain_bit(s, low + 1 + v % 2);
        else
            bit = raw_bits(s, 1);
        v = v * 2 + bit;
    }
    return v - 1;
}

uint32_t signed_number(struct small *s, unsigned kind)
{
    uint32_t v = number(s, kind);
    if (v != 0 && plain_bit(s, C_SIGN + kind))
        v = 0 - v;
    return v;
}

uint32_t hash(uint32_t v, unsigned bits)
{
    return v * 0x9e3779b1u >> (32 - bits);
}

static uint32_t spread(uint32_t h, uint32_t size)
{
    return (uint32_t)((uint64_t)h * size / 4294967296u);
}

/* What a table holds: counters with large models, else states. */
static struct counter fresh(const struct small *s)
{
    return (struct counter){s->large ? 2048 : 0, 0};
}

static void add_vote(const struct small *s, struct mixer *m, const struct counter *c)
{
    if (s->large)
        mix_add(m, counter_p(c));
    else
        mix_add_odds(m, state_odds(c));
}

static void learn_vote(const struct small *s, struct counter *c, unsigned bit, unsigned limit)
{
    if (s->large)
        learn_counter(c, bit, limit);
    else
        learn_state(c, bit);
}

unsigned mixed_flag(struct small *s, const uint32_t *ctx, unsigned class, unsigned a, unsigned b)
{
    struct mixer m = {{0}, 0, {s->flag_weight_a[a], s->flag_weight_b[b]}, {0}};
    struct counter *c[10];
    for (unsigned i = 0; i < s->flags; i++) {
        c[i] = &s->flag[i][spread((ctx[i] + 1) * 0x9e3779b1u, s->flag_size)];
        add_vote(s, &m, c[i]);
    }
    mix_add(&m, counter_p(&s->plain[C_CLASS + class]));
    unsigned bit = code_bit(s, mix(&m));
    mix_learn(&m, bit, 28);
    for (unsigned i = 0; i < s->flags; i++)
        learn_vote(s, c[i], bit, 15);
    learn_counter(&s->plain[C_CLASS + class], bit, 15);
    return bit;
}

/* Which 16 counters of a table a context has, which may have to be taken from another. */
static struct counter *find_counters(struct small *s, unsigned table, uint32_t ctx, uint32_t before)
{
    uint32_t h = (ctx + 1) * 0x2545f491u + before * 0x10001u;
    h = (h ^ h >> 15) * 0x9e3779b1u;
    uint32_t first = spread(h, s->rows), second = first ^ 1;
    uint16_t mark = (s->large ? h & 65535 : h & 255) | 1;
    struct counter *c = s->byte[table];
    if ((!s->large && table < 2) || s->mark[table][first] == mark)
        return c + first * 16;
    if (s->mark[table][second] == mark)
        return c + second * 16;
    const struct counter *one = &c[first * 16 + 1], *other = &c[second * 16 + 1];
    int less = other->n < one->n || (!s->large && other->n == one->n && other->p < one->p);
    uint32_t give = less ? second : first;
    for (unsigned i = 1; i < 16; i++)
        c[give * 16 + i] = fresh(s);
    s->mark[table][give] = mark;
    return c + give * 16;
}

/* The two bytes that are expected vote as far as they have been right. */
static void add_expected(struct small *s, struct mixer *m, unsigned depth, unsigned byte,
                         struct counter **c)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct expected *e = &s->expected[i];
        c[i] = NULL;
        if (e->counter >= 0 && (unsigned)e->byte >> (8 - depth) == byte)
            c[i] = &s->plain[e->counter + (int)depth];
        uint32_t p = c[i] ? counter_p(c[i]) : 32768;
        mix_add(m, e->byte >> (7 - depth) & 1 ? p : 65536 - p);
    }
}

static int32_t usual_odds(const struct small *s, unsigned node)
{
    if (s->usual == 15)
        return 0;
    unsigned two = inlay_usual_thumb2.odds[s->usual][node / 2];
    return 200 * (int32_t)(node % 2 ? two / 16 : two % 16) - 1500;
}

static unsigned mixed_bit(struct small *s, struct mixer *m, unsigned depth, unsigned byte)
{
    struct counter *c[2];
    add_expected(s, m, depth, byte, c);
    if (!s->large && s->scene.cpu_id == CPU_THUMB2)
        mix_add_odds(m, usual_odds(s, byte | 1u << depth));
    unsigned bit = code_bit(s, mix(m));
    mix_learn(m, bit, 14);
    for (unsigned i = 0; i < 2; i++)
        if (c[i])
            learn_counter(c[i], bit == (s->expected[i].byte >> (7 - depth) & 1u), 15);
    return bit;
}

/* wanted: what is learned, if bytes are. */
unsigned mixed_byte(struct small *s, const uint32_t *ctx, unsigned set, unsigned wanted)
{
    unsigned byte = 0;
    struct counter *row[8] = {0};
    for (unsigned depth = 0; depth < 8; depth++) {
        struct mixer m = {{0}, 0, {s->byte_weight_a[set]}, {0}};
        struct counter *c[8];
        unsigned seen = 0;
        /* The bits before those of this nibble, and those of this nibble, a 1 before each. */
        unsigned in_nibble = depth % 4;
        uint32_t before = depth < 4 ? 1 : 16 | byte >> in_nibble;
        uint32_t place = 1u << in_nibble | (byte & ((1u << in_nibble) - 1));
        for (unsigned i = 0; i < s->votes; i++) {
            if (in_nibble == 0)
                row[i] = find_counters(s, i, ctx[i], before);
            c[i] = row[i] + place;
            add_vote(s, &m, c[i]);
            if (i >= 2 && c[i]->n > 0)
                seen |= 1u << (i - 2);
        }
        m.weight[1] = s->byte_weight_b[seen];
        unsigned bit = s->lesson_text ? wanted >> (7 - depth) & 1 : mixed_bit(s, &m, depth, byte);
        for (unsigned i = 0; i < s->votes; i++)
            learn_vote(s, c[i], bit, 6);
        byte = byte << 1 | bit;
    }
    return byte;
}

static void set_all(const struct small *s, struct counter *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        c[i] = fresh(s);
}

static void reset_weights(struct small *s)
{
    for (unsigned k = 0; k < 22; k++) {
        int32_t w = k % 2 ? 0 : k < 2 * s->flags ? 3300 / (int32_t)s->flags : 2000;
        for (unsigned i = 0; i < 20; i++)
            s->flag_weight_a[i][k] = w;
        for (unsigned i = 0; i < 13; i++)
            s->flag_weight_b[i][k] = w;
    }
    for (unsigned k = 0; k < 22; k++) {
        unsigned voter = k / 2;
        int32_t w = voter < s->votes        ? 5500 / (int32_t)s->votes
                    : voter == s->votes     ? 2200
                    : voter == s->votes + 1 ? 1100
                                            : 1500;
        for (unsigned i = 0; i < 21; i++)
            s->byte_weight_a[i][k] = k % 2 ? 0 : w;
        for (unsigned i = 0; i < 64; i++)
            s->byte_weight_b[i][k] = k % 2 ? 0 : w;
    }
}

void reset_steps(struct small *s)
{
    for (unsigned i = C_STEP; i < C_SIGN; i++)
        s->plain[i] = prior(i);
}

void reset_group(struct small *s)
{
    for (unsigned i = 0; i < C_PRIORS; i++)
        if (i < C_STEP || i >= C_SIGN)
            s->plain[i] = prior(i);
    for (unsigned i = 0; i < s->flags; i++)
        set_all(s, s->flag[i], s->flag_size);
    for (unsigned i = 0; i < s->votes; i++) {
        set_all(s, s->byte[i], (size_t)16 * s->rows);
        for (uint32_t k = 0; k < s->rows; k++)
            s->mark[i][k] = s->large ? 0 : 1;
    }
    reset_weights(s);
    memset(s->lesson, 0, sizeof s->lesson);
    memset(s->swap, 0, sizeof s->swap);
    memset(s->shift, 0, sizeof s->shift);
    memset(s->candidate_hits, 0, sizeof s->candidate_hits);
    memset(s->type_hits, 255, sizeof s->type_hits);
    memset(s->half_delta, 0, sizeof s->half_delta);
    memset(s->memo, 0, sizeof s->memo);
    memset(s->memo_hits, 0, sizeof s->memo_hits);
    s->lessons[0] = s->lessons[1] = s->shifts = 0;
    s->hits = 0xffffffff;
    s->run_hits = s->last_delta = 0;
    s->calm_left = 0;
    forget_text(s);
}

/* The latest lessons of a list stay, in their order. */
static void keep_latest(struct small *s, unsigned list, unsigned most)
{
    struct pair kept[32] = {{0, 0}};
    unsigned n = 0;
    for (unsigned i = 32 - most; i < 32; i++) {
        struct pair l = s->lesson[list][(s->lessons[list] + i) % 32];
        if (l.to != 0)
            kept[n++] = l;
    }
    memcpy(s->lesson[list], kept, sizeof kept);
    s->lessons[list] = n;
}

void reset_but_lessons(struct small *s)
{
    struct pair lesson[2][32];
    unsigned lessons[2];
    keep_latest(s, 0, 12);
    keep_latest(s, 1, 8);
    memcpy(lesson, s->lesson, sizeof lesson);
    memcpy(lessons, s->lessons, sizeof lessons);
    reset_group(s);
    memcpy(s->lesson, lesson, sizeof lesson);
    memcpy(s->lessons, lessons, sizeof lessons);
}
