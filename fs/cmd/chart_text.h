/* SPDX-License-Identifier: Apache-2.0 */
/* A chart as text for a terminal: braille dots, or letters where it has ASCII only; axes with
 * numbers; a legend (pure). */
#pragma once

#include "cmd/chart.h"

enum { CHART_MIN_COLUMNS = 24, CHART_MIN_ROWS = 4 };

struct chart_size {
    unsigned columns, rows; /* of it all but the legend, which is a line a series */
};

/* Appends it, with marks of cmd/screen.h. The chart has points to show (chart_scales()), and the
 * size is at least CHART_MIN_*. 0, -ENOMEM, or -EINVAL when it is too large. */
int chart_text_format(const struct chart *chart, struct chart_size size, bool utf8,
                      struct buf *out);
