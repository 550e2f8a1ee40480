/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be pushed, read and looked at before a registry hears of it. Each prints what is wrong
 * and gives an exit code. */
#pragma once

#include "cmd/local_files.h"
#include "cmd/metrics_file.h"

/* The files of @path, at least one, all with names that a registry takes. */
int push_input_files(const char *path, struct local_files *out);

/* The metrics in the file @path; @step as in metrics_file_parse(). */
int push_input_metrics(const char *path, int64_t step, struct metrics_file *out);
