/* SPDX-License-Identifier: Apache-2.0 */
#include "detect.h"

const struct inlay_arch *inlay_arch_of(enum inlay_arch_id id)
{
    static const struct inlay_arch *const list[] = {
        [INLAY_ARCH_NONE] = &inlay_arch_none,
        [INLAY_ARCH_THUMB2] = &inlay_arch_thumb2,
    };
    size_t n = sizeof list / sizeof *list;
    return (size_t)id < n && list[id] ? list[id] : &inlay_arch_none;
}
