/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying a patch to a file in place.
 *
 * The file is the slot and a second file beside it is the work area; both
 * behave as flash does, so the patcher's own journal makes this safe against
 * kills and power cuts.  What flash keeps in order by itself has to be kept
 * in order here: before an operation that does not simply continue the last
 * one, what was written so far is made durable.
 */
#include "apply.h"
#include "container.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILL_LEN 4096u

struct file_area {
    int fd;
    uint8_t erased;
    struct file_area *other; /* the area that must be durable before this one changes */
    int dirty;               /* 1: something is not durable yet */
    uint64_t end;            /* where the last operation ended */
};

struct file_update {
    const char *path;
    char *journal_path;
    struct file_area image, journal;
    struct inlay_flash slot, work;
};

static int make_durable(struct file_area *a)
{
    if (a->dirty && fdatasync(a->fd))
        return -1;
    a->dirty = 0;
    return 0;
}

/* Comes before every change. */
static int keep_order(struct file_area *a, uint32_t pos)
{
    if (make_durable(a->other))
        return -1;
    return a->end == pos ? 0 : make_durable(a);
}

static int put(struct file_area *a, uint64_t pos, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = pwrite(a->fd, data, len, (off_t)pos);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        pos += (uint64_t)n;
        len -= (size_t)n;
    }
    a->dirty = 1;
    return 0;
}

/* What is behind the end of the file reads erased. */
static int file_read(void *ctx, uint32_t pos, void *buf, uint32_t len)
{
    struct file_area *a = ctx;
    uint8_t *to = buf;
    while (len) {
        ssize_t n = pread(a->fd, to, len, pos);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (!n) {
            memset(to, a->erased, len);
            return 0;
        }
        to += n;
        pos += (uint32_t)n;
        len -= (uint32_t)n;
    }
    return 0;
}

static int file_erase(void *ctx, uint32_t pos, uint32_t len)
{
    struct file_area *a = ctx;
    uint8_t fill[FILL_LEN];
    memset(fill, a->erased, sizeof fill);
    if (keep_order(a, pos))
        return -1;
    for (uint32_t done = 0; done < len; done += FILL_LEN)
        if (put(a, (uint64_t)pos + done, fill, len - done < FILL_LEN ? len - done : FILL_LEN))
            return -1;
    /* A write of this block must find it erased for good. */
    a->end = UINT64_MAX;
    return 0;
}

static int file_write(void *ctx, uint32_t pos, const void *buf, uint32_t len)
{
    struct file_area *a = ctx;
    if (keep_order(a, pos) || put(a, pos, buf, len))
        return -1;
    a->end = (uint64_t)pos + len;
    return 0;
}

static void set_callbacks(struct inlay_flash *flash, struct file_area *a)
{
    a->erased = flash->erased;
    flash->ctx = a;
    flash->read = file_read;
    flash->erase = file_erase;
    flash->write = file_write;
}

static int io_fail(struct inlay_error *err, const char *what, const char *path)
{
    return inlay_fail(err, INLAY_EXIT_IO, "cannot %s %s: %s", what, path, strerror(errno));
}

static int open_image(struct file_update *u, struct inlay_error *err)
{
    u->image.fd = open(u->path, O_RDWR | O_CLOEXEC);
    if (u->image.fd < 0)
        return io_fail(err, "open", u->path);
    /* Two patchers on one file would each believe their own journal. */
    if (flock(u->image.fd, LOCK_EX | LOCK_NB))
        return inlay_fail(err, INLAY_EXIT_IO,
                          "%s is being updated by another process; wait until it is done", u->path);
    return 0;
}

static int open_journal(struct file_update *u, struct inlay_error *err)
{
    size_t room = strlen(u->path) + sizeof ".inlay-journal";
    u->journal_path = malloc(room);
    if (!u->journal_path)
        return inlay_fail(err, INLAY_EXIT_FAILURE, "out of memory");
    strcpy(u->journal_path, u->path);
    strcat(u->journal_path, ".inlay-journal");
    u->journal.fd = open(u->journal_path, O_RDWR | O_CLOEXEC);
    return 0;
}

