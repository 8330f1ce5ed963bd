/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal and the order of an update, with power cuts before and inside
 * every flash operation, any number of them.  docs/DESIGN-journal.md says what
 * is modelled and what is not.  tests/check_spin.sh runs it.
 *
 * -DBUG_x seeds a wrong order, -DLIMIT_x takes an assumption away.
 */

#ifndef R
#define R 3 /* records that fit in an area: what inlay_journal_fits() asks for */
#endif
#ifndef WORN
#define WORN 1
#endif
#ifndef ABORTS
#define ABORTS 1
#endif
#define BLOCKS 6
#define GROUPS 3
#define NONE   255
#define NO_SEQ 60 /* numbers stay far below */

/* A record's place, by what an operation left there. */
#define CLEAN   0 /* an erase has finished */
#define UNKNOWN 1 /* never valid; not erased for certain either */
#define GOOD    2 /* a write has finished */
#define TORN    3 /* a write was cut: each boot reads it as valid or not */
#define FADING  4 /* first of an area whose erase was cut: likewise, until one boot does */
#define LAST    5 /* last one of such an area */

/* A block of the slot, the stage, the head. */
#define OLD    0
#define NEW    1
#define ERASED 2
#define BROKEN 3 /* an operation was cut or did not hold: reads as anything */

/*
 * What a record says.  STAGED and COMMITTED are of group 0, 1, ... in turn, but for group 1, whose
 * recipes are followed: the first block is to be made, it is in the stage, the second is to be
 * made, it is in the stage.
 */
#define IDLE         1
#define READY        2
#define STAGED(g)    (3 + 2 * (g))
#define COMMITTED(g) (4 + 2 * (g))
#define DONE         COMMITTED(GROUPS)
#define RECIPE(k)    (20 + (k))

/* Flash.  The record at place p of area a is number a * R + p. */
byte cell[2 * R];
byte number[2 * R];
byte says[2 * R];
byte slot[BLOCKS];
byte stage = NONE; /* the block it holds, ERASED + 100, BROKEN + 100 */
byte recipes = BROKEN; /* NEW: those of group 1 are there */
byte head = BROKEN; /* NEW: manifest, plan and pool are there */
bit worn = WORN;  /* one write in the whole history may finish and not hold */
bit aborts = ABORTS; /* the update may be given up once */

#define STAGE_ERASED 100
#define STAGE_BROKEN 101

/* For the properties only: something relied on the record with this number. */
byte relied;

/* The patcher's memory, lost at a cut. */
byte seq, at, next, what, group, step, area, base, i, then_step, then_group, write;
bit first[2];
#ifdef BUG_NUMBERS
byte newest[2];
#endif
byte last;
bit cur, again, open, held, valid;

/*
 * Three groups.  0: block 0 direct, 1 staged.  1: blocks 2 and 3 by recipe, in a
 * stage that holds one.  2: block 4 direct, 5 staged.  Blocks 0 and 1 read old 1 and
 * 2, 2 reads old 2 and 3, 3 reads old 3 and 4, 4 and 5 read old 5.  All read the head
 * (its pool).
 */
#define DIRECT(g)  (2 * (g))
#define TO_STAGE(g) (2 * (g) + 1)
#define BY_RECIPE(g) ((g) == 1)
#define MADE(k)     (2 + (k) / 2) /* the block that RECIPE(k) is about */

inline forget()
{
    seq = 0; at = 0; next = 0; what = 0; group = 0; step = 0; area = 0; base = 0; i = 0;
    then_step = 0; then_group = 0; write = 0; cur = 0; again = 0; open = 0; held = 0;
    valid = 0;
    last = 0
}

/* Only the order of the numbers matters: without gaps the model is finite, and cuts need no limit. */
inline renumber()
{
    base = 1;
    do
    :: base > last -> break
    :: else ->
        valid = (relied == base);
        last = relied;
        i = 0;
        do
        :: i == 2 * R -> break
        :: else ->
            if
            :: cell[i] < GOOD -> number[i] = 0; says[i] = 0
            :: else -> valid = valid || number[i] == base
            fi;
            if
            :: number[i] > last -> last = number[i]
            :: else
            fi;
            i++
        od;
        if
        :: valid -> base++
        :: else ->
            i = 0;
            do
            :: i == 2 * R -> break
            :: else ->
                if
                :: number[i] > base -> number[i]--
                :: else
                fi;
                i++
            od;
            if
            :: relied > base -> relied--
            :: else
            fi
        fi
    od
}

