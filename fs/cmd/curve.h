/* SPDX-License-Identifier: Apache-2.0 */
/* A metric over the steps of training: points in the order of their steps (pure). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/cleanup.h"

struct point {
    int64_t step;
    double value; /* may be NaN or infinite */
    size_t order; /* in which it was added */
};

/* Starts from {0}. */
struct curve {
    struct point *points; /* owned */
    size_t n, cap;
};
void curve_deinit(struct curve *curve);
#define CURVE_CLEANUP CLEANUP(curve_deinit)

/* 0 or -ENOMEM. */
int curve_add(struct curve *curve, int64_t step, double value);
/* Puts the points in order; of several at one step the one that was added last stays. */
void curve_settle(struct curve *curve);

/* The best of a settled curve, of equal ones the last, borrowed; NULL where no value is finite.
 * What is better, @metric's name says. */
const struct point *curve_best(const struct curve *curve, const char *metric);

/* Reads `step,wall_time,value` and a row a step, what a mount has in `.modelfs/history`; rows
 * without a value are passed over. Settles it. 0, -ENOMEM, or -EINVAL with what is wrong appended
 * to @why. */
int curve_parse_csv(const char *text, size_t len, struct curve *out, struct buf *why);
