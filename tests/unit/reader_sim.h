/* SPDX-License-Identifier: Apache-2.0 */
/* What read/reader.c does with a read, on the simulated link. The one place where simulations use
 * streams and windows. */
#pragma once

#include "link_sim.h"
#include "read/streams.h"

#define READER_MAX_AHEAD_BYTES (UINT64_C(64) << 20)  /* a quarter of the usual budget */
#define READER_SMALL_BYTES     (UINT64_C(256) << 10) /* such a file is fetched whole */

/* The relay's far link: 30 ms, 40 MiB/s a connection, 300 MiB/s in all. */
static const struct sim_link far_link = {30, 41943.04, 314572.8, 32, 28};

/* A file, which lies at @base of what the link brings. */
struct reader_sim {
    struct streams streams;
    uint64_t base, size;
};

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A read of [off, off + len) of the file begins: asks for it, and for what to read ahead. */
static inline void reader_sim_begin(struct reader_sim *file, struct sim *sim, uint64_t off,
                                    uint64_t len)
{
    struct stream *stream;
    struct window_range ahead =
        streams_note(&file->streams, off, len, file->size, READER_MAX_AHEAD_BYTES, &stream);
    bool small = file->size <= READER_SMALL_BYTES;
    sim_ask(sim, file->base + off, small ? file->size - off : len, true);
    uint64_t end = ahead.off + ahead.len;
    for (uint64_t at = ahead.off, to; at < end; at = to) {
        to = min_u64(end, (at / AHEAD_SPAN_BYTES + 1) * AHEAD_SPAN_BYTES);
        sim_ask(sim, file->base + at, to - at, false);
    }
}
