/* SPDX-License-Identifier: Apache-2.0 */
#include "align.h"

int inlay_find_segments(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                        const struct inlay_layout *layout, struct inlay_segments *out)
{
    (void)layout;
    return inlay_match(old, old_size, new, new_size, NULL, out);
}
