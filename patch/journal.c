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
#include <string.h>

#define RECORD_FIXED  96u /* bytes before the codec's */
#define RECORD_CRC    4u
#define RECORD_PAGE   512u /* where the integrator does not say */
#define JOURNAL_TRIES 3u

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

static void pack_fixed(uint8_t *b, const struct inlay_record *rec, uint32_t seq)
{
    b[0] = 'J';
    b[1] = 'L';
    b[2] = INLAY_RECORD_VERSION;
    b[3] = rec->kind;
    inlay_put16(b + 4, RECORD_FIXED + rec->save_len + 4u * rec->staged + RECORD_CRC);
    inlay_put16(b + 6, rec->boots);
    inlay_put32(b + 8, seq);
    memcpy(b + 12, rec->identity, INLAY_ID_LEN);
    memcpy(b + 28, rec->result, INLAY_ID_LEN);
    memcpy(b + 44, rec->link, INLAY_ID_LEN);
    memcpy(b + 60, rec->plan_check, INLAY_SHORT_LEN);
    memcpy(b + 68, rec->stage_check, INLAY_SHORT_LEN);
    inlay_put32(b + 76, rec->payload_pos);
    inlay_put32(b + 80, rec->stage_pos);
    inlay_put32(b + 84, rec->head_len);
    inlay_put16(b + 88, rec->save_len);
    inlay_put16(b + 90, rec->staged);
    inlay_put32(b + 92, rec->made);
}

static void unpack_fixed(struct inlay_record *rec, const uint8_t *b)
{
    rec->kind = b[3];
    rec->boots = (uint16_t)inlay_get16(b + 6);
    memcpy(rec->identity, b + 12, INLAY_ID_LEN);
    memcpy(rec->result, b + 28, INLAY_ID_LEN);
    memcpy(rec->link, b + 44, INLAY_ID_LEN);
    memcpy(rec->plan_check, b + 60, INLAY_SHORT_LEN);
    memcpy(rec->stage_check, b + 68, INLAY_SHORT_LEN);
    rec->payload_pos = inlay_get32(b + 76);
    rec->stage_pos = inlay_get32(b + 80);
    rec->head_len = (uint16_t)inlay_get16(b + 84);
    rec->save_len = (uint16_t)inlay_get16(b + 88);
    rec->staged = (uint16_t)inlay_get16(b + 90);
    rec->made = inlay_get32(b + 92);
}

/* Length of the valid record at pos, or 0.  b gets its first RECORD_FIXED bytes. */
static uint32_t record_at(const struct inlay_journal *j, struct inlay_span area, uint32_t pos,
                          uint8_t *b)
{
    uint32_t end = area.pos + area.len, at = area.pos + pos;
    if (end - at < RECORD_FIXED + RECORD_CRC ||
        inlay_flash_read(j->flash, at, b, RECORD_FIXED) != INLAY_OK || b[0] != 'J' || b[1] != 'L')
        return 0;
    uint32_t len = inlay_get16(b + 4);
    if (len < RECORD_FIXED + RECORD_CRC || len > end - at)
        return 0;
    uint32_t crc = crc_more(0xFFFFFFFFu, b, RECORD_FIXED);
    uint8_t piece[32];
    for (uint32_t i = RECORD_FIXED; i < len;) {
        uint32_t n = len - i < sizeof piece ? len - i : (uint32_t)sizeof piece;
        if (inlay_flash_read(j->flash, at + i, piece, n) != INLAY_OK)
            return 0;
        crc = crc_more(crc, piece, n);
        i += n;
    }
    /* What a CRC makes of itself, low byte first. */
    return crc == 0xDEBB20E3u ? len : 0;
}

struct journal_scan {
    uint32_t newest[2]; /* highest sequence number per area, 0: none */
    uint32_t len;       /* of the newest record of all */
    uint8_t version;
};

/* Takes the record whose fixed part is b, if it is the newest so far. */
static void consider(struct inlay_journal *j, struct journal_scan *scan, unsigned a, uint32_t pos,
                     const uint8_t *b, struct inlay_record *rec)
{
    uint32_t seq = inlay_get32(b + 8);
    if (seq > scan->newest[a])
        scan->newest[a] = seq;
    if (j->found && seq <= j->seq)
        return;
    j->found = 1;
    j->seq = seq;
    j->at = pos;
    j->current = (uint8_t)a;
    unpack_fixed(rec, b);
    scan->len = inlay_get16(b + 4);
    scan->version = b[2];
}

/* Reads the rest of the newest record, or makes nothing of one that says it is over. */
static enum inlay_status read_rest(struct inlay_journal *j, const struct journal_scan *scan,
                                   struct inlay_record *rec)
{
    if (scan->version != INLAY_RECORD_VERSION &&
        (rec->kind == INLAY_RECORD_DONE || rec->kind == INLAY_RECORD_IDLE)) {
        memset(rec, 0, sizeof *rec);
        rec->kind = INLAY_RECORD_IDLE;
        return INLAY_OK;
    }
    if (scan->version != INLAY_RECORD_VERSION || rec->kind < INLAY_RECORD_IDLE ||
        rec->kind > INLAY_RECORD_DONE || rec->save_len > INLAY_SAVE_MAX ||
        scan->len != RECORD_FIXED + rec->save_len + 4u * rec->staged + RECORD_CRC)
        return INLAY_E_JOURNAL;
    return inlay_flash_read(j->flash, j->area[j->current].pos + j->at + RECORD_FIXED, rec->save,
                            rec->save_len);
}

