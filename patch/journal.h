/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: what an update knows after a reset.
 *
 * Two areas of whole erase blocks alternate.  A record is padded to a whole
 * page, so that a torn write can only spoil the record being written.  The
 * newest valid record is the state.  docs/DESIGN.md argues why no state is
 * ambiguous; the rules are in journal.c.
 */
#ifndef INLAY_JOURNAL_H
#define INLAY_JOURNAL_H

#include "codec.h"
#include "flash.h"

#define INLAY_ID_LEN         16u
#define INLAY_SHORT_LEN      8u
#define INLAY_RECORD_VERSION 1u

enum inlay_record_kind {
    INLAY_RECORD_IDLE = 1,      /* nothing is under way */
    INLAY_RECORD_READY = 2,     /* head and pool are saved, no block was committed */
    INLAY_RECORD_STAGED = 3,    /* a group waits in the stage, whole or as recipes */
    INLAY_RECORD_COMMITTED = 4, /* all groups so far are in their place */
    INLAY_RECORD_DONE = 5       /* the patch was applied */
};

struct inlay_record {
    uint32_t kind;
    uint32_t boots;       /* resets since the last commit */
    uint32_t head_len;    /* bytes of manifest and signature block */
    uint32_t save_len;    /* bytes of codec state */
    uint32_t staged;      /* blocks in the stage */
    uint32_t payload_pos; /* the next payload byte for the codec */
    uint32_t stage_pos;   /* STAGED: where the group is; else where the next one goes */
    uint32_t made;        /* bytes of the new image produced so far */
    uint32_t recipes;     /* STAGED: blocks that are still to be made by recipe ... */
    uint32_t recipe_pos;  /* ... and where in the work area the first one's is */
    struct {
        uint8_t patch[INLAY_ID_LEN];    /* start of its identity, see inlay_identify() */
        uint8_t link[INLAY_ID_LEN];     /* names the chunk that holds payload_pos */
        uint8_t plan[INLAY_SHORT_LEN];  /* start of the plan's SHA-256 */
        uint8_t stage[INLAY_SHORT_LEN]; /* STAGED: of what is in the stage */
    } is;
    uint8_t save[INLAY_SAVE_MAX]; /* the codec's */
};

struct inlay_journal {
    const struct inlay_flash *flash;
    struct inlay_span area[2];
    uint32_t seq;     /* of the newest record, 0: there is none */
    uint32_t at;      /* where it is in its area */
    uint32_t next;    /* where in its area the next one goes, once open */
    uint8_t current;  /* its area */
    uint8_t fallback; /* 1: the other area holds the record before the newest */
    uint8_t open;     /* 1: written to since the reset, so `next` is known to be erased */
};

/*
 * Finds the newest valid record.  INLAY_OK: found or not, see j->seq.
 * INLAY_E_LIMIT: the work area is too small.  INLAY_E_JOURNAL: an update is
 * under way in a version of the journal that this build does not know.
 */
enum inlay_status inlay_journal_find(struct inlay_journal *j, const struct inlay_flash *work,
                                     struct inlay_record *rec);
/* Reads the found record's list of staged blocks, rec->staged of them. */
enum inlay_status inlay_journal_staged(const struct inlay_journal *j,
                                       const struct inlay_record *rec, uint32_t *list);
/* 1 if records with so many staged blocks fit. */
int inlay_journal_fits(const struct inlay_journal *j, uint32_t staged);
/*
 * Makes rec the newest record, and certain to be found again.  The first call
 * after a reset settles what was found.  w is borrowed for the writing.
 * INLAY_OK or INLAY_E_FLASH.
 */
enum inlay_status inlay_journal_commit(struct inlay_journal *j, struct inlay_writer *w,
                                       struct inlay_record *rec, const uint32_t *list);

#endif
