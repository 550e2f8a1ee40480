/* SPDX-License-Identifier: Apache-2.0 */
/* A chart as a script for gnuplot, which writes the picture to its standard output (pure). */
#pragma once

#include "cmd/chart.h"

enum chart_picture { CHART_PNG, CHART_SVG };

/* Appends the script. The chart has points to show. 0 or -ENOMEM. */
int chart_gnuplot_format(const struct chart *chart, enum chart_picture picture, struct buf *out);
