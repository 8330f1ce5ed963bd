/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in and out. */
#ifndef INLAY_FILE_H
#define INLAY_FILE_H

#include "buffer.h"
#include "error.h"

/* Reads a file, or standard input for "-".  0, INLAY_EXIT_IO, or INLAY_EXIT_LIMIT above max. */
int inlay_file_read(const char *path, size_t max, struct inlay_buffer *out,
                    struct inlay_error *err);

/*
 * Writes a file as a whole or not at all (a temporary beside it that is
 * renamed), or standard output for "-".  Devices and pipes are written as
 * they are.  0 or INLAY_EXIT_IO.
 */
int inlay_file_write(const char *path, const uint8_t *data, size_t len, struct inlay_error *err);

/* 1 if both paths name one existing file; "-" never does. */
int inlay_file_same(const char *a, const char *b);

/* Makes a rename or removal in path's directory durable.  0, or -1 with errno. */
int inlay_file_sync_dir(const char *path);

#endif
