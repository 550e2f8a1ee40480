/* SPDX-License-Identifier: Apache-2.0 */
/* A subject that is meant as a model, or as a checkpoint, whichever of the two was named. */
#pragma once

#include "cmd/subject.h"

/* Starts from {0}. */
struct subject_as {
    char *text; /* owned: what stands for it, for subject */
    struct subject subject;
    json_t *facts; /* owned */
};
void subject_as_deinit(struct subject_as *as);
#define SUBJECT_AS_CLEANUP CLEANUP(subject_as_deinit)

/* The model, or the one that the named checkpoint is of. Prints what is wrong. An exit code. */
int subject_as_model(const char *command, const char *text, struct subject_as *out);
/* The checkpoint, or the latest of the named model. */
int subject_as_checkpoint(const char *command, const char *text, struct subject_as *out);
