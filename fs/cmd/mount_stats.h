/* SPDX-License-Identifier: Apache-2.0 */
/* The text of `.modelfs/stats` and `.modelfs/stats.prom`: what a mount has done. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

struct blocks;
struct fetch;
struct http;
struct ops;
struct tree;

/* What is counted; all borrowed, blocks and ops may be NULL. */
struct mount_stats {
    struct ops *ops;
    struct tree *tree;
    struct fetch *fetch;
    struct blocks *blocks;
    struct http *http;
    uint64_t began_ms; /* when it was mounted, on clock_now_ms() */
};

/* Appends a line for each figure: `name value`, behind which some have details, or in Prometheus's
 * text form. 0 or -ENOMEM. Any thread. */
int mount_stats_format(const struct mount_stats *stats, bool prometheus, struct buf *out);
