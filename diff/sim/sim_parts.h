/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the simulator share. */
#ifndef INLAY_SIM_PARTS_H
#define INLAY_SIM_PARTS_H

#include "sim.h"
#include "sim_memo.h"

#include <stdlib.h>

/* A boot and all that may be cut from it. */
struct inlay_sim_level {
    struct inlay_model *start;  /* at the reset */
    struct inlay_model *trunk;  /* after some operations of its log */
    size_t at;                  /* how many */
    struct inlay_model_log log; /* what this boot does if it is not cut */
};

struct inlay_sim {
    struct inlay_sim_setup setup;
    struct inlay_sim_level level[INLAY_SIM_CUTS_MAX + 1];
    struct inlay_model *done; /* after the run without cuts */
    struct inlay_model *work; /* what boots run on */
    uint8_t *ram;             /* with guards before and behind */
    uint32_t ram_len;         /* what the run without cuts asked for; 0: not known yet */
    uint8_t *want;            /* the new image, owned */
    uint32_t want_size;
    uint32_t draws;          /* of the bits of a torn operation */
    int sure;                /* 1: want holds it */
    int target;              /* index of the area that gets it */
    int journal;             /* index of the work area, or -1 */
    int whole;               /* 1: every history is run to its end */
    struct inlay_memo *memo; /* of the search, while its histories end; else NULL */
    int known;               /* 1: the last history's end was known before it was reached */
    uint32_t again;          /* patch bytes that the last boot asked for again */
    struct inlay_sim_board board;
    enum inlay_status status; /* of the last boot that was not cut */
};

/* The history that is being played. */
struct inlay_sim_path {
    struct inlay_cut cut[INLAY_SIM_CUTS_MAX];
    unsigned count;
};

/* Runs a boot on model m: 1 if power was cut, 0 if sim->status says how it ended. */
int inlay_sim_boot_once(struct inlay_sim *sim, struct inlay_model *m);

/* How a boot that was not cut ended.  0, or -1 with the reason. */
int inlay_sim_judge(struct inlay_sim *sim, const struct inlay_model *m, char *why, size_t why_len);

/* Runs boots until one is not cut and flash does not fail; checks the result. 0 or -1. */
int inlay_sim_finish(struct inlay_sim *sim, struct inlay_model *m, char *why, size_t why_len);

#endif
