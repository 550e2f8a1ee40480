/* SPDX-License-Identifier: Apache-2.0 */
/* A range of read-ahead should take some 25 ms: so it does not stand in the way of who waits, nor
 * do many readers of one link wait for the end of a long one; where that would be a large range, a
 * few MiB are enough to make the price of a request small: two, and four near by, so that few are
 * on their way. nginx on this host then brings 1,230 MiB/s, and 870 in ranges of two; `modelfs
 * serve` 1,630 and 1,830. What somebody waits for is split where the host is far, so that it comes
 * over several connections: there a connection is as fast as the
 * round trip lets it be, whatever the others do. Those to a host near by share what it gives, and a
 * second one brings nothing.
 *
 * The window must cover what is on its way at any moment: what flows in a round trip and in the
 * time of a range, and that several times, because ranges end out of order and the reader takes
 * them in order. Smaller ones leave a link idle at times (test_read_ahead simulates it), larger
 * ones only fill the processor's caches with what is not read yet. */
#include "read/reach.h"

#include <stdbool.h>

#include "cache/key.h"
#include "net/pace.h"

enum { AHEAD_MS = 25, NEAR_US = 1500, WINDOWS = 5, US_PER_S = 1000000 };

#define LEAST_AHEAD_BYTES  (UINT64_C(1) << 20)
#define MOST_AHEAD_BYTES   (UINT64_C(2) << 20)
#define MOST_NEAR_BYTES    (UINT64_C(4) << 20)
#define LEAST_URGENT_BYTES (UINT64_C(128) << 10)
#define MOST_URGENT_BYTES  (UINT64_C(4) << 20)
#define LEAST_WINDOW_BYTES (UINT64_C(16) << 20)

/* Before anything is known of a host. */
#define FIRST_URGENT_BYTES (UINT64_C(256) << 10)

static uint64_t clamp(double bytes, uint64_t least, uint64_t most)
{
    uint64_t in = bytes < (double)least ? least : bytes > (double)most ? most : (uint64_t)bytes;
    return in - in % PIECE_BYTES;
}

static double flows_in(uint64_t bytes_per_s, double us)
{
    return (double)bytes_per_s * us / US_PER_S;
}

static bool is_near(const struct pace *pace)
{
    return pace->rtt_us < NEAR_US;
}

/* As much as comes in an eighth of a round trip. */
static uint64_t urgent_bytes(const struct pace *pace)
{
    if (is_near(pace))
        return MOST_URGENT_BYTES;
    double bytes = flows_in(pace->connection_bytes_per_s, (double)pace->rtt_us / 8);
    return clamp(bytes, LEAST_URGENT_BYTES, MOST_URGENT_BYTES);
}

struct reach reach_of(const struct pace *pace)
{
    struct reach unknown = {UINT64_MAX, LEAST_AHEAD_BYTES, FIRST_URGENT_BYTES};
    uint64_t rate = is_near(pace) ? pace->total_bytes_per_s : pace->connection_bytes_per_s;
    if (!pace->rtt_us || !rate)
        return unknown;
    uint64_t most = is_near(pace) ? MOST_NEAR_BYTES : MOST_AHEAD_BYTES;
    uint64_t ahead = clamp(flows_in(rate, AHEAD_MS * 1000), LEAST_AHEAD_BYTES, most);
    double range_us = (double)ahead / (double)rate * US_PER_S;
    double window = WINDOWS * flows_in(pace->total_bytes_per_s, (double)pace->rtt_us + range_us);
    return (struct reach){
        .window_bytes = clamp(window, LEAST_WINDOW_BYTES, UINT64_C(1) << 40),
        .ahead_bytes = ahead,
        .urgent_bytes = urgent_bytes(pace),
    };
}
