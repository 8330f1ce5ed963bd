/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is read here and there rather than in order.  In pages of 4 KB
 * most of such a read is looking up the page; large pages spare that.
 */
#ifndef INLAY_HUGE_H
#define INLAY_HUGE_H

#include <stddef.h>

/* As malloc(), for free(); in large pages if size is worth it. */
void *inlay_huge_alloc(size_t size);

/*
 * Instead of free() for what inlay_huge_alloc(size) gave: the next one of about
 * that size gets the same piece.  Fresh memory takes the kernel long to clear.
 */
void inlay_huge_keep(void *piece, size_t size);
/* Frees what is kept, if nothing more of that size is to come. */
void inlay_huge_drop(void);

#endif
