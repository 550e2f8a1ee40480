/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of one moment as JSON, in the three shapes that are found in registries' summaries
 * and in metadata files. Pure.
 *
 *     {"loss":0.07,"accuracy":0.98}
 *     {"loss":{"scalar":"loss","result":{"mean":0.07,...}}}
 *     {"metrics":[{"name":"loss","numberValue":0.07}]}
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* The number that @value is: one, the text of one (JSON has no NaN), or {"result":{"mean":one}}.
 * False when it is none. */
bool flat_metrics_number(const json_t *value, double *out);

/* Calls @fn with each metric of @object (of any type), until it returns other than 0; returns that.
 * What is no number is passed over. */
typedef int flat_metrics_fn(void *ctx, const char *name, double value);
int flat_metrics_each(const json_t *object, flat_metrics_fn *fn, void *ctx);
