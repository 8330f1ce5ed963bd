/* SPDX-License-Identifier: Apache-2.0 */
/* Which processor an image is for, and at which addresses its bytes are. */
#ifndef INLAY_DETECT_H
#define INLAY_DETECT_H

#include "scene.h"

#include <stddef.h>
#include <stdint.h>

struct inlay_layout {
    enum inlay_arch_id arch;
    /* Ascending in pos and apart.  Never empty for an image that is not empty. */
    struct inlay_space old_space[INLAY_SPACES_MAX];
    struct inlay_space new_space[INLAY_SPACES_MAX];
    uint8_t old_spaces, new_spaces;
    /*
     * [data_lo, data_hi): addresses outside the image that its words refer to,
     * RAM mostly.  They shift when variables are added.  Equal: none found.
     */
    uint32_t data_lo, data_hi;
    struct inlay_table table[INLAY_TABLES_MAX]; /* exception tables of ELF files */
    uint8_t tables;
    /*
     * The last so many spaces of both images are behind them: what is there is
     * no bytes but things that indices count.
     */
    uint8_t index_spaces;
};

/*
 * Fills *out.  arch is a processor's name, or "auto" (or NULL) to find it by
 * looking at the old image, then the new one; "none" is what compressed or
 * unknown data gets.  If base_known, base is the address of byte 0 of both
 * images; otherwise headers (ELF, ESP32, ESP8266) say it, or pointers to
 * functions and strings vote for it; 0 if all fails.
 * Returns 0, or INLAY_EXIT_USAGE if there is no processor of that name.
 */
int inlay_detect(const uint8_t *old, size_t old_size, const uint8_t *new, size_t new_size,
                 const char *arch, int base_known, uint64_t base, struct inlay_layout *out);

/* 0 and *id, or -1 if there is no such name. */
int inlay_arch_by_name(const char *name, enum inlay_arch_id *id);
/* What the codec knows about it; plain data for one that has no support. */
const struct inlay_arch *inlay_arch_of(enum inlay_arch_id id);
/* What the codec is to know of two images with this layout. */
void inlay_layout_scene(const struct inlay_layout *layout, struct inlay_scene *sc);
/* "?" for an id that is not one. */
const char *inlay_arch_name(enum inlay_arch_id id);

#endif
