/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patcher's state and what its files share.
 *
 *   MANIFEST -> FIRST -> TARGET? -> OLD -> CLEAR -> HEAD -> PLAN -> POOL -+
 *                                                                         v
 *                                                                       READY
 *                                                                         v
 *   (reset) -> REPLAY -> REPLAN -> LOAD -> SETTLE ----------> NEXT <-> PRODUCE
 *                                            |                | ^
 *                                            v                v |
 *                                       CHECK_STAGE ------> MOVE (commit) <-> REBUILD
 *
 *   NEXT -> VERIFY -> OVER          TARGET, OLD -> LOCATE -> OVER
 *   NEXT -> REST -> OVER, PLAN      (dry run)
 *
 * Each state is one function that does a bounded piece of work.  INLAY_OK: on
 * to the state below; inlay_go() leads elsewhere.
 */
#ifndef INLAY_INTERNAL_H
#define INLAY_INTERNAL_H

#include "chain.h"
#include "codec.h"
#include "flash.h"
#include "journal.h"
#include "manifest.h"
#include "recipe.h"

enum inlay_state {
    INLAY_AT_MANIFEST,    /* takes the manifest */
    INLAY_AT_FIRST,       /* takes the first chunk, which vouches for an unsigned manifest */
    INLAY_AT_TARGET,      /* hashes the slot: is the new image there already? */
    INLAY_AT_OLD,         /* hashes the old image */
    INLAY_AT_CLEAR,       /* settles the journal before the head is overwritten */
    INLAY_AT_HEAD,        /* saves the manifest */
    INLAY_AT_PLAN,        /* saves and reads the plan */
    INLAY_AT_POOL,        /* saves the pool */
    INLAY_AT_READY,       /* first record */
    INLAY_AT_NEXT,        /* asks the codec what to do */
    INLAY_AT_PRODUCE,     /* produces a block */
    INLAY_AT_FLUSH,       /* writes its last bytes */
    INLAY_AT_VERIFY,      /* hashes the new image */
    INLAY_AT_REPLAY,      /* reads the saved manifest after a reset */
    INLAY_AT_REPLAN,      /* reads the saved plan */
    INLAY_AT_LOAD,        /* back to the last commit */
    INLAY_AT_SETTLE,      /* makes the record that was found certain */
    INLAY_AT_CHECK_STAGE, /* is what was staged still whole? */
    INLAY_AT_MOVE,        /* moves staged blocks to their place */
    INLAY_AT_REBUILD,     /* makes blocks in the stage by their recipes */
    INLAY_AT_LOCATE,      /* where is the old image wrong? */
    INLAY_AT_REST,        /* dry run: hashes what does not change */
    INLAY_AT_OVER
};

#define INLAY_TRIES     3u
#define INLAY_DESCRIBED 64u /* bytes of a block that are described at once */

/* Where in a recipe the patcher is. */
union inlay_in_recipe {
    struct inlay_recipe written;        /* of the block that is produced */
    struct inlay_recipe_token followed; /* of the block that is made: what is left of it */
};

/* What is used most comes first: small offsets make small code. */
struct inlay_patcher {
    const struct inlay_config *cfg;
    uint8_t state;     /* enum inlay_state */
    uint8_t journaled; /* 1: there is a work area, and this is not a dry run */
    uint8_t want;      /* 1: a chunk is wanted */
    uint8_t old_wrong; /* 1: the installed image is not the old one */
    uint8_t tries;     /* left until flash counts as broken */
    uint8_t doubt;     /* 1: resumed, and what is fed may be of another patch */
    uint8_t hashing;   /* 1: the block that is produced goes into sha_whole */

    uint32_t pos;      /* payload position of in.next */
    uint32_t at;       /* where hashing, moving or saving is */
    uint32_t left;     /* bytes of the block still to produce, of the pool range saved */
    uint32_t item;     /* which pool range, staged block, or block made by recipe */
    uint32_t stage_at; /* where in the stage the next staged byte goes */
    uint32_t made;     /* bytes of the new image so far */
    uint32_t hashed;   /* dry run: bytes of the new image that are in sha_whole ... */
    uint32_t later;    /* ... and where the next block starts that this pass had too early */
    uint32_t got;      /* bytes of the chunk, or of the manifest, so far */
    uint8_t *chunk;    /* INLAY_CARRY_MAX bytes of rest, then the chunk that is being taken */
    const struct inlay_codec *codec;
    void *codec_state;
    uint32_t *staged; /* the group's blocks in the stage, man.stage_blocks of room */
    uint32_t batch;   /* blocks that the stage has room for, of a group at most */
    uint8_t *room;    /* the workspace behind this struct */
    size_t room_len;
    struct inlay_input in;   /* what the codec may read of ... */
    const uint8_t *in_end;   /* ... the bytes up to here */
    const uint8_t *in_start; /* in.next when the codec was called */
    struct inlay_report report;
    struct {
        uint32_t range; /* of the pool, where reading was last ... */
        uint32_t pos;   /* ... and its position in the pool */
    } pool;
    union inlay_in_recipe *recipe; /* if the manifest says that there are any */
    uint32_t recipe_pos;           /* where in the work area the next token is */

    struct inlay_manifest man;
    struct inlay_step_cmd cmd;
    struct inlay_chain chain;
    struct inlay_division layout;
    struct inlay_journal journal;
    uint8_t identity[INLAY_DIGEST_LEN]; /* SHA-256 of the manifest */
    struct inlay_record rec;            /* the last one committed, or about to be */
    struct inlay_writer out;
    uint64_t sha_group[INLAY_SHA_STATE_MAX / 8u];
    uint64_t sha_whole[INLAY_SHA_STATE_MAX / 8u]; /* an image, or what is in the stage */
};