enum inlay_status inlay_journal_find(struct inlay_journal *j, const struct inlay_flash *work,
                                     struct inlay_record *rec)
{
    struct inlay_layout layout;
    struct journal_scan scan = {{0, 0}, 0, 0};
    uint8_t b[RECORD_FIXED];
    memset(j, 0, sizeof *j);
    memset(rec, 0, sizeof *rec);
    rec->kind = INLAY_RECORD_IDLE;
    j->flash = work;
    if (inlay_layout_make(&layout, work, 0, 0) != INLAY_OK)
        return INLAY_E_LIMIT;
    memcpy(j->area, layout.journal, sizeof j->area);
    for (unsigned a = 0; a < 2u; a++) {
        for (uint32_t pos = 0; pos < j->area[a].len;) {
            uint32_t len = record_at(j, j->area[a], pos, b);
            if (len != 0)
                consider(j, &scan, a, pos, b, rec);
            pos += record_space(j, len + (len == 0));
        }
    }
    if (!j->found)
        return INLAY_OK;
    uint32_t other = scan.newest[1u - j->current];
    j->fallback = other != 0 && other + 1u >= j->seq;
    return read_rest(j, &scan, rec);
}

enum inlay_status inlay_journal_staged(const struct inlay_journal *j,
                                       const struct inlay_record *rec, uint32_t *list)
{
    uint32_t pos = j->area[j->current].pos + j->at + RECORD_FIXED + rec->save_len;
    uint8_t b[4];
    for (uint32_t i = 0; i < rec->staged; i++) {
        if (inlay_flash_read(j->flash, pos + 4u * i, b, 4) != INLAY_OK)
            return INLAY_E_FLASH;
        list[i] = inlay_get32(b);
    }
    return INLAY_OK;
}

static enum inlay_status write_bytes(struct inlay_writer *w, uint32_t *crc, const uint8_t *data,
                                     uint32_t len)
{
    *crc = crc_more(*crc, data, len);
    while (len > 0) {
        uint32_t n = inlay_writer_add(w, data, len);
        data += n;
        len -= n;
        if (inlay_writer_push(w, 0) < 0)
            return INLAY_E_FLASH;
    }
    return INLAY_OK;
}

/* Writes rec at j->next of the current area. */
static enum inlay_status write_record(struct inlay_journal *j, struct inlay_writer *w,
                                      const struct inlay_record *rec, const uint32_t *list)
{
    uint8_t b[RECORD_FIXED];
    uint32_t crc = 0xFFFFFFFFu;
    inlay_writer_open(w, j->flash, j->area[j->current].pos + j->next, 0);
    pack_fixed(b, rec, j->seq + 1u);
    enum inlay_status st = write_bytes(w, &crc, b, RECORD_FIXED);
    if (st == INLAY_OK)
        st = write_bytes(w, &crc, rec->save, rec->save_len);
    for (uint32_t i = 0; st == INLAY_OK && i < rec->staged; i++) {
        inlay_put32(b, list[i]);
        st = write_bytes(w, &crc, b, 4);
    }
    inlay_put32(b, ~crc);
    if (st == INLAY_OK)
        st = write_bytes(w, &crc, b, 4);
    do {
        if (st >= 0)
            st = inlay_writer_push(w, 1);
    } while (st == INLAY_AGAIN);
    if (st != INLAY_OK)
        return st;
    j->seq++;
    j->at = j->next;
    j->next += record_space(j, RECORD_FIXED + rec->save_len + 4u * rec->staged + RECORD_CRC);
    return INLAY_OK;
}

/* Begins area a with rec, twice. */
static enum inlay_status begin_area(struct inlay_journal *j, struct inlay_writer *w, unsigned a,
                                    const struct inlay_record *rec, const uint32_t *list)
{
    uint32_t seq = j->seq;
    for (unsigned tries = JOURNAL_TRIES; tries > 0; tries--) {
        j->seq = seq; /* numbers without gaps: rule 3 looks for the predecessor */
        j->current = (uint8_t)a;
        j->next = 0;
        if (inlay_flash_erase(j->flash, j->area[a]) == INLAY_OK &&
            write_record(j, w, rec, list) == INLAY_OK &&
            write_record(j, w, rec, list) == INLAY_OK) {
            j->found = j->open = 1;
            return INLAY_OK;
        }
    }
    return INLAY_E_FLASH;
}

/* The area that may be erased after a reset: see the rules above. */
static enum inlay_status free_area(struct inlay_journal *j, unsigned *a)
{
    *a = 0;
    if (!j->found)
        return inlay_flash_erase(j->flash, j->area[1]);
    *a = j->at == 0 && j->fallback ? j->current : 1u - j->current;
    return INLAY_OK;
}

enum inlay_status inlay_journal_commit(struct inlay_journal *j, struct inlay_writer *w,
                                       const struct inlay_record *rec, const uint32_t *list)
{
    unsigned a = 1u - j->current;
    uint32_t len = RECORD_FIXED + rec->save_len + 4u * rec->staged + RECORD_CRC;
    if (!j->open) {
        enum inlay_status st = free_area(j, &a);
        return st == INLAY_OK ? begin_area(j, w, a, rec, list) : st;
    }
    if (len <= j->area[j->current].len - j->next && write_record(j, w, rec, list) == INLAY_OK)
        return INLAY_OK;
    return begin_area(j, w, a, rec, list);
}
