/* SPDX-License-Identifier: Apache-2.0 */
/* What one request for bytes leads to: spans for the pieces that nobody brings yet. Made under the
 * blob's lock, run without it. Internal to fs/read/. */
#pragma once

#include "read/engine.h"
#include "read/span.h"

/* Starts from {0} but for its blob and whether somebody waits. */
struct plan {
    struct blob *blob;
    bool urgent;
    bool lost;          /* memory for a span was short: plan_run() fails its pieces */
    struct span *spans; /* to be sent once the lock is let go */
    /* the span being put together */
    uint64_t off, end;
    int n_flights;
    struct flight *flights[SPAN_MAX_BLOCKS];
};

/* Asks for the pieces of @need that nobody brings yet: each run of them is part of a span. What is
 * checked at once comes whole. Under the blob's lock. */
void plan_request(struct plan *plan, struct flight *flight, uint16_t need);
/* Ends the span that is being put together. Under the blob's lock. */
void plan_close(struct plan *plan);
/* Sends the plan's spans; what could not become one fails. No lock may be held. */
void plan_run(struct plan *plan);