/* ---- flash operations: cut before, cut inside, or finished ---- */

inline cut_before()
{
    if
    :: printf("  power is cut\n"); goto cut
    :: skip
    fi
}

/*
 * Erases area a.  Assumed of a cut erase: if the first record of the area
 * still reads well, so does the last one that was written to its end, and
 * from then on both.  Else each boot may read each record otherwise.
 */
inline erase_area(a)
{
    cut_before();
    i = 0;
    valid = (relied == 0);
    do
    :: i == R -> break
    :: else ->
        valid = valid || (cell[(1 - (a)) * R + i] == GOOD && number[(1 - (a)) * R + i] >= relied);
        if
        :: cell[(a) * R + i] == GOOD && number[(a) * R + i] > last -> last = number[(a) * R + i]
        :: else
        fi;
        i++
    od;
    /* Property: an area that holds the only trustworthy record is not erased. */
    assert(valid);
    i = 0;
    if
    :: printf("  power is cut inside the erase of area %d\n", a);
        do
        :: i == R -> goto cut
        :: else ->
            if
            :: cell[(a) * R + i] == FADING || cell[(a) * R + i] == TORN ||
                cell[(a) * R + i] == LAST
            :: cell[(a) * R + i] == GOOD ->
#ifndef LIMIT_FADING
                cell[(a) * R + i] = (i == 0 -> FADING :
                                     (number[(a) * R + i] == last -> LAST : TORN))
#else
                cell[(a) * R + i] = TORN
#endif
            :: i == 0 || cell[(a) * R] != FADING ||
                !(cell[(a) * R + i] == LAST ||
                  (cell[(a) * R + i] == GOOD && number[(a) * R + i] == last)) ->
                cell[(a) * R + i] = UNKNOWN
            fi;
            i++
        od
    :: printf("  area %d is erased\n", a);
        last = 0;
        do
        :: i == R -> break
        :: else -> cell[(a) * R + i] = CLEAN; number[(a) * R + i] = 0; says[(a) * R + i] = 0; i++
        od
    fi
}

/* Writes a record; held: it read back well. */
inline put()
{
    cut_before();
    i = cur * R + next;
    /* Property: nothing is written where the erase is not certain. */
    assert(cell[i] == CLEAN);
    number[i] = seq + 1;
    assert(number[i] < NO_SEQ);
    says[i] = write;
    held = 1;
    if
    :: cell[i] = TORN;
        printf("  power is cut inside record %d, number %d, kind %d\n", i, seq + 1, write);
        goto cut
    :: cell[i] = GOOD; printf("  record %d, number %d, kind %d\n", i, seq + 1, write)
    :: worn -> worn = 0; cell[i] = TORN; held = 0; printf("  record %d does not hold\n", i)
    fi;
    if
    :: held -> seq++; at = next; next++
    :: else
    fi;
    i = 0
}

inline erase_block(b)
{
    cut_before();
    if
    :: slot[b] = BROKEN; printf("  power is cut inside the erase of block %d\n", b); goto cut
    :: slot[b] = ERASED
    fi
}

inline write_block(b, good)
{
    cut_before();
    assert(slot[b] == ERASED);
    held = 1;
    if
    :: slot[b] = BROKEN; printf("  power is cut inside block %d\n", b); goto cut
    :: slot[b] = (good -> NEW : BROKEN); printf("  block %d\n", b)
#ifdef BUG_NO_READ_BACK
    :: worn -> worn = 0; slot[b] = BROKEN; printf("  block %d does not hold\n", b)
#else
    :: worn -> worn = 0; slot[b] = BROKEN; held = 0; printf("  block %d does not hold\n", b)
#endif
    fi
}

inline write_stage(b)
{
    cut_before();
    if
    :: stage = STAGE_BROKEN; printf("  power is cut inside the stage's erase\n"); goto cut
    :: stage = STAGE_ERASED
    fi;
    cut_before();
    held = 1;
    if
    :: stage = STAGE_BROKEN; printf("  power is cut inside the stage\n"); goto cut
    :: stage = b; printf("  block %d is staged\n", b)
    :: worn -> worn = 0; stage = STAGE_BROKEN; held = 0; printf("  the stage does not hold\n")
    fi
}

