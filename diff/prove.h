/* SPDX-License-Identifier: Apache-2.0 */
/* Applies a patch once, as the device will. */
#ifndef INLAY_PROVE_H
#define INLAY_PROVE_H

#include "inlay.h"

/* 0 if the real patcher makes exactly the new image under that profile, else an exit code. */
int inlay_prove(const struct inlay_profile *profile, int in_place, const struct inlay_image *old,
                const struct inlay_image *new, const struct inlay_buffer *patch,
                struct inlay_error *err);

#endif
