/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary pairs of images through differ and patcher.
 *
 * Input: options, length of the old image (2 bytes), old image, and what the
 * new image is made of: bytes as they are, or edits of the old one.
 */
#include "fuzz.h"
#include "inlay.h"

#define IN_PLACE 1u
#define EDITS    2u
#define GEOMETRY 12u /* which of the profiles */
#define ARCH     112u

#define IMAGE_MAX 16384u

static const char *const profiles[] = {
    "name = pages\ntitle = none\nsource = none\narch = none\nmode = in-place\nslot.blocks = 32 x "
    "512\nslot.write_size = 4\n"
    "slot.page_len = 64\nwork.blocks = 16 x 512\nsecond.blocks = 32 x 512\nram = 16K\n"
    "model_ram = 8K\nchunk_len = 512\ncheck_len = 4\nredo = 1K\n",
    "name = sectors\ntitle = none\nsource = none\narch = none\nmode = in-place\nslot.blocks = 4 x "
    "1024, 3 x 4096\n"
    "slot.write_size = 8\nslot.page_len = 64\nwork.blocks = 4 x 4096\nsecond.blocks = 4 x 4096\n"
    "ram = 32K\nmodel_ram = 8K\nchunk_len = 1024\ncheck_len = 15\n",
    "name = zeros\ntitle = none\nsource = none\narch = none\nmode = in-place\nslot.blocks = 64 x "
    "256\nslot.write_size = 4\n"
    "slot.erased = 0x00\nslot.page_len = 64\nwork.blocks = 48 x 256\nsecond.blocks = 64 x 256\n"
    "ram = 8K\nmodel_ram = 3K\nchunk_len = 512\ncheck_len = 0\n",
    NULL};

static const char *const archs[] = {"none",  "thumb2", "arm",    "aarch64",
                                    "riscv", "xtensa", "x86-64", "auto"};

/* Copies of the old image, changed here and there, and bytes of the input between them. */
static size_t edit(struct fuzz_input *in, const uint8_t *old, size_t old_len, uint8_t *out)
{
    size_t len = 0, n;
    while (in->left && len < IMAGE_MAX) {
        unsigned op = fuzz_u8(in);
        size_t want = (op & 1u) ? fuzz_u16(in) : (op >> 4) + 1u;
        if (want > IMAGE_MAX - len)
            want = IMAGE_MAX - len;
        if ((op & 6u) == 0) {
            const uint8_t *bytes = fuzz_bytes(in, want, &n);
            memcpy(out + len, bytes, n);
        } else {
            size_t pos = old_len ? fuzz_u16(in) % old_len : 0;
            n = old_len - pos < want ? old_len - pos : want;
            if (n)
                memcpy(out + len, old + pos, n);
            for (size_t i = 16; (op & 6u) == 4 && i < n; i += 64)
                out[len + i] = (uint8_t)(out[len + i] + op);
        }
        len += n;
    }
    return len;
}

static void check(const struct inlay_image *old, const struct inlay_image *new,
                  const struct inlay_buffer *patch)
{
    struct inlay_buffer made;
    struct inlay_error err = {""};
    int code = inlay_apply(old->data, old->size, patch->data, patch->len, NULL, &made, &err);
    if (code)
        fprintf(stderr, "FUZZ: apply: %s\n", err.text);
    REQUIRE(!code);
    REQUIRE(made.len == new->size && (!made.len || !memcmp(made.data, new->data, made.len)));
    inlay_buffer_free(&made);
}

static void round_trip(const struct inlay_image *old, const struct inlay_image *new,
                       unsigned options)
{
    struct inlay_profile profile;
    struct inlay_diff_result result = {0};
    struct inlay_error err = {""};
    const char *text = profiles[(options & GEOMETRY) >> 2];
    int code = text ? inlay_profile_parse(text, strlen(text), "profile", &profile, &err)
                    : inlay_profile_load("host", &profile, &err);
    if (code)
        fprintf(stderr, "FUZZ: %s\n", err.text);
    REQUIRE(!code);
    struct inlay_diff_options o = {.mode = options & IN_PLACE && text ? INLAY_DIFF_IN_PLACE
                                                                      : INLAY_DIFF_AB,
                                   .arch = archs[(options & ARCH) >> 4],
                                   .base = 0x8000,
                                   .base_known = options >> 7 != 0};
    code = inlay_diff(old, new, &profile, &o, &result, &err);
    if (code && code != INLAY_EXIT_LIMIT)
        fprintf(stderr, "FUZZ: diff: %s\n", err.text);
    REQUIRE(!code || (code == INLAY_EXIT_LIMIT && text && err.text[0]));
    if (!code)
        check(old, new, &result.patch);
    inlay_diff_result_free(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    static uint8_t old_room[IMAGE_MAX], new_room[IMAGE_MAX];
    unsigned options = fuzz_u8(&in);
    size_t old_len, new_len;
    const uint8_t *bytes = fuzz_bytes(&in, fuzz_u16(&in) % (IMAGE_MAX + 1u), &old_len);
    memcpy(old_room, bytes, old_len);
    if (options & EDITS) {
        new_len = edit(&in, old_room, old_len, new_room);
    } else {
        bytes = fuzz_bytes(&in, IMAGE_MAX, &new_len);
        memcpy(new_room, bytes, new_len);
    }
    struct inlay_image old = {.data = old_room, .size = old_len};
    struct inlay_image new = {.data = new_room, .size = new_len};
    round_trip(&old, &new, options);
    return 0;
}
