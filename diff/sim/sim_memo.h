/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about boots: from which states they end well.
 *
 * A boot's future depends on nothing but what it reads.  So a boot that ended
 * well is kept as the chain of blocks that it read (or wrote without erasing
 * them first) and what they held.  A later boot whose flash holds the same in
 * all of these blocks does the same and ends well, whatever is in the others:
 * they are erased before they matter, or never matter.  docs/DESIGN-sim.md
 * has the argument.
 */
#ifndef INLAY_SIM_MEMO_H
#define INLAY_SIM_MEMO_H

#include "flash_model.h"

struct inlay_memo;

/* How a boot goes on, from where it was found. */
struct inlay_memo_end {
    uint64_t erases;    /* so many more */
    uint32_t low, high; /* patch bytes that are fed lie in here */
};

/* For boots on models like m.  NULL: out of memory. */
struct inlay_memo *inlay_memo_new(const struct inlay_model *m);
void inlay_memo_free(struct inlay_memo *memo);

/* Makes the sums that the calls below need of m's blocks; copies of m have them too. */
void inlay_memo_sum(struct inlay_model *m);

/* Does a boot from m as it is now end well?  1, and how. */
int inlay_memo_find(struct inlay_memo *memo, struct inlay_model *m, struct inlay_memo_end *end);

/* Watches the boot that starts on m now. */
void inlay_memo_begin(struct inlay_memo *memo, struct inlay_model *m);
/* Notes which patch bytes were fed since the last time. */
void inlay_memo_fed(struct inlay_memo *memo, uint32_t low, uint32_t high);
/*
 * The device's state is now all in ram[len] and `more`.  1: from here on it
 * does what an earlier boot did that ended well; watching is over.  *end then
 * has the erases from here on, and the bytes fed from the start on.
 */
int inlay_memo_pass(struct inlay_memo *memo, const uint8_t *ram, uint32_t len, uint64_t more,
                    struct inlay_memo_end *end);
/*
 * The boot is over, well or not, and its result depends on the first len bytes
 * of `area`, too.  *end gets the bytes fed from the start on.
 */
void inlay_memo_over(struct inlay_memo *memo, int well, const struct inlay_model_area *area,
                     uint32_t len, struct inlay_memo_end *end);

#endif
