/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Something for the caller's log, once an incident: the cache prints nothing itself. Any thread of
 * the cache may call it, under no lock. */
typedef void report_fn(void *ctx, const char *text);
