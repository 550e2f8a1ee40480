/* SPDX-License-Identifier: Apache-2.0 */
#include "read/window.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct window_range window_advance(struct window *w, uint64_t pos, uint64_t size,
                                   uint64_t max_bytes)
{
    struct window_range none = {0, 0};
    if (w->ahead_end < pos)
        w->ahead_end = pos;
    if (w->bytes && w->ahead_end - pos >= w->bytes / 2)
        return none;
    w->bytes = min_u64(w->bytes ? w->bytes * 2 : WINDOW_FIRST_BYTES, max_bytes);
    uint64_t end = min_u64(size, pos + w->bytes);
    if (end <= w->ahead_end)
        return none;
    struct window_range ask = {w->ahead_end, end - w->ahead_end};
    w->ahead_end = end;
    return ask;
}

void window_shrink(struct window *w, uint64_t granted_end)
{
    if (w->bytes / 2 >= WINDOW_FIRST_BYTES)
        w->bytes /= 2;
    w->ahead_end = min_u64(w->ahead_end, granted_end);
}
