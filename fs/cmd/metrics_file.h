/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics that are pushed with a model, from a file in one of the forms that people have
 * (pure):
 *
 *     [{"session":"eval","scalars":[...]}]     what the registry itself keeps: values by checkpoint
 *     step,loss,accuracy                       CSV: a line of names, then a line a step
 *     {"loss":0.07,"accuracy":0.98}            of one step, or of the newest checkpoint
 *     {"metrics":[{"name":..,"numberValue":..}]}   Gradient's metadata file, the same
 *     {"loss":{"result":{"mean":0.07}}}        a registry's summary, the same
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/json.h"

#define METRICS_NO_STEP INT64_C(-1)

/* One of the two is set; both owned. */
struct metrics_file {
    json_t *detail;  /* values by checkpoint */
    json_t *summary; /* values of the newest checkpoint */
};
void metrics_file_deinit(struct metrics_file *metrics);
#define METRICS_FILE_CLEANUP CLEANUP(metrics_file_deinit)

/* Reads @text. @step is the one that a file without steps belongs to, or METRICS_NO_STEP. 0,
 * -ENOMEM, or -EINVAL with what is wrong appended to @why, for a person. */
int metrics_file_parse(const char *text, size_t len, int64_t step, struct metrics_file *out,
                       struct buf *why);
