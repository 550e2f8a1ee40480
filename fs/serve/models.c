/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/models.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "serve/files.h"
#include "serve/names.h"
#include "serve/records.h"
#include "registry/detail.h"

enum {
    NOTES_BYTES = 65536,
    /* Under util/json.h's limit of 64 by enough that a listing of models can be read, too. */
    DEPTH_MAX = 48,
};

/* Parameters that are texts, and how long they may be. */
static const struct {
    const char *name;
    size_t max_bytes;
} text_params[] = {
    {"name", NAMES_TEXT_BYTES},       {"modelType", NAMES_TEXT_BYTES},
    {"projectId", NAMES_ID_BYTES},    {"experimentId", NAMES_TEXT_BYTES},
    {"notes", NOTES_BYTES},           {"modelPath", NAMES_TEXT_BYTES},
    {"datasetRef", NAMES_TEXT_BYTES},
};

static int refuse(struct reply *reply, const char *field, const char *message)
{
    int r = reply_invalid(reply, "mlModel", field, message);
    return r < 0 ? r : MODELS_REFUSED;
}

/* All keys that clients know, most of them null. */
static json_t *make_empty(void)
{
    return json_pack("{s:n, s:n, s:n, s:n, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:[], s:s}",
                     "id", "name", "projectId", "experimentId", "modelType", "Custom", "modelPath",
                     "url", "summary", "detail", "params", "notes", "tag", "tags",
                     "deploymentState", "Stopped");
}

static int set_rest(json_t *model)
{
    json_t *rest JSON_CLEANUP =
        json_pack("{s:n, s:n, s:n, s:n, s:i, s:s, s:[s], s:b, s:b, s:n, s:n}", "datasetRef",
                  "datasetId", "datasetVersion", "datasetVersionId", "updatedByUserId", 1,
                  "updatedByUserEmail", "local@localhost", "accessorHandles", "local", "isDeleted",
                  0, "isPublic", 0, "dtUploaded", "dtDeleted");
    if (!rest || json_object_update(model, rest) < 0 || records_set_now(model, "dtCreated") < 0)
        return -ENOMEM;
    return json_object_set(model, "dtModified", json_object_get(model, "dtCreated")) < 0 ? -ENOMEM
                                                                                         : 0;
}

