/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "The file". */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

enum { IN_PLACE = 1, GEOMETRY = 2, FIELDS = 4, SIGNED = 8 };

#define SIZE_LIMIT 0x7fffffffu

static void bad(const char *what)
{
    die(EXIT_CORRUPT, "%s", what);
}

static void read_sizes(struct patch *p, struct bytes *b)
{
    unsigned packed = take_byte(b);
    p->chunk_log = 9 + packed / 32;
    p->params_len = packed % 16;
    p->old_size = take_uvarint(b);
    uint32_t more = packed & 16 ? 0 : take_uvarint(b);
    if (more == 0 && !(packed & 16))
        bad("a new size that is the old one");
    p->new_size = more & 1 ? p->old_size - more / 2 - 1 : p->old_size + more / 2;
    p->payload_len = take_uvarint(b);
    p->plan_len = take_uvarint(b);
    if (p->plan_len > p->payload_len)
        bad("the plan is longer than the payload");
    if (p->old_size > SIZE_LIMIT || p->new_size > SIZE_LIMIT || p->payload_len > SIZE_LIMIT)
        die(EXIT_LIMIT, "a size is beyond 2 GB");
}

/* Blocks staged in a group at most, or recipes: how long they are is the device's affair. */
static void read_stage(struct patch *p, struct bytes *b)
{
    uint32_t packed = take_uvarint(b), blocks = 0;
    p->stage_blocks = packed / 2;
    if (packed % 2 == 0 && p->stage_blocks > 1024)
        die(EXIT_LIMIT, "more than 1024 staged blocks");
    if (packed % 2 == 0)
        return;
    if (packed / 2 > SIZE_LIMIT / 256)
        die(EXIT_LIMIT, "more than 2 GB of recipes");
    if (packed / 2 == 0)
        bad("recipes of no length");
    for (unsigned i = 0; i < p->regions; i++)
        blocks += p->region[i].count;
    p->recipes = 1;
    p->stage_blocks = blocks < 64 ? blocks : 64;
}

static void read_geometry(struct patch *p, struct bytes *b, unsigned packed)
{
    uint64_t room = 0, most = p->new_size;
    if (p->in_place && p->old_size > most)
        most = p->old_size;
    p->check_len = packed % 16;
    p->regions = 1 + packed / 32;
    for (unsigned i = 0; i < p->regions; i++) {
        int last = i + 1 == p->regions;
        uint32_t len = take_uvarint(b);
        uint64_t block = (uint64_t)(len / 32 * 2 + 1) << len % 32;
        if (block > SIZE_LIMIT || (i > 0 && room >= most))
            bad("bad region");
        uint64_t count = last ? (most - room + block - 1) / block : take_uvarint(b);
        if (last && count == 0)
            count = 1;
        if (count == 0)
            bad("a region without blocks");
        room += count * block;
        if (room > SIZE_LIMIT)
            die(EXIT_LIMIT, "the slot is beyond 2 GB");
        p->region[i] = (struct region){(uint32_t)count, (uint32_t)block};
    }
    if (p->in_place)
        read_stage(p, b);
    if (packed / 16 % 2 == 0)
        return;
    p->pool_len = take_uvarint(b);
    if (!p->in_place || p->pool_len == 0 || p->pool_len > p->old_size)
        bad("a pool that is empty, longer than the old image, or not in place");
}

static void read_fields(struct bytes *all)
{
    uint32_t fields_len = take_uvarint(all);
    const uint8_t *at = take_bytes(all, fields_len);
    struct bytes b = {at, all->at};
    unsigned last = 0;
    do {
        unsigned type = take_byte(&b);
        uint32_t len = take_uvarint(&b);
        at = take_bytes(&b, len);
        struct bytes value = {at, b.at};
        uint32_t most = type == 0x01 ? 32 : type == 0x81 || type == 0x82 ? 64 : UINT32_MAX;
        if (type <= last || len == 0 || len > most)
            bad("bad field");
        if (type == 0x02) {
            take_uvarint(&value);
            if (value.at != value.end)
                bad("bad security counter");
        } else if (type < 0x80 && type != 0x01) {
            bad("an unknown field that may not be ignored");
        }
        last = type;
    } while (b.at != b.end);
}

/* How many bytes of digests there are, signed or not; `first` is of the first link. */
struct lengths {
    unsigned first, link, old_image, new_image;
};

static const struct lengths with_signature = {16, 16, 8, 32};
static const struct lengths in_place = {4, 2, 4, 4};
static const struct lengths beside = {2, 2, 4, 4};

