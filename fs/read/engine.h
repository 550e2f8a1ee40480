/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of fs/read/ share: the fetch engine's state. Callers include read/fetch.h instead.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "cache/blocks.h"
#include "read/blob.h"
#include "read/budget.h"
#include "read/fetch_options.h"
#include "read/flight.h"
#include "util/map.h"

struct kept;

/* A read that found no memory. */
struct backlog_item {
    struct backlog_item *next;
    struct blob *blob;
    uint64_t off;
    size_t len;
    read_done_fn *done;
    void *ctx;
};

struct fetch {
    struct fetch_options options; /* constant */
    struct budget *budget;
    atomic_bool stopping;

    pthread_mutex_t lock; /* guards what follows */
    struct map blobs;
    TAILQ_HEAD(, kept) kept; /* blocks that the cache did not take, oldest first: landing.c */
    uint64_t kept_bytes;
    struct backlog_item *backlog, **backlog_end;
    bool backlog_due; /* a job that runs the backlog is queued */

    atomic_ullong bytes_asked, bytes_fetched, bytes_hit, n_reads, n_hits, n_spans, n_retries,
        n_failures;
    atomic_int n_spans_now;
};

struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* NULL is fine */
