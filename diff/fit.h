/* SPDX-License-Identifier: Apache-2.0 */
/* How a device's work area and RAM are shared out, and whether a patch fits them. */
#ifndef INLAY_FIT_H
#define INLAY_FIT_H

#include "inlay.h"
#include "order.h"

struct inlay_fit {
    const struct inlay_profile *profile;
    const struct inlay_profile_area *target; /* where the new image goes */
    struct inlay_order_limits limits;
    uint32_t head_guess;  /* bytes of manifest and plan that were reckoned with */
    uint32_t model_bytes; /* for the codec's state */
    unsigned tries;       /* left */
    uint8_t much_pool;    /* a third of what the journal leaves; else as few blocks as may do */
};

/*
 * The images against the profile, then a first division, with much pool or
 * with little.  0 or an exit code.
 */
int inlay_fit_start(struct inlay_fit *fit, const struct inlay_profile *profile, int in_place,
                    int much_pool, size_t old_size, size_t new_size, struct inlay_error *err);

/*
 * A patch that was made with this division, against the device.  0: it fits.
 * -1: make it again, *fit was changed.  Otherwise an exit code.
 */
int inlay_fit_check(struct inlay_fit *fit, const struct inlay_needs *needs, uint64_t lost,
                    struct inlay_error *err);

#endif
