/* SPDX-License-Identifier: Apache-2.0 */
/* A model as it is looked at by URL: its listing, with what its files tell, and its outline. */
#pragma once

#include <jansson.h>

#include "cmd/engine.h"
#include "registry/outline.h"

/* Starts from {0}. */
struct url_model {
    struct listing *listing; /* NULL: not looked at yet */
    struct outline outline;
};
void url_model_deinit(struct url_model *model);
#define URL_MODEL_CLEANUP CLEANUP(url_model_deinit)

/* Looks at a model of the engine's source. 0 or -errno; any thread. */
int url_model_init(struct url_model *model, struct engine *engine, const char *model_id);

/* registry/describe.h's facts, new; NULL when memory is short. */
json_t *url_model_describe(const struct url_model *model, const struct source *source);

/* Adds to the facts of one of its checkpoints what that one's files hold, read now, or, as a mount
 * does, that they could not be read. 0 or -ENOMEM. */
int url_model_add_contents(const struct url_model *model, struct engine *engine, json_t *facts);
