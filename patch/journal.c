/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that make every state unambiguous:
 *
 * 1. After a reset nothing is appended: what follows the newest record may
 *    have been half written.  A freshly erased area is begun instead.
 * 2. The first record of an area is written twice.  Only when both writes
 *    have finished does anything rely on it, and only then may the other
 *    area be erased.  So an area that is not being begun always holds a
 *    record that did finish, however the last one reads.
 * 3. After a reset the area to erase is the other one if the newest record
 *    is not the first of its area (then the first one finished).  If it is
 *    the first, it may be torn: the other area still holds its predecessor,
 *    and this area is begun again.  If the predecessor is gone, erasing the
 *    other area had begun, so this record had finished.
 * 4. If no record is found both areas are erased, lest a torn one come back.
 */
#include "journal.h"

#include "bits.h"
#include "format.h"
#include <string.h>

#define RECORD_NUMBERS 12u /* after JL, version, kind, length, sequence number */
#define RECORD_FIXED   96u /* bytes before the codec's */
#define RECORD_CRC     4u
#define RECORD_PAGE    512u /* where the integrator does not say */
#define JOURNAL_TRIES  3u

static uint32_t crc_more(uint32_t crc, const uint8_t *data, uint32_t len)
{
    while (len-- > 0) {
        crc ^= *data++;
        for (unsigned i = 0; i < 8u; i++)
            crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return crc;
}

static uint32_t record_space(const struct inlay_journal *j, uint32_t len)
{
    uint32_t unit = j->flash->page_len != 0 ? j->flash->page_len : RECORD_PAGE;
    if (unit < j->flash->write_size)
        unit = j->flash->write_size;
    return (len + unit - 1u) & ~(unit - 1u);
}

int inlay_journal_fits(const struct inlay_journal *j, uint32_t staged)
{
    uint32_t len = record_space(j, RECORD_FIXED + INLAY_SAVE_MAX + 4u * staged + RECORD_CRC);
    return len <= j->area[0].len / 3u && len <= j->area[1].len / 3u;
}

static uint32_t record_len(const struct inlay_record *rec)
{
    return RECORD_FIXED + rec->save_len + 4u * rec->staged + RECORD_CRC;
}

/* The numbers of a record in their order; 4 bytes each. */
static const uint8_t record_numbers[] = {
    offsetof(struct inlay_record, boots),       offsetof(struct inlay_record, head_len),
    offsetof(struct inlay_record, save_len),    offsetof(struct inlay_record, staged),
    offsetof(struct inlay_record, payload_pos), offsetof(struct inlay_record, stage_pos),
    offsetof(struct inlay_record, made),        offsetof(struct inlay_record, recipes),
    offsetof(struct inlay_record, recipe_pos)};

/* The fixed part of rec, to bytes or from them. */
static void convert(struct inlay_record *rec, uint8_t *b, int to_bytes)
{
    for (unsigned i = 0; i < sizeof record_numbers; i++) {
        uint8_t *number = (uint8_t *)rec + record_numbers[i];
        uint32_t v;
        if (to_bytes) {
            memcpy(&v, number, 4);
            inlay_put32(b + RECORD_NUMBERS + 4u * i, v);
        } else {
            v = inlay_get32(b + RECORD_NUMBERS + 4u * i);
            memcpy(number, &v, 4);
        }
    }
    uint8_t *digests = b + RECORD_NUMBERS + 4u * sizeof record_numbers;
    memcpy(to_bytes ? (void *)digests : &rec->is, to_bytes ? (void *)&rec->is : digests,
           sizeof rec->is);
}

/* Reads len bytes at pos and takes them into *crc; 0 if they can't be read. */
static int read_some(const struct inlay_journal *j, uint32_t pos, uint8_t *b, uint32_t len,
                     uint32_t *crc)
{
    if (inlay_flash_read(j->flash, pos, b, len) != INLAY_OK)
        return 0;
    *crc = crc_more(*crc, b, len);
    return 1;
}

/* Length of the valid record at pos of area a, or 0.  b gets its first RECORD_FIXED bytes. */
static uint32_t record_at(const struct inlay_journal *j, unsigned a, uint32_t pos, uint8_t *b)
{
    uint32_t left = j->area[a].len - pos, crc = 0xFFFFFFFFu;
    uint8_t piece[32];
    pos += j->area[a].pos;
    if (left < RECORD_FIXED + RECORD_CRC || !read_some(j, pos, b, RECORD_FIXED, &crc) ||
        b[0] != 'J' || b[1] != 'L')
        return 0;
    uint32_t len = inlay_get32(b + 4);
    if (len < RECORD_FIXED + RECORD_CRC || len > left)
        return 0;
    for (uint32_t i = RECORD_FIXED, n; i < len; i += n) {
        n = len - i < sizeof piece ? len - i : (uint32_t)sizeof piece;
        if (!read_some(j, pos + i, piece, n, &crc))
            return 0;
    }
    /* What a CRC makes of itself, low byte first. */
    return crc == 0xDEBB20E3u ? len : 0;
}

/* Reads the newest record, or makes nothing of one from another version that says it is over. */
static enum inlay_status read_newest(struct inlay_journal *j, struct inlay_record *rec)
{
    uint8_t b[RECORD_FIXED];
    uint32_t len = record_at(j, j->current, j->at, b);
    if (len == 0)
        return INLAY_E_FLASH;
    if (b[2] != INLAY_RECORD_VERSION)
        return b[3] == INLAY_RECORD_DONE || b[3] == INLAY_RECORD_IDLE ? INLAY_OK : INLAY_E_JOURNAL;
    convert(rec, b, 0);
    rec->kind = b[3];
    if (rec->kind < INLAY_RECORD_IDLE || rec->kind > INLAY_RECORD_DONE ||
        rec->save_len > INLAY_SAVE_MAX || rec->staged > INLAY_STAGE_BLOCKS_MAX ||
        len != record_len(rec))
        return INLAY_E_JOURNAL;
    return inlay_flash_read(j->flash, j->area[j->current].pos + j->at + RECORD_FIXED, rec->save,
                            rec->save_len);
}

enum inlay_status inlay_journal_find(struct inlay_journal *j, const struct inlay_flash *work,
                                     struct inlay_record *rec)
{
    static const struct inlay_kept nothing;
    struct inlay_division layout;
    uint32_t newest[2] = {0, 0};
    uint8_t b[RECORD_FIXED];
    memset(j, 0, sizeof *j);
    memset(rec, 0, sizeof *rec);
    rec->kind = INLAY_RECORD_IDLE;
    j->flash = work;
    if (inlay_divide_work(&layout, work, &nothing) != INLAY_OK)
        return INLAY_E_LIMIT;
    memcpy(j->area, layout.journal, sizeof j->area);
    for (unsigned a = 0; a < 2u; a++) {
        for (uint32_t pos = 0; pos < j->area[a].len;) {
            uint32_t len = record_at(j, a, pos, b), seq = len != 0 ? inlay_get32(b + 8) : 0;
            if (seq > newest[a])
                newest[a] = seq;
            if (seq > j->seq) {
                j->seq = seq;
                j->at = pos;
                j->current = (uint8_t)a;
            }
            pos += record_space(j, len + (len == 0));
        }
    }
    if (j->seq == 0)
        return INLAY_OK;
    uint32_t other = newest[1u - j->current];
    j->fallback = other != 0 && other + 1u >= j->seq;
    return read_newest(j, rec);
}

enum inlay_status inlay_journal_staged(const struct inlay_journal *j,
                                       const struct inlay_record *rec, uint32_t *list)
{
    uint32_t pos = j->area[j->current].pos + j->at + RECORD_FIXED + rec->save_len;
    enum inlay_status st = inlay_flash_read(j->flash, pos, list, 4u * rec->staged);
    for (uint32_t i = 0; i < rec->staged; i++)
        list[i] = inlay_get32((const uint8_t *)&list[i]);
    return st;
}

static enum inlay_status write_bytes(struct inlay_writer *w, uint32_t *crc, const uint8_t *data,
                                     uint32_t len)
{
    *crc = crc_more(*crc, data, len);
    return inlay_writer_put(w, data, len);
}

/* Writes rec at j->next of the current area. */
static enum inlay_status write_record(struct inlay_journal *j, struct inlay_writer *w,
                                      struct inlay_record *rec, const uint32_t *list)
{
    uint8_t b[RECORD_FIXED] = {'J', 'L', INLAY_RECORD_VERSION, (uint8_t)rec->kind};
    uint32_t crc = 0xFFFFFFFFu;
    inlay_writer_open(w, j->flash, j->area[j->current].pos + j->next, 0);
    inlay_put32(b + 4, record_len(rec));
    inlay_put32(b + 8, j->seq + 1u);
    convert(rec, b, 1);
    enum inlay_status st = write_bytes(w, &crc, b, RECORD_FIXED);
    if (st == INLAY_OK)
        st = write_bytes(w, &crc, rec->save, rec->save_len);
    for (uint32_t i = 0; st == INLAY_OK && i <= rec->staged; i++) {
        inlay_put32(b, i < rec->staged ? list[i] : ~crc);
        st = write_bytes(w, &crc, b, 4);
    }
    if (st == INLAY_OK)
        st = inlay_writer_end(w);
    if (st != INLAY_OK)
        return st;
    j->seq++;
    j->at = j->next;
    j->next += record_space(j, record_len(rec));
    return INLAY_OK;
}

/* Begins area a with rec, twice. */
static enum inlay_status begin_area(struct inlay_journal *j, struct inlay_writer *w, unsigned a,
                                    struct inlay_record *rec, const uint32_t *list)
{
    uint32_t seq = j->seq;
    for (unsigned tries = JOURNAL_TRIES; tries > 0; tries--) {
        j->seq = seq; /* numbers without gaps: rule 3 looks for the predecessor */
        j->current = (uint8_t)a;
        j->next = 0;
        if (inlay_flash_erase(j->flash, j->area[a]) == INLAY_OK &&
            write_record(j, w, rec, list) == INLAY_OK &&
            write_record(j, w, rec, list) == INLAY_OK) {
            j->open = 1;
            return INLAY_OK;
        }
    }
    return INLAY_E_FLASH;
}

enum inlay_status inlay_journal_commit(struct inlay_journal *j, struct inlay_writer *w,
                                       struct inlay_record *rec, const uint32_t *list)
{
    unsigned a = 1u - j->current;
    if (j->open) {
        if (record_len(rec) <= j->area[j->current].len - j->next &&
            write_record(j, w, rec, list) == INLAY_OK)
            return INLAY_OK;
    } else if (j->seq == 0) { /* rule 4 */
        if (inlay_flash_erase(j->flash, j->area[1]) != INLAY_OK)
            return INLAY_E_FLASH;
        a = 0;
    } else if (j->at == 0 && j->fallback) { /* rule 3 */
        a = j->current;
    }
    return begin_area(j, w, a, rec, list);
}
