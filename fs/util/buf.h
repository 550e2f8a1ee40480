/* SPDX-License-Identifier: Apache-2.0 */
/* A growable run of bytes. Embedded by value: start from `{0}`, end with buf_deinit(). The content
 * is always followed by one NUL byte that `len` does not count, so that text in it can be used as a
 * C string. Not thread-safe. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "util/cleanup.h"

struct buf {
    char *data; /* owned; NULL while empty */
    size_t len; /* bytes used, without the closing NUL */
    size_t cap; /* bytes allocated */
};

#define BUF_CLEANUP CLEANUP(buf_deinit)

/* Frees the content and leaves an empty buf. */
void buf_deinit(struct buf *b);

/* Makes room for @more bytes after the content. Returns 0 or -ENOMEM (also when the size would
 * overflow). */
int buf_reserve(struct buf *b, size_t more);

/* Appends; 0 or -ENOMEM, and on failure the content is unchanged. */
int buf_append(struct buf *b, const void *data, size_t len);
int buf_puts(struct buf *b, const char *text);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* Hands the NUL-terminated content over to the caller (free it with free()), and leaves an empty
 * buf. Returns NULL only when memory for the NUL of a never written buf cannot be had. */
char *buf_steal(struct buf *b);
