/* SPDX-License-Identifier: Apache-2.0 */
/* Applies a patch once, as the device will. */
#ifndef INLAY_PROVE_H
#define INLAY_PROVE_H

#include "inlay.h"

struct inlay_rehearsal;

/*
 * 0 if the real patcher makes exactly the new image under that profile, else an
 * exit code.  What was rehearsed, which may be nothing, is not decoded again.
 */
int inlay_prove(const struct inlay_profile *profile, int in_place, const struct inlay_image *old,
                const struct inlay_image *new, const struct inlay_buffer *patch,
                struct inlay_rehearsal *rehearsal, struct inlay_error *err);

#endif
