/* SPDX-License-Identifier: Apache-2.0 */
/* Curves for tests. */
#pragma once

#include "check.h"
#include "cmd/curve.h"

/* Adds @n values at the steps 0, @every, ... and settles. 0 or -ENOMEM. */
static inline int fill_curve(struct curve *curve, int64_t every, const double *values, size_t n)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = curve_add(curve, (int64_t)i * every, values[i]);
    curve_settle(curve);
    return r;
}
