/* SPDX-License-Identifier: Apache-2.0 */
/* How long a mount's requests took, as text (pure). */
#pragma once

#include <stdbool.h>

#include "util/buf.h"
#include "vfs/ops.h"

/* Appends for each kind of request, and for reads of each source:
 *
 *     latency_lookup_ns 3 1280:2 4096:1      how many, then how many were below each bound
 *     latency_lookup_sum_ns 5210
 *     latency_lookup_max_ns 3300
 *
 * or for Prometheus one histogram in seconds, modelfs_latency_seconds{op,source}. 0 or -ENOMEM. */
int mount_latency_format(const struct ops_stats *stats, bool prometheus, struct buf *out);
