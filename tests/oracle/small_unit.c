/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Predicting a unit" and "Coding a unit". */
#include "small.h"

#include <string.h>

enum { Q_NONE, Q_LEARNED, Q_MAP, Q_DATA = Q_MAP + 4, Q_FIXED };

struct guess {
    struct unit u;
    uint32_t old_addr, new_addr, target, value;
    unsigned quality, changed, has_swap, stormy;
    uint8_t old[UNIT_MAX], now[UNIT_MAX];
    struct pair *swap;
    int has_near;
    uint32_t near_target;
};

/* ---- lessons ---- */

static int is_outside(const struct small *s, uint32_t addr)
{
    uint32_t pos;
    return !old_pos_of(&s->scene, addr, &pos);
}

static const struct pair *exact_lesson(const struct small *s, int list, uint32_t target)
{
    for (unsigned i = 0; i < 32; i++)
        if (s->lesson[list][i].to != 0 && s->lesson[list][i].from == target)
            return &s->lesson[list][i];
    return NULL;
}

static uint32_t apart(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

static const struct pair *near_lesson(const struct small *s, int list, uint32_t target)
{
    const struct pair *best = NULL;
    for (unsigned i = 0; i < 32; i++) {
        const struct pair *l = &s->lesson[list][i];
        if (l->to != 0 && apart(l->from, target) < 65536 &&
            (best == NULL || apart(l->from, target) < apart(best->from, target)))
            best = l;
    }
    return best;
}

static const struct pair *near_shift(const struct small *s, uint32_t value)
{
    const struct pair *best = NULL;
    for (unsigned i = 0; i < 32; i++) {
        const struct pair *w = &s->shift[i];
        if ((w->from || w->to) && apart(w->from, value) < 0xffffffff &&
            (best == NULL || apart(w->from, value) < apart(best->from, value)))
            best = w;
    }
    return best;
}

static void learn_target(struct small *s, uint32_t from, uint32_t to)
{
    int list = is_outside(s, from);
    for (unsigned i = 0; i < 32; i++)
        if (s->lesson[list][i].to != 0 && s->lesson[list][i].from == from) {
            s->lesson[list][i].to = to;
            return;
        }
    s->lesson[list][s->lessons[list]++ % 32] = (struct pair){from, to};
}

/* ---- the prediction ---- */

uint32_t where_to(const struct small *s, uint32_t target, unsigned *quality)
{
    uint32_t pos, odd = s->scene.cpu->granule == 2 ? target % 2 : 0;
    int inside = old_pos_of(&s->scene, target - odd, &pos), trust;
    const struct pair *l = exact_lesson(s, !inside, target);
    *quality = Q_LEARNED;
    if (l != NULL)
        return l->to;
    if (inside) {
        uint32_t to = new_addr_of(&s->scene, map_pos(&s->scene, pos, &trust)) + odd;
        *quality = Q_MAP + (unsigned)trust;
        return to;
    }
    l = near_lesson(s, 1, target);
    *quality = l ? Q_DATA : Q_FIXED;
    return l ? target + l->to - l->from : target;
}

static void predict(struct small *s, struct guess *g)
{
    uint32_t old_pos = s->pos + s->diagonal;
    uint32_t n = s->run_left < WINDOW ? s->run_left : WINDOW;
    memset(g, 0, sizeof *g);
    g->old_addr = old_addr_of(&s->scene, old_pos);
    g->new_addr = new_addr_of(&s->scene, s->pos);
    parse_unit(&s->scene, &s->registers, s->old + old_pos, n, g->old_addr, &g->u);
    memcpy(g->old, s->old + old_pos, g->u.len);
    memcpy(g->now, g->old, g->u.len);
    g->value = value_of(&s->scene, g->old, g->u.len);
    g->swap = &s->swap[hash(g->value + g->u.len, s->large ? 9 : 6)];
    if (g->u.has_target) {
        g->target = where_to(s, g->u.target, &g->quality);
        if (g->quality != Q_FIXED || g->u.type >= TYPE_WORDS || s->scene.cpu_id == CPU_THUMB2)
            aim_unit(&s->scene, &s->registers, &g->u, g->now, g->old_addr, g->new_addr, g->target);
    }
    g->changed = memcmp(g->old, g->now, g->u.len) != 0;
    uint8_t swapped[UNIT_MAX];
    memcpy(swapped, g->now, g->u.len);
    put_value(&s->scene, swapped, g->u.len, g->swap->to);
    g->has_swap = (g->swap->from || g->swap->to) && g->swap->from == g->value &&
                  memcmp(swapped, g->now, g->u.len) != 0;
}

/* ---- decisions ---- */

static unsigned log2_of(uint32_t v)
{
    unsigned n = 0;
    while (v >>= 1)
        n++;
    return n;
}

static unsigned decide(struct small *s, const struct guess *g, uint32_t what, uint32_t swap)
{
    uint32_t t = g->u.type, run = log2_of(s->run_hits + 1), changed = g->changed;
    uint32_t start = g->old[0];
    if (s->scene.cpu->granule == 2)
        start = (uint32_t)g->old[1] << 8;
    uint32_t key =
        what << 27 | t << 22 | changed << 21 | g->quality << 17 | swap << 16 | g->stormy << 15;
    uint32_t apart = what << 27 ^ swap << 20 ^ g->stormy << 19, last = s->text;
    uint32_t ctx[10] = {
        key | (s->hits & 3),
        what << 27 | 1u << 26 | g->stormy << 8 | (s->hits & 255),
        key | s->type_hits[t],
        key | run << 8 | 128,
        what << 27 | 3u << 25 | changed << 25 | t << 18 | start | swap << 16,
        what << 27 | 5u << 24 | (g->old_addr & 3) << 20 | (run > 7 ? 7 : run) << 12 |
            changed << 11 | swap << 10 | g->quality << 4 | (s->hits & 15),
        6 ^ apart ^ g->value * 0x2c1b3c6du,
        7 ^ apart ^ t << 3 ^ last % 65536 * 0x3d4d51cbu,
        8 ^ apart ^
            (g->u.has_target ? g->u.target * 0x2c1b3c6du : (g->value * 0x3d4d51cbu) ^ s->hits % 2),
        9 ^ apart ^ t << 3 ^ last * 0x2c1b3c6du,
    };
    unsigned len = (g->u.len < 4 ? g->u.len : 4) - 1;
    if (what > 0)
        return mixed_flag(
            s, ctx, 128 + (what - 1) * 16 + (unsigned)g->u.has_target * 8 + changed * 4 + swap,
            15 + what, 8 + what);
    if (g->stormy)
        return mixed_flag(s, ctx, 192 + len, t % 16, 8);
    return mixed_flag(s, ctx, ((g->quality * 2 + changed) * 4 + len) * 2 + swap, t % 16,
                      changed * 4 + swap * 2 + (s->hits & 1));
}

static unsigned is_calm(struct small *s, struct guess *g)
{
    static const unsigned stretch[3] = {32, 128, 512};
    if (g->changed || g->has_swap)
        return 0;
    if (s->calm_left == 0) {
        if (s->run_hits < 32)
            return 0;
        unsigned size = s->run_hits < 128 ? 0 : s->run_hits < 1024 ? 1 : 2;
        s->calm_left = stretch[size];
        s->calm = plain_bit(s, C_CALM + size);
    }
    s->calm_left--;
    g->stormy = !s->calm;
    return s->calm;
}

/* ---- misses ---- */

static int candidate(struct small *s, const struct guess *g, unsigned k, uint8_t *out)
{
    memcpy(out, g->old, g->u.len);
    if (k == 0)
        return (int)g->changed;
    if (k == 1) {
        put_value(&s->scene, out, g->u.len, g->swap->to);
        return (int)g->has_swap;
    }
    if (k == 3) {
        uint32_t delta = s->last_delta;
        if (g->u.len == 2 && s->half_delta[g->value / 2048] != 0)
            delta = s->half_delta[g->value / 2048];
        put_value(&s->scene, out, g->u.len, g->value + delta);
        return delta != 0;
    }
    if (g->u.has_target)
        return g->has_near && aim_unit(&s->scene, &s->registers, &g->u, out, g->old_addr,
                                       g->new_addr, g->near_target);
    const struct pair *w = near_shift(s, g->value);
    if (w != NULL)
        put_value(&s->scene, out, g->u.len, g->value + w->to - w->from);
    return w != NULL;
}

/* In last: the last one tried, or the prediction if there was none. */
static int try_candidates(struct small *s, const struct guess *g, uint8_t *out, uint8_t *last,
                          unsigned *count)
{
    uint8_t tried[5][UNIT_MAX];
    unsigned n = 1;
    memcpy(tried[0], g->now, g->u.len);
    for (unsigned k = 0; k < 4; k++) {
        int known = !candidate(s, g, k, tried[n]);
        for (unsigned i = 0; i < n; i++)
            known |= memcmp(tried[i], tried[n], g->u.len) == 0;
        if (known)
            continue;
        unsigned right = decide(s, g, k + 1, s->candidate_hits[k] & 3);
        s->candidate_hits[k] = (uint8_t)(s->candidate_hits[k] << 1 | right);
        if (right) {
            memcpy(out, tried[n], g->u.len);
            return 1;
        }
        n++;
    }
    memcpy(last, tried[n - 1], g->u.len);
    *count = n - 1;
    return 0;
}

/* Byte i of a missed unit, the k-th to come, as a byte of new data. */
static struct text as_text(const struct small *s, uint32_t i, uint32_t k, uint32_t seen)
{
    struct text t = {k, seen, s->text};
    int halves = s->scene.cpu->fresh == BY_HALVES;
    if (k >= 4 || (!halves && s->scene.cpu->fresh != BY_PARCELS))
        t.place = 4 + (s->pos + i) % 4;
    if (k >= 4)
        t.before = seen;
    else if (!halves)
        t.before = t.before << 8 * k | seen;
    else if (k >= 2) {
        uint32_t first = k == 2 ? seen : seen >> 8;
        t.before = t.before << 16 | (first & 255) << 8 | (first >> 8 & 255);
    }
    return t;
}

/* Expects the bytes of up to two units, each as long as it is not known to be wrong. */
static void expect_unit(struct small *s, unsigned which, const uint8_t *unit, uint32_t len,
                        uint32_t i, uint32_t k, unsigned wrong)
{
    uint32_t kind = 2 * (len == 2 ? k : 2 + k % 4) + wrong;
    s->expected[which].counter = unit ? (int)(C_GUESS + 8 * (16 * which + kind)) : -1;
    s->expected[which].byte = unit ? unit[i] : 0;
}

static void miss_bytes(struct small *s, const struct guess *g, const uint8_t *last, uint8_t *out)
{
    uint32_t t = g->u.type, len = g->u.len, seen = 0;
    unsigned now_wrong = 0, last_wrong = 0;
    for (uint32_t k = 0; k < len; k++) {
        uint32_t i = k;
        if (s->scene.cpu->fresh == BY_HALVES && (k | 1) < len)
            i = k ^ 1;
        uint32_t now = g->now[i];
        uint32_t ctx[8];
        uint32_t own[4] = {
            (t << 3 | i) << 8 | now | 1u << 24,
            now << 8 | (seen & 255) | 2u << 24 | (k > 0 ? 1u << 20 : 0),
            (seen & 0xffff) | t << 16 | 3u << 24 | i << 28,
            now << 8 | (s->last_delta & 255) | 4u << 24,
        };
        struct text text = as_text(s, i, k, seen);
        text_contexts(s, &text, ctx);
        for (unsigned n = 0; n < 4 && n < s->votes; n++)
            ctx[s->votes - 1 - n] = own[n];
        expect_unit(s, 0, g->now, len, i, k, now_wrong);
        expect_unit(s, 1, last, len, i, k, last_wrong);
        out[i] = (uint8_t)mixed_byte(s, ctx, 8 + (i & 3) + (t >= TYPE_WORDS ? 4 : 0), 0);
        seen = seen << 8 | out[i];
        now_wrong |= out[i] != g->now[i];
        last_wrong |= last && out[i] != last[i];
    }
}

static void miss(struct small *s, struct guess *g, uint8_t *out)
{
    uint8_t last[UNIT_MAX];
    unsigned tried = 0;
    if (g->u.has_target) {
        const struct pair *l = near_lesson(s, is_outside(s, g->u.target), g->u.target);
        g->has_near = l != NULL;
        g->near_target = l ? g->u.target + l->to - l->from : g->target;
    }
    if (try_candidates(s, g, out, last, &tried))
        return;
    if (g->u.has_target && plain_bit(s, C_NEAR + g->u.type)) {
        uint32_t target = g->near_target + signed_number(s, KIND_DELTA);
        memcpy(out, g->old, g->u.len);
        aim_unit(&s->scene, &s->registers, &g->u, out, g->old_addr, g->new_addr, target);
        return;
    }
    miss_bytes(s, g, tried ? last : NULL, out);
}

static void learn(struct small *s, const struct guess *g, const uint8_t *out)
{
    struct pair now = {g->value, value_of(&s->scene, out, g->u.len)};
    *g->swap = now;
    s->last_delta = now.to - now.from;
    if (g->u.len == 2)
        s->half_delta[g->value / 2048] = s->last_delta % 65536;
    if (!g->u.has_target) {
        s->shift[s->shifts++ % 32] = now;
        return;
    }
    if (g->u.type >= TYPE_WORDS) {
        learn_target(s, g->u.target, word_target(&s->scene, &g->u, out, g->old_addr, g->new_addr));
        return;
    }
    struct unit u;
    struct registers fresh = {{0}, 0};
    cpu_parse(s->scene.cpu_id, &fresh, out, g->u.len, g->new_addr, &u);
    if (u.has_target && u.type == g->u.type)
        learn_target(s, g->u.target, u.target);
}

unsigned copy_unit(struct small *s, uint8_t *out)
{
    struct guess g;
    predict(s, &g);
    unsigned hit = is_calm(s, &g) || decide(s, &g, 0, g.has_swap);
    if (hit) {
        memcpy(out, g.now, g.u.len);
        s->run_hits++;
    } else {
        s->calm_left = 0;
        miss(s, &g, out);
        learn(s, &g, out);
        s->run_hits = 0;
    }
    s->hits = s->hits << 1 | hit;
    s->type_hits[g.u.type] = (uint8_t)(s->type_hits[g.u.type] << 1 | hit);
    return g.u.len;
}
