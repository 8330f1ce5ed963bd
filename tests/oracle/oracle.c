/* SPDX-License-Identifier: Apache-2.0 */
/* oracle OLD PATCH OUT: applies a patch by the book; see oracle.h. */
#include "oracle.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("oracle: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(code);
}

void *need(size_t len)
{
    void *memory = calloc(len ? len : 1, 1);
    if (memory == NULL)
        die(EXIT_WRONG, "out of memory");
    return memory;
}

void sha256(const uint8_t *data, size_t len, uint8_t digest[32])
{
    crypto_hash_sha256(digest, data, len);
}

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        die(EXIT_IO, "cannot read %s", path);
    long size = ftell(f);
    rewind(f);
    uint8_t *data = need((size_t)size);
    if (size < 0 || fread(data, 1, (size_t)size, f) != (size_t)size)
        die(EXIT_IO, "cannot read %s", path);
    fclose(f);
    *len = (size_t)size;
    return data;
}

static void write_file(const char *path, const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        die(EXIT_IO, "cannot write %s", path);
}

static void check_old(const struct patch *p, const uint8_t *old, size_t len)
{
    uint8_t digest[32];
    sha256(old, len, digest);
    if (len != p->old_size || memcmp(digest, p->old_digest, p->old_digest_len) != 0)
        die(EXIT_OLD, "the old image is not the one this patch was made for");
}

int main(int argc, char **argv)
{
    struct patch p = {0};
    uint8_t digest[32];
    size_t old_len, patch_len;
    if (argc != 4)
        die(EXIT_USAGE, "usage: oracle OLD PATCH OUT");
    uint8_t *old = read_file(argv[1], &old_len);
    uint8_t *data = read_file(argv[2], &patch_len);
    read_patch(&p, data, patch_len);
    check_old(&p, old, old_len);
    uint8_t *out = need(p.new_size);
    if (p.codec != 1 && p.codec != 2)
        die(EXIT_NO_CODEC, "codec %u not covered", p.codec);
    if (p.in_place) /* blocks without a step stay as they are */
        memcpy(out, old, p.old_size < p.new_size ? p.old_size : p.new_size);
    if (p.codec == 1)
        decode_small(&p, old, out);
    else
        decode_large(&p, old, out);
    sha256(out, p.new_size, digest);
    if (memcmp(digest, p.new_digest, p.new_digest_len) != 0)
        die(EXIT_CORRUPT, "the new image does not match its digest");
    write_file(argv[3], out, p.new_size);
    free(old);
    free(data);
    free(out);
    free(p.payload);
    return 0;
}
