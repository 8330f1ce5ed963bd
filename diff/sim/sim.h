/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator: runs the device code on the flash model, cuts its power, and
 * checks that it always ends at exactly the new image.
 *
 * A history is a list of cuts.  The first counts operations from the start,
 * each other from the reset that the one before it caused.  After the last
 * cut the device runs to its end.  inlay_sim_new() makes the device as it is
 * before the update; every history starts from there.
 */
#ifndef INLAY_SIM_H
#define INLAY_SIM_H

#include "error.h"
#include "flash_model.h"
#include "inlay.h"
#include "inlay_patch.h"
#include "profile.h"

#define INLAY_SIM_CUTS_MAX 3

/* What the device code sees from one reset to the next. */
struct inlay_sim_board {
    const struct inlay_flash *old;  /* the installed image */
    const struct inlay_flash *slot; /* where the new one goes; old itself in place */
    const struct inlay_flash *work; /* NULL: none */
    const uint8_t *patch;
    uint32_t patch_len;
    uint32_t feed_len; /* bytes fed at once; 0: as many as there are */
    uint8_t *ram;      /* garbage after every reset, 8-aligned */
    uint32_t ram_len;
    uint32_t ram_used;  /* out: bytes of it that were asked for */
    uint64_t fed;       /* out: patch bytes fed, all boots together */
    uint32_t low, high; /* out: patch bytes that were fed lie in here; low > high: none */
    uint32_t *mark;     /* out: patch offset wanted next, kept up to date */
    /*
     * To be called where the device's state is all in ram[ram_used], besides
     * flash and `more`; resets low and high.  1: what follows is known; return
     * INLAY_DONE.  NULL: nobody wants to know.
     */
    int (*pass)(struct inlay_sim_board *board, uint64_t more);
    void *pass_ctx;
    struct inlay_report at; /* out: where it stopped */
};

/* One boot: runs until the update is done (INLAY_DONE, INLAY_ALREADY) or failed. */
typedef enum inlay_status (*inlay_sim_boot)(void *ctx, struct inlay_sim_board *board);

/* The patcher itself; ctx is the codec list, ends with NULL, or NULL for all of them. */
enum inlay_status inlay_sim_patcher(void *ctx, struct inlay_sim_board *board);

struct inlay_sim_setup {
    const struct inlay_profile *profile;
    int in_place;
    const uint8_t *old;
    uint32_t old_size;
    const uint8_t *new; /* NULL: whatever the run without cuts makes is taken for right */
    uint32_t new_size;  /* always given */
    const uint8_t *patch;
    uint32_t patch_len;
    uint32_t feed_len;
    uint32_t seed; /* of stale flash contents, garbage RAM and torn bits */
    inlay_sim_boot boot;
    void *boot_ctx;
};

/* The run without cuts. */
struct inlay_sim_result {
    int already;  /* 1: the new image was installed beforehand */
    uint64_t ops; /* erases and programs: the places to cut at */
    struct inlay_model_counts counts;
    uint64_t fed;                        /* patch bytes received */
    uint32_t ram;                        /* bytes of RAM the patcher asked for */
    uint64_t flash_us, cpu_us, radio_us; /* estimates from the profile's costs */
    uint64_t energy_uj;
    uint32_t most_erases; /* of any one block */
    uint64_t target_erases, work_erases;
    uint32_t target_blocks, work_blocks;
    const struct inlay_model_block
        *target;                          /* erases per block; the simulator's, until it is freed */
    const struct inlay_model_block *work; /* NULL: no work area */
};

/* What a search through histories found. */
struct inlay_sim_cuts {
    uint64_t tried;       /* histories with at least one cut */
    uint64_t ok;          /* that ended at exactly the new image */
    uint64_t boots;       /* resets, all histories together */
    uint32_t most_boots;  /* of any one history */
    uint64_t most_erases; /* of any one history, all blocks together */
    uint64_t most_again;  /* patch bytes that one cut made the device ask for again */
    uint64_t known;       /* histories whose end was known before they reached it */
    char replay[128];     /* the first history that failed, for inlay_sim_replay() */
    char failure[320];    /* what went wrong there */
};

struct inlay_sim;

/* INLAY_EXIT_LIMIT if an image does not fit the profile, INLAY_EXIT_FAILURE without memory. */
int inlay_sim_new(const struct inlay_sim_setup *setup, struct inlay_sim **sim,
                  struct inlay_error *err);
void inlay_sim_free(struct inlay_sim *sim);

/*
 * Runs once without a cut; must come before the calls below.  Then resets
 * and runs again: nothing may be written.  Returns 0; the exit code of the
 * device's error; or INLAY_EXIT_FAILURE if it broke a rule of its flash, did
 * not make the new image, or did work after the end.
 */
int inlay_sim_run(struct inlay_sim *sim, struct inlay_sim_result *result, struct inlay_error *err);

/*
 * 1: searches run every history to its end; 0, at first: they stop where it
 * can only go on like an earlier one, which is exact (sim_memo.h), and faster.
 */
void inlay_sim_set_whole(struct inlay_sim *sim, int whole);

/* How often the searches below draw the bits of every torn operation; 1 at first. */
void inlay_sim_set_draws(struct inlay_sim *sim, uint32_t draws);

/*
 * All histories of 1 to `depth` cuts, at every operation, torn in every mode
 * of the mask (bit per enum inlay_torn).  keep > 1: of the operations of
 * every boot one in so many, drawn from the seed.  Adds to *cuts and stops at the first failure;
 * progress may be NULL;
 * returns 0 or INLAY_EXIT_FAILURE.
 */
int inlay_sim_every(struct inlay_sim *sim, unsigned depth, unsigned torn_mask, uint32_t keep,
                    const struct inlay_progress *progress, struct inlay_sim_cuts *cuts);

/* count histories of 1 to 3 cuts, drawn from seed. */
int inlay_sim_random(struct inlay_sim *sim, uint64_t count, uint32_t seed, unsigned torn_mask,
                     const struct inlay_progress *progress, struct inlay_sim_cuts *cuts);

/* One history. */
int inlay_sim_history(struct inlay_sim *sim, const struct inlay_cut *cut, unsigned count,
                      struct inlay_sim_cuts *cuts);

/* One history by its id, "OP:TORN:SEED[,...]".  INLAY_EXIT_USAGE if text is not one. */
int inlay_sim_replay(struct inlay_sim *sim, const char *text, struct inlay_sim_cuts *cuts,
                     struct inlay_error *err);

/*
 * Every boot survives only `ops` operations.  Returns 0 with the boots it
 * took, or INLAY_EXIT_FAILURE with a sentence if max_boots were not enough
 * or it went wrong.
 */
int inlay_sim_stutter(struct inlay_sim *sim, uint64_t ops, uint32_t max_boots, enum inlay_torn torn,
                      uint32_t *boots, struct inlay_error *err);

#endif