inline write_recipes()
{
    cut_before();
    held = 1;
    if
    :: recipes = BROKEN; printf("  power is cut inside the recipes\n"); goto cut
    :: recipes = NEW; printf("  recipes are written\n")
    :: worn -> worn = 0; recipes = BROKEN; held = 0; printf("  the recipes do not hold\n")
    fi
}

inline write_head()
{
    cut_before();
    held = 1;
    if
    :: head = BROKEN; printf("  power is cut inside the head\n"); goto cut
    :: head = NEW; printf("  head is saved\n")
    :: worn -> worn = 0; head = BROKEN; held = 0; printf("  the head does not hold\n")
    fi
}

/* Property: old content is there as long as something is made of it. */
inline decode(g)
{
    assert(head == NEW);
    assert((g) != 0 || (slot[1] == OLD && slot[2] == OLD));
    assert((g) != 1 || (slot[2] == OLD && slot[3] == OLD && slot[4] == OLD));
    assert((g) != 2 || slot[5] == OLD)
}

/* Property: so is what a recipe copies. */
inline follow(b)
{
    assert(head == NEW && recipes == NEW);
    assert(slot[b] == OLD && slot[(b) + 1] == OLD);
#ifdef BUG_RECIPE_TAKEN
    assert(slot[2] == OLD)
#endif
}

/* Flash did not hold what was written: back to the last record. */
inline redo()
{
    printf("  back to the last record\n");
    goto resume
}

#define ALL(s) \
    (slot[0] == (s) && slot[1] == (s) && slot[2] == (s) && slot[3] == (s) && slot[4] == (s) && \
     slot[5] == (s))
#define MAY_READ(b, s) (slot[b] == (s) || slot[b] == BROKEN)
#define ALL_MAY_READ(s) \
    (MAY_READ(0, s) && MAY_READ(1, s) && MAY_READ(2, s) && MAY_READ(3, s) && MAY_READ(4, s) && \
     MAY_READ(5, s))

/* Steps */
#define CLEAR    0
#define HEAD     1
#define GET_READY 2
#define DECODE_DIRECT 3
#define DECODE_STAGED 4
#define RECORD_STAGED 5
#define MOVE     6
#define RECORD_COMMITTED 7
#define VERIFY   8
#define OVER     9
#define GIVEN_UP 10
#define DESCRIBE 11
#define REBUILD  12
#define MOVE_MADE 13

/* Writes a record that says w, then goes on at step s of group g. */
inline commit(w, s, g)
{
    write = w; then_step = s; then_group = g;
    goto record
}

