/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include "bytes.h"

#define MANIFEST_SIG_MAX 512u

static enum inlay_status manifest_sizes(struct inlay_manifest *m, struct inlay_bytes *b)
{
    uint8_t packed = inlay_bytes_u8(b);
    m->chunk_log = (uint8_t)(INLAY_CHUNK_LOG_MIN + (packed >> 5));
    m->params_len = packed & INLAY_PARAMS_MAX;
    m->old_size = inlay_bytes_uvarint(b);
    uint32_t more = packed & INLAY_SAME_SIZE ? 0 : inlay_bytes_uvarint(b);
    m->new_size = m->old_size + (more >> 1 ^ (0u - (more & 1u)));
    m->payload_len = inlay_bytes_uvarint(b);
    m->plan_len = inlay_bytes_uvarint(b);
    /* There is one way to say it. */
    if (m->plan_len > m->payload_len || (more == 0 && !(packed & INLAY_SAME_SIZE)))
        return INLAY_E_CORRUPT;
    return (m->old_size | m->new_size | m->payload_len) > INLAY_SIZE_MAX ? INLAY_E_LIMIT : INLAY_OK;
}

/*
 * Without a signature digests are against damage only.  Only in place can one
 * that nothing else finds cost more than another try: a manifest's.
 */
void inlay_manifest_digests(struct inlay_manifest *m, int is_signed)
{
    m->is_signed = is_signed != 0;
    m->link_len = is_signed ? INLAY_LINK_LEN : 2;
    m->first_link_len = m->in_place && !is_signed ? 4 : m->link_len;
    m->old_digest_len = is_signed ? 8 : 4;
    m->new_digest_len = is_signed ? INLAY_DIGEST_LEN : 4;
}

static void manifest_codec(struct inlay_manifest *m, struct inlay_bytes *b)
{
    inlay_bytes_copy(b, m->params, m->params_len);
    inlay_bytes_copy(b, m->old_digest, m->old_digest_len);
    inlay_bytes_copy(b, m->new_digest, m->new_digest_len);
    if (m->is_signed)
        inlay_bytes_copy(b, m->first_link, m->first_link_len);
}

uint32_t inlay_manifest_reach(const struct inlay_manifest *m)
{
    return m->in_place && m->old_size > m->new_size ? m->old_size : m->new_size;
}

/* Blocks of that length for so many bytes, 1 or more. */
static uint32_t manifest_blocks(uint32_t bytes, uint32_t block_len)
{
    return bytes == 0 ? 1 : 1u + (bytes - 1u) / block_len;
}

static enum inlay_status manifest_regions(struct inlay_manifest *m, struct inlay_bytes *b)
{
    uint32_t room = 0, most = inlay_manifest_reach(m);
    for (unsigned i = 0; i < m->regions; i++) {
        struct inlay_region *r = &m->region[i];
        uint32_t len = inlay_bytes_uvarint(b), log = len & 31u, odd = (len >> 5) * 2u + 1u;
        if (odd > INLAY_SIZE_MAX >> log)
            return INLAY_E_CORRUPT;
        r->block_len = odd << log;
        r->count = i + 1u < m->regions ? inlay_bytes_uvarint(b)
                                       : manifest_blocks(most - room, r->block_len);
        if (r->count == 0)
            return INLAY_E_CORRUPT;
        if (r->count > (INLAY_SIZE_MAX - room) / r->block_len)
            return INLAY_E_LIMIT;
        room += r->count * r->block_len;
        if (room >= most && i + 1u < m->regions)
            return INLAY_E_CORRUPT;
        if (r->block_len > m->longest)
            m->longest = r->block_len;
    }
    return INLAY_OK;
}

/* What is staged: blocks, or recipes of them. */
static enum inlay_status manifest_stage(struct inlay_manifest *m, struct inlay_bytes *b)
{
    uint32_t packed = inlay_bytes_uvarint(b), most = packed >> 1, blocks = 0;
    if (!(packed & 1u)) {
        m->stage_blocks = most;
        return most > INLAY_STAGE_BLOCKS_MAX ? INLAY_E_LIMIT : INLAY_OK;
    }
    if (most > INLAY_SIZE_MAX / INLAY_RECIPE_PAGE)
        return INLAY_E_LIMIT;
    for (unsigned i = 0; i < m->regions; i++)
        blocks += m->region[i].count;
    m->stage_blocks = blocks < INLAY_RECIPE_BLOCKS ? blocks : INLAY_RECIPE_BLOCKS;
    m->recipe_len = most * INLAY_RECIPE_PAGE;
    return most == 0 ? INLAY_E_CORRUPT : INLAY_OK;
}

static enum inlay_status manifest_geometry(struct inlay_manifest *m, struct inlay_bytes *b,
                                           uint8_t packed)
{
    m->check_len = packed & INLAY_CHECK_MAX;
    m->regions = (uint8_t)(1u + (packed >> 5));
    enum inlay_status st = manifest_regions(m, b);
    if (st == INLAY_OK && m->in_place)
        st = manifest_stage(m, b);
    if (st != INLAY_OK || !(packed & INLAY_POOL))
        return st;
    m->pool_len = inlay_bytes_uvarint(b);
    return !m->in_place || m->pool_len == 0 || m->pool_len > m->old_size ? INLAY_E_CORRUPT
                                                                         : INLAY_OK;
}

