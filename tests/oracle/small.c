/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Codec 1": parameters, plan, steps, runs. */
#include "small.h"

#include <stdlib.h>
#include <string.h>

enum { RUN_NONE, RUN_MOVE, RUN_COPY, RUN_NEW };

static void bad(const char *what)
{
    die(EXIT_CORRUPT, "%s", what);
}

/* ---- the plan ---- */

static uint32_t address(struct small *s)
{
    unsigned zeros = raw_bits(s, 5);
    if (zeros == 31)
        return raw_bits(s, 1) << 31;
    unsigned more = raw_bits(s, 5);
    uint32_t odd = 1;
    if (more > 0) {
        odd = 1u << (more - 1);
        odd += raw_bits(s, more - 1);
        odd = 2 * odd + 1;
    }
    return odd << zeros;
}

static uint32_t end_before(const struct space *list, unsigned i)
{
    return i ? list[i - 1].pos + list[i - 1].len : 0;
}

/* like: the old space of the same index in its list, or NULL. */
static void read_space(struct small *s, struct space *list, unsigned i, const struct space *like,
                       uint32_t size)
{
    struct space *sp = &list[i];
    sp->pos = 0;
    sp->len = size;
    if (!raw_bits(s, 1)) {
        sp->pos = end_before(list, i);
        if (like) {
            sp->pos += like[i].pos - end_before(like, i) + signed_number(s, KIND_MISC);
            sp->len = like[i].len + signed_number(s, KIND_MISC);
        } else {
            sp->pos += number(s, KIND_MISC);
            sp->len = number(s, KIND_MISC);
        }
    }
    uint32_t limit = sp->pos < size ? size : 0x7fffffff;
    if (sp->pos > limit || sp->len > limit - sp->pos)
        bad("an address space is neither in its image nor behind it");
}

static void read_spaces(struct small *s)
{
    struct scene *sc = &s->scene;
    if (raw_bits(s, 1)) {
        sc->data_lo = 0x20000000 ^ address(s);
        sc->data_hi = sc->data_lo + address(s);
    }
    if (raw_bits(s, 1)) {
        uint32_t addr = address(s);
        sc->old_spaces = sc->new_spaces = 1;
        sc->old_space[0] = (struct space){.addr = addr, .len = s->p->old_size};
        sc->new_space[0] = (struct space){.addr = addr, .len = s->p->new_size};
        return;
    }
    sc->old_spaces = number(s, KIND_MISC);
    if (sc->old_spaces > SPACES_MAX)
        bad("too many address spaces");
    sc->new_spaces = number(s, KIND_MISC);
    if (sc->new_spaces > SPACES_MAX)
        bad("too many address spaces");
    for (unsigned i = 0; i < sc->old_spaces; i++) {
        read_space(s, sc->old_space, i, NULL, s->p->old_size);
        sc->old_space[i].addr = address(s);
    }
    for (unsigned i = 0; i < sc->new_spaces; i++) {
        read_space(s, sc->new_space, i, i < sc->old_spaces ? sc->old_space : NULL, s->p->new_size);
        int same = i < sc->old_spaces && raw_bits(s, 1);
        sc->new_space[i].addr = same ? sc->old_space[i].addr : address(s);
    }
}

static void read_tables(struct small *s)
{
    s->scene.tables = number(s, KIND_MISC);
    if (s->scene.tables > (s->large ? TABLES_MAX : 4u))
        bad("too many tables");
    for (unsigned i = 0; i < s->scene.tables; i++) {
        struct table *t = &s->scene.table[i];
        t->kind = raw_bits(s, 3);
        t->old_addr = number(s, KIND_MISC);
        t->new_addr = t->old_addr + signed_number(s, KIND_MISC);
        t->len = number(s, KIND_MISC);
        if (t->kind > (i ? 4u : 3u))
            bad("a table of an unknown kind");
    }
}

/* Gap and length of something that lies in [pos, size) of an image; it may go on to its end. */
static uint32_t read_stretch(struct small *s, uint32_t pos, uint32_t size, uint32_t *len,
                             int may_end)
{
    uint32_t gap = number(s, KIND_GAP);
    if (gap >= size - pos)
        bad("a range starts outside the image");
    if (may_end && plain_bit(s, C_END)) {
        *len = size - pos - gap;
        return pos + gap;
    }
    uint64_t n = (uint64_t)number(s, KIND_LEN) + 1;
    if (n > size - pos - gap)
        bad("a range ends outside the image");
    *len = (uint32_t)n;
    return pos + gap;
}

/* Where an image ends, or the last space behind it. */
static uint32_t end_of(uint32_t size, const struct space *sp, unsigned spaces)
{
    uint32_t end = spaces ? sp[spaces - 1].pos + sp[spaces - 1].len : 0;
    return end > size ? end : size;
}

