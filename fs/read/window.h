/* SPDX-License-Identifier: Apache-2.0 */
/* How far ahead of one sequential reader to read. Pure: bytes in, a range out. */
#pragma once

#include <stdint.h>

/* Read ahead of who begins at a file's first byte. */
#define WINDOW_FIRST_BYTES (UINT64_C(2) << 20)

struct window {
    uint64_t bytes;     /* how far ahead at the last look; 0 while closed */
    uint64_t least;     /* and how far at least */
    uint64_t most;      /* what memory was there for lately; 0: it was never short */
    uint64_t ahead_end; /* first byte that was not asked for yet */
};

struct window_limits {
    uint64_t max_bytes;   /* how far ahead at most */
    uint64_t range_bytes; /* in ranges of what size it will be fetched */
};

/* A range of a blob; len 0: nothing. */
struct window_range {
    uint64_t off, len;
};

/* The reader stands at @pos of a blob of @size bytes, after @run_bytes in sequence: says what to
 * ask for. The window grows with what was read, and slides: as soon as
 * the reader has used up a part of it, the next part is asked for. */
struct window_range window_advance(struct window *w, uint64_t pos, uint64_t run_bytes,
                                   uint64_t size, const struct window_limits *limits);

/* Memory is short: halves the window, down to WINDOW_FIRST_BYTES; it recovers while it is granted
 * what it asks for. What was not granted from @granted_end on is asked for again later. */
void window_shrink(struct window *w, uint64_t granted_end);
