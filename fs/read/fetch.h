/* SPDX-License-Identifier: Apache-2.0 */
/* The fetch engine: brings pieces of blobs, each once however many want it, retries what fails in
 * passing, gives every finished block to the cache. It owns no thread: work runs on the callers',
 * the transfer threads and the pool. Any thread may call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "read/blob.h"
#include "read/fetch_options.h"
#include "read/flight.h"

struct fetch;

int fetch_new(const struct fetch_options *options, struct fetch **out);
/* From now on what waits ends with -EIO and nothing is retried. Then stop http and the pool, then
 * free. */
void fetch_stop(struct fetch *fetch);
/* All blobs must have been let go. */
void fetch_free(struct fetch *fetch);

/* The blob of a listing's entry, shared by all who ask for the same content; blob_unref() it. NULL
 * when memory is short. */
struct blob *fetch_blob(struct fetch *fetch, const struct blob_source *source);

/* Reads [off, off + len) (within the blob, len 1 to WAIT_MAX_BYTES): done comes once, maybe before
 * this returns, with the bytes as soon as they are here. @ahead_bytes behind them go into the same
 * request while memory lasts. */
void fetch_read(struct blob *blob, uint64_t off, size_t len, uint64_t ahead_bytes,
                read_done_fn *done, void *ctx);

/* Brings what is not here of [off, off + len), nobody waiting. Returns where memory ended: off +
 * len when all was granted. */
uint64_t fetch_ahead(struct blob *blob, uint64_t off, uint64_t len);

/* Somebody will likely read a blob soon: brings its first @bytes, nobody waiting. */
void fetch_expect(struct fetch *fetch, const struct blob_source *source, uint64_t bytes);

struct fetch_stats {
    uint64_t n_reads, n_hits, bytes_asked, bytes_hit, bytes_fetched, n_spans, n_retries, n_failures;
    uint64_t memory_used_bytes, memory_limit_bytes, memory_kept_bytes;
    int n_spans_now;
};
void fetch_get_stats(struct fetch *fetch, struct fetch_stats *out);