static void read_moves(struct small *s)
{
    struct scene *sc = &s->scene;
    uint32_t pos = 0, old_size = s->p->old_size, new_size = s->p->new_size;
    uint32_t old_end = end_of(old_size, sc->old_space, sc->old_spaces);
    uint32_t new_end = end_of(new_size, sc->new_space, sc->new_spaces);
    sc->moves = s->moves;
    sc->move = need(sc->moves * sizeof *sc->move);
    sc->by_old = need(sc->moves * sizeof *sc->by_old);
    for (uint32_t i = 0; i < sc->moves; i++) {
        struct move *m = &sc->move[i];
        m->new_pos = read_stretch(s, pos, new_end, &m->len, i + 1 == sc->moves);
        pos = m->new_pos + m->len;
        remember(s, coded_diagonal(s, 0));
        m->old_pos = m->new_pos + s->diagonal;
        int behind = m->new_pos >= new_size;
        uint32_t limit = behind ? old_end : old_size;
        if (m->old_pos > limit || m->len > limit - m->old_pos)
            bad("a move from outside the old image");
        if (behind ? m->old_pos < old_size : pos > new_size)
            bad("a move from an image to behind it");
    }
    sort_moves(sc);
}

static void read_pool(struct small *s)
{
    uint32_t pos = 0, len;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->ranges; i++) {
        pos = read_stretch(s, pos, s->p->old_size, &len, 0) + len;
        sum += len;
    }
    if (sum > s->p->pool_len)
        bad("the pool's ranges are longer than the pool");
}

static void read_to_learn(struct small *s)
{
    unsigned e = number(s, KIND_MISC);
    if (e > 9)
        bad("large models are to learn too much");
    s->to_learn = e ? 512u << e : 0;
}

static void read_plan(struct small *s)
{
    reset_steps(s);
    reset_group(s);
    s->in_end = s->p->plan_len;
    open_coder(s);
    read_spaces(s);
    read_tables(s);
    read_moves(s);
    read_pool(s);
    if (s->large)
        read_to_learn(s);
    if (s->in_pos != s->p->plan_len)
        bad("the plan is not as long as the manifest says");
    s->in_end = s->p->payload_len;
    reset_group(s);
    memset(s->recent, 0, sizeof s->recent);
    if (s->large)
        learn_old_text(s);
}

/* ---- runs ---- */

void remember(struct small *s, uint32_t diagonal)
{
    unsigned i = 0;
    while (i < 15 && s->recent[i] != diagonal)
        i++;
    memmove(s->recent + 1, s->recent, i * sizeof *s->recent);
    s->recent[0] = s->diagonal = diagonal;
}

uint32_t coded_diagonal(struct small *s, uint32_t next)
{
    unsigned node = 1;
    while (node < 32)
        node = node * 2 + plain_bit(s, C_RECENT + node);
    if (node - 32 < 16)
        return s->recent[node - 32];
    if (node - 32 == 16)
        return next;
    return s->recent[0] + signed_number(s, KIND_OLD);
}

static void start_in_gap(struct small *s, uint32_t left, uint32_t next)
{
    unsigned copy = s->run == RUN_NEW || plain_bit(s, C_COPY + (unsigned)s->run);
    uint64_t len = left;
    if (!plain_bit(s, C_WHOLE + copy)) {
        len = (uint64_t)number(s, copy ? KIND_LEN : KIND_GAP) + 1;
        if (len >= left)
            bad("a run is longer than its gap");
    }
    if (copy) {
        remember(s, coded_diagonal(s, next));
        uint32_t old_pos = s->pos + s->diagonal;
        if (old_pos > s->p->old_size || len > s->p->old_size - old_pos)
            bad("a copy from outside the old image");
    }
    s->run = copy ? RUN_COPY : RUN_NEW;
    s->run_left = (uint32_t)len;
}

static void start_run(struct small *s)
{
    const struct scene *sc = &s->scene;
    uint32_t i = 0, limit = s->end;
    while (i < sc->moves && sc->move[i].new_pos + sc->move[i].len <= s->pos)
        i++;
    const struct move *m = i < sc->moves ? &sc->move[i] : NULL;
    if (m && m->new_pos + m->len < limit && m->new_pos <= s->pos)
        limit = m->new_pos + m->len;
    if (m && m->new_pos > s->pos && m->new_pos < limit)
        limit = m->new_pos;
    if (m && m->new_pos <= s->pos) {
        remember(s, m->old_pos - m->new_pos);
        s->run = RUN_MOVE;
        s->run_left = limit - s->pos;
    } else {
        start_in_gap(s, limit - s->pos, m ? m->old_pos - m->new_pos : 0);
    }
    memset(&s->registers, 0, sizeof s->registers);
    s->calm_left = 0;
}

/* ---- blocks ---- */

