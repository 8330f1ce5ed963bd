/* SPDX-License-Identifier: Apache-2.0 */
#include "flash.h"

#include "format.h"
#include <string.h>

static int is_power_of_two(uint32_t v)
{
    return v != 0 && (v & (v - 1u)) == 0;
}

enum inlay_status inlay_flash_check(const struct inlay_flash *f)
{
    if (!is_power_of_two(f->write_size) || f->write_size > INLAY_PIECE ||
        (f->page_len != 0 && !is_power_of_two(f->page_len)) ||
        (f->erased != 0xFFu && f->erased != 0) || f->regions == 0 || f->regions > INLAY_REGIONS_MAX)
        return INLAY_E_USAGE;
    uint32_t room = INLAY_SIZE_MAX;
    for (unsigned i = 0; i < f->regions; i++) {
        const struct inlay_region *r = &f->region[i];
        if (r->count == 0 || r->block_len == 0 || r->block_len % f->write_size != 0 ||
            r->count > room / r->block_len)
            return INLAY_E_USAGE;
        room -= r->count * r->block_len;
    }
    return INLAY_OK;
}

uint32_t inlay_region_size(const struct inlay_region *region, unsigned regions)
{
    uint32_t size = 0;
    for (unsigned i = 0; i < regions; i++)
        size += region[i].count * region[i].block_len;
    return size;
}

struct inlay_span inlay_region_block(const struct inlay_region *region, unsigned regions,
                                     uint32_t pos)
{
    struct inlay_span block = {0, 0};
    for (unsigned i = 0; i < regions; i++) {
        uint32_t size = region[i].count * region[i].block_len;
        if (pos - block.pos < size) {
            block.len = region[i].block_len;
            block.pos = pos - (pos - block.pos) % block.len;
            return block;
        }
        block.pos += size;
    }
    return block;
}

struct inlay_span inlay_region_at(const struct inlay_region *region, unsigned regions,
                                  uint32_t index)
{
    struct inlay_span block = {0, 0};
    for (unsigned i = 0; i < regions; i++) {
        if (index < region[i].count) {
            block.len = region[i].block_len;
            block.pos += index * block.len;
            return block;
        }
        index -= region[i].count;
        block.pos += region[i].count * region[i].block_len;
    }
    return block;
}

uint32_t inlay_flash_align(const struct inlay_flash *f, uint32_t pos)
{
    return (pos + f->write_size - 1u) & ~(f->write_size - 1u);
}

enum inlay_status inlay_flash_read(const struct inlay_flash *f, uint32_t pos, void *buf,
                                   uint32_t len)
{
    return len == 0 || f->read(f->ctx, pos, buf, len) == 0 ? INLAY_OK : INLAY_E_FLASH;
}

/* Erases every block of the span, which starts and ends with one. */
enum inlay_status inlay_flash_erase(const struct inlay_flash *f, struct inlay_span span)
{
    uint32_t end = span.pos + span.len;
    while (span.pos < end) {
        struct inlay_span block = inlay_region_block(f->region, f->regions, span.pos);
        if (block.len == 0 || f->erase(f->ctx, block.pos, block.len) != 0)
            return INLAY_E_FLASH;
        span.pos += block.len;
    }
    return INLAY_OK;
}

/* The fewest blocks from pos on that hold at least len bytes; short if there are not enough. */
static struct inlay_span run_of_blocks(const struct inlay_flash *f, uint32_t pos, uint32_t len)
{
    struct inlay_span span = {pos, 0};
    while (span.len < len) {
        struct inlay_span block = inlay_region_block(f->region, f->regions, pos + span.len);
        if (block.len == 0)
            break;
        span.len += block.len;
    }
    return span;
}

/* What is behind the head: recipes in as few blocks as may do, at either end, and the stage. */
static void divide_rest(struct inlay_division *layout, const struct inlay_flash *work,
                        struct inlay_span rest, const struct inlay_kept *kept)
{
    layout->recipe = run_of_blocks(work, rest.pos, kept->recipes);
    layout->stage.pos = rest.pos + layout->recipe.len;
    layout->stage.len = rest.len - layout->recipe.len;
    if (!kept->recipes_last || kept->recipes == 0 || layout->recipe.len < kept->recipes)
        return;
    /* One block too many, so that without it what is left is enough, but no more than need be. */
    layout->stage = run_of_blocks(work, rest.pos, rest.len - kept->recipes + 1u);
    struct inlay_span last =
        inlay_region_block(work->region, work->regions, layout->stage.pos + layout->stage.len - 1u);
    layout->stage.len -= last.len;
    layout->recipe.pos = last.pos;
    layout->recipe.len = rest.len - layout->stage.len;
}

