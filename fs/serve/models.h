/* SPDX-License-Identifier: Apache-2.0 */
/* A model's record. */
#pragma once

#include "serve/filter.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/store.h"

/* Named outcome: the request is refused and the reply says why. */
enum { MODELS_REFUSED = 1 };

/* Makes the record of a new model, without an id, from a request's parameters (in the query or in
 * its JSON body). 0, MODELS_REFUSED or -ENOMEM. */
int models_from_request(const struct request *request, json_t **out, struct reply *reply);

/* Gives a new model its id and puts it. */
int models_add(struct store_txn *txn, json_t *model);

/* Gathers the models that @filter wants, in no order that means anything and not cut into pages. */
int models_collect(struct store_txn *txn, const struct filter *filter, json_t **out);

/* Notes that @path was uploaded: url, dtUploaded, dtModified. 0 or -ENOMEM. */
int models_note_upload(json_t *model, const char *path);

/* Deletes a model and its files. -ENOENT. */
int models_delete(struct store_txn *txn, const char *id);
