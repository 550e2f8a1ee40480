/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads a file sequentially, and where: up to STREAMS_MAX readers of one file, told apart by
 * where they read alone, so that ranks and threads that share it, or fault it through mmap, each
 * keep a window. Pure; the caller guards it. */
#pragma once

#include <stdbool.h>

#include "read/window.h"

enum { STREAMS_MAX = 16 };

/* A read this far before or behind where a long stream stands is still its own, since the kernel
 * sends reads out of order; while a stream is young, as far as it has read. */
#define STREAMS_SLACK_BYTES (UINT64_C(2) << 20)

struct stream {
    uint64_t begin;     /* where its first read was */
    uint64_t next;      /* behind the furthest byte read */
    uint64_t run_bytes; /* read in this stream so far */
    uint64_t used_at;   /* streams.clock at its last read; 0: free */
    struct window window;
};

struct streams {
    struct stream items[STREAMS_MAX];
    uint64_t clock;
};

/* Notes a read of [off, off + len) of a blob of @size bytes, and says what to read ahead. A stream
 * is sequential from its second read on, or when it starts at the file's first byte; until then
 * nothing is read ahead. @limits is for all streams together. *out_stream is the stream, for
 * window_shrink(). */
struct window_range streams_note(struct streams *s, uint64_t off, uint64_t len, uint64_t size,
                                 const struct window_limits *limits, struct stream **out_stream);