/* Returns the first link if it is in the manifest. */
static const uint8_t *read_manifest(struct patch *p, struct bytes *b, unsigned flags,
                                    const struct lengths *lengths)
{
    const uint8_t *link = NULL;
    p->in_place = flags & IN_PLACE;
    read_sizes(p, b);
    memcpy(p->params, take_bytes(b, p->params_len), p->params_len);
    p->old_digest_len = lengths->old_image;
    memcpy(p->old_digest, take_bytes(b, p->old_digest_len), p->old_digest_len);
    p->new_digest_len = lengths->new_image;
    memcpy(p->new_digest, take_bytes(b, p->new_digest_len), p->new_digest_len);
    if (flags & SIGNED)
        link = take_bytes(b, lengths->first);
    unsigned packed = flags & GEOMETRY ? take_byte(b) : 2;
    if (p->in_place && (flags & GEOMETRY) && packed == 2)
        bad("a first byte of the geometry that could be left out");
    if (flags & GEOMETRY || p->in_place)
        read_geometry(p, b, packed);
    if (flags & FIELDS)
        read_fields(b);
    return link;
}

/* A signature, which nobody checks here, or the seal, which is returned. */
static const uint8_t *read_signature(struct bytes *b, unsigned flags, const struct lengths *lengths)
{
    uint32_t len = flags & SIGNED ? take_uvarint(b) : lengths->first;
    if (len == 0 || len > 512)
        bad("bad signature block");
    return take_bytes(b, len);
}

/* The digest that the first chunk's link is the start of; manifest_len 0: of the chunk alone. */
static void first_digest(const uint8_t *manifest, size_t manifest_len, const uint8_t *chunk,
                         size_t chunk_len, uint8_t *digest)
{
    uint8_t *both = need(32 + chunk_len);
    size_t n = manifest_len ? 32 : 0;
    if (manifest_len)
        sha256(manifest, manifest_len, both);
    memcpy(both + n, chunk, chunk_len);
    sha256(both, n + chunk_len, digest);
    free(both);
}

/* Joins the payload of the chunks and checks all links but the first, which was. */
static void read_chunks(struct patch *p, struct bytes b, unsigned link_len)
{
    uint32_t chunk = (uint32_t)1 << p->chunk_log, done = 0;
    const uint8_t *link = NULL;
    uint8_t digest[32];
    p->payload = need(p->payload_len);
    for (;;) {
        uint32_t left = p->payload_len - done;
        int last = left <= chunk;
        /* The last chunk may be longer than the others' payload by a link. */
        uint32_t payload = last ? left : chunk - link_len;
        uint32_t len = last ? left : chunk;
        const uint8_t *at = take_bytes(&b, len);
        sha256(at, len, digest);
        if (link && memcmp(digest, link, link_len) != 0)
            die(EXIT_CORRUPT, "the chunk at payload byte %u does not match its link", done);
        memcpy(p->payload + done, at, payload);
        done += payload;
        if (last)
            break;
        link = at + payload;
    }
    if (b.at != b.end)
        bad("bytes behind the last chunk");
}

void read_patch(struct patch *p, const uint8_t *data, size_t len)
{
    struct bytes b = {data, data + len};
    uint8_t digest[32];
    if (memcmp(take_bytes(&b, 2), "IL", 2) != 0)
        bad("not a patch");
    unsigned packed = take_byte(&b), flags = packed % 16;
    if (packed / 64 != 1)
        bad("an unknown level");
    p->codec = packed / 16 % 4;
    const struct lengths *lengths = flags & SIGNED     ? &with_signature
                                    : flags & IN_PLACE ? &in_place
                                                       : &beside;
    const uint8_t *link = read_manifest(p, &b, flags, lengths);
    size_t manifest_len = (size_t)(b.at - data);
    const uint8_t *tail = read_signature(&b, flags, lengths);
    if (b.at - data > 1024)
        bad("manifest and signature are too long");
    uint32_t chunk = (uint32_t)1 << p->chunk_log;
    size_t left = (size_t)(b.end - b.at), first = p->payload_len > chunk ? chunk : p->payload_len;
    if (left < first)
        bad("the first chunk is cut short");
    first_digest(data, link ? 0 : manifest_len, b.at, first, digest);
    if (memcmp(digest, link ? link : tail, lengths->first) != 0)
        bad(link ? "the first chunk does not match its link"
                 : "manifest and first chunk do not match the seal");
    read_chunks(p, b, lengths->link);
}

void find_block(const struct patch *p, uint32_t block, uint32_t *start, uint32_t *end)
{
    uint64_t pos = 0, len = p->regions == 0 && block == 0 ? p->new_size : 0;
    for (unsigned i = 0; i < p->regions; i++) {
        const struct region *r = &p->region[i];
        if (block < r->count) {
            pos += (uint64_t)block * r->block_len;
            len = r->block_len;
            break;
        }
        pos += (uint64_t)r->count * r->block_len;
        block -= r->count;
    }
    if (len == 0 || pos >= p->new_size)
        bad("a step for a block that does not exist");
    *start = (uint32_t)pos;
    *end = pos + len < p->new_size ? (uint32_t)(pos + len) : p->new_size;
}