static void make_block(struct small *s)
{
    s->run = RUN_NONE;
    s->run_left = 0;
    while (s->pos < s->end) {
        uint8_t unit[UNIT_MAX];
        if (s->run_left == 0)
            start_run(s);
        unsigned len = s->run == RUN_NEW ? new_unit(s, unit) : copy_unit(s, unit);
        memcpy(s->out + s->pos, unit, len);
        if (s->run != RUN_NEW && s->run_hits < (s->large ? 16u : 6u))
            learn_copy(s, unit, len);
        else
            pass_bytes(s, unit, len);
    }
}

/* ---- steps ---- */

/* The bytes of a group in the order in which they were made. */
struct group {
    uint8_t *data;
    size_t len, room;
    uint32_t blocks, staged;
};

static void step_block(struct small *s, struct group *g)
{
    if (s->p->recipes && ++g->staged > s->p->stage_blocks)
        bad("more staged blocks than the manifest says");
    else if (!s->p->recipes && g->staged < s->p->stage_blocks)
        g->staged += plain_bit(s, C_STEP + 3);
    g->blocks++;
    uint32_t last = s->next_block - s->way, block = s->next_block;
    s->trend = plain_bit(s, C_TREND + s->trend);
    if (!s->trend)
        block += signed_number(s, KIND_BLOCK);
    if (block == last + 1)
        s->way = 1;
    else if (block == last - 1)
        s->way = UINT32_MAX;
    s->next_block = block + s->way;
    find_block(s->p, block, &s->pos, &s->end);
    uint32_t start = s->pos;
    make_block(s);
    if (g->room - g->len < s->end - start) {
        g->room = 2 * g->room + (s->end - start);
        g->data = realloc(g->data, g->room);
        if (g->data == NULL)
            die(EXIT_WRONG, "out of memory");
    }
    memcpy(g->data + g->len, s->out + start, s->end - start);
    g->len += s->end - start;
}

static void step_commit(struct small *s, struct group *g)
{
    uint8_t digest[32];
    sha256(g->data, g->len, digest);
    for (unsigned i = 0; i < s->p->check_len; i++)
        if (raw_bits(s, 8) != digest[i])
            bad("a group does not match its check");
    g->len = 0;
    g->blocks = g->staged = 0;
    reset_but_lessons(s);
}

static uint32_t table_size(unsigned n)
{
    return n > 104 ? 0 : (uint32_t)(8 + n % 8) << n / 8;
}

static void read_params(struct small *s)
{
    struct bytes b = {s->p->params, s->p->params + s->p->params_len};
    unsigned kind = take_byte(&b);
    s->scene.cpu_id = kind % 16;
    s->votes = 2 + kind / 16 % 8;
    s->large = kind / 128;
    s->flags = s->large ? 10 : 6;
    unsigned flags = take_byte(&b), rows = take_byte(&b);
    s->flag_size = table_size(flags);
    s->rows = table_size(rows) / 2 * 2;
    s->moves = b.at != b.end ? take_uvarint(&b) : 0;
    s->ranges = b.at != b.end ? take_uvarint(&b) : 0;
    int bare = s->p->params_len == 3 || s->p->params[s->p->params_len - 1] != 0;
    if (!bare || b.at != b.end || s->votes > 8 || flags > 104 || rows > 104 || s->moves > 65535 ||
        s->ranges > 4096)
        bad("bad parameters of codec 1");
    s->scene.cpu = cpu_of(s->scene.cpu_id);
    if (s->scene.cpu == NULL)
        die(EXIT_NO_PROCESSOR, "processor %u not covered", s->scene.cpu_id);
}

void decode_small(const struct patch *p, const uint8_t *old, uint8_t *out)
{
    struct small *s = need(sizeof *s);
    struct group g = {0};
    s->p = p;
    s->old = old;
    s->out = out;
    s->in = p->payload;
    s->way = 1;
    read_params(s);
    for (unsigned i = 0; i < s->flags; i++)
        s->flag[i] = need(sizeof(struct counter) * s->flag_size);
    for (unsigned i = 0; i < s->votes; i++) {
        s->byte[i] = need(sizeof(struct counter) * 16 * s->rows);
        s->mark[i] = need(sizeof(uint16_t) * s->rows);
    }
    read_plan(s);
    for (;;) {
        unsigned full = g.staged > 0 && g.staged == p->stage_blocks;
        unsigned counter = g.blocks == 0 ? 0 : p->recipes ? 3 : 1 + full;
        if (plain_bit(s, C_STEP + counter))
            step_block(s, &g);
        else if (g.blocks > 0)
            step_commit(s, &g);
        else
            break;
    }
    if (s->in_pos != p->payload_len)
        bad("bytes are left behind the last step");
    for (unsigned i = 0; i < s->flags; i++)
        free(s->flag[i]);
    for (unsigned i = 0; i < s->votes; i++) {
        free(s->byte[i]);
        free(s->mark[i]);
    }
    free(s->scene.move);
    free(s->scene.by_old);
    free(g.data);
    free(s);
}
