/* SPDX-License-Identifier: Apache-2.0 */
/* Which failures pass, and when to try again (pure: time and chance come in as arguments). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The end of one attempt as -errno for the reader: 0 for 200 and 206. A status that speaks with
 * authority: 404, 410 -ENOENT; 401, 403 -EACCES; 412 -ESTALE; 416 -ESTALE (the content is shorter
 * now). The passing ones: 408, 429, 5xx -EAGAIN. Anything else -EPROTO. */
int retry_status_errno(int status);

/* True for -EAGAIN and for failures of the connection: it may go better the next time. */
bool retry_is_transient(int err);

/* How long to wait before attempt @attempt (1 is the second try): full jitter over 100 ms *
 * 2^attempt, at most 5 s, never less than @retry_after_ms when that is >= 0 (at most 60 s). @chance
 * is in [0, 1). Returns -1 when that would end after @deadline_ms (same clock as @now_ms). */
int64_t retry_delay_ms(int attempt, int64_t retry_after_ms, double chance, uint64_t now_ms,
                       uint64_t deadline_ms);
