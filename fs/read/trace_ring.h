/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded ring of reads that comes out as a trace's stream. When it is full the oldest read makes
 * room, and the stream says how many did. Pure; the caller guards it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "read/trace.h"

struct trace_ring;

/* A ring of @capacity reads, whose stream began at @started_us (since 1970). 0 or -ENOMEM. */
int trace_ring_new(size_t capacity, int64_t started_us, struct trace_ring **out);
void trace_ring_free(struct trace_ring *ring); /* NULL is fine */

/* The number of the file that was added with @key, or -ENOENT. */
int trace_ring_find_file(const struct trace_ring *ring, uint64_t key);
/* Adds a file and returns its number, or -ENOMEM, or -ENOSPC when there are TRACE_FILES_MAX. */
int trace_ring_add_file(struct trace_ring *ring, uint64_t key, uint64_t size_bytes,
                        const char *path);

/* Adds a read of a file that was added. */
void trace_ring_add(struct trace_ring *ring, const struct trace_read *read);
/* A read that there was no room for. */
void trace_ring_lose(struct trace_ring *ring);

/* Appends the next bytes of the stream to @out, at most @max_bytes, none when all was taken; a
 * record may come in two parts. 0 or -ENOMEM. */
int trace_ring_take(struct trace_ring *ring, size_t max_bytes, struct buf *out);
