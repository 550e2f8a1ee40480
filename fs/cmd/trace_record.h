/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the trace of a mount in a file. */
#pragma once

/* Records the mount that @dir is in to @path, until SIGINT and its kin, for @seconds (0: no limit)
 * or until the mount ends. Returns an exit code; what is wrong, and the sums, were printed. */
int trace_record(const char *dir, const char *path, int seconds);
