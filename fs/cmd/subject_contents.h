/* SPDX-License-Identifier: Apache-2.0 */
/* Looks into checkpoints of a subject. */
#pragma once

#include "cmd/subject.h"

/* Adds to the facts of one checkpoint of the model that was described what its files hold. Prints
 * what is wrong. An exit code. */
int subject_add_contents(struct subject *s, json_t *checkpoint);

/* The facts of the named checkpoint, or of each of the named model in its order, with what their
 * files hold: a new array. Prints what is wrong; EX_USAGE when it is neither a model nor a
 * checkpoint. An exit code. */
int subject_look_into(struct subject *s, json_t **out);