/* patcher.c */
int inlay_underway(const struct inlay_record *rec);
void inlay_tell(const struct inlay_patcher *p, enum inlay_event event, uint32_t a, uint32_t b);
/* Goes on in that state, with nothing hashed, moved or saved there yet. */
enum inlay_status inlay_go(struct inlay_patcher *p, enum inlay_state state);
/* Writes the record with that kind, if there is a journal. */
enum inlay_status inlay_commit(struct inlay_patcher *p, uint32_t kind);
/* No update is under way any more. */
enum inlay_status inlay_forget(struct inlay_patcher *p);
enum inlay_status inlay_read(struct inlay_patcher *p, const struct inlay_flash *f, uint32_t pos,
                             void *buf, uint32_t len);
/* Flash did not hold what was produced: back to the last record, a few times. */
enum inlay_status inlay_redo(struct inlay_patcher *p);

/* hash.c */
void inlay_hash_open(const struct inlay_patcher *p, uint64_t *state);
void inlay_hash_add(const struct inlay_patcher *p, uint64_t *state, const void *data, uint32_t len);
/* The first len bytes of the digest. */
void inlay_hash_take(const struct inlay_patcher *p, uint64_t *state, uint8_t *to, size_t len);
/* 1 if the digest starts with these len bytes. */
int inlay_hash_is(const struct inlay_patcher *p, uint64_t *state, const uint8_t *want, size_t len);
/* The SHA-256 that stands for a patch: of its manifest. */
void inlay_identify(const struct inlay_patcher *p, const uint8_t *head,
                    const struct inlay_manifest *m, uint8_t *identity);
/* A piece of the first `size` bytes of f; INLAY_OK when all are in sha_whole. */
enum inlay_status inlay_hash_image(struct inlay_patcher *p, const struct inlay_flash *f,
                                   uint32_t size);

/* input.c */
struct inlay_input *inlay_input_window(struct inlay_patcher *p, uint32_t end);
enum inlay_status inlay_input_taken(struct inlay_patcher *p, int status);
void inlay_input_seek(struct inlay_patcher *p, uint32_t pos, const uint8_t *link);
enum inlay_status inlay_input_feed(struct inlay_patcher *p, const uint8_t *data, size_t len,
                                   size_t *used);

/* accept.c: may this patch be applied here, and with what memory */
enum inlay_status inlay_accept(struct inlay_patcher *p);
const struct inlay_codec *inlay_find_codec(const struct inlay_codec *const *codecs, uint8_t id);
uint32_t inlay_workspace(const struct inlay_manifest *m, uint32_t codec_need);
enum inlay_status inlay_open_codec(struct inlay_patcher *p);

/* head.c: until the first record */
enum inlay_status inlay_do_first(struct inlay_patcher *p);
enum inlay_status inlay_do_target(struct inlay_patcher *p);
enum inlay_status inlay_do_old(struct inlay_patcher *p);
enum inlay_status inlay_do_locate(struct inlay_patcher *p);
enum inlay_status inlay_do_clear(struct inlay_patcher *p);
enum inlay_status inlay_do_head(struct inlay_patcher *p);
enum inlay_status inlay_do_plan(struct inlay_patcher *p);
enum inlay_status inlay_do_pool(struct inlay_patcher *p);
enum inlay_status inlay_do_ready(struct inlay_patcher *p);
int inlay_read_old(void *ctx, uint32_t pos, void *buf, uint32_t len);

/* resume.c: after a reset */
enum inlay_status inlay_do_replay(struct inlay_patcher *p);
enum inlay_status inlay_do_replan(struct inlay_patcher *p);
enum inlay_status inlay_do_load(struct inlay_patcher *p);
enum inlay_status inlay_settle(struct inlay_patcher *p);
enum inlay_status inlay_do_settle(struct inlay_patcher *p);

/* group.c: from one commit to the next */
enum inlay_status inlay_group_open(struct inlay_patcher *p);
enum inlay_status inlay_do_next(struct inlay_patcher *p);
enum inlay_status inlay_do_produce(struct inlay_patcher *p);
enum inlay_status inlay_do_flush(struct inlay_patcher *p);
enum inlay_status inlay_do_rest(struct inlay_patcher *p);

/* describe.c: blocks as recipes */
int inlay_describes(const struct inlay_patcher *p);
enum inlay_status inlay_describe_open(struct inlay_patcher *p);
enum inlay_status inlay_describe(struct inlay_patcher *p, const uint8_t *made, uint32_t len,
                                 uint32_t from);
enum inlay_status inlay_describe_close(struct inlay_patcher *p);

/* rebuild.c: recipes as blocks */
enum inlay_status inlay_rebuild_open(struct inlay_patcher *p);
enum inlay_status inlay_do_rebuild(struct inlay_patcher *p);

/* move.c: from the stage to the slot, and the end */
uint32_t inlay_stage_start(const struct inlay_patcher *p, uint32_t pos);
struct inlay_span inlay_target_block(const struct inlay_patcher *p, uint32_t index);
enum inlay_status inlay_stage_close(struct inlay_patcher *p);
enum inlay_status inlay_group_close(struct inlay_patcher *p);
enum inlay_status inlay_do_check_stage(struct inlay_patcher *p);
enum inlay_status inlay_do_move(struct inlay_patcher *p);
enum inlay_status inlay_do_verify(struct inlay_patcher *p);

#endif
