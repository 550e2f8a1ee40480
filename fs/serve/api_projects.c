/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/api.h"

#include <errno.h>
#include <string.h>

#include "serve/models.h"
#include "serve/names.h"
#include "serve/records.h"
#include "util/log.h"

/* The filter of the query: `filter` is JSON, each `tagFilter` a tag. *storage keeps what the filter
 * borrows. Not 0: the reply is made. */
static int take_filter(const struct request *request, struct filter *filter, json_t **storage,
                       struct reply *reply)
{
    const char *text = request_query(request, "filter");
    json_t *tags = json_array();
    json_t *json = text && *text ? json_parse(text, strlen(text), NULL) : json_null();
    filter_init(filter);
    *storage = json_pack("[o?, o?]", json, tags); /* takes both over, missing ones are null */
    if (!*storage || !tags)
        return -ENOMEM;
    const char *problem = json ? filter_take(filter, json) : "filter is not JSON";
    if (problem)
        return reply_error(reply, 400, "%s", problem) < 0 ? -ENOMEM : 1;
    for (size_t i = 0; i < request->n_query; i++) {
        if (strcmp(request->query[i].name, "tagFilter") == 0 &&
            json_array_append_new(tags, json_string(request->query[i].value)) < 0)
            return -ENOMEM;
    }
    filter->tags = tags;
    return 0;
}

static json_t *make_listing(json_t *page, uint64_t total, const struct filter *filter)
{
    json_t *meta = json_pack("{s:I}", "totalItems", (json_int_t)total);
    if (meta && filter->where)
        json_object_set(meta, "where", (json_t *)filter->where);
    if (meta && filter->limit != UINT64_MAX)
        json_object_set_new(meta, "limit", json_integer((json_int_t)filter->limit));
    return json_pack("{s:o, s:o, s:O}", "data", page, "meta", meta, "tagFilter", filter->tags);
}

int api_projects_list(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *storage JSON_CLEANUP = NULL, *records JSON_CLEANUP = NULL;
    struct filter filter;
    int r = take_filter(request, &filter, &storage, reply);
    if (r != 0)
        return r < 0 ? r : 0;
    r = store_begin(store, false, &txn);
    if (r == 0)
        r = records_collect(txn, STORE_PROJECTS, &filter, &records);
    if (r < 0)
        return r;
    return reply_json(
        reply, 200, make_listing(filter_page(&filter, records), json_array_size(records), &filter));
}

static json_t *make_project(const char *handle, const char *name, const char *repo_name,
                            const char *repo_url)
{
    json_t *project JSON_CLEANUP = json_pack(
        "{s:s, s:s, s:n, s:i, s:n, s:s?, s:s?, s:[], s:[s], s:b, s:b, s:s, s:{s:[], s:{s:i}}}",
        "handle", handle, "name", name, "dtDeleted", "lastJobSeqNum", 1, "repoNodeId", "repoName",
        repo_name, "repoUrl", repo_url, "tags", "accessorHandles", "local", "buildPullRequests", 0,
        "buildForks", 0, "buildBranches", "default", "experiments", "data", "meta", "totalItems",
        0);
    if (!project || records_set_now(project, "dtCreated") < 0 || records_touch(project) < 0)
        return NULL;
    return steal_ptr(project);
}

static int put_project(struct store *store, const char *const texts[3], struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *project JSON_CLEANUP = NULL;
    char handle[NAMES_ID_BYTES];
    int r = store_begin(store, true, &txn);
    if (r == 0)
        r = records_new_id(txn, STORE_PROJECTS, "pr", 7, handle);
    if (r < 0)
        return r;
    project = make_project(handle, texts[0], texts[1], texts[2]);
    if (!project)
        return -ENOMEM;
    r = store_put_json(txn, STORE_PROJECTS, store_key_of(handle), project);
    if (r == 0)
        r = store_commit(steal_ptr(txn));
    if (r < 0)
        return r;
    log_info("serve: project %s created", handle);
    return reply_json(reply, 201, steal_ptr(project));
}

int api_projects_create(struct store *store, const struct request *request, struct reply *reply)
{
    static const char *const params[3] = {"name", "repoName", "repoUrl"};
    const char *texts[3];
    for (int i = 0; i < 3; i++) {
        bool wrong = false;
        texts[i] = request_param(request, params[i], &wrong);
        if (wrong)
            return reply_invalid(reply, "project", params[i], "is not text");
        if (texts[i] && strlen(texts[i]) > NAMES_TEXT_BYTES)
            return reply_invalid(reply, "project", params[i], "is too long");
    }
    const char *problem = names_text_problem(texts[0] ? texts[0] : "", NAMES_TEXT_BYTES);
    if (problem)
        return reply_invalid(reply, "project", "name", problem);
    return put_project(store, texts, reply);
}

static int delete_models_of(struct store_txn *txn, const char *project_id)
{
    struct filter filter;
    json_t *where JSON_CLEANUP = json_pack("{s:s}", "projectId", project_id);
    json_t *models JSON_CLEANUP = NULL, *model;
    size_t i;
    filter_init(&filter);
    filter.where = where;
    int r = where ? models_collect(txn, &filter, &models) : -ENOMEM;
    json_array_foreach(models, i, model)
    {
        if (r == 0)
            r = models_delete(txn, json_get_text(model, "id"));
    }
    return r;
}

/* The project stays as a grave: deleting it again has an answer of its own. */
static int bury(struct store_txn *txn, const char *handle, json_t *project)
{
    int r = delete_models_of(txn, handle);
    if (r == 0)
        r = records_set_now(project, "dtDeleted");
    return r < 0 ? r : store_put_json(txn, STORE_PROJECTS, store_key_of(handle), project);
}

int api_projects_delete(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *project JSON_CLEANUP = NULL;
    int r = store_begin(store, true, &txn);
    if (r == 0)
        r = store_get_json(txn, STORE_PROJECTS, store_key_of(request->id), &project);
    if (r == -ENOENT)
        return reply_error(reply, 404, "Unable to find project");
    if (r == 0 && json_get_text(project, "dtDeleted"))
        return reply_error(reply, 400, "Project \"%s\" is already deleted.", request->id);
    if (r == 0)
        r = bury(txn, request->id, project);
    if (r == 0)
        r = store_commit(steal_ptr(txn));
    if (r < 0)
        return r;
    log_info("serve: project %s deleted with its models", request->id);
    return reply_empty(reply, 204);
}

int api_namespace(struct store *store, const struct request *request, struct reply *reply)
{
    (void)store;
    (void)request;
    return reply_text(reply, 200, "local");
}
