/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <sodium.h>
#include <string.h>

#define SIG_ROOM       512u
#define OLD_CHECKS_MAX 600u /* bytes: the manifest has room for these and a signature */

void inlay_sha256(const void *data, size_t len, uint8_t digest[32])
{
    crypto_hash_sha256(digest, data, len);
}

void inlay_container_images(struct inlay_manifest *m, const uint8_t *old_image, size_t old_size,
                            const uint8_t *new_image, size_t new_size)
{
    m->old_size = (uint32_t)old_size;
    m->new_size = (uint32_t)new_size;
    inlay_sha256(old_image, old_size, m->old_digest);
    inlay_sha256(new_image, new_size, m->new_digest);
}

/* A buffer that remembers whether memory ran out. */
struct writer {
    struct inlay_buffer *out;
    int failed;
};

static void put(struct writer *w, const void *data, size_t len)
{
    if (len > 0 && inlay_buffer_add(w->out, data, len) != 0)
        w->failed = 1;
}

static void put_u8(struct writer *w, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    put(w, &byte, 1);
}

static void put_uvarint(struct writer *w, uint32_t v)
{
    for (; v > 127u; v >>= 7)
        put_u8(w, (v & 127u) | 128u);
    put_u8(w, v);
}

static void put_field(struct writer *w, enum inlay_field_type type, const void *data, size_t len)
{
    put_u8(w, (unsigned)type);
    put_uvarint(w, (uint32_t)len);
    put(w, data, len);
}

static void put_counter(struct writer *w, uint32_t counter)
{
    struct inlay_buffer b = {0};
    struct writer inner = {&b, 0};
    put_uvarint(&inner, counter);
    put_field(w, INLAY_FIELD_SECURITY_COUNTER, b.data, b.len);
    w->failed |= inner.failed;
    inlay_buffer_free(&b);
}

/* How many of the regions the images are in; 0 if these are too small. */
static uint8_t regions_used(const struct inlay_manifest *m)
{
    uint32_t most = inlay_manifest_reach(m);
    uint64_t room = 0;
    for (unsigned i = 0; i < m->regions; i++) {
        room += (uint64_t)m->region[i].count * m->region[i].block_len;
        if (room >= most)
            return (uint8_t)(i + 1u);
    }
    return 0;
}

static unsigned geometry_byte(const struct inlay_manifest *m)
{
    return (m->regions - 1u) << 5 | (m->pool_len ? INLAY_POOL : 0) | m->check_len;
}

/* 1 if the geometry, which there is, starts with its first byte. */
static int is_unusual(const struct inlay_manifest *m)
{
    return !m->in_place || geometry_byte(m) != INLAY_USUAL;
}

static void put_geometry(struct writer *w, const struct inlay_manifest *m)
{
    if (is_unusual(m))
        put_u8(w, geometry_byte(m));
    for (unsigned i = 0; i < m->regions; i++) {
        uint32_t odd = m->region[i].block_len, log = 0;
        for (; odd > 1u && odd % 2u == 0; odd /= 2u)
            log++;
        put_uvarint(w, odd / 2u << 5 | log);
        if (i + 1u < m->regions)
            put_uvarint(w, m->region[i].count);
    }
    if (m->in_place)
        put_uvarint(w, m->recipe_len ? m->recipe_len / INLAY_RECIPE_PAGE << 1 | 1u
                                     : m->stage_blocks << 1);
    if (m->pool_len)
        put_uvarint(w, m->pool_len);
}

static int has_text(const char *s)
{
    return s != NULL && s[0] != 0;
}

static int any_field(const struct inlay_manifest *m, const struct inlay_container_fields *f)
{
    return m->security_counter != 0 || f->component_len != 0 || has_text(f->old_version) ||
           has_text(f->new_version) || f->old_checks != NULL;
}

static void put_fields(struct writer *w, const struct inlay_manifest *m,
                       const struct inlay_container_fields *f)
{
    if (f->component_len != 0)
        put_field(w, INLAY_FIELD_COMPONENT, f->component, f->component_len);
    if (m->security_counter != 0)
        put_counter(w, m->security_counter);
    if (has_text(f->old_version))
        put_field(w, INLAY_FIELD_OLD_VERSION, f->old_version, strlen(f->old_version));
    if (has_text(f->new_version))
        put_field(w, INLAY_FIELD_NEW_VERSION, f->new_version, strlen(f->new_version));
    if (f->old_checks != NULL)
        put_field(w, INLAY_FIELD_OLD_CHECKS, f->old_checks->data, f->old_checks->len);
}

