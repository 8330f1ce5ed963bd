/* SPDX-License-Identifier: Apache-2.0 */
#include "huge.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE      ((size_t)2 << 20)
#define WORTH_MIN (2 * PAGE)

/* How a piece begins while it is kept. */
struct kept {
    size_t size;
};
static _Atomic(struct kept *) last_kept;

static size_t whole_pages(size_t size)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

void *inlay_huge_alloc(size_t size)
{
    if (size < WORTH_MIN || size > SIZE_MAX / 2)
        return malloc(size);
    struct kept *kept = atomic_exchange(&last_kept, NULL);
    if (kept && kept->size == whole_pages(size))
        return kept;
    free(kept);
    void *p = aligned_alloc(PAGE, whole_pages(size));
#ifdef MADV_HUGEPAGE
    /* What is behind the last whole page stays in small ones, and untouched. */
    if (p)
        (void)madvise(p, size / PAGE * PAGE, MADV_HUGEPAGE); /* a wish, no more */
#endif
    return p;
}

void inlay_huge_keep(void *piece, size_t size)
{
    struct kept *kept = piece;
    if (!piece || size < WORTH_MIN) {
        free(piece);
        return;
    }
    kept->size = whole_pages(size);
    free(atomic_exchange(&last_kept, kept));
}

void inlay_huge_drop(void)
{
    free(atomic_exchange(&last_kept, NULL));
}
