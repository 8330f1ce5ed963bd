/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary text as a device profile. */
#include "fuzz.h"
#include "profile.h"

static void check_area(const struct inlay_profile_area *a)
{
    uint64_t len = 0;
    if (!a->present)
        return;
    REQUIRE(a->regions <= INLAY_REGIONS_MAX);
    REQUIRE(a->write_size >= 1 && a->write_size <= 256);
    REQUIRE((a->write_size & (a->write_size - 1)) == 0);
    REQUIRE(a->page_len >= a->write_size && (a->page_len & (a->page_len - 1)) == 0);
    for (unsigned i = 0; i < a->regions; i++) {
        REQUIRE(a->region[i].count && a->region[i].block_len % a->write_size == 0);
        len += (uint64_t)a->region[i].count * a->region[i].block_len;
    }
    REQUIRE(len == inlay_profile_area_len(a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inlay_profile p;
    struct inlay_error err = {""};
    int code = inlay_profile_parse((const char *)data, size, "input", &p, &err);
    if (code) {
        REQUIRE(code == INLAY_EXIT_USAGE && strncmp(err.text, "input", 5) == 0);
        return 0;
    }
    REQUIRE(memchr(p.name, 0, sizeof p.name) && memchr(p.arch, 0, sizeof p.arch));
    check_area(&p.slot);
    check_area(&p.second);
    check_area(&p.work);
    return 0;
}
