/* SPDX-License-Identifier: Apache-2.0 */
/* The one thread that writes to a block cache's environment, and its queue. Should the environment
 * break while this thread holds its write lock, the thread ends, and the lock goes back to the
 * other processes with it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache/buffer.h"
#include "cache/pending.h"
#include "cache/report.h"
#include "cache/tables.h"
#include "cache/tokens.h"

struct writer;

struct writer_options {
    const struct tables *tables; /* all borrowed, and outlive the writer */
    struct pending *pending;
    struct tokens *tokens;
    const char *dir; /* whose disk min_free_bytes is about */
    uint64_t limit_bytes, min_free_bytes;
    report_fn *report; /* may be NULL */
    void *report_ctx;
};

int writer_new(const struct writer_options *options, struct writer **out);
/* Writes what is queued, ends the thread. NULL is fine. */
void writer_free(struct writer *writer);

/* Queues a block. Never waits; false when it was not taken: the queue is full, the cache dead. */
bool writer_offer(struct writer *writer, struct block_buf *buf);

/* Work inside a write transaction, which is committed when it returns 0. May run twice: once more
 * when the first ran out of room. */
typedef int writer_fn(struct env_txn *txn, const struct tables *tables, void *ctx);

/* Runs fn, which puts about @need_bytes, behind all that is queued, and waits for it. Its result,
 * or why it could not be committed. -EIO: the environment is broken. */
int writer_call(struct writer *writer, writer_fn *fn, void *ctx, uint64_t need_bytes);
/* Queues fn and does not wait. @ctx is freed with free() afterwards, also when it was not taken. */
void writer_post(struct writer *writer, writer_fn *fn, void *ctx);

struct writer_stats {
    uint64_t written, evicted, given_up;
};
void writer_get_stats(struct writer *writer, struct writer_stats *out);
