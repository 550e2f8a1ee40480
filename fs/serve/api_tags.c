/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/api.h"

#include <errno.h>
#include <string.h>

#include "serve/names.h"
#include "serve/records.h"
#include "util/log.h"

enum { TAGS_MAX = 256, TAG_BYTES = 256 };

/* What can be tagged. Kinds that we do not have yet have no table. */
static const struct entity {
    const char *name;
    int table;
} entities[] = {
    {"project", STORE_PROJECTS}, {"mlModel", STORE_MODELS}, {"experiment", -1}, {"job", -1},
    {"deployment", -1},          {"notebook", -1},          {"machine", -1},
};

/* NULL: the reply is made, or *out_r is not 0. */
static const struct entity *find_entity(const struct request *request, struct reply *reply,
                                        int *out_r)
{
    const char *name = request_param(request, "entity", NULL);
    for (size_t i = 0; name && i < sizeof(entities) / sizeof(*entities); i++) {
        if (strcmp(entities[i].name, name) != 0)
            continue;
        if (entities[i].table >= 0)
            return &entities[i];
        *out_r = reply_error(reply, 501, "This registry has no %ss", entities[i].name);
        return NULL;
    }
    *out_r = reply_error(reply, 400, "entity is none that can be tagged");
    return NULL;
}

static int add_tags_of(struct store_txn *txn, const struct entity *entity, const char *id,
                       json_t *out)
{
    json_t *record JSON_CLEANUP = NULL, *list JSON_CLEANUP = json_array(), *tag;
    size_t i;
    int r = records_get(txn, (enum store_table)entity->table, id, &record);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    json_array_foreach(json_get_array(record, "tags"), i, tag)
    {
        if (json_array_append_new(list, json_pack("{s:{s:O}}", "tag", "name", tag)) < 0)
            return -ENOMEM;
    }
    return json_object_set(out, id, list) < 0 ? -ENOMEM : 0;
}

int api_tags_get(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *tags JSON_CLEANUP = json_object();
    int r = 0;
    const struct entity *entity = find_entity(request, reply, &r);
    if (!entity)
        return r;
    r = tags ? store_begin(store, false, &txn) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < request->n_query; i++) {
        if (strcmp(request->query[i].name, "entityIds") == 0)
            r = add_tags_of(txn, entity, request->query[i].value, tags);
    }
    return r < 0 ? r : reply_json(reply, 200, steal_ptr(tags));
}

static bool has_tag(const json_t *tags, const json_t *tag)
{
    size_t i;
    json_t *one;
    json_array_foreach(tags, i, one)
    {
        if (json_equal(one, tag))
            return true;
    }
    return false;
}

/* Copies the request's tags, each once. Returns what is wrong with them, or NULL. */
static const char *take_tags(const json_t *given, json_t *out)
{
    size_t i;
    json_t *tag;
    if (!json_is_array(given))
        return "is not a list";
    if (json_array_size(given) > TAGS_MAX)
        return "has more than 256 entries";
    json_array_foreach(given, i, tag)
    {
        if (!json_is_string(tag))
            return "has an entry that is not text";
        const char *problem = names_text_problem(json_string_value(tag), TAG_BYTES);
        if (problem)
            return problem;
        if (!has_tag(out, tag) && json_array_append(out, tag) < 0)
            return "does not fit into memory";
    }
    return NULL;
}

static json_t *make_reply(const char *entity, const char *id, const json_t *tags,
                          const char *modified)
{
    json_t *list JSON_CLEANUP = json_array(), *tag;
    size_t i;
    json_array_foreach(tags, i, tag)
    {
        json_int_t number = (json_int_t)i + 1;
        json_t *one = json_pack("{s:I, s:s, s:s, s:s, s:n, s:i, s:I, s:s, s:{s:O, s:s, s:I}}",
                                "tagId", number, "entity", entity, "entityId", id, "dtCreated",
                                modified, "dtDeleted", "userId", 1, "id", number, "entity_id", id,
                                "tag", "name", tag, "dtCreated", modified, "id", number);
        if (json_array_append_new(list, one) < 0)
            return NULL;
    }
    return steal_ptr(list);
}

static int put_tags(struct store *store, const struct entity *entity, const char *id, json_t *tags,
                    struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *record JSON_CLEANUP = NULL;
    enum store_table table = (enum store_table)entity->table;
    int r = store_begin(store, true, &txn);
    if (r == 0)
        r = records_get(txn, table, id, &record);
    if (r == -ENOENT)
        return reply_error(reply, 404, "Unable to find %s",
                           table == STORE_MODELS ? "model" : "project");
    if (r == 0 && json_object_set(record, "tags", tags) < 0)
        r = -ENOMEM;
    if (r == 0)
        r = records_touch(record);
    if (r == 0)
        r = store_put_json(txn, table, store_key_of(id), record);
    if (r == 0)
        r = store_commit(steal_ptr(txn));
    if (r < 0)
        return r;
    log_info("serve: %s %s tagged", entity->name, id);
    return reply_json(reply, 200,
                      make_reply(entity->name, id, tags, json_get_text(record, "dtModified")));
}

int api_tags_update(struct store *store, const struct request *request, struct reply *reply)
{
    json_t *tags JSON_CLEANUP = json_array();
    int r = 0;
    const struct entity *entity = find_entity(request, reply, &r);
    if (!entity)
        return r;
    const char *id = request_param(request, "entityId", NULL);
    if (!id)
        return reply_invalid(reply, "entityTag", "entityId", "can't be blank");
    const char *problem = take_tags(json_object_get(request->json, "tags"), tags);
    if (problem)
        return reply_invalid(reply, "entityTag", "tags", problem);
    return put_tags(store, entity, id, tags, reply);
}
