/* SPDX-License-Identifier: Apache-2.0 */
/* The read engine as a command uses it, without a mount and without a cache: what it retries,
 * verifies and finds anew is retried, verified and found anew here. One thread. */
#pragma once

#include "cmd/source.h"
#include "model/checkpoints.h"

struct fetch;
struct pool;
struct study_contents;

struct engine {
    struct source *source; /* borrowed */
    struct pool *pool;
    struct fetch *fetch;
};

/* 0 or -errno. @source stays open until engine_stop(). */
int engine_start(struct engine *engine, struct source *source);
/* From now on what is under way ends soon, with -EIO or so. */
void engine_cancel(struct engine *engine);
/* Ends what is under way, and the source's transfers for good. Of {0}: nothing. */
void engine_stop(struct engine *engine);

/* Adds to the listing of a model, which nobody else has, what its files tell of metrics; waits.
 * Files that cannot be read are passed over. 0 or -ENOMEM. */
int engine_read_history(struct engine *engine, const char *model_id, struct listing *listing);

/* What a checkpoint's files hold, read now: study_contents_free() it. 0 or -errno. */
int engine_read_contents(struct engine *engine, const char *model_id, const struct listing *listing,
                         const struct checkpoint *checkpoint, struct study_contents **out);