static enum inlay_status manifest_known_field(struct inlay_manifest *m, uint8_t type,
                                              struct inlay_piece piece, struct inlay_bytes value)
{
    uint32_t most = INLAY_VERSION_MAX;
    switch (type) {
    case INLAY_FIELD_COMPONENT:
        m->component = piece;
        most = INLAY_COMPONENT_MAX;
        break;
    case INLAY_FIELD_SECURITY_COUNTER:
        m->security_counter = inlay_bytes_uvarint(&value);
        if (value.bad || value.left != 0)
            return INLAY_E_CORRUPT;
        break;
    case INLAY_FIELD_OLD_VERSION:
        m->old_version = piece;
        break;
    case INLAY_FIELD_NEW_VERSION:
        m->new_version = piece;
        break;
    case INLAY_FIELD_OLD_CHECKS:
        m->old_checks = piece;
        return INLAY_OK;
    default:
        return type & INLAY_FIELD_OPTIONAL ? INLAY_OK : INLAY_E_UNSUPPORTED;
    }
    return piece.len > most ? INLAY_E_CORRUPT : INLAY_OK;
}

static enum inlay_status manifest_fields(struct inlay_manifest *m, struct inlay_bytes *all,
                                         const uint8_t *head)
{
    uint32_t fields_len = inlay_bytes_uvarint(all);
    if (fields_len > INLAY_MANIFEST_MAX || !inlay_bytes_have(all, fields_len))
        return INLAY_E_CORRUPT;
    struct inlay_bytes b = {.at = all->at, .left = fields_len};
    unsigned last = 0;
    while (b.left > 0) {
        uint8_t type = inlay_bytes_u8(&b);
        uint32_t len = inlay_bytes_uvarint(&b);
        if (b.bad || type <= last || len == 0 || len > b.left)
            return INLAY_E_CORRUPT;
        struct inlay_piece piece = {(uint16_t)(b.at - head), (uint16_t)len};
        struct inlay_bytes value = {.at = b.at, .left = len};
        enum inlay_status st = manifest_known_field(m, type, piece, value);
        if (st != INLAY_OK)
            return st;
        b.at += len;
        b.left -= len;
        last = type;
    }
    all->at += fields_len;
    all->left -= fields_len;
    return last == 0 ? INLAY_E_CORRUPT : INLAY_OK;
}

/* The signature block: a signature, or the seal, which is the first chunk's link. */
static enum inlay_status manifest_signature(struct inlay_manifest *m, struct inlay_bytes *b,
                                            const uint8_t *head)
{
    if (!m->is_signed) {
        inlay_bytes_copy(b, m->first_link, m->first_link_len);
        return INLAY_OK;
    }
    uint32_t len = inlay_bytes_uvarint(b);
    if (len == 0 || len > MANIFEST_SIG_MAX || !inlay_bytes_have(b, len))
        return INLAY_E_CORRUPT;
    m->sig = (struct inlay_piece){(uint16_t)(b->at - head), (uint16_t)len};
    b->at += len;
    b->left -= len;
    return INLAY_OK;
}

static enum inlay_status manifest_all(struct inlay_manifest *m, struct inlay_bytes *b,
                                      const uint8_t *head)
{
    if (inlay_bytes_u8(b) != 'I' || inlay_bytes_u8(b) != 'L')
        return INLAY_E_CORRUPT;
    uint8_t packed = inlay_bytes_u8(b);
    m->codec = packed >> 4 & 3u;
    if (packed >> 6 != INLAY_LEVEL)
        return INLAY_E_UNSUPPORTED;
    m->in_place = (packed & INLAY_FLAG_IN_PLACE) != 0;
    inlay_manifest_digests(m, packed & INLAY_FLAG_SIGNED);
    enum inlay_status st = manifest_sizes(m, b);
    manifest_codec(m, b);
    uint8_t first = packed & INLAY_FLAG_GEOMETRY ? inlay_bytes_u8(b) : INLAY_USUAL;
    if (st == INLAY_OK && (packed & (INLAY_FLAG_GEOMETRY | INLAY_FLAG_IN_PLACE)))
        st = manifest_geometry(m, b, first);
    if (m->in_place && (packed & INLAY_FLAG_GEOMETRY) && first == INLAY_USUAL)
        st = INLAY_E_CORRUPT; /* there is one way to say it */
    if (st == INLAY_OK && (packed & INLAY_FLAG_FIELDS))
        st = manifest_fields(m, b, head);
    m->len = (uint16_t)(b->at - head);
    return st == INLAY_OK ? manifest_signature(m, b, head) : st;
}

enum inlay_status inlay_manifest_read(struct inlay_manifest *m, const uint8_t *head, size_t len)
{
    struct inlay_bytes b = {.at = head,
                            .left = len < INLAY_MANIFEST_MAX ? len : INLAY_MANIFEST_MAX};
    memset(m, 0, sizeof *m);
    enum inlay_status st = manifest_all(m, &b, head);
    if (b.missing != 0) {
        /* What came of bytes that are not there yet says nothing. */
        size_t least = (size_t)(b.at - head) + b.left + b.missing;
        m->body_pos = (uint16_t)least;
        return least > INLAY_MANIFEST_MAX ? INLAY_E_CORRUPT : INLAY_MORE;
    }
    m->body_pos = (uint16_t)(b.at - head);
    return st == INLAY_OK && b.bad ? INLAY_E_CORRUPT : st;
}

uint32_t inlay_manifest_step(const struct inlay_manifest *m)
{
    return ((uint32_t)1 << m->chunk_log) - m->link_len;
}

uint32_t inlay_manifest_chunks(const struct inlay_manifest *m)
{
    if (m->payload_len <= m->link_len)
        return 1;
    /* The last chunk has room for as many bytes more as a link has. */
    return 1u + (m->payload_len - m->link_len - 1u) / inlay_manifest_step(m);
}

uint32_t inlay_manifest_patch_size(const struct inlay_manifest *m)
{
    return m->body_pos + m->payload_len + (inlay_manifest_chunks(m) - 1u) * m->link_len;
}
