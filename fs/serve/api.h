/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the Gradient API. A handler reads its request and makes its reply; 0, or -errno for
 * a failure of ours that the front turns into a reply. Any thread may call. */
#pragma once

#include "serve/reply.h"
#include "serve/request.h"
#include "serve/store.h"

typedef int (*api_handler)(struct store *store, const struct request *request, struct reply *reply);

int api_projects_list(struct store *store, const struct request *request, struct reply *reply);
int api_projects_create(struct store *store, const struct request *request, struct reply *reply);
int api_projects_delete(struct store *store, const struct request *request, struct reply *reply);
int api_namespace(struct store *store, const struct request *request, struct reply *reply);

int api_models_list(struct store *store, const struct request *request, struct reply *reply);
int api_models_create(struct store *store, const struct request *request, struct reply *reply);
int api_models_delete(struct store *store, const struct request *request, struct reply *reply);

int api_files_list(struct store *store, const struct request *request, struct reply *reply);
int api_files_presign(struct store *store, const struct request *request, struct reply *reply);
int api_files_download(struct store *store, const struct request *request, struct reply *reply);

int api_tags_get(struct store *store, const struct request *request, struct reply *reply);
int api_tags_update(struct store *store, const struct request *request, struct reply *reply);
