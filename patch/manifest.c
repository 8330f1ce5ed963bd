/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include "bytes.h"

#define MANIFEST_PREFIX  5u /* magic, flags and the longest length field */
#define MANIFEST_SIG_MAX 512u
#define MANIFEST_FLAGS                                                                             \
    (INLAY_FLAG_IN_PLACE | INLAY_FLAG_GEOMETRY | INLAY_FLAG_FIELDS | INLAY_FLAG_SIGNED)

static enum inlay_status manifest_sizes(struct inlay_manifest *m, struct inlay_bytes *b)
{
    m->old_size = inlay_bytes_uvarint(b);
    uint32_t more = inlay_bytes_uvarint(b);
    m->new_size = m->old_size + (more >> 1 ^ (0u - (more & 1u)));
    m->payload_len = inlay_bytes_uvarint(b);
    uint8_t packed = inlay_bytes_u8(b);
    m->chunk_log = (uint8_t)(INLAY_CHUNK_LOG_MIN + (packed >> 5));
    m->check_len = packed & 31u;
    m->plan_len = inlay_bytes_uvarint(b);
    if (m->check_len > INLAY_CHECK_MAX || m->plan_len > m->payload_len)
        return INLAY_E_CORRUPT;
    return (m->old_size | m->new_size | m->payload_len) > INLAY_SIZE_MAX ? INLAY_E_LIMIT : INLAY_OK;
}

/*
 * Without a signature digests are against damage only.  Only in place can one
 * that nothing else finds cost more than another try: a manifest's.
 */
void inlay_manifest_digests(struct inlay_manifest *m, int is_signed)
{
    m->link_len = is_signed ? INLAY_LINK_LEN : 2;
    m->seal_len = is_signed ? 0 : m->in_place ? 4 : 2;
    m->old_digest_len = is_signed ? 8 : 4;
    m->new_digest_len = is_signed ? INLAY_DIGEST_LEN : 8;
}

static enum inlay_status manifest_codec(struct inlay_manifest *m, struct inlay_bytes *b)
{
    uint8_t packed = inlay_bytes_u8(b);
    m->codec = packed >> 5;
    m->params_len = packed & 31u;
    inlay_bytes_copy(b, m->params, m->params_len);
    inlay_bytes_copy(b, m->old_digest, m->old_digest_len);
    inlay_bytes_copy(b, m->new_digest, m->new_digest_len);
    inlay_bytes_copy(b, m->first_link, m->link_len);
    return b->bad ? INLAY_E_CORRUPT : INLAY_OK;
}

