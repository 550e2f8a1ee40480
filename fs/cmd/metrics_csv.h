/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics as comma separated values (pure): `step` and the metrics' names in the first line, then
 * one line a step. Empty cells have no value; NaN and infinities are values; of a step that comes
 * twice (training went back to a checkpoint) the later line counts. */
#pragma once

#include <stddef.h>

#include "util/buf.h"
#include "util/json.h"

/* The registry's form: [{"session":"eval","scalars":[{"scalar":NAME,"data":[{"operation":"mean",
 * "checkpoints":[{"checkpoint":STEP,"value":X},...]}]}]}], steps ascending. 0 with *out new,
 * -ENOMEM, or -EINVAL with what is wrong appended to @why. */
int metrics_csv_detail(const char *text, size_t len, json_t **out, struct buf *why);

/* The same of one step, from @object in any of the shapes of model/flat_metrics.h. NULL when there is
 * nothing in it or memory is short. */
json_t *metrics_of_step(const json_t *object, json_int_t step);
