/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as the head of a patch. */
#include "container.h"
#include "fuzz.h"
#include "inlay.h"

static int inside(struct inlay_piece piece, size_t len)
{
    return piece.len == 0 || (size_t)piece.pos + piece.len <= len;
}

static void check(const struct inlay_manifest *m, size_t len)
{
    REQUIRE(m->len <= m->body_pos && m->body_pos <= len);
    REQUIRE(m->body_pos <= INLAY_MANIFEST_MAX);
    REQUIRE(m->params_len <= INLAY_PARAMS_MAX && m->regions <= INLAY_REGIONS_MAX);
    REQUIRE(m->chunk_log >= INLAY_CHUNK_LOG_MIN && m->chunk_log <= INLAY_CHUNK_LOG_MAX);
    REQUIRE(m->check_len <= 32 && m->old_digest_len <= 32 && m->plan_len <= m->payload_len);
    REQUIRE(inside(m->sig, m->body_pos) && inside(m->component, m->len));
    REQUIRE(inside(m->old_version, m->len) && inside(m->new_version, m->len));
    REQUIRE(inlay_manifest_chunks(m) > 0);
    REQUIRE(inlay_manifest_patch_size(m) >= m->body_pos + m->payload_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inlay_manifest m;
    struct inlay_needs needs;
    struct inlay_error err;
    enum inlay_status st = inlay_manifest_read(&m, data, size);
    if (st == INLAY_OK) {
        check(&m, size);
        /* Nothing behind the head matters to it. */
        REQUIRE(inlay_manifest_read(&m, data, m.body_pos) == INLAY_OK);
        REQUIRE(inlay_manifest_read(&m, data, m.body_pos - 1u) == INLAY_MORE);
    }
    REQUIRE(st != INLAY_MORE || (size < m.body_pos && m.body_pos <= INLAY_MANIFEST_MAX));
    REQUIRE(st <= INLAY_MORE && inlay_status_text(st)[0]);
    st = inlay_probe(inlay_host_codecs(), data, size, &needs);
    REQUIRE(st != INLAY_OK || needs.workspace > inlay_patcher_size());
    if (inlay_container_open(data, size, &m, &err))
        REQUIRE(err.text[0]);
    return 0;
}
