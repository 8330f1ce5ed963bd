/* SPDX-License-Identifier: Apache-2.0 */
/* inlay info: everything a patch says about itself. */
#include "cli.h"
#include "codec_lzma.h"
#include "container.h"
#include "explain.h"
#include "file.h"
#include "inlay.h"
#include "json.h"
#include "mix_params.h"

#include <stdio.h>
#include <string.h>

#define PATCH_MAX 0x7fffffffu

static int as_json;
static const char *old_path;

static const struct cli_option options[] = {
    {'o', "old", "OLD", "the old image: tells too where the payload's bytes go", &old_path, NULL},
    {0, "json", NULL, "print JSON", NULL, &as_json},
    {0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cli_usage usage = {
    "info",
    "PATCH [options]",
    "Shows what a patch is for, what it asks of a device and where its bytes go.\n"
    "PATCH may be '-' for standard input.\n",
    options,
    1,
    1};

struct patch {
    struct inlay_buffer bytes;
    struct inlay_manifest m;
    struct inlay_needs needs;
    int known; /* 1: this build has the codec, so needs is filled */
    uint32_t chunks;
    uint32_t chain_len;              /* bytes of digests between chunks */
    int explained;                   /* 1: stats is filled */
    struct inlay_encode_stats stats; /* of the payload, in 1/256 bit */
};

/* Where the payload's bytes go, in the order in which they are shown. */
#define PAYLOAD_KINDS 6
static const char *const payload_kind[PAYLOAD_KINDS] = {"plan",        "control",  "addresses",
                                                        "corrections", "new_data", "checks"};

static double payload_bytes(const struct patch *p, unsigned kind)
{
    const struct inlay_encode_stats *s = &p->stats;
    const uint64_t cost[PAYLOAD_KINDS] = {s->plan,        s->control,  s->addresses,
                                          s->corrections, s->new_data, s->checks};
    return (double)cost[kind] / (256 * 8);
}

static void print_payload(const struct patch *p)
{
    printf("payload           ");
    for (unsigned i = 0; i < PAYLOAD_KINDS; i++)
        printf("%s%s %.1f", i ? ", " : "", payload_kind[i], payload_bytes(p, i));
    putchar('\n');
}

static const char *codec_name(unsigned id)
{
    if (id == INLAY_CODEC_MIX)
        return "mix";
    return id == INLAY_CODEC_LZMA ? "lzma" : "unknown";
}

/* A piece of the manifest as text; what is not printable is left to json_text(). */
static const char *piece(const struct patch *p, const struct inlay_piece *piece, char buf[256])
{
    if (!piece->len)
        return NULL;
    size_t len = piece->len < 255 ? piece->len : 255;
    memcpy(buf, p->bytes.data + piece->pos, len);
    buf[len] = 0;
    return buf;
}

static void print_hex(const char *title, const uint8_t *digest, size_t len)
{
    printf("%-18s", title);
    for (size_t i = 0; i < len; i++)
        printf("%02x", digest[i]);
    putchar('\n');
}

static void print_piece(const struct patch *p, const char *title, const struct inlay_piece *at)
{
    char buf[256];
    const char *text = piece(p, at, buf);
    if (!text)
        return;
    printf("%-18s", title);
    /* A patch is not to be trusted with the terminal. */
    for (; *text; text++)
        putchar(*text < 0x20 || *text > 0x7e ? '?' : *text);
    putchar('\n');
}

static void print_geometry(const struct patch *p)
{
    const struct inlay_manifest *m = &p->m;
    if (!m->regions) {
        puts("slot              any");
        return;
    }
    printf("slot              ");
    for (unsigned i = 0; i < m->regions; i++)
        printf("%s%u x %u", i ? ", " : "", m->region[i].count, m->region[i].block_len);
    puts(" bytes");
    printf("work area         %u bytes of manifest and plan, %u of pool, ", p->needs.head_len,
           m->pool_len);
    if (m->recipe_len)
        printf("%u of recipes, 1 staged block or more\n", m->recipe_len);
    else
        printf("%u staged blocks\n", m->stage_blocks);
}

static int print_text(const struct patch *p)
{
    const struct inlay_manifest *m = &p->m;
    printf("patch             %zu bytes, format level %u, codec %s, %s\n", p->bytes.len,
           INLAY_LEVEL, codec_name(m->codec), m->in_place ? "in place" : "A/B");
    print_piece(p, "component", &m->component);
    print_piece(p, "old version", &m->old_version);
    print_piece(p, "new version", &m->new_version);
    if (m->security_counter)
        printf("security counter  %u\n", m->security_counter);
    printf("old image         %u bytes\n", m->old_size);
    print_hex("  SHA-256 begins", m->old_digest, m->old_digest_len);
    printf("new image         %u bytes\n", m->new_size);
    print_hex(m->new_digest_len < INLAY_DIGEST_LEN ? "  SHA-256 begins" : "  SHA-256",
              m->new_digest, m->new_digest_len);
    print_geometry(p);
    if (p->known)
        printf("RAM               %u bytes\n", p->needs.workspace);
    else
        puts("RAM               unknown: this inlay lacks the codec");
    printf("chunks            %u of at most %u bytes\n", p->chunks, 1u << m->chunk_log);
    printf("signature         %s\n", m->sig.len ? "present, not checked" : "none");
    printf("bytes             manifest %u, signature %u, chain %u, plan %u, body %u\n", m->len,
           (unsigned)m->body_pos - m->len, p->chain_len, m->plan_len, m->payload_len - m->plan_len);
    if (p->explained)
        print_payload(p);
    return cli_flush("info");
}

static void json_geometry(struct json *j, const struct patch *p)
{
    const struct inlay_manifest *m = &p->m;
    json_object(j, "slot");
    json_array(j, "regions");
    for (unsigned i = 0; i < m->regions; i++) {
        json_object(j, NULL);
        json_number(j, "count", m->region[i].count);
        json_number(j, "block", m->region[i].block_len);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

static void json_needs(struct json *j, const struct patch *p)
{
    json_object(j, "needs");
    if (p->known) {
        json_number(j, "ram", p->needs.workspace);
        json_number(j, "head", p->needs.head_len);
    }
    json_number(j, "pool", p->m.pool_len);
    json_number(j, "recipes", p->m.recipe_len);
    json_number(j, "stage_blocks", p->m.recipe_len ? 1 : p->m.stage_blocks);
    json_number(j, "chunk", 1u << p->m.chunk_log);
    json_end(j);
}

static void json_piece(struct json *j, const struct patch *p, const char *key,
                       const struct inlay_piece *at)
{
    char buf[256];
    if (at->len)
        json_text(j, key, piece(p, at, buf));
}

static int print_json(const struct patch *p)
{
    const struct inlay_manifest *m = &p->m;
    struct json j;
    json_begin(&j, stdout, "inlay.info/1");
    json_number(&j, "patch", p->bytes.len);
    json_number(&j, "level", INLAY_LEVEL);
    json_text(&j, "codec", codec_name(m->codec));
    json_text(&j, "mode", m->in_place ? "in-place" : "ab");
    json_piece(&j, p, "component", &m->component);
    json_piece(&j, p, "old_version", &m->old_version);
    json_piece(&j, p, "new_version", &m->new_version);
    json_number(&j, "security_counter", m->security_counter);
    json_object(&j, "old");
    json_number(&j, "size", m->old_size);
    json_hex(&j, "sha256_prefix", m->old_digest, m->old_digest_len);
    json_end(&j);
    json_object(&j, "new");
    json_number(&j, "size", m->new_size);
    json_hex(&j, "sha256_prefix", m->new_digest, m->new_digest_len);
    json_end(&j);
    if (m->regions)
        json_geometry(&j, p);
    json_needs(&j, p);
    json_bool(&j, "signed", m->sig.len != 0);
    json_number(&j, "chunks", p->chunks);
    json_number(&j, "check_len", m->check_len);
    json_object(&j, "bytes");
    json_number(&j, "manifest", m->len);
    json_number(&j, "signature", m->body_pos - m->len);
    json_number(&j, "chain", p->chain_len);
    json_number(&j, "plan", m->plan_len);
    json_number(&j, "body", m->payload_len - m->plan_len);
    json_end(&j);
    if (p->explained) {
        json_object(&j, "payload");
        for (unsigned i = 0; i < PAYLOAD_KINDS; i++)
            json_real(&j, payload_kind[i], payload_bytes(p, i));
        json_end(&j);
    }
    json_finish(&j);
    return cli_flush("info");
}

static int open_patch(const char *path, struct patch *p, struct inlay_error *err)
{
    int code = inlay_file_read(path, PATCH_MAX, &p->bytes, err);
    if (!code)
        code = inlay_container_open(p->bytes.data, p->bytes.len, &p->m, err);
    if (code)
        return code;
    p->known = inlay_probe(inlay_host_codecs(), p->bytes.data, p->bytes.len, &p->needs) == INLAY_OK;
    p->chunks = inlay_manifest_chunks(&p->m);
    p->chain_len = (p->chunks - 1) * p->m.link_len;
    return 0;
}

static int explain_patch(struct patch *p, struct inlay_error *err)
{
    struct inlay_image old = {0};
    int code = inlay_image_load(old_path, &old, err);
    if (!code)
        code = inlay_explain(&p->m, p->bytes.data, old.data, old.size, &p->stats, err);
    p->explained = !code;
    inlay_image_free(&old);
    return code;
}

int cmd_info(int argc, char **argv)
{
    const char *args[CLI_ARGS_MAX];
    struct patch p = {0};
    struct inlay_error err;
    int code;
    if (cli_parse(&usage, argc, argv, args, &code))
        return code;
    code = open_patch(args[0], &p, &err);
    if (!code && old_path)
        code = explain_patch(&p, &err);
    if (code)
        cli_error("info", code, &err);
    else
        code = as_json ? print_json(&p) : print_text(&p);
    inlay_buffer_free(&p.bytes);
    return code;
}
