/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include "bytes.h"

#define MANIFEST_PREFIX  7u /* magic, level, flags and the longest length field */
#define MANIFEST_SIG_MAX 512u

static enum inlay_status manifest_prefix(struct inlay_bytes *b, uint8_t *flags, uint32_t *len)
{
    uint8_t magic[4];
    inlay_bytes_copy(b, magic, 4);
    if (magic[0] != 'I' || magic[1] != 'N' || magic[2] != 'L')
        return INLAY_E_CORRUPT;
    if (magic[3] != INLAY_LEVEL)
        return INLAY_E_UNSUPPORTED;
    *flags = inlay_bytes_u8(b);
    if (*flags & ~(INLAY_FLAG_IN_PLACE | INLAY_FLAG_GEOMETRY | INLAY_FLAG_FIELDS))
        return INLAY_E_UNSUPPORTED;
    *len = inlay_bytes_uvarint(b);
    if (b->bad || *len < MANIFEST_PREFIX || *len > INLAY_MANIFEST_MAX - 1u)
        return INLAY_E_CORRUPT;
    return INLAY_OK;
}

enum inlay_status inlay_manifest_extent(const uint8_t *head, size_t len, size_t *need)
{
    struct inlay_bytes b = {head, len, 0};
    uint8_t flags;
    uint32_t manifest_len;
    *need = MANIFEST_PREFIX;
    if (len < MANIFEST_PREFIX)
        return INLAY_OK;
    enum inlay_status st = manifest_prefix(&b, &flags, &manifest_len);
    if (st != INLAY_OK)
        return st;
    *need = (size_t)manifest_len + 1u;
    if (len < *need)
        return INLAY_OK;
    /* The signature's length: one byte, or two with the top bit of the first set. */
    b.at = head + manifest_len;
    b.left = len - manifest_len;
    if (b.at[0] > 127u && b.left < 2u) {
        *need += 1u;
        return INLAY_OK;
    }
    uint32_t sig_len = inlay_bytes_uvarint(&b);
    *need = (size_t)(b.at - head) + sig_len;
    return b.bad || sig_len > MANIFEST_SIG_MAX || *need > INLAY_MANIFEST_MAX ? INLAY_E_CORRUPT
                                                                             : INLAY_OK;
}

static enum inlay_status manifest_sizes(struct inlay_manifest *m, struct inlay_bytes *b)
{
    m->old_size = inlay_bytes_uvarint(b);
    m->new_size = inlay_bytes_uvarint(b);
    m->payload_len = inlay_bytes_uvarint(b);
    uint8_t packed = inlay_bytes_u8(b);
    m->chunk_log = (uint8_t)(INLAY_CHUNK_LOG_MIN + (packed >> 5));
    m->old_digest_len = (uint8_t)(INLAY_OLD_DIGEST_MIN + (packed & 31u));
    m->check_len = inlay_bytes_u8(b);
    m->plan_len = inlay_bytes_uvarint(b);
    if (b->bad || m->old_digest_len > INLAY_DIGEST_LEN || m->check_len > INLAY_DIGEST_LEN ||
        m->plan_len > m->payload_len)
        return INLAY_E_CORRUPT;
    if (m->old_size > INLAY_SIZE_MAX || m->new_size > INLAY_SIZE_MAX ||
        m->payload_len > INLAY_SIZE_MAX)
        return INLAY_E_LIMIT;
    return INLAY_OK;
}

static enum inlay_status manifest_codec(struct inlay_manifest *m, struct inlay_bytes *b)
{
    m->codec = inlay_bytes_u8(b);
    m->params_len = inlay_bytes_u8(b);
    if (m->params_len > INLAY_PARAMS_MAX)
        return INLAY_E_CORRUPT;
    inlay_bytes_copy(b, m->params, m->params_len);
    inlay_bytes_copy(b, m->old_digest, m->old_digest_len);
    inlay_bytes_copy(b, m->new_digest, INLAY_DIGEST_LEN);
    inlay_bytes_copy(b, m->first_link, INLAY_LINK_LEN);
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
        r->block_len = inlay_bytes_uvarint(b);
        if (b->bad || r->count == 0 || r->block_len == 0 || r->block_len % m->write_size != 0)
            return INLAY_E_CORRUPT;
        if (r->count > (INLAY_SIZE_MAX - room) / r->block_len)
            return INLAY_E_LIMIT;
        room += r->count * r->block_len;
    }
    m->stage_blocks = inlay_bytes_uvarint(b);
    m->pool_len = inlay_bytes_uvarint(b);
    if (b->bad || m->pool_len > m->old_size || (!m->in_place && (m->stage_blocks | m->pool_len)))
        return INLAY_E_CORRUPT;
    if (m->new_size > room || (m->in_place && m->old_size > room) ||
        m->stage_blocks > INLAY_STAGE_BLOCKS_MAX)
        return INLAY_E_LIMIT;
    return INLAY_OK;
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

enum inlay_status inlay_manifest_parse(struct inlay_manifest *m, const uint8_t *head, size_t len)
{
    struct inlay_bytes b = {head, len, 0};
    uint8_t flags;
    uint32_t manifest_len;
    memset(m, 0, sizeof *m);
    enum inlay_status st = manifest_prefix(&b, &flags, &manifest_len);
    if (st == INLAY_OK && manifest_len != len)
        st = INLAY_E_CORRUPT;
    if (st != INLAY_OK)
        return st;
    m->len = m->body_pos = (uint16_t)len;
    m->in_place = (flags & INLAY_FLAG_IN_PLACE) != 0;
    m->has_geometry = (flags & INLAY_FLAG_GEOMETRY) != 0;
    if (m->in_place && !m->has_geometry)
        return INLAY_E_CORRUPT;
    st = manifest_sizes(m, &b);
    if (st == INLAY_OK)
        st = manifest_codec(m, &b);
    if (st == INLAY_OK && m->has_geometry)
        st = manifest_geometry(m, &b);
    if (st == INLAY_OK && (flags & INLAY_FLAG_FIELDS))
        st = manifest_fields(m, &b);
    return st == INLAY_OK && b.left != 0 ? INLAY_E_CORRUPT : st;
}

enum inlay_status inlay_manifest_read(struct inlay_manifest *m, const uint8_t *head, size_t len)
{
    size_t need;
    enum inlay_status st = inlay_manifest_extent(head, len, &need);
    if (st != INLAY_OK)
        return st;
    if (need > len)
        return INLAY_MORE;
    struct inlay_bytes b = {head, len, 0};
    uint8_t flags;
    uint32_t manifest_len;
    st = manifest_prefix(&b, &flags, &manifest_len);
    if (st == INLAY_OK)
        st = inlay_manifest_parse(m, head, manifest_len);
    if (st != INLAY_OK)
        return st;
    size_t skip = head[manifest_len] > 127u ? 2u : 1u;
    m->sig.pos = (uint16_t)(manifest_len + skip);
    m->sig.len = (uint16_t)(need - manifest_len - skip);
    m->body_pos = (uint16_t)need;
    return INLAY_OK;
}

uint32_t inlay_manifest_chunks(const struct inlay_manifest *m)
{
    uint32_t chunk = (uint32_t)1 << m->chunk_log;
    if (m->payload_len <= chunk)
        return 1;
    return 1u + (m->payload_len - chunk + chunk - INLAY_LINK_LEN - 1u) / (chunk - INLAY_LINK_LEN);
}

uint32_t inlay_manifest_patch_size(const struct inlay_manifest *m)
{
    return m->body_pos + m->payload_len + (inlay_manifest_chunks(m) - 1u) * INLAY_LINK_LEN;
}
