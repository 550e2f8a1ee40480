/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of a model, and which files are parts of others, found out of its files. */
#pragma once

#include "model/history.h"
#include "read/study.h"

struct study_history {
    struct history history;     /* merged */
    struct history_file *files; /* history.files: the sources; paths are the listing's */
    uint32_t *entries;          /* of each: the listing's */
    bool is_whole;              /* every source was read; else some could not be read now */
};
void study_history_free(struct study_history *history); /* NULL is fine */

/* A hash of what a model's history would be read from, names and contents; 0 when it has nothing of
 * the kind (or memory is short). While it is the same, so is what a study finds. */
uint64_t study_history_key(const char *origin, const struct registry_place *place,
                           const struct listing *listing);

/* Is told, maybe before study_history_begin() returns: the history, taken over, or NULL and why. */
typedef void study_history_fn(void *ctx, struct study_history *history, int err);

/* Reads the sources of metrics and references among the model's files. @target's entries are not
 * used; it is borrowed until @done is told. */
void study_history_begin(const struct study_target *target, study_history_fn *done, void *ctx);

/* Adds to a listing nobody else has yet what the history tells: rows of metrics whose steps the
 * registry does not give, what is the latest, and what refers to what. 0 or -ENOMEM. */
int study_history_apply(const struct study_history *history, struct listing *listing);
