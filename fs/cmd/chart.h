/* SPDX-License-Identifier: Apache-2.0 */
/* A chart: curves, each with what it is called and its best point (pure). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/curve.h"
#include "cmd/scale.h"

enum { CHART_MAX_SERIES = 64 };

struct chart_series {
    char *label;              /* owned: of the model and the metric, for people */
    struct curve curve;       /* settled */
    const struct point *best; /* in the curve, or NULL */
};

/* Starts from {0}. */
struct chart {
    struct chart_series series[CHART_MAX_SERIES];
    size_t n;
    bool is_log;
};
void chart_deinit(struct chart *chart);
#define CHART_CLEANUP CLEANUP(chart_deinit)

/* Takes @curve over, also when it fails; @label is copied. @metric says what is best. 0, -ENOMEM,
 * or -E2BIG for more than CHART_MAX_SERIES. */
int chart_add(struct chart *chart, const char *label, const char *metric, struct curve *curve);

/* The axes over all points that can be shown. False when there is none. */
bool chart_scales(const struct chart *chart, struct scale *out_x, struct scale *out_y);
