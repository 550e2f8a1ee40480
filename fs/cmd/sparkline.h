/* SPDX-License-Identifier: Apache-2.0 */
/* A curve as one line of small bars (pure). */
#pragma once

#include <stdbool.h>

#include "cmd/curve.h"

/* Appends a bar for each of the curve's points, or, where they are more than @columns, for each of
 * @columns runs of them their mean. The lowest bar is the least value and the highest the greatest;
 * what has no finite value is a blank. Without @utf8 the bars are marks of ASCII. 0 or -ENOMEM. */
int sparkline_format(const struct curve *curve, unsigned columns, bool utf8, struct buf *out);
