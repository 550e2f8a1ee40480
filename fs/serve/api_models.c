/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/api.h"

#include <errno.h>
#include <string.h>

#include "serve/models.h"
#include "serve/records.h"
#include "util/log.h"

/* The body's `{"filter":{...},"tagFilter":[...]}`, the query's limit and offset. NULL or what is
 * wrong. */
static const char *take_filter(const struct request *request, struct filter *filter)
{
    filter_init(filter);
    if (request->json && !json_is_object(request->json))
        return "The body is not a JSON object";
    const json_t *tags = json_object_get(request->json, "tagFilter");
    if (tags && !json_is_null(tags) && !json_is_array(tags))
        return "tagFilter is not a list";
    filter->tags = json_is_array(tags) ? tags : NULL;
    const char *problem = filter_take(filter, json_object_get(request->json, "filter"));
    if (problem)
        return problem;
    if (!filter_parse_limit(request_query(request, "limit"), &filter->limit))
        return "limit is a number, -1 for all";
    if (!filter_parse_offset(request_query(request, "offset"), &filter->offset))
        return "offset is a number from 0";
    return NULL;
}

int api_models_list(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *records JSON_CLEANUP = NULL;
    struct filter filter;
    const char *problem = take_filter(request, &filter);
    if (problem)
        return reply_error(reply, 400, "%s", problem);
    int r = store_begin(store, false, &txn);
    if (r == 0)
        r = models_collect(txn, &filter, &records);
    if (r < 0)
        return r;
    return reply_json(reply, 200,
                      json_pack("{s:o, s:I, s:I}", "modelList", filter_page(&filter, records),
                                "total", (json_int_t)store_count(txn, STORE_MODELS), "displayTotal",
                                (json_int_t)json_array_size(records)));
}

/* Is the project it names there? 0, 1 when not. */
static int check_project(struct store_txn *txn, const json_t *model)
{
    const char *id = json_get_text(model, "projectId");
    json_t *project JSON_CLEANUP = NULL;
    int r = id ? records_get(txn, STORE_PROJECTS, id, &project) : 0;
    return r == -ENOENT ? 1 : r;
}

int api_models_create(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *model JSON_CLEANUP = NULL;
    int r = models_from_request(request, &model, reply);
    if (r != 0)
        return r < 0 ? r : 0;
    r = store_begin(store, true, &txn);
    if (r == 0)
        r = check_project(txn, model);
    if (r > 0)
        return reply_error(reply, 404, "Unable to find project");
    if (r == 0)
        r = models_add(txn, model);
    if (r == 0)
        r = store_commit(steal_ptr(txn));
    if (r < 0)
        return r;
    log_info("serve: model %s created", json_get_text(model, "id"));
    return reply_json(reply, 200, steal_ptr(model));
}

int api_models_delete(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    const char *id = request_param(request, "id", NULL);
    if (!id || strlen(id) >= NAMES_ID_BYTES)
        return reply_error(reply, 404, "Unable to find model");
    int r = store_begin(store, true, &txn);
    if (r == 0)
        r = models_delete(txn, id);
    if (r == -ENOENT)
        return reply_error(reply, 404, "Unable to find model");
    if (r == 0)
        r = store_commit(steal_ptr(txn));
    if (r < 0)
        return r;
    log_info("serve: model %s deleted", id);
    return reply_empty(reply, 204);
}
