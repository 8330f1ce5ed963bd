/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of a patch go: decodes it against its old image and keeps accounts. */
#ifndef INLAY_EXPLAIN_H
#define INLAY_EXPLAIN_H

#include "encode.h"
#include "manifest.h"

/*
 * Fills *stats for a patch of the small codec that was opened without error.
 * Returns 0, INLAY_EXIT_OLD if old is not its old image, INLAY_EXIT_CORRUPT,
 * or INLAY_EXIT_USAGE for another codec, whose bytes can't be told apart.
 */
int inlay_explain(const struct inlay_manifest *m, const uint8_t *patch, const uint8_t *old,
                  size_t old_size, struct inlay_encode_stats *stats, struct inlay_error *err);

#endif
