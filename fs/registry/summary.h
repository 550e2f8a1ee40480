/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of a Gradient model: its `detail` (values by checkpoint) and `summary` (of the last
 * one), each in the shapes that are found, as rows of a listing. Pure. */
#pragma once

#include "registry/listing.h"
#include "util/json.h"

/* Adds the rows of @model, one element of a modelList. What has another shape is passed over. 0 or
 * -ENOMEM.
 *
 *   detail    [{"session":"eval","scalars":[{"scalar":"loss","data":[{"operation":"mean",
 *             "checkpoints":[{"checkpoint":1175,"value":0.06},...]},...]}]}]: the mean of the
 *             session `eval`; of another session only scalars that `eval` does not have
 *   summary   {name:{"scalar":..,"result":{"mean":..}}}, {name:number},
 *             {"metrics":[{"name":..,"numberValue":..}]} */
int summary_add_rows(struct listing *listing, const json_t *model);
