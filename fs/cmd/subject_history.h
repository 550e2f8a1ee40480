/* SPDX-License-Identifier: Apache-2.0 */
/* How a model's metrics went, step by step. */
#pragma once

#include "cmd/curve.h"
#include "cmd/subject.h"

/* Adds the history of @metric of a model, or of the model that a checkpoint is of; nothing where it
 * has none. An exit code: EX_UNAVAILABLE where history cannot be had at all, which
 * subject_history_complain() says; the others print what is wrong. */
int subject_history(struct subject *s, const char *metric, struct curve *out);
void subject_history_complain(const struct subject *s);