static int take_texts(const struct request *request, json_t *model, struct reply *reply)
{
    for (size_t i = 0; i < sizeof(text_params) / sizeof(*text_params); i++) {
        bool wrong = false;
        const char *name = text_params[i].name, *text = request_param(request, name, &wrong);
        if (wrong)
            return refuse(reply, name, "is not text");
        if (!text)
            continue;
        if (strlen(text) > text_params[i].max_bytes)
            return refuse(reply, name, "is too long");
        if (json_object_set_new(model, name, json_string(text)) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* The three kinds that tools look for are written as they write them. */
static int settle_type(json_t *model)
{
    static const char *const types[] = {"Tensorflow", "ONNX", "Custom", "Unknown"};
    const char *type = json_get_text(model, "modelType");
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (type && strcasecmp(type, types[i]) == 0)
            return json_object_set_new(model, "modelType", json_string(types[i])) < 0 ? -ENOMEM : 0;
    }
    return 0;
}

/* A parameter that is JSON: as text in the query, as it is (or as text) in the body. NULL where
 * there is none; *out_wrong when it is no JSON. The result is new. */
static json_t *take_json(const struct request *request, const char *name, bool *out_wrong)
{
    const char *text = request_param(request, name, NULL);
    if (!text)
        return json_incref(json_object_get(request->json, name));
    json_t *value = json_parse(text, strlen(text), NULL);
    *out_wrong = !value;
    return value;
}

static int take_structure(const struct request *request, const char *name, bool is_list,
                          json_t *model, struct reply *reply)
{
    bool wrong = false;
    json_t *value JSON_CLEANUP = take_json(request, name, &wrong);
    if (wrong)
        return refuse(reply, name, "is not JSON");
    if (!value || json_is_null(value) || (json_is_string(value) && !*json_string_value(value)))
        return 0;
    if (is_list ? !json_is_array(value) : !json_is_object(value))
        return refuse(reply, name, is_list ? "is not a list" : "is not an object");
    if (detail_depth(value) > DEPTH_MAX)
        return refuse(reply, name, "is nested too deep");
    return json_object_set(model, name, value) < 0 ? -ENOMEM : 0;
}

static int take_structures(const struct request *request, json_t *model, struct reply *reply)
{
    int r = take_structure(request, "summary", false, model, reply);
    if (r == 0)
        r = take_structure(request, "params", false, model, reply);
    if (r == 0)
        r = take_structure(request, "detail", true, model, reply);
    if (r != 0 || json_get_object(model, "summary"))
        return r;
    json_t *derived = detail_summarize(json_object_get(model, "detail"));
    return derived && json_object_set_new(model, "summary", derived) < 0 ? -ENOMEM : 0;
}

int models_from_request(const struct request *request, json_t **out, struct reply *reply)
{
    json_t *model JSON_CLEANUP = make_empty();
    if (request->json && !json_is_object(request->json)) {
        int r = reply_error(reply, 400, "The body is not a JSON object");
        return r < 0 ? r : MODELS_REFUSED;
    }
    int r = model ? set_rest(model) : -ENOMEM;
    if (r == 0)
        r = take_texts(request, model, reply);
    if (r == 0)
        r = take_structures(request, model, reply);
    if (r == 0)
        r = settle_type(model);
    if (r != 0)
        return r;
    const char *name = json_get_text(model, "name");
    const char *problem = names_text_problem(name ? name : "", NAMES_TEXT_BYTES);
    if (problem)
        return refuse(reply, "name", problem);
    *out = steal_ptr(model);
    return 0;
}

/* The place of the one file, or of the folder when there are several. */
static int set_url(json_t *model, const char *path)
{
    struct buf url BUF_CLEANUP = {0};
    const char *old = json_get_text(model, "url");
    int r = buf_printf(&url, "s3://modelfs/local/models/%s/", json_get_text(model, "id"));
    size_t folder_len = url.len;
    if (r == 0)
        r = buf_puts(&url, path);
    if (r < 0)
        return r;
    if (old && strcmp(old, url.data) != 0)
        url.data[folder_len] = '\0';
    return json_object_set_new(model, "url", json_string(url.data)) < 0 ? -ENOMEM : 0;
}

int models_note_upload(json_t *model, const char *path)
{
    int r = set_url(model, path);
    if (r == 0)
        r = records_touch(model);
    if (r < 0)
        return r;
    return json_object_set(model, "dtUploaded", json_object_get(model, "dtModified")) < 0 ? -ENOMEM
                                                                                          : 0;
}

/* With @id NULL: what the keys of all models of the project begin with. */
static int make_index_key(const char *project_id, const char *id, struct buf *out)
{
    int r = buf_append(out, project_id, strlen(project_id) + 1); /* with its NUL */
    return r < 0 || !id ? r : buf_puts(out, id);
}

int models_add(struct store_txn *txn, json_t *model)
{
    struct buf key BUF_CLEANUP = {0};
    char id[NAMES_ID_BYTES];
    const char *project_id = json_get_text(model, "projectId");
    int r = records_new_id(txn, STORE_MODELS, "mo", 13, id);
    if (r == 0 && json_object_set_new(model, "id", json_string(id)) < 0)
        r = -ENOMEM;
    if (r == 0)
        r = store_put_json(txn, STORE_MODELS, store_key_of(id), model);
    if (r < 0 || !project_id)
        return r;
    r = make_index_key(project_id, id, &key);
    return r < 0 ? r
                 : store_put_bytes(txn, STORE_BY_PROJECT, (struct store_key){key.data, key.len}, "",
                                   0);
}

static int delete_index(struct store_txn *txn, const json_t *model, const char *id)
{
    struct buf key BUF_CLEANUP = {0};
    const char *project_id = json_get_text(model, "projectId");
    if (!project_id)
        return 0;
    int r = make_index_key(project_id, id, &key);
    return r < 0 ? r : store_delete(txn, STORE_BY_PROJECT, (struct store_key){key.data, key.len});
}

int models_delete(struct store_txn *txn, const char *id)
{
    json_t *model JSON_CLEANUP = NULL;
    int r = records_get(txn, STORE_MODELS, id, &model);
    if (r == 0)
        r = delete_index(txn, model, id);
    if (r == 0)
        r = store_delete(txn, STORE_MODELS, store_key_of(id));
    return r < 0 ? r : files_delete_all(txn, id);
}

/* A walk over models that are looked up one by one. */
struct lookup {
    struct store_txn *txn;
    const struct filter *filter;
    json_t *records;
    size_t prefix_len; /* of an index key, before the id */
};

static int look_up(const struct lookup *lookup, const char *id)
{
    json_t *model JSON_CLEANUP = NULL;
    int r = records_get(lookup->txn, STORE_MODELS, id, &model);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return records_offer(model, lookup->filter, lookup->records);
}

static int look_up_indexed(struct store_key key, struct store_key value, void *arg)
{
    const struct lookup *lookup = arg;
    char id[NAMES_ID_BYTES];
    size_t len = key.len - lookup->prefix_len;
    (void)value;
    if (len >= sizeof(id))
        return -EIO;
    memcpy(id, (const char *)key.data + lookup->prefix_len, len);
    id[len] = '\0';
    return look_up(lookup, id);
}

static int look_up_project(struct lookup *lookup, const char *project_id)
{
    struct buf prefix BUF_CLEANUP = {0};
    if (strlen(project_id) >= NAMES_ID_BYTES)
        return 0; /* there is none, and the key could be too long for a table */
    int r = make_index_key(project_id, NULL, &prefix);
    lookup->prefix_len = prefix.len;
    return r < 0 ? r
                 : store_each(lookup->txn, STORE_BY_PROJECT,
                              (struct store_key){prefix.data, prefix.len}, look_up_indexed, lookup);
}

int models_collect(struct store_txn *txn, const struct filter *filter, json_t **out)
{
    const char *id = filter_required_text(filter, "id");
    const char *project_id = filter_required_text(filter, "projectId");
    if (!id && !project_id)
        return records_collect(txn, STORE_MODELS, filter, out);
    json_t *records JSON_CLEANUP = json_array();
    struct lookup lookup = {.txn = txn, .filter = filter, .records = records};
    int r = !records ? -ENOMEM : id ? look_up(&lookup, id) : look_up_project(&lookup, project_id);
    if (r == 0)
        *out = steal_ptr(records);
    return r;
}
