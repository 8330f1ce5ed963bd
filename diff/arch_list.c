/* SPDX-License-Identifier: Apache-2.0 */
#include "detect.h"

#include <string.h>

const struct inlay_arch *inlay_arch_of(enum inlay_arch_id id)
{
    static const struct inlay_arch *const list[] = {
        [INLAY_ARCH_NONE] = &inlay_arch_none,   [INLAY_ARCH_THUMB2] = &inlay_arch_thumb2,
        [INLAY_ARCH_ARM] = &inlay_arch_arm,     [INLAY_ARCH_AARCH64] = &inlay_arch_aarch64,
        [INLAY_ARCH_RISCV] = &inlay_arch_riscv, [INLAY_ARCH_XTENSA] = &inlay_arch_xtensa,
        [INLAY_ARCH_AVR] = &inlay_arch_avr,     [INLAY_ARCH_X86_64] = &inlay_arch_x86_64,
        [INLAY_ARCH_WASM] = &inlay_arch_wasm,
    };
    size_t n = sizeof list / sizeof *list;
    return (size_t)id < n && list[id] ? list[id] : &inlay_arch_none;
}

void inlay_layout_scene(const struct inlay_layout *layout, struct inlay_scene *sc)
{
    *sc = (struct inlay_scene){.arch = inlay_arch_of(layout->arch),
                               .spaces = {layout->old_spaces, layout->new_spaces},
                               .data_lo = layout->data_lo,
                               .data_hi = layout->data_hi};
    sc->tables = layout->tables;
    sc->table = layout->table;
    memcpy(sc->space[INLAY_OLD], layout->old_space, sizeof layout->old_space);
    memcpy(sc->space[INLAY_NEW], layout->new_space, sizeof layout->new_space);
}