int inlay_container_old_checks(const uint8_t *old_image, size_t old_size, uint32_t block_len,
                               struct inlay_buffer *out)
{
    uint8_t log = 8, digest[32];
    while ((2u << log) <= block_len)
        log++;
    while (1u + (old_size >> log) * INLAY_OLD_CHECK_LEN > OLD_CHECKS_MAX)
        log++;
    int failed = inlay_buffer_add_byte(out, log);
    for (size_t pos = 0; pos < old_size && !failed; pos += (size_t)1 << log) {
        size_t left = old_size - pos;
        inlay_sha256(old_image + pos, left >> log ? (size_t)1 << log : left, digest);
        failed = inlay_buffer_add(out, digest, INLAY_OLD_CHECK_LEN);
    }
    return failed ? -1 : 0;
}

uint32_t inlay_container_wrong_at(const struct inlay_manifest *m, const uint8_t *patch,
                                  const uint8_t *image, size_t size)
{
    const uint8_t *checks = patch + m->old_checks.pos;
    unsigned log = m->old_checks.len > 0 ? checks[0] & 31u : 31u;
    uint32_t count = (m->old_checks.len - (m->old_checks.len > 0)) / INLAY_OLD_CHECK_LEN;
    for (uint64_t i = 0, pos = 0; i < count && pos < m->old_size; i++, pos = i << log) {
        uint8_t digest[32];
        uint64_t end = pos + ((uint64_t)1 << log);
        end = end < m->old_size ? end : m->old_size;
        if (end > size)
            return (uint32_t)pos;
        inlay_sha256(image + pos, end - pos, digest);
        if (memcmp(digest, checks + 1 + i * INLAY_OLD_CHECK_LEN, INLAY_OLD_CHECK_LEN) != 0)
            return (uint32_t)pos;
    }
    return m->old_size;
}

static void put_fields_and_length(struct writer *w, const struct inlay_manifest *m,
                                  const struct inlay_container_fields *f)
{
    struct inlay_buffer fields = {0};
    struct writer inner = {&fields, 0};
    put_fields(&inner, m, f);
    put_uvarint(w, (uint32_t)fields.len);
    put(w, fields.data, fields.len);
    w->failed |= inner.failed;
    inlay_buffer_free(&fields);
}

static void put_manifest(struct writer *w, const struct inlay_manifest *m,
                         const struct inlay_container_fields *f)
{
    int has_fields = any_field(m, f);
    put(w, "IL", 2);
    put_u8(w, INLAY_LEVEL << 6 | (unsigned)m->codec << 4 | (m->in_place ? INLAY_FLAG_IN_PLACE : 0) |
                  (m->regions && is_unusual(m) ? INLAY_FLAG_GEOMETRY : 0) |
                  (has_fields ? INLAY_FLAG_FIELDS : 0) | (m->is_signed ? INLAY_FLAG_SIGNED : 0));
    uint32_t more = m->new_size - m->old_size;
    put_u8(w, (m->chunk_log - INLAY_CHUNK_LOG_MIN) << 5 | (more ? 0 : INLAY_SAME_SIZE) |
                  m->params_len);
    put_uvarint(w, m->old_size);
    if (more)
        put_uvarint(w, more << 1 ^ (0u - (more >> 31)));
    put_uvarint(w, m->payload_len);
    put_uvarint(w, m->plan_len);
    put(w, m->params, m->params_len);
    put(w, m->old_digest, m->old_digest_len);
    put(w, m->new_digest, m->new_digest_len);
    if (m->is_signed)
        put(w, m->first_link, m->first_link_len);
    if (m->regions)
        put_geometry(w, m);
    if (has_fields)
        put_fields_and_length(w, m, f);
}

/* The digest by which a patch without a signature is sealed. */
static void seal(const uint8_t *manifest, size_t manifest_len, const uint8_t *chunk,
                 size_t chunk_len, uint8_t digest[32])
{
    crypto_hash_sha256_state st;
    inlay_sha256(manifest, manifest_len, digest);
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, digest, 32);
    crypto_hash_sha256_update(&st, chunk, chunk_len);
    crypto_hash_sha256_final(&st, digest);
}

/* Signature or seal; the manifest is what was written from `start` on. */
static int put_signature(struct writer *w, size_t start, struct inlay_manifest *m,
                         const struct inlay_container_fields *f, const uint8_t *chunk,
                         size_t chunk_len, struct inlay_error *err)
{
    uint8_t sig[SIG_ROOM];
    size_t sig_len = 0;
    const uint8_t *manifest = w->out->data + start;
    size_t manifest_len = w->out->len - start;
    if (!m->is_signed) {
        seal(manifest, manifest_len, chunk, chunk_len, sig);
        put(w, sig, m->first_link_len);
        return 0;
    }
    int rc = f->sign(f->sign_ctx, manifest, manifest_len, sig, sizeof sig, &sig_len, err);
    if (rc != 0)
        return rc;
    put_uvarint(w, (uint32_t)sig_len);
    put(w, sig, sig_len);
    return 0;
}

