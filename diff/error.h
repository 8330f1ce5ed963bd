/* SPDX-License-Identifier: Apache-2.0 */
/* How host code fails: a code that is also the command's exit code, and a sentence. */
#ifndef INLAY_ERROR_H
#define INLAY_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

enum inlay_exit {
    INLAY_EXIT_OK = 0,
    INLAY_EXIT_FAILURE = 1, /* anything not below; an internal error too */
    INLAY_EXIT_USAGE = 2,   /* bad arguments or a bad profile */
    INLAY_EXIT_OLD = 3,     /* wrong base */
    INLAY_EXIT_CORRUPT = 4, /* corrupt or unsupported patch */
    INLAY_EXIT_LIMIT = 5,   /* does not fit the device */
    INLAY_EXIT_SIGNATURE = 6,
    INLAY_EXIT_POLICY = 7, /* policy or rollback */
    INLAY_EXIT_IO = 8
};

/* What is wrong, where, and what to do; one line without a newline. */
struct inlay_error {
    char text[512];
};

/* Formats the sentence (err may be NULL) and returns code, so that `return inlay_fail(...)` reads
 * well. */
int inlay_fail(struct inlay_error *err, enum inlay_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif

#endif
