/* SPDX-License-Identifier: Apache-2.0 */
/* A model's metrics in the two shapes that Gradient's clients read (pure): `detail`, every
 * checkpoint of every scalar, and `summary`, the last one's values. */
#pragma once

#include "registry/outline.h"
#include "util/json.h"

/* Makes the detail of a model: one session, `eval`, and of each metric the mean, amin, amax,
 * median, std and var at each checkpoint with a step. They are of the evaluations from that step to
 * the next checkpoint; where there are none there, of the checkpoint's one value. What is no finite
 * number is text. NULL when memory is short. */
json_t *detail_make(const struct outline *o);

/* Makes the summary of @detail: `{"loss":{"scalar":"loss","result":{"mean":0.03,"min":...}}}`. A
 * scalar of several sessions comes from `eval`, or else from the first. What is not in shape is
 * passed over. NULL when nothing is left or memory is short. */
json_t *detail_summarize(const json_t *detail);

/* How deep arrays and objects nest: 0 for a plain value. */
unsigned detail_depth(const json_t *value);
