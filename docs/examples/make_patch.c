/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a patch with the host library: make_patch OLD NEW PROFILE PATCH */
#include <inlay.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct inlay_image old = {0}, new = {0};
    struct inlay_profile device;
    struct inlay_diff_result result = {0};
    struct inlay_error err;
    if (argc != 5) {
        fputs("usage: make_patch OLD NEW PROFILE PATCH\n", stderr);
        return 2;
    }
    int code = inlay_image_load(argv[1], &old, &err);
    if (!code)
        code = inlay_image_load(argv[2], &new, &err);
    if (!code)
        code = inlay_profile_load(argv[3], &device, &err);
    if (!code)
        code = inlay_diff(&old, &new, &device, NULL, &result, &err);
    if (code) {
        fprintf(stderr, "%s\n", err.text);
        return code;
    }
    FILE *out = fopen(argv[4], "wb");
    if (!out || fwrite(result.patch.data, 1, result.patch.len, out) != result.patch.len)
        return INLAY_EXIT_IO;
    printf("%zu bytes, %u bytes of RAM on the device\n", result.patch.len, result.needs.workspace);
    fclose(out);
    inlay_diff_result_free(&result);
    inlay_image_free(&old);
    inlay_image_free(&new);
    return 0;
}
