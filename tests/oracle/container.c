/* SPDX-License-Identifier: Apache-2.0 */
/* FORMAT.md, "The file". */
#include "oracle.h"

#include <string.h>

enum { IN_PLACE = 1, GEOMETRY = 2, FIELDS = 4, SIGNED = 8 };

#define SIZE_LIMIT 0x7fffffffu

static void bad(const char *what)
{
    die(EXIT_CORRUPT, "%s", what);
}

static void read_sizes(struct patch *p, struct bytes *b)
{
    p->old_size = take_uvarint(b);
    uint32_t more = take_uvarint(b);
    p->new_size = more & 1 ? p->old_size - more / 2 - 1 : p->old_size + more / 2;
    p->payload_len = take_uvarint(b);
    unsigned packed = take_byte(b);
    p->chunk_log = 9 + packed / 32;
    p->check_len = packed % 32;
    p->plan_len = take_uvarint(b);
    if (p->check_len > 16 || p->plan_len > p->payload_len)
        bad("bad length of check or plan");
    if (p->old_size > SIZE_LIMIT || p->new_size > SIZE_LIMIT || p->payload_len > SIZE_LIMIT)
        die(EXIT_LIMIT, "a size is beyond 2 GB");
}

static void read_geometry(struct patch *p, struct bytes *b)
{
    unsigned packed = take_byte(b);
    uint64_t room = 0;
    if (packed % 16 > 8)
        bad("bad write size");
    p->regions = 1 + packed / 32;
    for (unsigned i = 0; i < p->regions; i++) {
        uint32_t count = take_uvarint(b), len = take_uvarint(b);
        uint64_t block = (uint64_t)(len / 32 * 2 + 1) << len % 32;
        if (count == 0 || block > SIZE_LIMIT || block % (1u << packed % 16) != 0)
            bad("bad region");
        room += count * block;
        if (room > SIZE_LIMIT)
            die(EXIT_LIMIT, "the slot is beyond 2 GB");
        p->region[i] = (struct region){count, (uint32_t)block};
    }
    p->stage_blocks = take_uvarint(b);
    p->pool_len = take_uvarint(b);
    if (p->pool_len > p->old_size || (!p->in_place && (p->stage_blocks || p->pool_len)))
        bad("bad pool or stage");
    if (p->new_size > room || (p->in_place && p->old_size > room) || p->stage_blocks > 1024)
        die(EXIT_LIMIT, "an image does not fit the slot");
}

static void read_fields(struct bytes *b)
{
    unsigned last = 0;
    do {
        unsigned type = take_byte(b);
        uint32_t len = take_uvarint(b);
        struct bytes value = {take_bytes(b, len), b->at};
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
    } while (b->at != b->end);
}

/* How many bytes of digests there are, signed or not. */
struct lengths {
    unsigned link, seal, old_image, new_image;
};

static const struct lengths with_signature = {16, 0, 8, 32};
static const struct lengths in_place = {2, 4, 4, 8};
static const struct lengths beside = {2, 2, 4, 8};

static void read_manifest(struct patch *p, struct bytes b, unsigned flags,
                          const struct lengths *lengths, uint8_t *link)
{
    p->in_place = flags & IN_PLACE;
    if (p->in_place && !(flags & GEOMETRY))
        bad("in place without a geometry");
    read_sizes(p, &b);
    unsigned packed = take_byte(&b);
    p->codec = packed / 32;
    p->params_len = packed % 32;
    memcpy(p->params, take_bytes(&b, p->params_len), p->params_len);
    p->old_digest_len = lengths->old_image;
    memcpy(p->old_digest, take_bytes(&b, p->old_digest_len), p->old_digest_len);
    p->new_digest_len = lengths->new_image;
    memcpy(p->new_digest, take_bytes(&b, p->new_digest_len), p->new_digest_len);
    memcpy(link, take_bytes(&b, lengths->link), lengths->link);
    if (flags & GEOMETRY)
        read_geometry(p, &b);
    if (flags & FIELDS)
        read_fields(&b);
    if (b.at != b.end)
        bad("the manifest is longer than its fields");
}

/* Checks chunk after chunk and joins their payload. */
static void read_chunks(struct patch *p, struct bytes b, const uint8_t *link, unsigned link_len)
{
    uint32_t chunk = (uint32_t)1 << p->chunk_log, done = 0;
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
        if (memcmp(digest, link, link_len) != 0)
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
    uint8_t link[16], digest[32];
    if (memcmp(take_bytes(&b, 2), "IL", 2) != 0)
        bad("not a patch");
    unsigned flags = take_byte(&b);
    if (flags / 32 != 1)
        bad("an unknown level");
    flags %= 32;
    if (flags > 15)
        bad("an unknown flag");
    uint32_t manifest_len = take_uvarint(&b);
    if (manifest_len < 5 || manifest_len > 1024 || manifest_len > len)
        bad("bad length of the manifest");
    struct bytes manifest = {b.at, data + manifest_len};
    b.at = data + manifest_len;
    const struct lengths *lengths = flags & SIGNED     ? &with_signature
                                    : flags & IN_PLACE ? &in_place
                                                       : &beside;
    uint32_t sig_len = flags & SIGNED ? take_uvarint(&b) : lengths->seal;
    if (sig_len > 512 || sig_len == 0)
        bad("bad signature block");
    const uint8_t *tail = take_bytes(&b, sig_len);
    if (b.at - data > 1024)
        bad("manifest and signature are too long");
    sha256(data, manifest_len, digest);
    if (memcmp(tail, digest, lengths->seal) != 0)
        bad("the manifest does not match its seal");
    read_manifest(p, manifest, flags, lengths, link);
    read_chunks(p, b, link, lengths->link);
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
