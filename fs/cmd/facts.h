/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a model or checkpoint (registry/describe.h), read for people (pure). */
#pragma once

#include <stdint.h>

#include "cmd/curve.h"
#include "cmd/human.h"
#include "util/json.h"

/* When it was changed, in nanoseconds since 1970; 0 when that is not known. */
int64_t facts_modified_ns(const json_t *facts);

/* The facts of one of a model's checkpoints, borrowed; NULL where it has none of that name, which
 * may be NULL. */
json_t *facts_find_checkpoint(const json_t *model, const char *name);

/* A metric's value as text; `-` where there is none. */
void facts_format_metric(const json_t *value, char out[HUMAN_BYTES]);

/* The value of the metric called @name, or else of the first whose name holds it (`val_loss`,
 * `accuracy-score`); NULL when there is none. */
const json_t *facts_find_metric(const json_t *facts, const char *name);

/* A metric's value as a number; NaN where there is none. */
double facts_metric_number(const json_t *value);

/* The first of @names, an array of text, that is @name or else holds it, borrowed; NULL when none
 * does. */
const char *facts_match_metric(const json_t *names, const char *name);

/* Adds the values of a model's checkpoints, and settles the curve. 0 or -ENOMEM. */
int facts_add_curve(const json_t *model, const char *metric, struct curve *out);

/* Appends what a checkpoint lacks, which its facts have as a text or several; nothing when it is
 * complete. 0 or -ENOMEM. */
int facts_append_missing(const json_t *checkpoint, struct buf *out);

/* A size among the facts; 0 where there is none. */
uint64_t facts_size(const json_t *facts, const char *key);

/* The metrics' names of all checkpoints, accuracy and loss first, then by name: an array of
 * text. NULL when memory is short. */
json_t *facts_metric_names(const json_t *model);

/* The elements of @array by the text at @key, borrowed from it, in fresh memory; NULL when memory
 * is short. There are json_array_size(array) of them. */
const json_t **facts_sort(const json_t *array, const char *key);

/* Writes JSON for scripts to standard output. An exit code. */
int facts_print_json(const json_t *facts);
