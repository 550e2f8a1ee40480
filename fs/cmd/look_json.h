/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a mount's stats, for scripts (pure). */
#pragma once

#include "cmd/look_text.h"
#include "util/json.h"

/* A new object, or NULL when memory is short: every figure under its own name, and
 *
 *     dir, source     of the mount
 *     hit_rate        of the bytes of files that were read, the share that lay in the block cache
 *     amplification   bytes fetched by bytes asked for; either is null while there were none
 *     latency         {"lookup": {count, sum_ns, max_ns, p50_ns, p90_ns, p99_ns}, ...}
 *     origins         [{origin, rtt_us, connection_bytes_per_s, total_bytes_per_s}, ...] */
json_t *look_json(const struct look_text *text);
