/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes as an image: ELF, Intel HEX, S-records, UF2 or raw. */
#include "fuzz.h"
#include "inlay.h"

#define FOUND_MAX 8u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inlay_image image = {0};
    struct inlay_error err = {""};
    struct inlay_payload found[FOUND_MAX];
    int code = inlay_image_parse(data, size, "input", &image, &err);
    if (code) {
        REQUIRE(err.text[0] && !image.data);
        return 0;
    }
    REQUIRE(image.size <= INLAY_IMAGE_MAX && inlay_image_kind_name(image.kind)[0]);
    if (image.kind == INLAY_IMAGE_RAW || image.kind == INLAY_IMAGE_ELF)
        REQUIRE(image.size == size && (!size || memcmp(image.data, data, size) == 0));
    size_t n = inlay_image_payloads(image.data, image.size, found, FOUND_MAX);
    for (size_t i = 0; i < n && i < FOUND_MAX; i++)
        REQUIRE(found[i].kind && found[i].pos < image.size);
    inlay_image_free(&image);
    return 0;
}
