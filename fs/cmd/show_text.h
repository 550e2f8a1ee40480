/* SPDX-License-Identifier: Apache-2.0 */
/* What `modelfs show` prints. All append to @out, with marks of cmd/screen.h; 0 or -ENOMEM. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cmd/curve.h"
#include "util/json.h"

enum { SHOW_METRICS_MAX = 8 };

/* A checkpoint's facts, and below them its files. */
int show_checkpoint(const json_t *facts, int64_t now_ns, struct buf *out);

/* A checkpoint's tensors. */
int show_tensors(const json_t *facts, struct buf *out);

/* A model's facts, its checkpoints, and how its metrics went: of the first SHOW_METRICS_MAX of
 * @metrics, an array of names, a curve each in @curves. */
int show_model(const json_t *facts, const json_t *metrics, const struct curve *curves, bool utf8,
               int64_t now_ns, struct buf *out);
