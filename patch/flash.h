/* SPDX-License-Identifier: Apache-2.0 */
/* Erase blocks, the layout of the work area, and writing in whole granules with read-back. */
#ifndef INLAY_FLASH_H
#define INLAY_FLASH_H

#include "inlay_patch.h"

#define INLAY_PIECE       256u  /* most bytes read or written at once */
#define INLAY_PIECE_SLACK 64u   /* room behind a piece for what does not fill a granule */
#define INLAY_JOURNAL_MIN 2048u /* bytes of each of the two journal areas, at least */

/* A block or a run of them. */
struct inlay_span {
    uint32_t pos;
    uint32_t len;
};

/* What is where in the work area; every part starts at an erase block. */
struct inlay_division {
    struct inlay_span journal[2];
    struct inlay_span head;   /* manifest, plan, pool */
    uint32_t pool_pos;        /* inside head */
    struct inlay_span recipe; /* recipes of a group */
    struct inlay_span stage;
};

/* Collects bytes and writes them as granules. */
struct inlay_writer {
    const struct inlay_flash *flash; /* NULL: bytes are dropped */
    uint32_t pos;                    /* where the first collected byte goes */
    struct inlay_span ring;          /* pos wraps from its end to its start; len 0: it doesn't */
    uint8_t erase;                   /* 1: a block is erased when pos enters it */
    uint32_t fill;
    uint8_t buf[INLAY_PIECE + INLAY_PIECE_SLACK];
};

/* INLAY_OK, or INLAY_E_USAGE if the description of an area makes no sense. */
enum inlay_status inlay_flash_check(const struct inlay_flash *f);
uint32_t inlay_region_size(const struct inlay_region *region, unsigned regions);
/* The block that holds pos.  len 0: there is none. */
struct inlay_span inlay_region_block(const struct inlay_region *region, unsigned regions,
                                     uint32_t pos);
/* Block number index.  len 0: there is none. */
struct inlay_span inlay_region_at(const struct inlay_region *region, unsigned regions,
                                  uint32_t index);
/* pos, or the next multiple of the write size. */
uint32_t inlay_flash_align(const struct inlay_flash *f, uint32_t pos);
enum inlay_status inlay_flash_read(const struct inlay_flash *f, uint32_t pos, void *buf,
                                   uint32_t len);
enum inlay_status inlay_flash_erase(const struct inlay_flash *f, struct inlay_span span);

/* What a patch keeps in the work area, in bytes. */
struct inlay_kept {
    uint32_t head; /* manifest, signature block, plan */
    uint32_t pool;
    uint32_t recipes;
    uint8_t recipes_last; /* 1: behind the stage.  Taking turns spreads the stage's wear */
};

/*
 * Divides the work area; with all 0 only the journal's place counts.
 * INLAY_OK, or INLAY_E_LIMIT if it is too small.
 */
enum inlay_status inlay_divide_work(struct inlay_division *layout, const struct inlay_flash *work,
                                    const struct inlay_kept *kept);

void inlay_writer_open(struct inlay_writer *w, const struct inlay_flash *f, uint32_t pos,
                       uint8_t erase);
/*
 * Writes at most one piece, never across a block's end, if a whole one has
 * been collected or at the end (which pads to a granule with erased bytes),
 * and compares what can be read back.  INLAY_OK: nothing is left to write.
 * INLAY_AGAIN: call again.  INLAY_E_FLASH: pos did not hold its data.
 */
enum inlay_status inlay_writer_push(struct inlay_writer *w, int end);
/* Writes all that was collected.  INLAY_OK or INLAY_E_FLASH. */
enum inlay_status inlay_writer_end(struct inlay_writer *w);
/* Takes up to len bytes, as many as there is room for, and returns how many. */
uint32_t inlay_writer_add(struct inlay_writer *w, const uint8_t *data, uint32_t len);
/* Takes all of them and writes whole pieces.  INLAY_OK or INLAY_E_FLASH. */
enum inlay_status inlay_writer_put(struct inlay_writer *w, const uint8_t *data, uint32_t len);

#endif
