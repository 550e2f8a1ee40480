/* SPDX-License-Identifier: Apache-2.0 */
/* How far ahead of one sequential reader to read. Pure: bytes in, a range out. */
#pragma once

#include <stdint.h>

#define WINDOW_FIRST_BYTES (UINT64_C(2) << 20)

struct window {
    uint64_t bytes;     /* how far ahead; 0 while closed */
    uint64_t ahead_end; /* first byte that was not asked for yet */
};

/* A range of a blob; len 0: nothing. */
struct window_range {
    uint64_t off, len;
};

/* The reader stands at @pos of a blob of @size bytes: says what to ask for. Opens the window at
 * WINDOW_FIRST_BYTES, doubles it, up to @max_bytes, each time half of it is used up, and asks for
 * nothing in between. */
struct window_range window_advance(struct window *w, uint64_t pos, uint64_t size,
                                   uint64_t max_bytes);

/* Memory is short: halves the window, down to WINDOW_FIRST_BYTES. What was not granted from
 * @granted_end on is asked for again later. */
void window_shrink(struct window *w, uint64_t granted_end);
