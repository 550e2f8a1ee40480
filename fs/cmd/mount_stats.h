/* SPDX-License-Identifier: Apache-2.0 */
/* The text of `.modelfs/stats` and `.modelfs/stats.prom`: what a mount has done. */
#pragma once

#include <stdbool.h>

#include "util/buf.h"

struct blocks;
struct fetch;
struct ops;
struct tree;

/* What is counted; all borrowed, blocks and ops may be NULL. */
struct mount_stats {
    struct ops *ops;
    struct tree *tree;
    struct fetch *fetch;
    struct blocks *blocks;
};

/* Appends a line for each figure: `name value`, or in Prometheus's text form. 0 or -ENOMEM. Any
 * thread. */
int mount_stats_format(const struct mount_stats *stats, bool prometheus, struct buf *out);