static enum inlay_status manifest_geometry(struct inlay_manifest *m, struct inlay_bytes *b)
{
    uint8_t packed = inlay_bytes_u8(b);
    if ((packed & 15u) > 8u)
        return INLAY_E_CORRUPT;
    m->write_size = (uint16_t)(1u << (packed & 15u));
    m->erased = packed & 16u ? 0x00u : 0xFFu;
    m->regions = (uint8_t)(1u + (packed >> 5));
    uint32_t room = 0;
    for (unsigned i = 0; i < m->regions; i++) {
        struct inlay_region *r = &m->region[i];
        r->count = inlay_bytes_uvarint(b);
        uint32_t len = inlay_bytes_uvarint(b), log = len & 31u, odd = (len >> 5) * 2u + 1u;
        r->block_len = odd << log;
        if (b->bad || r->count == 0 || odd > INLAY_SIZE_MAX >> log ||
            r->block_len % m->write_size != 0)
            return INLAY_E_CORRUPT;
        if (r->count > (INLAY_SIZE_MAX - room) / r->block_len)
            return INLAY_E_LIMIT;
        room += r->count * r->block_len;
        if (r->block_len > m->longest)
            m->longest = r->block_len;
    }
    m->stage_blocks = inlay_bytes_uvarint(b);
    m->pool_len = inlay_bytes_uvarint(b);
    if (m->pool_len > m->old_size || (!m->in_place && (m->stage_blocks | m->pool_len)))
        return INLAY_E_CORRUPT;
    return m->new_size > room || (m->in_place && m->old_size > room) ||
                   m->stage_blocks > INLAY_STAGE_BLOCKS_MAX
               ? INLAY_E_LIMIT
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

static enum inlay_status manifest_fields(struct inlay_manifest *m, struct inlay_bytes *b)
{
    unsigned last = 0;
    while (b->left > 0) {
        uint8_t type = inlay_bytes_u8(b);
        uint32_t len = inlay_bytes_uvarint(b);
        if (b->bad || type <= last || len == 0 || len > b->left)
            return INLAY_E_CORRUPT;
        struct inlay_piece piece = {(uint16_t)(m->len - b->left), (uint16_t)len};
        struct inlay_bytes value = {b->at, len, 0};
        enum inlay_status st = manifest_known_field(m, type, piece, value);
        if (st != INLAY_OK)
            return st;
        b->at += len;
        b->left -= len;
        last = type;
    }
    return last == 0 ? INLAY_E_CORRUPT : INLAY_OK;
}

static enum inlay_status manifest_body(struct inlay_manifest *m, struct inlay_bytes *b,
                                       unsigned flags)
{
    m->has_geometry = (flags & INLAY_FLAG_GEOMETRY) != 0;
    if (m->in_place && !m->has_geometry)
        return INLAY_E_CORRUPT;
    enum inlay_status st = manifest_sizes(m, b);
    if (st == INLAY_OK)
        st = manifest_codec(m, b);
    if (st == INLAY_OK && m->has_geometry)
        st = manifest_geometry(m, b);
    if (st == INLAY_OK && (flags & INLAY_FLAG_FIELDS))
        st = manifest_fields(m, b);
    return st == INLAY_OK && (b->bad || b->left != 0) ? INLAY_E_CORRUPT : st;
}

/* Where the signature block ends: body_pos, or the least it may be with INLAY_MORE. */
static enum inlay_status manifest_signature(struct inlay_manifest *m, const uint8_t *head,
                                            size_t len)
{
    m->sig.pos = m->len;
    m->body_pos = (uint16_t)(m->len + m->seal_len);
    if (m->seal_len == 0) {
        /* Its length takes two bytes only if it is longer than that. */
        m->body_pos = (uint16_t)(m->len + 2u);
        if (len < m->body_pos)
            return INLAY_MORE;
        struct inlay_bytes b = {head + m->len, 2, 0};
        uint32_t sig_len = inlay_bytes_uvarint(&b);
        if (b.bad || sig_len == 0 || sig_len > MANIFEST_SIG_MAX)
            return INLAY_E_CORRUPT;
        m->sig.pos = (uint16_t)(b.at - head);
        m->sig.len = (uint16_t)sig_len;
        m->body_pos = (uint16_t)(m->sig.pos + sig_len);
    }
    if (m->body_pos > INLAY_MANIFEST_MAX)
        return INLAY_E_CORRUPT;
    return len < m->body_pos ? INLAY_MORE : INLAY_OK;
}

enum inlay_status inlay_manifest_read(struct inlay_manifest *m, const uint8_t *head, size_t len)
{
    memset(m, 0, sizeof *m);
    m->body_pos = MANIFEST_PREFIX;
    if (len < m->body_pos)
        return INLAY_MORE;
    if (memcmp(head, "IL", 2) != 0)
        return INLAY_E_CORRUPT;
    unsigned flags = head[2] & 31u;
    if (head[2] >> 5 != INLAY_LEVEL || (flags & ~MANIFEST_FLAGS))
        return INLAY_E_UNSUPPORTED;
    struct inlay_bytes b = {head + 3, 2, 0};
    uint32_t manifest_len = inlay_bytes_uvarint(&b);
    if (b.bad || manifest_len < MANIFEST_PREFIX || manifest_len > INLAY_MANIFEST_MAX)
        return INLAY_E_CORRUPT;
    m->len = (uint16_t)manifest_len;
    m->in_place = (flags & INLAY_FLAG_IN_PLACE) != 0;
    inlay_manifest_digests(m, (flags & INLAY_FLAG_SIGNED) != 0);
    enum inlay_status st = manifest_signature(m, head, len);
    if (st != INLAY_OK)
        return st;
    b.left = (size_t)(head + manifest_len - b.at);
    return manifest_body(m, &b, flags);
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