/* The chunks as they lie in the patch, each but the last with the link of the next. */
static int make_chunks(const struct inlay_manifest *m, const uint8_t *payload,
                       struct inlay_buffer *chunks)
{
    uint32_t count = inlay_manifest_chunks(m), step = inlay_manifest_step(m);
    size_t len = m->payload_len + (size_t)(count - 1u) * m->link_len;
    if (inlay_buffer_reserve(chunks, len + 1u))
        return -1;
    chunks->len = len;
    size_t end = len;
    for (uint32_t i = count; i-- > 0;) {
        size_t at = (size_t)i << m->chunk_log, pos = (size_t)i * step;
        uint8_t digest[32];
        memcpy(chunks->data + at, payload + pos, i + 1u < count ? step : m->payload_len - pos);
        if (i == 0)
            break;
        inlay_sha256(chunks->data + at, end - at, digest);
        end = at;
        memcpy(chunks->data + at - m->link_len, digest, m->link_len);
    }
    return 0;
}

/* Bytes of the first chunk. */
static size_t first_len(const struct inlay_manifest *m, size_t chunks_len)
{
    return inlay_manifest_chunks(m) > 1u ? (size_t)1 << m->chunk_log : chunks_len;
}

/* The device's own parser is the judge of what may be written. */
static int check_written(const struct inlay_buffer *out, size_t start, struct inlay_error *err)
{
    struct inlay_manifest m;
    enum inlay_status st = inlay_manifest_read(&m, out->data + start, out->len - start);
    if (st == INLAY_OK)
        return 0;
    if (st == INLAY_E_LIMIT)
        return inlay_fail(err, INLAY_EXIT_LIMIT, "a size does not fit the format or the slot");
    return inlay_fail(err, INLAY_EXIT_FAILURE, "the manifest does not read back: %s",
                      inlay_status_text(st));
}

int inlay_container_write(const struct inlay_manifest *m,
                          const struct inlay_container_fields *fields, const uint8_t *payload,
                          size_t payload_len, struct inlay_buffer *out, struct inlay_error *err)
{
    static const struct inlay_container_fields none;
    struct inlay_manifest copy = *m;
    struct writer w = {out, 0};
    size_t start = out->len;
    if (payload_len > INLAY_SIZE_MAX)
        return inlay_fail(err, INLAY_EXIT_LIMIT, "a payload of %zu bytes is too long for a patch",
                          payload_len);
    if (m->chunk_log < INLAY_CHUNK_LOG_MIN || m->chunk_log > INLAY_CHUNK_LOG_MAX ||
        m->check_len > INLAY_CHECK_MAX || m->codec > INLAY_CODEC_MAX ||
        m->params_len > INLAY_PARAMS_MAX)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "chunk length, checks, codec or parameters out of range");
    copy.regions = regions_used(m);
    if (m->regions != 0 && copy.regions == 0)
        return inlay_fail(err, INLAY_EXIT_LIMIT, "the images do not fit the slot");
    if (fields == NULL)
        fields = &none;
    if (payload == NULL)
        payload = (const uint8_t *)"";
    copy.payload_len = (uint32_t)payload_len;
    inlay_manifest_digests(&copy, fields->sign != NULL);
    struct inlay_buffer chunks = {0};
    if (make_chunks(&copy, payload, &chunks))
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory");
    size_t first = first_len(&copy, chunks.len);
    uint8_t link[32];
    inlay_sha256(chunks.data, first, link);
    memcpy(copy.first_link, link, sizeof copy.first_link);
    put_manifest(&w, &copy, fields);
    int rc = w.failed ? 0 : put_signature(&w, start, &copy, fields, chunks.data, first, err);
    put(&w, chunks.data, chunks.len);
    inlay_buffer_free(&chunks);
    if (rc != 0)
        return rc;
    if (w.failed)
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory");
    return check_written(out, start, err);
}

int inlay_container_open(const uint8_t *patch, size_t patch_len, struct inlay_manifest *m,
                         struct inlay_error *err)
{
    enum inlay_status st = inlay_manifest_read(m, patch, patch_len);
    if (st == INLAY_MORE)
        return inlay_fail(err, INLAY_EXIT_CORRUPT,
                          "the patch ends after %zu bytes, inside its "
                          "manifest",
                          patch_len);
    if (st != INLAY_OK)
        return inlay_fail(err, INLAY_EXIT_CORRUPT, "the patch's manifest: %s",
                          inlay_status_text(st));
    uint32_t want = inlay_manifest_patch_size(m);
    if (patch_len != want)
        return inlay_fail(err, INLAY_EXIT_CORRUPT,
                          "the patch has %zu bytes, its manifest says %u: %s", patch_len, want,
                          patch_len < want ? "it was cut short" : "bytes were added at its end");
    uint8_t digest[32];
    seal(patch, m->len, patch + m->body_pos, first_len(m, want - m->body_pos), digest);
    if (!m->is_signed && memcmp(digest, m->first_link, m->first_link_len) != 0)
        return inlay_fail(err, INLAY_EXIT_CORRUPT,
                          "the patch's manifest or its first %zu bytes of payload were damaged: "
                          "they do not match their digest; get the patch again",
                          first_len(m, want - m->body_pos));
    return 0;
}
