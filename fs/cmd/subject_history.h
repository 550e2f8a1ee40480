/* SPDX-License-Identifier: Apache-2.0 */
/* How a model's metrics went, step by step. */
#pragma once

#include "cmd/curve.h"
#include "cmd/subject.h"

/* Adds the history of @metric of a model, or of the model that a checkpoint is of; nothing where it
 * has none. Prints what is wrong. An exit code. */
int subject_history(struct subject *s, const char *metric, struct curve *out);
