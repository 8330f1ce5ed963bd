/* SPDX-License-Identifier: Apache-2.0 */
/* What applying in memory and to a file have in common. */
#ifndef INLAY_APPLY_H
#define INLAY_APPLY_H

#include "inlay.h"
#include "manifest.h"

/* The slot's geometry as a patch asks for it; callbacks are left alone. */
void inlay_apply_slot(const struct inlay_manifest *m, struct inlay_flash *flash);

/* A work area that is large enough for what the patch needs; callbacks are left alone. */
void inlay_apply_work(const struct inlay_manifest *m, const struct inlay_needs *needs,
                      struct inlay_flash *flash);

/* Bytes in an area. */
uint64_t inlay_apply_area_len(const struct inlay_flash *flash);

/* What a device would be configured with; options may be NULL. */
struct inlay_config inlay_apply_config(const struct inlay_apply_options *options);

/* inlay_apply() with these codecs, which end with NULL. */
int inlay_apply_with(const struct inlay_codec *const *codecs, const uint8_t *old, size_t old_size,
                     const uint8_t *patch, size_t patch_len,
                     const struct inlay_apply_options *options, struct inlay_buffer *out,
                     struct inlay_error *err);

#endif
