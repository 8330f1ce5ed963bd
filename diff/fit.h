/* SPDX-License-Identifier: Apache-2.0 */
/* How a device's work area and RAM are shared out, and whether a patch fits them. */
#ifndef INLAY_FIT_H
#define INLAY_FIT_H

#include "inlay.h"
#include "order.h"

/* What the work area is divided in favour of. */
enum inlay_fit_way {
    INLAY_FIT_STAGE,  /* blocks are staged whole: most of them in a group */
    INLAY_FIT_POOL,   /* the same, but a third of what the journal leaves is pool */
    INLAY_FIT_RECIPES /* recipes are staged, which suits blocks that resemble old content */
};

struct inlay_fit {
    const struct inlay_profile *profile;
    const struct inlay_profile_area *target; /* where the new image goes */
    struct inlay_order_limits limits;
    uint32_t head_guess;  /* bytes of manifest and plan that were reckoned with */
    uint32_t model_bytes; /* for the codec's state */
    unsigned tries;       /* left */
    uint8_t tightened;    /* 1: a shorter head than was reckoned with has made room already */
    enum inlay_fit_way way;
    uint32_t spare; /* bytes less of recipes than there is room for, as they are reckoned */
};

/* log2 of how long chunks are. */
uint8_t inlay_fit_chunk_log(const struct inlay_profile *profile);

/* The images against the profile, then a first division.  0 or an exit code. */
int inlay_fit_start(struct inlay_fit *fit, const struct inlay_profile *profile, int in_place,
                    enum inlay_fit_way way, size_t old_size, size_t new_size,
                    struct inlay_error *err);

/*
 * A patch that was made with this division, against the device.  0: it fits.
 * -1: make it again, *fit was changed.  Otherwise an exit code.
 */
int inlay_fit_check(struct inlay_fit *fit, const struct inlay_needs *needs, uint64_t lost,
                    struct inlay_error *err);

#endif
