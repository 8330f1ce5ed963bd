/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(const char *path, int out)
{
    if (strcmp(path, "-"))
        return path;
    return out ? "standard output" : "standard input";
}

static int read_all(int fd, size_t max, struct inlay_buffer *out)
{
    for (;;) {
        if (inlay_buffer_reserve(out, 65536)) {
            errno = ENOMEM;
            return -1;
        }
        ssize_t n = read(fd, out->data + out->len, out->room - out->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        out->len += (size_t)n;
        if (out->len > max)
            return 1;
    }
}

int inlay_file_read(const char *path, size_t max, struct inlay_buffer *out, struct inlay_error *err)
{
    struct stat st;
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    *out = (struct inlay_buffer){0};
    if (fd < 0)
        return inlay_fail(err, INLAY_EXIT_IO, "cannot open %s: %s", path, strerror(errno));
    /* One allocation for a regular file; growing would keep up to twice its size. */
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= max &&
        !out->data) {
        out->data = malloc((size_t)st.st_size + 65536);
        out->room = out->data ? (size_t)st.st_size + 65536 : 0;
    }
    int got = read_all(fd, max, out);
    int code = 0;
    if (got < 0)
        code =
            inlay_fail(err, INLAY_EXIT_IO, "cannot read %s: %s", name_of(path, 0), strerror(errno));
    else if (got > 0)
        code =
            inlay_fail(err, INLAY_EXIT_LIMIT, "%s is larger than %zu bytes, the most there may be",
                       name_of(path, 0), max);
    if (fd != STDIN_FILENO)
        close(fd);
    if (code)
        inlay_buffer_free(out);
    return code;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int inlay_file_sync_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!dir)
        return -1;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (fd < 0)
        return -1;
    int code = fsync(fd);
    /* Some file systems cannot sync a directory and need not. */
    if (code && (errno == EINVAL || errno == ENOTSUP))
        code = 0;
    close(fd);
    return code;
}

/* Writes beside path, with the mode of the file that is replaced, and renames. */
static int write_renamed(const char *path, const uint8_t *data, size_t len)
{
    struct stat st;
    size_t room = strlen(path) + 16;
    char *temp = malloc(room);
    if (!temp)
        return -1;
    snprintf(temp, room, "%s.XXXXXX", path);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        free(temp);
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = stat(path, &st) ? 0666 & ~mask : st.st_mode & 07777;
    int bad = fchmod(fd, mode) || write_all(fd, data, len) || fsync(fd);
    int cause = errno;
    if (close(fd) && !bad) {
        bad = 1;
        cause = errno;
    }
    if (!bad && rename(temp, path)) {
        bad = 1;
        cause = errno;
    }
    if (bad)
        unlink(temp);
    free(temp);
    errno = cause;
    return bad ? -1 : inlay_file_sync_dir(path);
}

int inlay_file_write(const char *path, const uint8_t *data, size_t len, struct inlay_error *err)
{
    struct stat st;
    int bad;
    if (!strcmp(path, "-")) {
        bad = write_all(STDOUT_FILENO, data, len);
    } else if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bad = fd < 0 || write_all(fd, data, len);
        if (fd >= 0 && close(fd))
            bad = 1;
    } else {
        bad = write_renamed(path, data, len);
    }
    if (bad)
        return inlay_fail(err, INLAY_EXIT_IO, "cannot write %s: %s", name_of(path, 1),
                          strerror(errno));
    return 0;
}

int inlay_file_same(const char *a, const char *b)
{
    struct stat sa, sb;
    if (!strcmp(a, "-") || !strcmp(b, "-") || stat(a, &sa) || stat(b, &sb))
        return 0;
    return S_ISREG(sa.st_mode) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}
