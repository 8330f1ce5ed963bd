/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: what is written between two COMMITs.  A staged block's old content
 * stays whole until its group is committed.  A direct block's old content is
 * gone for its whole group, even for blocks before it, since the group may be
 * done again after a power cut.
 */
#include "order_parts.h"

#define ENOUGH      4u  /* blocks in a group from which closing it costs little */
#define WORTH_STAGE 64u /* bytes that are worth staging a block that could be direct */
#define TEXT_SHARE  16u /* in recipes so many bytes of text take one more */

struct forming {
    uint32_t group;
    uint32_t size;   /* blocks in it so far */
    uint32_t staged; /* staged ones */
    uint32_t recipe; /* bytes of their recipes */
    uint32_t stage_max, size_max;
};

int inlay_order_gone(const struct order_groups *s, uint32_t reader, uint32_t from)
{
    if (reader == from)
        return 0;
    if (s->group[from] != s->group[reader])
        return s->group[from] < s->group[reader];
    return !s->staged[from];
}

/* 1 if a block of the group being formed reads rank r's old content. */
static int is_read(const struct order_graph *g, const struct order_groups *s,
                   const struct forming *f, uint32_t r)
{
    for (uint32_t i = g->first_by[r]; i < g->first_by[r + 1]; i++)
        if (s->group[g->read_by[i].to] == f->group)
            return 1;
    return 0;
}

static void close_group(struct forming *f)
{
    if (f->size)
        f->group++;
    f->size = f->staged = f->recipe = 0;
}

/* Direct blocks of this group that r reads much of are staged instead, as far as there is room. */
static void keep_sources(const struct order_graph *g, struct order_groups *s, struct forming *f,
                         uint32_t r)
{
    for (uint32_t i = g->first[r]; i < g->first[r + 1] && f->staged < f->stage_max; i++) {
        uint32_t from = g->reads[i].to;
        if (s->group[from] == f->group && !s->staged[from] && g->reads[i].bytes >= WORTH_STAGE) {
            s->staged[from] = 1;
            f->staged++;
        }
    }
}

/* Bytes of r's recipe in this group: what is moved before it has to be said in full. */
static uint32_t recipe_len(const struct order_graph *g, const struct order_groups *s,
                           const struct forming *f, uint32_t r)
{
    uint32_t len = g->recipe[r];
    for (uint32_t i = g->first[r]; i < g->first[r + 1]; i++)
        if (s->group[g->reads[i].to] == f->group)
            len += g->reads[i].bytes + g->reads[i].bytes / TEXT_SHARE;
    return len;
}

static void place_recipe(const struct order_graph *g, struct order_groups *s, struct forming *f,
                         uint32_t r, uint32_t most)
{
    uint32_t len = recipe_len(g, s, f, r);
    if (f->size == f->size_max || (f->size && f->recipe + len > most)) {
        close_group(f);
        len = recipe_len(g, s, f, r);
    }
    s->group[r] = f->group;
    s->staged[r] = 1;
    f->recipe += len;
    f->size++;
}

static void place(const struct order_graph *g, struct order_groups *s, struct forming *f,
                  uint32_t r)
{
    int own = g->own[r] != 0;

    if (f->size == f->size_max || (own && f->staged == f->stage_max))
        close_group(f);
    int read = !own && is_read(g, s, f, r);
    if (read && (f->size >= ENOUGH || f->staged == f->stage_max)) {
        close_group(f);
        read = 0;
    }
    s->group[r] = f->group;
    s->staged[r] = own || read;
    f->staged += s->staged[r];
    f->size++;
    keep_sources(g, s, f, r);
}

void inlay_order_group(const struct order_graph *g, const struct inlay_order_limits *limits,
                       struct order_groups *s)
{
    struct forming f = {0};

    f.stage_max = limits->stage_blocks ? limits->stage_blocks : 1;
    f.size_max = limits->group_blocks ? limits->group_blocks : 1;
    for (uint32_t r = 0; r < g->ranks; r++)
        s->group[r] = ORDER_NONE;
    for (uint32_t i = 0; i < g->ranks; i++) {
        if (limits->recipe_len)
            place_recipe(g, s, &f, s->order[i], limits->recipe_len);
        else
            place(g, s, &f, s->order[i]);
    }
    s->count = f.group + (f.size != 0);
    s->lost = 0;
    for (uint32_t r = 0; r < g->ranks; r++)
        for (uint32_t i = g->first[r]; i < g->first[r + 1]; i++)
            if (inlay_order_gone(s, r, g->reads[i].to))
                s->lost += g->reads[i].bytes;
}
