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
    double value;    /* may be NaN or infinite */
    int64_t wall_ns; /* when it was written, since 1970 in UTC; 0: unknown */
};
#define METRIC_LAST_STEP INT64_C(-1)

/* Whether a smaller value of this metric is better: loss, error, perplexity and their like, by the
 * words in its name. */
bool metric_lower_is_better(const char *name);

/* Orders rows by name, those of a name by step: <0, 0, >0. */
int metric_compare(const struct metric_row *a, const struct metric_row *b);

/* The rows of one metric, in the order of their steps. */
struct metric_series {
    const struct metric_row *rows;
    size_t n;
};
/* The value at a checkpoint: the first evaluation at or after @step and before @next_step, the step
 * of the next checkpoint (INT64_MAX for the last one). NULL when there is none. */
const struct metric_row *metric_at(struct metric_series series, int64_t step, int64_t next_step);
/* The summary: the last row of METRIC_LAST_STEP. NULL when there is none. */
const struct metric_row *metric_summary(struct metric_series series);
/* The summary, or else the row of the highest step. NULL when there are no rows. */
const struct metric_row *metric_newest(struct metric_series series);

/* Whether @value beats @best for metric @name; equal values beat (the later step wins when asked in
 * order of steps), NaN and infinities never do. */
bool metric_beats(const char *name, double value, double best);

/* Writes the shortest decimal text that reads back as @value: `0.9911`, `NaN`, `Infinity`,
 * `-Infinity`. */
#define METRIC_TEXT_BYTES 32
void metric_format(double value, char out[METRIC_TEXT_BYTES]);
