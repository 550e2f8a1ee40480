/* SPDX-License-Identifier: Apache-2.0 */
/* Where in training a value was measured: the names that tools give to steps and times among the
 * metrics themselves, and how they count. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How well a column or key of this name says the step, however its letters are: 0 not at all, else
 * the lower the better, from 1: `step`, `global_step`, `trainer/global_step` (Lightning with
 * Weights & Biases), `_step` (Weights & Biases), `iteration` (Detectron2). */
int metric_axis_step_rank(const char *name);
/* Whether it is the wall time: `timestamp`, `wall_time`, `_timestamp`. */
bool metric_axis_is_wall(const char *name);
/* Whether it is any axis and so no metric: one of the above, `epoch` or `_runtime`. */
bool metric_axis_is(const char *name);

/* The step that @number is: whole, not negative, as exact as doubles are. */
bool metric_axis_step(double number, int64_t *out);
/* The same of a text, whose blanks were cut: `600`, `600.0`. */
bool metric_axis_parse_step(const char *text, int64_t *out);
/* Nanoseconds since 1970 of @number, seconds or milliseconds since then; 0 for what is no such. */
int64_t metric_axis_wall_ns(double number);
