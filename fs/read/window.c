/* SPDX-License-Identifier: Apache-2.0 */
/* At first as far ahead as was read in sequence, so that little is fetched in vain for somebody who
 * reads two tensors that happen to be neighbours; once a run is long, many times as far, for a far
 * link is full only with tens of MiB on their way. It is asked for in parts that keep several
 * connections busy all the time: half a window at a time, which few requests bring, would let the
 * link run dry at each turn. Both were found by simulation, see tests/unit/test_read_ahead.c. */
#include "read/window.h"

#include "util/minmax.h"

enum { GROWTH = 8, LEAST_PARTS = 4, MOST_PARTS = 16 };
#define LONG_RUN_BYTES   (UINT64_C(1) << 20)
#define PART_LEAST_BYTES (UINT64_C(64) << 10) /* less is not fetched at a time */

static uint64_t size_for(const struct window *w, uint64_t run_bytes, uint64_t max_bytes)
{
    uint64_t run = min_u64(run_bytes, max_bytes);
    uint64_t want = max_u64(run < LONG_RUN_BYTES ? run : run * GROWTH, w->least);
    return min_u64(w->most ? min_u64(want, w->most) : want, max_bytes);
}

/* What is asked for at a time: a range, or some in a large window. */
static uint64_t part_of(uint64_t bytes, uint64_t range_bytes)
{
    return max_u64(min_u64(max_u64(bytes / MOST_PARTS, range_bytes), bytes / LEAST_PARTS),
                   PART_LEAST_BYTES);
}

struct window_range window_advance(struct window *w, uint64_t pos, uint64_t run_bytes,
                                   uint64_t size, const struct window_limits *limits)
{
    struct window_range none = {0, 0};
    w->bytes = size_for(w, run_bytes, limits->max_bytes);
    w->ahead_end = max_u64(w->ahead_end, pos);
    uint64_t part = part_of(w->bytes, limits->range_bytes), end = pos + w->bytes;
    end = end >= size ? size : max_u64(end - end % part, w->ahead_end);
    if (end <= w->ahead_end || (end < size && end - w->ahead_end < part))
        return none;
    struct window_range ask = {w->ahead_end, end - w->ahead_end};
    w->ahead_end = end;
    w->most = min_u64(w->most * 2, limits->max_bytes);
    return ask;
}

void window_shrink(struct window *w, uint64_t granted_end)
{
    w->most = max_u64(w->bytes / 2, WINDOW_FIRST_BYTES);
    w->ahead_end = min_u64(w->ahead_end, granted_end);
}
