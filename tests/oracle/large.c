/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "Codec 2".  The only decoder of LZMA2 at hand is liblzma. */
#include "oracle.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

enum { CONTROL, HITS, KINDS, TARGETS, DIFFERENCES, NEW, PARTS };

struct slot {
    uint32_t from, to; /* of the near table: page and shift */
    unsigned trust;
};

struct large {
    const struct patch *p;
    const uint8_t *old;
    uint8_t *out;
    struct scene scene;
    unsigned dict_log2, props, table_log2, max_moves, max_ranges;
    uint32_t kept;
    struct bytes payload, stream, part[PARTS];
    uint8_t *stream_data;
    uint32_t section_left, copied_left;
    int has_hits;
    uint32_t hits;
    struct slot *lesson, *near, *swap;
    uint32_t data_shift; /* of the last target outside the image */
    struct registers registers;
    uint32_t pos, end, diagonal, next_block;
    uint32_t group_len;
    uint8_t *group;
};

struct guess {
    struct unit u;
    uint32_t old_addr, new_addr, target, value;
    uint8_t old[UNIT_MAX], aimed[UNIT_MAX], now[UNIT_MAX];
    struct slot *swap;
};

static void bad(const char *what)
{
    die(EXIT_CORRUPT, "%s", what);
}

static uint32_t unzigzag(uint32_t v)
{
    return v & 1 ? 0 - v / 2 - 1 : v / 2;
}

/* ---- LZMA2 ---- */

/* Inflates one stream from the payload; the caller frees what it made. */
static uint8_t *inflate(struct large *s, size_t *len)
{
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    lzma_filter filters[2] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t room = 65536;
    uint8_t *data = need(room);
    lzma_lzma_preset(&options, 6);
    options.dict_size = 1u << s->dict_log2;
    options.lc = s->props % 9;
    options.lp = s->props / 9 % 5;
    options.pb = s->props / 45;
    if (lzma_raw_decoder(&z, filters) != LZMA_OK)
        die(EXIT_WRONG, "liblzma does not start");
    z.next_in = s->payload.at;
    z.avail_in = (size_t)(s->payload.end - s->payload.at);
    z.next_out = data;
    z.avail_out = room;
    for (;;) {
        lzma_ret ret = lzma_code(&z, LZMA_RUN);
        if (ret == LZMA_STREAM_END)
            break;
        if (ret != LZMA_OK || (z.avail_in == 0 && z.avail_out != 0))
            bad("an LZMA2 stream is damaged");
        if (z.avail_out == 0) {
            data = realloc(data, 2 * room);
            if (data == NULL)
                die(EXIT_WRONG, "out of memory");
            z.next_out = data + room;
            z.avail_out = room;
            room *= 2;
        }
    }
    *len = room - z.avail_out;
    s->payload.at = z.next_in;
    lzma_end(&z);
    return data;
}

/* ---- the plan ---- */

static unsigned read_spaces(struct bytes *b, struct space *sp, uint32_t size)
{
    unsigned count = take_byte(b);
    if (count > SPACES_MAX)
        bad("too many address spaces");
    for (unsigned i = 0; i < count; i++) {
        sp[i].addr = take_uvarint(b);
        sp[i].pos = take_uvarint(b);
        sp[i].len = take_uvarint(b);
        if (sp[i].pos > size || sp[i].len > size - sp[i].pos)
            bad("an address space is outside its image");
    }
    return count;
}

static void read_tables(struct scene *sc, struct bytes *b)
{
    sc->tables = take_byte(b);
    if (sc->tables > TABLES_MAX)
        bad("too many tables");
    for (unsigned i = 0; i < sc->tables; i++) {
        struct table *t = &sc->table[i];
        t->kind = take_byte(b);
        t->old_addr = take_uvarint(b);
        t->new_addr = take_uvarint(b);
        t->len = take_uvarint(b);
        if (t->kind > (i ? 4u : 3u))
            bad("a table of an unknown kind");
    }
}

