/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a trace that was kept. */
#pragma once

#include <stdbool.h>

/* Its files and sums, or each read as a line of JSON. Returns an exit code; what is wrong was
 * printed. */
int trace_show(const char *path, bool as_json);
