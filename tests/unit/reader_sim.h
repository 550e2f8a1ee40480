/* SPDX-License-Identifier: Apache-2.0 */
/* What read/reader.c does with a read, on the simulated link. The one place where simulations use
 * streams and windows. */
#pragma once

#include "link_sim.h"
#include "net/pace.h"
#include "read/reach.h"
#include "read/streams.h"
#include "util/minmax.h"

#define READER_MAX_AHEAD_BYTES (UINT64_C(64) << 20)  /* a quarter of the usual budget */
#define READER_SMALL_BYTES     (UINT64_C(256) << 10) /* such a file is fetched whole */

/* The relay's far link: 30 ms, 40 MiB/s a connection, 300 MiB/s in all. */
static const struct sim_link far_link = {30, 41943.04, 314572.8, 32, 28};

/* A file, which lies at @base of what the link brings. */
struct reader_sim {
    struct streams streams;
    uint64_t base, size;
};

static inline struct reach reach_of_link(const struct sim_link *link)
{
    const struct pace pace = {
        .rtt_us = (uint64_t)(link->rtt_ms * 1000),
        .connection_bytes_per_s = (uint64_t)(link->connection_rate * 1000),
        .total_bytes_per_s = (uint64_t)(link->total_rate * 1000),
    };
    return reach_of(&pace);
}

/* Asks for [off, off + len) in ranges that end at multiples of @most, as read/fetch.c does. */
static inline void reader_sim_ask(struct reader_sim *file, struct sim *sim, uint64_t off,
                                  uint64_t len, uint64_t most, bool urgent)
{
    uint64_t end = off + len;
    for (uint64_t to; off < end; off = to) {
        to = min_u64(end, (off / most + 1) * most);
        sim_ask(sim, file->base + off, to - off, urgent);
    }
}

/* A read of [off, off + len) of the file begins: asks for it, and for what to read ahead. */
static inline void reader_sim_begin(struct reader_sim *file, struct sim *sim, uint64_t off,
                                    uint64_t len)
{
    struct stream *stream;
    const struct reach reach = reach_of_link(&sim->link);
    const struct window_limits limits = {min_u64(READER_MAX_AHEAD_BYTES, reach.window_bytes),
                                         reach.ahead_bytes};
    struct window_range ahead =
        streams_note(&file->streams, off, len, file->size, &limits, &stream);
    bool small = file->size <= READER_SMALL_BYTES;
    reader_sim_ask(file, sim, off, small ? file->size - off : len,
                   small ? READER_SMALL_BYTES : reach.urgent_bytes, true);
    reader_sim_ask(file, sim, ahead.off, ahead.len, reach.ahead_bytes, false);
}
