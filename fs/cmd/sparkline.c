/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sparkline.h"

#include <math.h>

enum { N_LEVELS = 8 };

static const char *const bars[N_LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const marks[N_LEVELS] = {"_", ".", "-", ":", "=", "+", "*", "#"};

/* The mean of the finite ones among points [from, to); NAN where there are none. Each is divided
 * before it is added, so that the sum of large ones is no infinity. */
static double mean(const struct curve *curve, size_t from, size_t to)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        n += isfinite(curve->points[i].value);
    for (size_t i = from; i < to; i++)
        if (isfinite(curve->points[i].value))
            sum += curve->points[i].value / (double)n;
    return n ? sum : NAN;
}

/* The value of bar @i of @n. */
static double bar_value(const struct curve *curve, size_t i, size_t n)
{
    /* in floating point, since their product may be more than a size */
    double points_per_bar = (double)curve->n / (double)n;
    size_t from = (size_t)((double)i * points_per_bar);
    size_t to = i + 1 == n ? curve->n : (size_t)((double)(i + 1) * points_per_bar);
    return mean(curve, from, to);
}

static int level_of(double value, double low, double high)
{
    /* halves, since the range of finite numbers may be infinite */
    double range = high / 2 - low / 2;
    int level = range > 0 ? (int)((value / 2 - low / 2) / range * N_LEVELS) : N_LEVELS / 2;
    return level < N_LEVELS ? level : N_LEVELS - 1;
}

int sparkline_format(const struct curve *curve, unsigned columns, bool utf8, struct buf *out)
{
    size_t n = curve->n < columns ? curve->n : columns;
    double low = NAN, high = NAN;
    int r = 0;
    for (size_t i = 0; i < n; i++) {
        double value = bar_value(curve, i, n);
        low = fmin(low, value);
        high = fmax(high, value);
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        double value = bar_value(curve, i, n);
        r = buf_puts(out, isnan(value) ? " " : (utf8 ? bars : marks)[level_of(value, low, high)]);
    }
    return r;
}