static void read_moves(struct large *s, struct bytes *b)
{
    struct scene *sc = &s->scene;
    uint64_t pos = 0;
    uint32_t diagonal = 0;
    sc->moves = take_uvarint(b);
    if (sc->moves > s->max_moves)
        bad("too many moves");
    sc->move = need(sc->moves * sizeof *sc->move);
    sc->by_old = need(sc->moves * sizeof *sc->by_old);
    for (uint32_t i = 0; i < sc->moves; i++)
        sc->move[i].new_pos = take_uvarint(b);
    for (uint32_t i = 0; i < sc->moves; i++) {
        uint64_t start = pos + sc->move[i].new_pos;
        pos = start + take_uvarint(b) + 1;
        if (pos > s->p->new_size)
            bad("a move is outside the new image");
        sc->move[i].new_pos = (uint32_t)start;
        sc->move[i].len = (uint32_t)(pos - start);
    }
    for (uint32_t i = 0; i < sc->moves; i++) {
        struct move *m = &sc->move[i];
        diagonal += unzigzag(take_uvarint(b));
        m->old_pos = m->new_pos + diagonal;
        if (m->old_pos > s->p->old_size || m->len > s->p->old_size - m->old_pos)
            bad("a move is outside the old image");
    }
    sort_moves(sc);
}

static void read_pool(const struct large *s, struct bytes *b)
{
    uint32_t count = take_uvarint(b);
    uint64_t pos = 0, sum = 0;
    if (count > s->max_ranges)
        bad("too many ranges in the pool");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t gap = take_uvarint(b), less = take_uvarint(b);
        pos += (uint64_t)gap + less + 1;
        sum += (uint64_t)less + 1;
        if (pos > s->p->old_size)
            bad("a range is outside the old image");
    }
    if (sum > s->p->pool_len)
        bad("the pool's ranges are longer than the pool");
}

static void read_plan(struct large *s)
{
    size_t len;
    uint32_t said = get32(take_bytes(&s->payload, 4));
    uint8_t *data = inflate(s, &len);
    struct bytes b = {data, data + len};
    struct scene *sc = &s->scene;
    if (len != said || len > s->kept)
        bad("the plan is not as long as it says");
    sc->data_lo = take_uvarint(&b);
    sc->data_hi = take_uvarint(&b);
    sc->old_spaces = read_spaces(&b, sc->old_space, s->p->old_size);
    sc->new_spaces = read_spaces(&b, sc->new_space, s->p->new_size);
    read_tables(sc, &b);
    read_moves(s, &b);
    read_pool(s, &b);
    if (b.at != b.end || s->payload.at != s->p->payload + s->p->plan_len)
        bad("the plan is not as long as the manifest says");
    free(data);
}

/* ---- sections ---- */

static void next_section(struct large *s)
{
    for (unsigned i = 0; i < PARTS; i++)
        if (s->part[i].at != s->part[i].end)
            bad("a part of a section was not used up");
    if (s->section_left || s->hits)
        bad("a section was not used up");
    unsigned header_len = take_byte(&s->stream);
    const uint8_t *header = take_bytes(&s->stream, header_len);
    struct bytes h = {header, header + header_len};
    uint32_t len[PARTS];
    uint64_t kept = 0;
    s->section_left = take_uvarint(&h);
    for (unsigned i = 0; i < PARTS; i++)
        len[i] = take_uvarint(&h);
    for (unsigned i = 0; i < NEW; i++)
        kept += len[i];
    if (h.at != h.end || kept > s->kept || len[NEW] > s->section_left)
        bad("a section's header is wrong");
    for (unsigned i = 0; i < PARTS; i++) {
        s->part[i].at = take_bytes(&s->stream, len[i]);
        s->part[i].end = s->part[i].at + len[i];
    }
    s->copied_left = s->section_left - len[NEW];
    s->has_hits = 0;
}

static struct bytes *control(struct large *s)
{
    if (s->part[CONTROL].at == s->part[CONTROL].end)
        next_section(s);
    return &s->part[CONTROL];
}

/* ---- units ---- */

static uint32_t hash(const struct large *s, uint32_t v)
{
    return s->table_log2 ? v * 0x9e3779b1u >> (32 - s->table_log2) : 0;
}

