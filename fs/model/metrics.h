/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of training: a name, a step, a value; which value belongs to a checkpoint, and which is
 * best. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of metric @name as measured at a global step. */
struct metric_row {
    const char *name; /* borrowed */
    int64_t step; /* METRIC_LAST_STEP: of the newest checkpoint, whatever its step (a summary) */
    double value; /* may be NaN or infinite */
};
#define METRIC_LAST_STEP INT64_C(-1)

/* Whether a smaller value of this metric is better: loss, error, perplexity and their like, by the
 * words in its name. */
bool metric_lower_is_better(const char *name);

/* The value of @name at a checkpoint: the first evaluation at or after @step and before @next_step,
 * the step of the next checkpoint (INT64_MAX for the last one); for the last one (@is_last), a row
 * of METRIC_LAST_STEP where there is no such evaluation. NULL when there is none. */
const struct metric_row *metric_at(const struct metric_row *rows, size_t n_rows, const char *name,
                                   int64_t step, int64_t next_step, bool is_last);

/* Whether @value beats @best for metric @name; equal values beat (the later step wins when asked in
 * order of steps), NaN and infinities never do. */
bool metric_beats(const char *name, double value, double best);

/* Writes the shortest decimal text that reads back as @value: `0.9911`, `NaN`, `Infinity`,
 * `-Infinity`. */
#define METRIC_TEXT_BYTES 32
void metric_format(double value, char out[METRIC_TEXT_BYTES]);
