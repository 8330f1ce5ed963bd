/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of encode_mix.c: whether a stretch of units will be right, which the
 * encoder has to know before the walk comes to them.  To find out it goes
 * ahead, and the walk then takes the units from there.
 */
#ifndef INLAY_LOOK_AHEAD_H
#define INLAY_LOOK_AHEAD_H

#define FORESIGHT_MAX 512u /* units kept of one look; the walk guesses those behind them again */

/* A unit as walk_guess_unit() had it, and the state that it left. */
struct foreseen {
    struct walk_guess guess;
    struct inlay_arch_state state;
};

struct foresight {
    unsigned at, count;
    struct foreseen unit[FORESIGHT_MAX];
};

/* What was foreseen always ends before anything is learned, and before the run does. */
static int truth_guess(struct walk *s, struct walk_guess *g)
{
    struct foresight *f = s->truth->foresight;
    if (f->at == f->count)
        return walk_guess_unit(s, g);
    *g = f->unit[f->at].guess;
    s->old_state = f->unit[f->at++].state;
    return 0;
}

static int foresee(struct walk *s, struct walk_guess *g)
{
    struct foresight *f = s->truth->foresight;
    int status = walk_guess_unit(s, g);
    if (!status && f->count < FORESIGHT_MAX)
        f->unit[f->count++] = (struct foreseen){*g, s->old_state};
    return status;
}

/*
 * Will every unit of the stretch be right?  Looks ahead as the walk would go;
 * nothing is learned from right predictions, and the first wrong one ends it.
 */
static uint32_t truth_is_calm(struct walk *s, const struct walk_guess *g)
{
    uint32_t pos = s->pos, run_left = s->run_left, left = s->calm_left;
    struct inlay_arch_state state = s->old_state;
    struct walk_guess next = *g;
    uint32_t calm = 1;
    s->truth->foresight->at = s->truth->foresight->count = 0;
    for (;;) {
        unsigned right = truth_is(s, next.now, next.unit.len);
        unsigned asked = next.changed || next.has_swap;
        calm = right || asked;
        left -= !asked;
        s->pos += next.unit.len;
        s->run_left -= next.unit.len;
        if (!right || left == 0 || s->run_left == 0 || foresee(s, &next))
            break;
    }
    s->pos = pos;
    s->run_left = run_left;
    s->old_state = state;
    return calm;
}

#endif
