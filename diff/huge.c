/* SPDX-License-Identifier: Apache-2.0 */
#include "huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE      ((size_t)2 << 20)
#define WORTH_MIN (2 * PAGE)

void *inlay_huge_alloc(size_t size)
{
    if (size < WORTH_MIN || size > SIZE_MAX / 2)
        return malloc(size);
    void *p = aligned_alloc(PAGE, (size + PAGE - 1) / PAGE * PAGE);
#ifdef MADV_HUGEPAGE
    /* What is behind the last whole page stays in small ones, and untouched. */
    if (p)
        (void)madvise(p, size / PAGE * PAGE, MADV_HUGEPAGE); /* a wish, no more */
#endif
    return p;
}