static uint32_t where_to(const struct large *s, uint32_t target)
{
    const struct slot *l = &s->lesson[hash(s, target)], *near = &s->near[hash(s, target >> 8)];
    uint32_t pos, odd = s->scene.cpu->granule == 2 ? target % 2 : 0;
    int trust, known = near->trust && near->from == target >> 8;
    if (l->from == target && l->to != 0)
        return l->to;
    if (old_pos_of(&s->scene, target - odd, &pos)) {
        uint32_t to = new_addr_of(&s->scene, map_pos(&s->scene, pos, &trust)) + odd;
        if (!known || (trust == TRUST_INSIDE && near->trust < 6))
            return to;
    }
    return target + (known ? near->to : s->data_shift);
}

static int aim(const struct large *s, const struct guess *g, uint32_t target, uint8_t *out)
{
    memcpy(out, g->old, g->u.len);
    return aim_unit(&s->scene, &s->registers, &g->u, out, g->old_addr, g->new_addr, target);
}

static void predict(struct large *s, struct guess *g, uint32_t left)
{
    uint32_t old_pos = s->pos + s->diagonal;
    memset(g, 0, sizeof *g);
    g->old_addr = old_addr_of(&s->scene, old_pos);
    g->new_addr = new_addr_of(&s->scene, s->pos);
    parse_unit(&s->scene, &s->registers, s->old + old_pos, left < WINDOW ? left : WINDOW,
               g->old_addr, &g->u);
    memcpy(g->old, s->old + old_pos, g->u.len);
    memcpy(g->aimed, g->old, g->u.len);
    if (g->u.has_target) {
        g->target = where_to(s, g->u.target);
        aim(s, g, g->target, g->aimed);
    }
    memcpy(g->now, g->aimed, g->u.len);
    g->value = value_of(&s->scene, g->aimed, g->u.len);
    g->swap = &s->swap[hash(s, g->value * 8 + g->u.len)];
    if (g->u.len > 1 && g->swap->trust >= 2 && g->swap->from == g->value)
        put_value(&s->scene, g->now, g->u.len, g->swap->to);
}

static void add(const struct large *s, const uint8_t *a, const uint8_t *b, unsigned len,
                uint8_t *out)
{
    for (unsigned i = 0; i < len; i++)
        out[i] = (uint8_t)(a[i] + b[i]);
    if (s->scene.cpu->granule >= 2 && len >= 2)
        put_value(&s->scene, out, len, value_of(&s->scene, a, len) + value_of(&s->scene, b, len));
}

static void read_miss(struct large *s, const struct guess *g, uint8_t *out)
{
    switch (take_byte(&s->part[KINDS])) {
    case 0:
        add(s, g->now, take_bytes(&s->part[DIFFERENCES], g->u.len), g->u.len, out);
        return;
    case 1:
        if (!g->u.has_target ||
            !aim(s, g, g->target + get32(take_bytes(&s->part[TARGETS], 4)), out))
            bad("a target that its unit cannot reach");
        return;
    case 2:
        memcpy(out, g->old, g->u.len);
        return;
    case 3:
        memcpy(out, g->aimed, g->u.len);
        return;
    default:
        bad("a miss of an unknown kind");
    }
}

/* ---- learning ---- */

/* Once more the same: more trust; something else: less, until it takes the place. */
static void learn_near(struct slot *n, uint32_t page, uint32_t shift)
{
    if (n->trust && n->from == page && n->to == shift)
        n->trust += n->trust < 6;
    else if (n->trust <= 1 || n->from != page)
        *n = (struct slot){page, shift, 1};
    else
        n->trust--;
}

static void learn_swap(struct slot *w, uint32_t from, uint32_t to)
{
    if (w->trust && w->from == from && w->to == to)
        w->trust += w->trust < 6;
    else if (from != to && (w->trust <= 1 || w->from != from))
        *w = (struct slot){from, to, 1};
    else if (w->trust && w->from == from)
        w->trust--;
}

