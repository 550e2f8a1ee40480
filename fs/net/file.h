/* SPDX-License-Identifier: Apache-2.0 */
/* A range of a local file, answered the way a careful HTTP server would: status, validator, and
 * never bytes of two versions. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/cleanup.h"

enum { FILE_ETAG_BYTES = 72 };

/* The validator of a file's content: `"<mtime_ns>-<size>-<ino>"`, quotes included. */
void file_format_etag(const struct stat *st, char out[FILE_ETAG_BYTES]);

/* An open range. Ends with file_range_deinit(). */
struct file_range {
    int fd;            /* -1: no content follows */
    int status;        /* 200, 206, 403, 404, 412 or 416 */
    uint64_t off, len; /* what is still to be read */
    uint64_t total_bytes;
    char etag[FILE_ETAG_BYTES]; /* empty where the file could not be opened */
};

/* Opens what the file:// @url names. @len 0 asks for the whole file (200), else for a range (206,
 * or 416 behind the end). @if_match (may be NULL) is `*` or one validator: another one answers 412.
 * Only regular files, and no symbolic link as the last component: those are 403. Returns 0 with a
 * status, -EINVAL for a URL that names no path, or another -errno. */
int file_range_open(const char *url, uint64_t off, uint64_t len, const char *if_match,
                    struct file_range *out);
void file_range_deinit(struct file_range *range);

/* Reads up to @cap of the next bytes. Returns how many, 0 at the end, -ESTALE when the file is no
 * longer the one that was opened, or another -errno. */
ssize_t file_range_read(struct file_range *range, void *out, size_t cap);
