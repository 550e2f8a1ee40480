/* SPDX-License-Identifier: Apache-2.0 */
/* An axis: which part of the numbers it shows, where a number lies on it, and at which round
 * numbers it has ticks (pure). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/human.h"

enum { SCALE_MAX_TICKS = 16 };

struct scale {
    double low, high; /* finite, low < high */
    bool is_log;      /* then both are above 0 */
};

/* Whether @value can be shown at all: finite, and above 0 on a logarithmic scale. */
bool scale_can_show(bool is_log, double value);

/* A scale over @low to @high, both of which can be shown; widened where they are equal. */
struct scale scale_over(double low, double high, bool is_log);

/* Where a value that can be shown lies: 0 at the low end, 1 at the high one. */
double scale_place(const struct scale *scale, double value);

/* The axis's numbers, ascending, @most at most (and SCALE_MAX_TICKS). How many. */
struct ticks {
    double at[SCALE_MAX_TICKS];
    size_t n;
    double step; /* between two, 0 on a logarithmic scale */
};
void scale_ticks(const struct scale *scale, size_t most, struct ticks *out);

/* The text of a tick, with as many digits as the step between ticks needs. */
void scale_label(const struct ticks *ticks, size_t i, char out[HUMAN_BYTES]);
