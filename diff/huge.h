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

#endif