active proctype patcher()
{
    /* Before the update: a journal that was never used, or one that is idle. */
    i = 0;
    do
    :: i == 2 * R -> break
    :: else -> cell[i] = UNKNOWN; i++
    od;
    if
    :: skip
    :: cell[0] = GOOD; cell[1] = GOOD; number[0] = 1; number[1] = 2; says[0] = IDLE; says[1] = IDLE
    :: cell[R] = GOOD; cell[R + 1] = GOOD; number[R] = 1; number[R + 1] = 2;
        says[R] = IDLE; says[R + 1] = IDLE
    fi;
    i = 0;

progress_boot:
    printf("boot\n");
    atomic {
    /* The newest record that reads well; of two alike that in area 0. */
    do
    :: i == 2 * R -> break
    :: else ->
        valid = 0;
        if
        :: cell[i] == FADING -> valid = 1; cell[i] = GOOD
        :: cell[i] == GOOD || cell[i] == TORN || cell[i] == LAST -> valid = 1
        :: cell[i] == LAST && cell[i / R * R] != GOOD
        :: cell[i] != GOOD && cell[i] != LAST
        fi;
        if
        :: cell[i] == LAST && cell[i / R * R] == GOOD -> cell[i] = GOOD
        :: else
        fi;
        if
        :: i % R == 0 -> first[i / R] = valid
        :: else
        fi;
#ifdef BUG_NUMBERS
        if
        :: valid && number[i] > newest[i / R] -> newest[i / R] = number[i]
        :: else
        fi;
#endif
        if
        :: valid && number[i] > seq ->
            seq = number[i]; at = i % R; cur = i / R; what = says[i]
        :: else
        fi;
        i++
    od;
    i = 0;
#ifdef BUG_NUMBERS
    again = at == 0 && newest[1 - cur] != 0 && newest[1 - cur] + 1 >= seq;
    newest[0] = 0; newest[1] = 0;
#else
    /* Rule 3: erasing the other area was not begun, and this one may not have finished. */
    again = first[1 - cur] && !(at != 0 && first[cur]);
#endif
    first[0] = 0; first[1] = 0; valid = 0;
    printf("  found number %d, kind %d\n", seq, what);
    /* Property: a record that something relied on is found by every later boot. */
    assert(seq >= relied);
#ifdef BUG_APPEND
    if
    :: seq > 0 -> open = 1; next = at + 1
    :: else
    fi;
#endif

    }
resume:
    /* Steps that no cut tells apart are one: fewer states. */
    atomic {
    held = 0;
    if
    :: what <= IDLE ->
        /* The old image is there, or the update can never reach its end. */
        assert(ALL(OLD));
        group = 0;
        step = CLEAR
    :: what == DONE -> step = OVER
    :: else ->
        assert(head == NEW);
        if
        :: what >= RECIPE(0) -> group = 1; step = (what % 2 == 0 -> REBUILD : MOVE_MADE)
        :: what < RECIPE(0) && what % 2 == 0 -> group = (what - READY) / 2; step = DECODE_DIRECT
        :: else -> group = (what - STAGED(0)) / 2; step = MOVE
        fi;
#ifdef BUG_RECIPE_AGAIN
        if
        :: what == RECIPE(2) -> step = DECODE_DIRECT
        :: else
        fi;
#endif
        if
        :: group == GROUPS -> step = VERIFY
        :: else
        fi;
        if
        :: open -> goto loop
#ifdef LIMIT_ABORT
        :: !open && aborts && what == READY && ALL_MAY_READ(OLD) ->
#else
        :: !open && aborts && what == READY && ALL(OLD) ->
#endif
            aborts = 0;
            printf("  given up\n");
            commit(IDLE, GIVEN_UP, 0)
#ifdef BUG_NO_SETTLE
        :: !open -> goto loop
#else
        :: !open -> commit(what, step, group)
#endif
        fi
    fi

loop:
    if
    :: step == CLEAR ->
#ifndef BUG_NO_CLEAR
        if
        :: !open -> commit(IDLE, HEAD, 0)
        :: else
        fi;
#endif
        step = HEAD;
        goto loop

    :: step == HEAD ->
#ifdef BUG_HEAD_LATE
        step = GET_READY;
        goto loop
#else
        write_head();
        if
        :: held -> step = GET_READY; goto loop
        :: else -> redo()
        fi
#endif

    :: step == GET_READY -> commit(READY, DECODE_DIRECT, 0)

    :: step == DECODE_DIRECT && BY_RECIPE(group) -> step = DESCRIBE; goto loop

    :: step == DESCRIBE ->
        decode(group);
#ifdef BUG_RECIPE_EARLY
        commit(RECIPE(0), 22, group)
    :: step == 22 ->
#endif
#ifdef BUG_DIRECT_EARLY
        erase_block(DIRECT(group + 1));
#endif
        write_recipes();
        if
        :: !held -> redo()
        :: else
        fi;
#ifdef BUG_RECIPE_EARLY
        step = REBUILD; goto loop
#else
        commit(RECIPE(0), REBUILD, group)
#endif

    :: step == REBUILD ->
        follow(MADE(what - RECIPE(0)));
        write_stage(MADE(what - RECIPE(0)));
        if
        :: !held -> redo()
        :: else
        fi;
#ifdef BUG_MADE_UNRECORDED
        write = what + 1; what = write; write = 0; step = MOVE_MADE; goto loop
#else
        commit(what + 1, MOVE_MADE, group)
#endif

    :: step == MOVE_MADE ->
        assert(stage == MADE(what - RECIPE(0)));
        erase_block(MADE(what - RECIPE(0)));
        write_block(MADE(what - RECIPE(0)), 1);
        if
        :: !held -> redo()
        :: held && what == RECIPE(3) -> step = RECORD_COMMITTED; goto loop
        :: held && what == RECIPE(1) ->
#ifdef BUG_STAGE_REUSED
            what = RECIPE(2); step = REBUILD; goto loop
#else
            commit(RECIPE(2), REBUILD, group)
#endif
        fi

    :: step == DECODE_DIRECT && !BY_RECIPE(group) ->
#ifdef BUG_HEAD_LATE
        write_head();
#endif
        decode(group);
#ifdef BUG_SKIP_ERASE
        if /* an erase that was cut may read as if it were not */
        :: slot[DIRECT(group)] == ERASED
        :: slot[DIRECT(group)] != ERASED -> erase_block(DIRECT(group))
        :: slot[DIRECT(group)] == BROKEN
        fi;
#else
        erase_block(DIRECT(group));
#endif
#ifdef BUG_DONE_EARLY
        if
        :: group == GROUPS - 1 -> commit(DONE, 20, group)
        :: else
        fi;
#endif
write_direct:
        write_block(DIRECT(group), 1);
        if
        :: !held -> redo()
        :: held -> step = DECODE_STAGED; goto loop
        fi
#ifdef BUG_DONE_EARLY
    :: step == 20 -> goto write_direct
#endif

    :: step == DECODE_STAGED ->
        decode(group);
#ifdef BUG_STAGED_EARLY
        commit(STAGED(group), 21, group)
    :: step == 21 ->
#endif
        write_stage(TO_STAGE(group));
        if
        :: !held -> redo()
        :: else
        fi;
#ifdef BUG_MOVE_EARLY
        erase_block(TO_STAGE(group));
#endif
        step = RECORD_STAGED;
        goto loop

#ifdef BUG_COMMIT_EARLY
    :: step == RECORD_STAGED -> commit(COMMITTED(group), MOVE, group)
#elif defined BUG_NO_STAGED
    :: step == RECORD_STAGED -> step = MOVE; goto loop
#elif defined BUG_STAGED_EARLY
    :: step == RECORD_STAGED -> step = MOVE; goto loop
#else
    :: step == RECORD_STAGED -> commit(STAGED(group), MOVE, group)
#endif

    :: step == MOVE ->
        /* The stage's digest. */
        assert(stage == TO_STAGE(group));
        erase_block(TO_STAGE(group));
        write_block(TO_STAGE(group), 1);
        if
        :: held -> step = RECORD_COMMITTED; goto loop
        :: else -> redo()
        fi

    :: step == RECORD_COMMITTED ->
#ifdef BUG_LAZY_COMMIT
        if
        :: group == 1 -> group = 2; step = DECODE_DIRECT; goto loop
        :: else
        fi;
#elif defined BUG_COMMIT_EARLY
        if
        :: group == 0 -> group++; step = DECODE_DIRECT; goto loop
        :: else
        fi;
#endif
        if
        :: group == GROUPS - 1 -> commit(COMMITTED(group), VERIFY, GROUPS)
        :: else -> commit(COMMITTED(group), DECODE_DIRECT, group + 1)
        fi

    :: step == VERIFY ->
        /* Read back well, as it has to. */
        assert(ALL_MAY_READ(NEW));
        commit(DONE, OVER, GROUPS)

    :: step == OVER ->
        /* Property: done only if all blocks are new. */
        assert(ALL(NEW));
        goto end

    :: step == GIVEN_UP -> goto cut
    fi;

    /* ---- inlay_journal_commit() ---- */
record:
    assert(write != DONE || ALL(NEW));
    if
    :: open && next < R ->
        put();
        if
        :: held -> relied = seq; goto recorded
        :: else -> area = 1 - cur
        fi
#ifdef BUG_SAME_AREA
    :: open && next == R -> area = cur
#else
    :: open && next == R -> area = 1 - cur
#endif
    :: !open && seq == 0 -> erase_area(1); area = 0
#ifdef BUG_ERASE_OTHER
    :: !open && seq > 0 -> area = 1 - cur
#else
    :: !open && seq > 0 -> area = (again -> cur : 1 - cur)
#endif
    fi;
    base = seq;
begin_area:
    seq = base;
    cur = area;
    next = 0;
    erase_area(area);
    put();
    if
    :: !held -> goto begin_area
    :: else
    fi;
#ifndef BUG_ONE_COPY
    put();
    if
    :: !held -> goto begin_area
    :: else
    fi;
#endif
    open = 1;
    relied = base + 1;
recorded:
    what = write; step = then_step; group = then_group;
    write = 0; then_step = 0; then_group = 0; base = 0; area = 0; held = 0;
    if
    :: what == DONE && step == OVER ->
        /* Later boots find it, too. */
        goto cut
    :: else -> goto settled
    fi;

cut:
    last = 1;
    renumber();
    forget()
    }
    goto progress_boot;

settled:
    skip;
    goto loop;

end:
    skip
}
