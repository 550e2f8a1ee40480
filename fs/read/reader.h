/* SPDX-License-Identifier: Apache-2.0 */
/* An open file: reads from the cache where it can, else from the fetch engine, and says what to
 * read ahead. Any thread may read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read/fetch.h"

struct reader;

/* 0 or -ENOMEM. Copies what it needs of @source. */
int reader_open(struct fetch *fetch, const struct blob_source *source, struct reader **out);
/* Opens the @len bytes at @offset of a file as if they were all of it: nothing outside of them is
 * read ahead. What is not within the file is not there. */
int reader_open_part(struct fetch *fetch, const struct blob_source *source, uint64_t offset,
                     uint64_t len, struct reader **out);
/* Reads that are under way end by themselves. */
void reader_close(struct reader *reader); /* NULL is fine */

/* Reads [off, off + len), cut at the file's end and at WAIT_MAX_BYTES. @done comes exactly once:
 * with the bytes (none behind the end), or with -errno. It may come before this returns. True, once
 * for an open file, when it is read from its first byte on and all of it up to the end is here or
 * on its way: whoever goes through several files will soon want the next. */
bool reader_read(struct reader *reader, uint64_t off, size_t len, read_done_fn *done, void *ctx);

/* Of the file, or of its part. */
uint64_t reader_size_bytes(const struct reader *reader);