static int target_of(const struct large *s, const struct guess *g, const uint8_t *out,
                     uint32_t *target)
{
    if (g->u.type >= TYPE_WORDS) {
        *target = word_target(&s->scene, &g->u, out, g->old_addr, g->new_addr);
        return 1;
    }
    struct unit u;
    struct registers r = s->registers;
    cpu_parse(s->scene.cpu_id, &r, out, g->u.len, g->new_addr, &u);
    *target = u.target;
    return u.has_target && u.type == g->u.type;
}

static void learn(struct large *s, const struct guess *g, const uint8_t *out)
{
    int right = memcmp(out, g->aimed, g->u.len) == 0;
    uint32_t from = g->u.target, to = g->target, pos;
    if (g->u.len > 1 && (!right || g->swap->from == g->value))
        learn_swap(g->swap, g->value, value_of(&s->scene, out, g->u.len));
    if (!g->u.has_target || (!right && !target_of(s, g, out, &to)))
        return;
    if (!right)
        s->lesson[hash(s, from)] = (struct slot){from, to, 1};
    learn_near(&s->near[hash(s, from >> 8)], from >> 8, to - from);
    if (!old_pos_of(&s->scene, from, &pos))
        s->data_shift = to - from;
}

/* ---- runs ---- */

static void made(struct large *s, const uint8_t *data, uint32_t len)
{
    memcpy(s->out + s->pos, data, len);
    memcpy(s->group + s->group_len, data, len);
    s->group_len += len;
    s->pos += len;
    s->section_left -= len;
}

static void copy(struct large *s, uint32_t len, uint32_t diagonal)
{
    s->diagonal = diagonal;
    memset(&s->registers, 0, sizeof s->registers);
    while (len > 0) {
        struct guess g;
        uint8_t out[UNIT_MAX];
        if (s->section_left == 0)
            next_section(s);
        predict(s, &g, len);
        if (g.u.len > s->copied_left)
            bad("a section copies more than it says");
        if (!s->has_hits)
            s->hits = take_uvarint(&s->part[HITS]);
        /* The last right unit of a count is followed by a wrong one, or by the section's end. */
        s->has_hits = s->hits > 0;
        if (s->has_hits) {
            s->hits--;
            memcpy(out, g.now, g.u.len);
        } else {
            read_miss(s, &g, out);
        }
        learn(s, &g, out);
        s->copied_left -= g.u.len;
        made(s, out, g.u.len);
        len -= g.u.len;
    }
}

static void new_data(struct large *s, uint32_t len)
{
    while (len > 0) {
        if (s->section_left == 0)
            next_section(s);
        uint32_t left = (uint32_t)(s->part[NEW].end - s->part[NEW].at);
        uint32_t n = len < left ? len : left;
        if (n == 0)
            bad("a section has less new data than its steps");
        made(s, take_bytes(&s->part[NEW], n), n);
        len -= n;
    }
}

static void fill_gap(struct large *s, uint32_t limit)
{
    while (s->pos < limit) {
        uint32_t len = take_uvarint(control(s));
        if (len > limit - s->pos)
            bad("new data is longer than its gap");
        new_data(s, len);
        if (s->pos == limit)
            return;
        struct bytes *b = control(s);
        uint64_t copied = (uint64_t)take_uvarint(b) + 1;
        uint32_t diagonal = s->diagonal + unzigzag(take_uvarint(b));
        uint32_t old_pos = s->pos + diagonal;
        if (copied > limit - s->pos || old_pos > s->p->old_size ||
            copied > s->p->old_size - old_pos)
            bad("a copy is outside its gap or the old image");
        copy(s, (uint32_t)copied, diagonal);
    }
}

static void make_block(struct large *s)
{
    const struct scene *sc = &s->scene;
    while (s->pos < s->end) {
        uint32_t i = 0;
        while (i < sc->moves && sc->move[i].new_pos + sc->move[i].len <= s->pos)
            i++;
        const struct move *m = i < sc->moves ? &sc->move[i] : NULL;
        uint32_t limit = s->end;
        if (m != NULL && m->new_pos <= s->pos) {
            if (m->new_pos + m->len < limit)
                limit = m->new_pos + m->len;
            copy(s, limit - s->pos, m->old_pos - m->new_pos);
        } else {
            if (m != NULL && m->new_pos < limit)
                limit = m->new_pos;
            fill_gap(s, limit);
        }
    }
}

