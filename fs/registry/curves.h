/* SPDX-License-Identifier: Apache-2.0 */
/* A model's metrics as tables that people plot: CSV as RFC 4180 has it, with `\n` at the ends of
 * lines, and NaN, Infinity and -Infinity as words. Pure. */
#pragma once

#include "registry/outline.h"
#include "util/buf.h"

/* Appends `checkpoint,step,<metric>,..` and a line for each checkpoint; what it has no value of is
 * empty. 0 or -ENOMEM. */
int curves_format_checkpoints(const struct outline *o, struct buf *out);

/* Appends `step,wall_time,value` and a line for each row of a metric, in the order of steps;
 * wall_time in seconds since 1970, empty where it is not known. Summaries have no step and are left
 * out. 0 or -ENOMEM. */
int curves_format_history(const struct outline *o, size_t metric, struct buf *out);