enum inlay_status inlay_divide_work(struct inlay_division *layout, const struct inlay_flash *work,
                                    const struct inlay_kept *kept)
{
    uint32_t size = inlay_region_size(work->region, work->regions);
    uint32_t head = kept->head + kept->pool;
    if (kept->head > size || kept->pool > size || kept->recipes > size)
        return INLAY_E_LIMIT;
    layout->journal[0] = run_of_blocks(work, 0, INLAY_JOURNAL_MIN);
    layout->journal[1] = run_of_blocks(work, layout->journal[0].len, INLAY_JOURNAL_MIN);
    uint32_t head_pos = layout->journal[1].pos + layout->journal[1].len;
    layout->head = run_of_blocks(work, head_pos, head);
    layout->pool_pos = head_pos + kept->head;
    struct inlay_span rest = {head_pos + layout->head.len, size - head_pos - layout->head.len};
    divide_rest(layout, work, rest, kept);
    return layout->journal[1].len < INLAY_JOURNAL_MIN || layout->head.len < head ||
                   layout->recipe.len < kept->recipes
               ? INLAY_E_LIMIT
               : INLAY_OK;
}

void inlay_writer_open(struct inlay_writer *w, const struct inlay_flash *f, uint32_t pos,
                       uint8_t erase)
{
    w->flash = f;
    w->pos = pos;
    w->ring.len = 0;
    w->erase = erase;
    w->fill = 0;
}

uint32_t inlay_writer_add(struct inlay_writer *w, const uint8_t *data, uint32_t len)
{
    uint32_t room = INLAY_PIECE - w->fill;
    if (w->fill > INLAY_PIECE)
        room = 0;
    if (len > room)
        len = room;
    memcpy(w->buf + w->fill, data, len);
    w->fill += len;
    return len;
}

static int holds(const struct inlay_writer *w, uint32_t len)
{
    uint8_t back[32];
    for (uint32_t i = 0; i < len; i += (uint32_t)sizeof back) {
        uint32_t n = len - i < sizeof back ? len - i : (uint32_t)sizeof back;
        if (inlay_flash_read(w->flash, w->pos + i, back, n) != INLAY_OK ||
            memcmp(back, w->buf + i, n) != 0)
            return 0;
    }
    return 1;
}

static enum inlay_status put_piece(struct inlay_writer *w, uint32_t *len)
{
    const struct inlay_flash *f = w->flash;
    struct inlay_span block = inlay_region_block(f->region, f->regions, w->pos);
    if (*len > block.len - (w->pos - block.pos))
        *len = block.len - (w->pos - block.pos);
    if (block.len == 0 || (w->erase && w->pos == block.pos && inlay_flash_erase(f, block) != 0) ||
        f->write(f->ctx, w->pos, w->buf, *len) != 0 || !holds(w, *len))
        return INLAY_E_FLASH;
    return INLAY_OK;
}

enum inlay_status inlay_writer_push(struct inlay_writer *w, int end)
{
    uint32_t len = INLAY_PIECE;
    if (w->fill < INLAY_PIECE) {
        if (!end || w->fill == 0)
            return INLAY_OK;
        len = w->fill;
        if (w->flash != NULL) {
            len = inlay_flash_align(w->flash, w->fill);
            memset(w->buf + w->fill, w->flash->erased, len - w->fill);
            w->fill = len;
        }
    }
    if (w->flash != NULL && put_piece(w, &len) != INLAY_OK)
        return INLAY_E_FLASH;
    w->fill -= len;
    memmove(w->buf, w->buf + len, w->fill);
    w->pos += len;
    if (w->ring.len != 0 && w->pos == w->ring.pos + w->ring.len)
        w->pos = w->ring.pos;
    return w->fill >= INLAY_PIECE || (end && w->fill > 0) ? INLAY_AGAIN : INLAY_OK;
}

enum inlay_status inlay_writer_put(struct inlay_writer *w, const uint8_t *data, uint32_t len)
{
    while (len > 0) {
        uint32_t n = inlay_writer_add(w, data, len);
        data += n;
        len -= n;
        if (inlay_writer_push(w, 0) < 0)
            return INLAY_E_FLASH;
    }
    return INLAY_OK;
}

enum inlay_status inlay_writer_end(struct inlay_writer *w)
{
    enum inlay_status st;
    do
        st = inlay_writer_push(w, 1);
    while (st == INLAY_AGAIN);
    return st;
}
