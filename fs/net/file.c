/* SPDX-License-Identifier: Apache-2.0 */
#include "net/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/url.h"

void file_format_etag(const struct stat *st, char out[FILE_ETAG_BYTES])
{
    int64_t mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    snprintf(out, FILE_ETAG_BYTES, "\"%" PRId64 "-%" PRId64 "-%" PRIu64 "\"", mtime_ns,
             (int64_t)st->st_size, (uint64_t)st->st_ino);
}

/* The path in a file:// URL, decoded: NULL when there is none or memory is short. */
static int url_to_path(const char *text, char **out)
{
    struct url url URL_CLEANUP = {0};
    int r = url_parse(text, &url);
    if (r < 0)
        return r;
    if (strcmp(url.scheme, "file") != 0 || url.path[0] != '/' || url.query ||
        (url.host[0] != '\0' && strcmp(url.host, "localhost") != 0))
        return -EINVAL;
    *out = url_decode(url.path, strlen(url.path), 0);
    return *out ? 0 : -EINVAL;
}

/* What a server would answer when open() fails; 0 when the failure says nothing about the file. */
static int open_errno_status(int err)
{
    switch (err) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ELOOP: /* a symbolic link, by O_NOFOLLOW */
    case ENXIO: /* a socket */
        return 403;
    default:
        return 0;
    }
}

/* Settles the range against the file's size and its validator. */
static int decide_status(struct file_range *range, const struct stat *st, const char *if_match)
{
    bool is_range = range->len > 0;
    if (!S_ISREG(st->st_mode))
        return 403;
    range->total_bytes = (uint64_t)st->st_size;
    file_format_etag(st, range->etag);
    if (if_match && strcmp(if_match, "*") != 0 && strcmp(if_match, range->etag) != 0)
        return 412;
    if (!is_range) {
        range->off = 0;
        range->len = range->total_bytes;
        return 200;
    }
    if (range->off >= range->total_bytes)
        return 416;
    if (range->len > range->total_bytes - range->off)
        range->len = range->total_bytes - range->off;
    return 206;
}

int file_range_open(const char *url, uint64_t off, uint64_t len, const char *if_match,
                    struct file_range *out)
{
    char *path CLEANUP(cleanup_free) = NULL;
    struct stat st;
    *out = (struct file_range){.fd = -1, .off = off, .len = len};
    int r = url_to_path(url, &path);
    if (r < 0)
        return r;
    /* O_NONBLOCK is for a FIFO, which would wait for a writer; a regular file ignores it. */
    int fd CLEANUP(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        out->status = open_errno_status(errno);
        return out->status ? 0 : -errno;
    }
    if (fstat(fd, &st) < 0)
        return -errno;
    out->status = decide_status(out, &st, if_match);
    if (out->status == 200 || out->status == 206)
        out->fd = steal_fd(&fd);
    return 0;
}

void file_range_deinit(struct file_range *range)
{
    cleanup_close(&range->fd);
    *range = (struct file_range){.fd = -1};
}

/* Compared after each read and before its bytes are handed on: what was read is the opened version
 * then. */
static int check_unchanged(const struct file_range *range)
{
    struct stat st;
    char etag[FILE_ETAG_BYTES];
    if (fstat(range->fd, &st) < 0)
        return -errno;
    file_format_etag(&st, etag);
    return strcmp(etag, range->etag) == 0 ? 0 : -ESTALE;
}

ssize_t file_range_read(struct file_range *range, void *out, size_t cap)
{
    if (range->fd < 0 || range->len == 0)
        return 0;
    if (cap > range->len)
        cap = (size_t)range->len;
    ssize_t n = pread(range->fd, out, cap, (off_t)range->off);
    if (n < 0)
        return -errno;
    int r = check_unchanged(range);
    if (r < 0)
        return r;
    if (n == 0) /* the size says more, and the file is at its end */
        return -ESTALE;
    range->off += (uint64_t)n;
    range->len -= (uint64_t)n;
    return n;
}
