/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of two checkpoints in mounts, compared: tensors that have one name, dtype and shape in
 * both, and files whose digests are not known. */
#pragma once

#include "cmd/subject_as.h"

/* Compares tensors, a window at a time, with a bar on standard error. Adds to @diff
 *
 *   "values":{"same":N,"different":[{"name","dtype","elements","differing","greatest"[,"nan"]}],
 *             "lacking":[name]}
 *
 * in which an infinite `greatest` is text, `nan` is how many elements are NaN on just one side, and
 * a tensor is lacking that a mount does not show. Prints what is wrong. An exit code. */
int diff_values(const struct subject_as *a, const struct subject_as *b, json_t *diff);

/* Compares the files that the facts leave open, where both are in mounts. An exit code. */
int diff_files(const struct subject_as *a, const struct subject_as *b, json_t *diff);
