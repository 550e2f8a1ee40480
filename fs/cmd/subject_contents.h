/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into all checkpoints of a subject. */
#pragma once

#include "cmd/subject.h"

/* The facts of the named checkpoint, or of each of the named model in its order, with what their
 * files hold: a new array. Prints what is wrong; EX_USAGE when it is neither a model nor a
 * checkpoint. An exit code. */
int subject_look_into(struct subject *s, json_t **out);
