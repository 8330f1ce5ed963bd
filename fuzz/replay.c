/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files and directories of files; no fuzzer needed. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static unsigned replayed;

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    REQUIRE(f);
    static uint8_t room[1 << 20];
    size_t len = fread(room, 1, sizeof room, f);
    fclose(f);
    /* A block of just that size lets the sanitizers see every overrun. */
    uint8_t *data = malloc(len ? len : 1);
    REQUIRE(data);
    memcpy(data, room, len);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, len);
    free(data);
    replayed++;
}

static void replay_directory(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    REQUIRE(n >= 0);
    for (int i = 0; i < n; i++) {
        char file[1024];
        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            replay_file(file);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    struct stat st;
    for (int i = 1; i < argc; i++) {
        REQUIRE(stat(argv[i], &st) == 0);
        if (S_ISDIR(st.st_mode))
            replay_directory(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%u replayed\n", replayed);
    return 0;
}