/* Without a journal the file is either the old image or, perhaps, already the new one. */
static int check_image(const struct file_update *u, const struct inlay_manifest *m,
                       const uint8_t *patch, int *already, struct inlay_error *err)
{
    struct inlay_buffer image;
    char where[48] = "";
    uint8_t digest[32];
    int code = inlay_file_read(u->path, INLAY_SIZE_MAX, &image, err);
    if (code)
        return code;
    inlay_sha256(image.data, image.len, digest);
    size_t size = image.len;
    uint32_t wrong = inlay_container_wrong_at(m, patch, image.data, size);
    if (wrong < m->old_size)
        snprintf(where, sizeof where, ": its first wrong block is at byte %u", wrong);
    inlay_buffer_free(&image);
    *already = size == m->new_size && !memcmp(digest, m->new_digest, m->new_digest_len);
    if (!*already && (size != m->old_size || memcmp(digest, m->old_digest, m->old_digest_len)))
        return inlay_fail(err, INLAY_EXIT_OLD,
                          "%s (%zu bytes) is not the image of %u bytes that the patch was made "
                          "for%s; nothing was changed; use the image that inlay info describes",
                          u->path, size, m->old_size, where);
    return 0;
}

static int create_journal(struct file_update *u, struct inlay_error *err)
{
    u->journal.fd = open(u->journal_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (u->journal.fd < 0 || inlay_file_sync_dir(u->journal_path))
        return io_fail(err, "create the journal", u->journal_path);
    return 0;
}

static int remove_journal(struct file_update *u, struct inlay_error *err)
{
    if (unlink(u->journal_path) || inlay_file_sync_dir(u->journal_path))
        return io_fail(err, "remove the journal", u->journal_path);
    return 0;
}

static int run(struct file_update *u, const struct inlay_manifest *m, const uint8_t *patch,
               size_t patch_len, const struct inlay_apply_options *options, int *already,
               struct inlay_error *err)
{
    struct inlay_needs needs;
    struct stat st;
    if (inlay_probe(inlay_host_codecs(), patch, patch_len, &needs))
        return inlay_fail(err, INLAY_EXIT_CORRUPT,
                          "the patch needs a codec that this inlay lacks; use a newer one");
    inlay_apply_slot(m, &u->slot);
    inlay_apply_work(m, &needs, &u->work);
    set_callbacks(&u->slot, &u->image);
    set_callbacks(&u->work, &u->journal);
    u->image.other = &u->journal;
    u->journal.other = &u->image;
    u->image.end = u->journal.end = UINT64_MAX;
    struct inlay_config cfg = inlay_apply_config(options);
    cfg.old = cfg.slot = &u->slot;
    cfg.work = &u->work;
    cfg.boots_max = UINT32_MAX; /* whoever runs this again and again sees whether it gets on */
    int code = inlay_apply_flash(&cfg, patch, patch_len, already, err);
    if (code) {
        /* Refused before anything was written: leave no trace. */
        if (!fstat(u->journal.fd, &st) && !st.st_size)
            unlink(u->journal_path);
        return code;
    }
    if (ftruncate(u->image.fd, (off_t)m->new_size) || fsync(u->image.fd))
        return io_fail(err, "finish", u->path);
    return remove_journal(u, err);
}

static int update(struct file_update *u, const struct inlay_manifest *m, const uint8_t *patch,
                  size_t patch_len, const struct inlay_apply_options *options, int *already,
                  struct inlay_error *err)
{
    int code = open_image(u, err);
    if (!code)
        code = open_journal(u, err);
    if (code)
        return code;
    if (u->journal.fd < 0) {
        code = check_image(u, m, patch, already, err);
        if (code || *already)
            return code;
        code = create_journal(u, err);
        if (code)
            return code;
    }
    return run(u, m, patch, patch_len, options, already, err);
}

int inlay_apply_file(const char *path, const uint8_t *patch, size_t patch_len,
                     const struct inlay_apply_options *options, int *already,
                     struct inlay_error *err)
{
    struct inlay_manifest m;
    struct file_update u = {.path = path, .image.fd = -1, .journal.fd = -1};
    *already = 0;
    int code = inlay_container_open(patch, patch_len, &m, err);
    if (code)
        return code;
    if (!m.in_place)
        return inlay_fail(err, INLAY_EXIT_USAGE,
                          "this patch is not for updates in place; apply it from file to file, or "
                          "make one with inlay diff --mode in-place --profile NAME");
    code = update(&u, &m, patch, patch_len, options, already, err);
    if (u.journal.fd >= 0)
        close(u.journal.fd);
    if (u.image.fd >= 0)
        close(u.image.fd);
    free(u.journal_path);
    return code;
}