/* ---- groups ---- */

static void open_group(struct large *s)
{
    size_t len, n = (size_t)1 << s->table_log2;
    free(s->stream_data);
    s->stream_data = inflate(s, &len);
    s->stream.at = s->stream_data;
    s->stream.end = s->stream_data + len;
    memset(s->part, 0, sizeof s->part);
    memset(s->lesson, 0, n * sizeof *s->lesson);
    memset(s->near, 0, n * sizeof *s->near);
    memset(s->swap, 0, n * sizeof *s->swap);
    s->data_shift = s->diagonal = s->group_len = 0;
    s->section_left = s->copied_left = s->hits = 0;
}

/* Decodes a group; 1 if it was the last one. */
static int make_group(struct large *s)
{
    uint32_t staged = 0;
    open_group(s);
    for (;;) {
        struct bytes *b = control(s);
        unsigned op = take_byte(b);
        if (op < 2) {
            for (unsigned i = 0; i < PARTS; i++)
                if (s->part[i].at != s->part[i].end)
                    bad("a part of a section was not used up");
            if (s->section_left || s->hits || s->stream.at != s->stream.end)
                bad("bytes are left in a group");
            return op == 1;
        }
        if (op > 7 || op == 4 || op == 5 || ((op & 1) && !s->p->in_place))
            bad("an unknown step");
        if ((op & 1) && ++staged > s->p->stage_blocks)
            bad("a group stages more blocks than the manifest says");
        if (!(op & 1) && s->p->recipes)
            bad("a direct block beside recipes");
        uint32_t block = s->next_block;
        if (op & 4)
            block += unzigzag(take_uvarint(b));
        s->next_block = block + 1;
        find_block(s->p, block, &s->pos, &s->end);
        if (s->group_len > s->p->new_size)
            bad("a group makes a block twice");
        make_block(s);
    }
}

static void check_group(struct large *s)
{
    uint8_t digest[32];
    sha256(s->group, s->group_len, digest);
    if (memcmp(take_bytes(&s->payload, s->p->check_len), digest, s->p->check_len) != 0)
        bad("a group does not match its check");
}

static void read_params(struct large *s)
{
    const uint8_t *b = s->p->params;
    if (s->p->params_len != 12)
        bad("codec 2 has 12 bytes of parameters");
    s->scene.cpu_id = b[0];
    s->scene.cpu = cpu_of(b[0]);
    s->dict_log2 = b[1];
    s->props = b[2];
    s->table_log2 = b[3];
    s->max_moves = get16(b + 4);
    s->max_ranges = get16(b + 6);
    s->kept = get32(b + 8);
    if (s->scene.cpu == NULL)
        die(EXIT_NO_PROCESSOR, "processor %u not covered", b[0]);
    if (s->dict_log2 < 12 || s->dict_log2 > 26 || s->props >= 225 ||
        s->props % 9 + s->props / 9 % 5 > 4 || s->table_log2 > 20 || s->kept < 64 ||
        s->kept > 16u << 20)
        bad("bad parameters of codec 2");
}

void decode_large(const struct patch *p, const uint8_t *old, uint8_t *out)
{
    struct large *s = need(sizeof *s);
    s->p = p;
    s->old = old;
    s->out = out;
    s->payload = (struct bytes){p->payload, p->payload + p->payload_len};
    read_params(s);
    s->lesson = need(sizeof *s->lesson << s->table_log2);
    s->near = need(sizeof *s->near << s->table_log2);
    s->swap = need(sizeof *s->swap << s->table_log2);
    s->group = need(2 * (size_t)p->new_size);
    read_plan(s);
    for (;;) {
        unsigned more = take_byte(&s->payload);
        if (more > 1)
            bad("neither a group nor the end");
        if (more == 0 || make_group(s))
            break;
        check_group(s);
    }
    if (s->payload.at != s->payload.end)
        bad("bytes are left behind the last group");
    free(s->lesson);
    free(s->near);
    free(s->swap);
    free(s->group);
    free(s->stream_data);
    free(s->scene.move);
    free(s->scene.by_old);
    free(s);
}
