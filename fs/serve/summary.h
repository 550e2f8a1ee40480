/* SPDX-License-Identifier: Apache-2.0 */
/* A model's metrics in the two shapes that clients read (pure): `detail`, every checkpoint of every
 * scalar, and `summary`, the last one's values. */
#pragma once

#include "util/json.h"

/* Makes the summary of @detail: `{"loss":{"scalar":"loss","result":{"mean":0.03,"min":...}}}`. A
 * scalar of several sessions comes from `eval`, or else from the first. What is not in shape is
 * passed over. NULL when nothing is left or memory is short. */
json_t *summary_of_detail(const json_t *detail);

/* How deep arrays and objects nest: 0 for a plain value. */
unsigned summary_depth(const json_t *value);
