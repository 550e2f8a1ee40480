/* SPDX-License-Identifier: Apache-2.0 */
/* What the fetch engine works with. */
#pragma once

#include <stdint.h>

struct blocks;
struct http;
struct pool;
struct registry;

struct fetch_options {
    struct http *http;         /* all borrowed; they outlive the engine */
    struct registry *registry; /* locates blobs */
    struct pool *pool;
    struct blocks *blocks; /* NULL: no cache */
    struct pool
        *verifier; /* checks whole blobs, which takes long: not the pool of those who wait */
    uint64_t memory_bytes; /* the budget; 0: budget_default_bytes() */
    int deadline_ms;       /* a read fails with -EIO when retrying took this long; 0: 60000 */
    /* A blob is not what the listing said any more; may be NULL. Any thread. */
    void (*on_stale)(void *ctx, const char *project_id, const char *model_id);
    void *ctx;
};
