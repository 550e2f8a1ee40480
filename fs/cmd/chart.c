/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/chart.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void chart_deinit(struct chart *chart)
{
    for (size_t i = 0; i < chart->n; i++) {
        free(chart->series[i].label);
        curve_deinit(&chart->series[i].curve);
    }
    *chart = (struct chart){0};
}

int chart_add(struct chart *chart, const char *label, const char *metric, struct curve *curve)
{
    CURVE_CLEANUP struct curve taken = *curve;
    *curve = (struct curve){0};
    if (chart->n == CHART_MAX_SERIES)
        return -E2BIG;
    struct chart_series *series = &chart->series[chart->n];
    *series = (struct chart_series){.label = strdup(label)};
    if (!series->label)
        return -ENOMEM;
    series->curve = taken;
    taken = (struct curve){0};
    series->best = curve_best(&series->curve, metric);
    chart->n++;
    return 0;
}

bool chart_scales(const struct chart *chart, struct scale *out_x, struct scale *out_y)
{
    double low = NAN, high = NAN, first = NAN, last = NAN;
    for (size_t i = 0; i < chart->n; i++)
        for (size_t k = 0; k < chart->series[i].curve.n; k++) {
            const struct point *point = &chart->series[i].curve.points[k];
            if (!scale_can_show(chart->is_log, point->value))
                continue;
            low = fmin(low, point->value);
            high = fmax(high, point->value);
            first = fmin(first, (double)point->step);
            last = fmax(last, (double)point->step);
        }
    if (isnan(low))
        return false;
    *out_x = scale_over(first, last, false);
    *out_y = scale_over(low, high, chart->is_log);
    return true;
}
