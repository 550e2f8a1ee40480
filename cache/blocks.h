/* SPDX-License-Identifier: Apache-2.0 */
/* The block cache: pieces of blobs, kept in one LMDB environment, shared by every process of the
 * host that opens the same directory, checked when this process first touches them, evicted to a
 * hard limit, there again after kill -9.
 *
 * A cache that fails is a cache that misses: no call here makes a read fail. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "cache/buffer.h"
#include "cache/key.h"
#include "cache/report.h"

struct blocks;
struct env_txn;

struct blocks_options {
    const char *dir;         /* the cache directory; this version's environment is a folder in it */
    uint64_t limit_bytes;    /* hard limit of the data file */
    uint64_t min_free_bytes; /* evict instead of growing when the disk has less than this free */
    report_fn *report;       /* may be NULL */
    void *report_ctx;
};

/* Opens the cache and starts its writer thread. -errno as env_open(). */
int blocks_open(const struct blocks_options *options, struct blocks **out);
/* Writes what was offered, syncs, ends the thread. NULL is fine. */
void blocks_close(struct blocks *blocks);

/* The bytes [off, off + len) of a blob, or as many of its leading bytes as are present, borrowed.
 */
enum { BLOCKS_VIEW_PIECES = 10 };
struct blocks_view {
    struct iovec piece[BLOCKS_VIEW_PIECES];
    int n_pieces;
    size_t len; /* bytes in all pieces */
    /* the cache's own: */
    struct blocks *blocks;
    struct env_txn *txn;
    struct block_buf *pending[BLOCKS_VIEW_PIECES];
};

/* Looks up [off, off + len) of @blob; @len at most 8 MiB. Returns 1 when any leading byte is
 * present (out->len says how many) and 0 on a miss, when *out needs no end. What was offered is
 * seen from that moment on, written or not. The bytes stay valid until blocks_view_end(), which
 * must follow on the same thread, and soon: a live view keeps LMDB from reusing pages. Checksums
 * are verified on this process's first touch of a piece; a damaged block is dropped, reported and
 * missed. Any thread may call; never waits for the writer's transaction. */
int blocks_view(struct blocks *blocks, const struct blob_id *blob, uint64_t off, size_t len,
                struct blocks_view *out);
void blocks_view_end(struct blocks_view *view);

/* How many leading bytes of [off, off + len) are present (or offered), without looking at the
 * bytes: they are not verified. Within one block: off and off + len - 1 lie in the same one. Any
 * thread, as blocks_view(). */
uint64_t blocks_run(struct blocks *blocks, const struct blob_id *blob, uint64_t off, uint64_t len);

/* Queues @buf (takes a reference of its own) to be written by the writer thread; pieces that are
 * already stored are kept beside the new ones. Never waits. Returns false when the queue is full or
 * the cache has failed: it was not taken. */
bool blocks_offer(struct blocks *blocks, struct block_buf *buf);
/* Bytes that were offered and are not written yet. */
uint64_t blocks_pending_bytes(struct blocks *blocks);
/* Waits until all that was offered before is written (or given up). For tests and for a clean end.
 */
void blocks_flush(struct blocks *blocks);

/* Bytes of @blob that are present, at most @size_bytes: what st_blocks and "is it complete" want.
 * Costs one step a block. */
uint64_t blocks_present_bytes(struct blocks *blocks, const struct blob_id *blob,
                              uint64_t size_bytes);
/* Drops all blocks of a blob (its digest did not match). */
int blocks_drop(struct blocks *blocks, const struct blob_id *blob);

/* Keeps a blob's blocks from eviction for as long as there is anything else to evict. */
int blocks_pin(struct blocks *blocks, const struct blob_id *blob, bool pinned);

struct blocks_stats {
    uint64_t used_bytes, limit_bytes, file_bytes, n_blocks;
    uint64_t pending_bytes; /* offered, and not written yet */
    uint64_t hits, misses, written, dropped_offers, evicted, damaged; /* blocks, of this process */
    bool failed; /* the cache does not work: all misses */
};
void blocks_get_stats(struct blocks *blocks, struct blocks_stats *out);

/* Small records beside the blocks: see cache/meta.h. */
struct meta;
struct meta *blocks_meta(struct blocks *blocks);
