/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between the patcher and a codec.
 *
 * The patcher (patcher.c) owns flash, journal and hash chain.  A codec owns
 * the meaning of the payload: it turns verified payload bytes and the old
 * image into "produce these blocks, in this order".  It never sees flash.
 *
 *   begin   -> plan ... -> { next -> produce ... } ...
 *
 * A codec is suspended only between calls and keeps its whole state in the
 * memory it is given, so that input may arrive in any pieces.
 */
#ifndef INLAY_CODEC_H
#define INLAY_CODEC_H

#include "inlay_patch.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A window of verified payload.  The codec advances next.  If it cannot go
 * on with what is left and last is 0 it returns INLAY_MORE; the patcher then
 * keeps the unread rest (at most INLAY_CARRY_MAX bytes of it), puts the next
 * chunk behind it and calls again.  A codec that has more than
 * INLAY_CARRY_MAX bytes left must make progress.
 */
struct inlay_input {
    const uint8_t *next;
    size_t left;
    int last; /* 1: nothing follows these bytes */
};
#define INLAY_CARRY_MAX 256u

/*
 * The old image as it was before the update, pool included. Returns a status.
 * A group may be decoded again after a reset: none of its blocks may read what
 * a direct block of the group, or any block of an earlier one, overwrites.
 */
struct inlay_old {
    void *ctx;
    int (*read)(void *ctx, uint32_t pos, void *buf, uint32_t len);
    uint32_t size;
};

/* A stretch of the old image to be saved before the first commit. */
struct inlay_range {
    uint32_t pos;
    uint32_t len;
};

/* What the codec wants next. */
enum inlay_step_kind {
    INLAY_STEP_DIRECT, /* erase block and produce it in its final place */
    INLAY_STEP_STAGED, /* produce block into the stage, or write its recipe there */
    INLAY_STEP_COMMIT, /* end of a group: move what is staged, write a record */
    INLAY_STEP_END     /* every block is done */
};

struct inlay_step_cmd {
    enum inlay_step_kind kind;
    uint32_t block;    /* index of the block in the slot, for DIRECT and STAGED */
    uint32_t len;      /* bytes of it that belong to the new image: all, or up to its end */
    uint8_t check[16]; /* COMMIT: start of the SHA-256 of the group's bytes, in their order */
    uint8_t check_len; /* 0 to INLAY_CHECK_MAX */
};

/* What a codec is opened with; all of it from the authenticated manifest. */
struct inlay_codec_setup {
    const uint8_t *params; /* the manifest's codec parameters */
    size_t params_len;
    uint32_t old_size;
    uint32_t new_size;
    const struct inlay_region *region; /* the slot's geometry, as in the manifest */
    uint8_t regions;                   /* 0: one block as large as the new image */
    uint8_t in_place;
    uint8_t check_len;
    uint8_t recipes;       /* 1: no block is direct, and groups end where their recipes do */
    uint32_t stage_blocks; /* most blocks that a group may stage, 0 unless in place */
    struct inlay_old old;
};

#define INLAY_SAVE_MAX 256u
#define INLAY_NOWHERE  0xffffffffu /* new data has no old position */

struct inlay_codec {
    uint8_t id; /* the manifest's codec id, 0 to INLAY_CODEC_MAX; Inlay has 1 and 2 */
    /* Bytes of state for these parameters, or 0 if they are not supported. */
    size_t (*need)(const struct inlay_codec *self, const uint8_t *params, size_t params_len);
    /* Opens a state of need() bytes, 8-aligned.  INLAY_OK or an error. */
    int (*begin)(const struct inlay_codec *self, void *state,
                 const struct inlay_codec_setup *setup);
    /*
     * Reads the plan.  INLAY_MORE, INLAY_OK when it is complete, or an error.
     * The window ends with the manifest's plan_len bytes, and all of them must
     * have been read then, so that the plan can be read again from a copy.
     */
    int (*plan)(void *state, struct inlay_input *in);
    /* The pool's ranges, ascending and apart; valid after plan. */
    const struct inlay_range *(*pool)(const void *state, size_t *count);
    /*
     * Reads what to do next.  INLAY_OK, INLAY_MORE or an error.  At
     * INLAY_STEP_END all of the payload must have been read.
     */
    int (*next)(void *state, struct inlay_input *in, struct inlay_step_cmd *cmd);
    /*
     * Produces up to cap bytes of the block that next() announced; fewer
     * only if it returns INLAY_MORE, a codec's own unit would not fit, or what
     * follows comes from elsewhere: *from is the old position of the first byte,
     * and the others came from behind it; or INLAY_NOWHERE.
     * INLAY_OK: *made > 0.
     */
    int (*produce)(void *state, struct inlay_input *in, uint8_t *out, size_t cap, size_t *made,
                   uint32_t *from);
    /*
     * Right after INLAY_STEP_COMMIT: writes what is needed to go on from here
     * after a reset, at most INLAY_SAVE_MAX bytes, and returns how many.
     * load() restores it after begin() and plan(); the input then continues at
     * the byte that was next when save() was called.
     */
    size_t (*save)(const void *state, uint8_t *buf);
    int (*load)(void *state, const uint8_t *buf, size_t len);
    const void *extra; /* the codec's own constants, e.g. the processors it knows */
};

#ifdef __cplusplus
}
#endif

#endif
