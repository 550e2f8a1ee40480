/* SPDX-License-Identifier: Apache-2.0 */
/* A Gradient-compatible registry (the Paperspace Gradient Models API, `modelfs serve`).
 *
 *   projects   GET /projects/?filter=...
 *              {"data":[{handle,name,dtCreated}]}
 *   models     GET /mlModels/getModelList/?limit=-1 and a JSON body
 *              {"modelList":[{id,name,modelType,summary,detail,...}]}
 *   files      GET /mlModels/listFiles/ and a JSON body
 *              [{"file","url","size"[,"digest","dtModified"]}]
 *
 * Both GETs carry their filter in a body: that is how the service was made. listFiles gives signed
 * URLs that run out, so a locator is a new listFiles. digest and dtModified are `modelfs serve`'s
 * own keys; elsewhere a file has the model's time.
 *
 * Models without a project stand under a project of our own, GRADIENT_UNASSIGNED, that shows when
 * it has any. */
#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/gradient_call.h"
#include "registry/summary.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json.h"
#include "util/log.h"

static const char *const schemes[] = {"gradient+http", "gradient+https", NULL};

struct gradient {
    char *base; /* http://HOST:PORT */
    struct http *http;
};

static void gradient_close(void *self)
{
    struct gradient *g = self;
    free(g->base);
    free(g);
}

static int gradient_open(const char *origin, struct http *http, void **out)
{
    const char *base = origin + strlen("gradient+");
    const char *host = strstr(base, "://") + 3;
    struct gradient *g = *host ? calloc(1, sizeof(*g)) : NULL;
    if (!g)
        return *host ? -ENOMEM : -EINVAL;
    g->http = http;
    g->base = strdup(base);
    if (!g->base) {
        gradient_close(g);
        return -ENOMEM;
    }
    *out = g;
    return 0;
}

/* One call and its JSON. */
static int call_api(struct gradient *g, const struct gradient_call *call, json_t **out,
                    int64_t *out_retry_after_ms)
{
    return gradient_call(g->http, g->base, call, out, out_retry_after_ms);
}

static int64_t parse_time(const json_t *object, const char *key)
{
    const char *text = json_get_text(object, key);
    int64_t ns = 0;
    if (text)
        clock_parse_iso(text, &ns);
    return ns;
}

/* Calls getModelList with one condition: {"filter":{"where":{"and":[{key: value}]}}}. */
static int call_models(struct gradient *g, const char *key, const char *value, json_t **out,
                       int64_t *retry)
{
    json_t *condition = json_object();
    json_object_set_new(condition, key, value ? json_string_nocheck(value) : json_null());
    JSON_CLEANUP json_t *body = json_pack("{s:{s:{s:[o]}}}", "filter", "where", "and", condition);
    if (!body)
        return -ENOMEM;
    const struct gradient_call call = {NULL, "/mlModels/getModelList/?limit=-1", body};
    return call_api(g, &call, out, retry);
}

static void model_entry(const json_t *model, struct listing_entry *out)
{
    int64_t modified = parse_time(model, "dtModified"), created = parse_time(model, "dtCreated");
    const char *name = json_get_text(model, "name");
    *out = (struct listing_entry){
        .id = json_get_text(model, "id"),
        .name = name && *name ? name : json_get_text(model, "id"),
        .type = json_get_text(model, "modelType"),
        .mtime_ns = modified ? modified : created,
    };
}

/* Adds the models of a reply that are in @project_id (NULL: in none), whatever filter the service
 * understood. */
static int add_models(struct listing *listing, const json_t *reply, const char *project_id)
{
    struct listing_entry entry;
    size_t i;
    json_t *model;
    json_array_foreach(json_get_array(reply, "modelList"), i, model)
    {
        const char *in = json_get_text(model, "projectId");
        model_entry(model, &entry);
        if (!entry.id || (project_id ? !in || strcmp(in, project_id) != 0 : in != NULL))
            continue;
        int r = listing_add(listing, &entry);
        if (r < 0)
            return r;
    }
    return 0;
}

static int list_models(struct gradient *g, const char *project_id, struct listing *listing,
                       int64_t *retry)
{
    JSON_CLEANUP json_t *reply = NULL;
    const char *wanted = strcmp(project_id, GRADIENT_UNASSIGNED) == 0 ? NULL : project_id;
    int r = call_models(g, "projectId", wanted, &reply, retry);
    return r < 0 ? r : add_models(listing, reply, wanted);
}

/* Shows the project of models without one where there are any; that this cannot be found out is no
 * failure. */
static int add_unassigned(struct gradient *g, struct listing *listing)
{
    LISTING_CLEANUP struct listing *models = listing_new(LISTING_MODELS);
    struct listing_entry entry = {.id = GRADIENT_UNASSIGNED, .name = GRADIENT_UNASSIGNED};
    int64_t retry;
    if (!models || list_models(g, GRADIENT_UNASSIGNED, models, &retry) < 0 || !models->n_entries)
        return 0;
    for (size_t i = 0; i < models->n_entries; i++) {
        struct listing_entry model;
        listing_get(models, i, &model);
        if (model.mtime_ns > entry.mtime_ns)
            entry.mtime_ns = model.mtime_ns;
    }
    return listing_add(listing, &entry);
}

static int list_projects(struct gradient *g, struct listing *listing, int64_t *retry)
{
    static const char filter[] =
        "/projects/?filter=%7B%22offset%22%3A0%2C%22where%22%3A%7B%22dtDeleted%22%3Anull%7D"
        "%2C%22order%22%3A%22dtCreated%20desc%22%7D";
    JSON_CLEANUP json_t *reply = NULL;
    size_t i;
    json_t *project;
    int r = call_api(g, &(struct gradient_call){NULL, filter, NULL}, &reply, retry);
    if (r == 0 && !json_get_array(reply, "data"))
        r = -EPROTO;
    json_array_foreach(r == 0 ? json_get_array(reply, "data") : NULL, i, project)
    {
        const char *name = json_get_text(project, "name");
        struct listing_entry entry = {.id = json_get_text(project, "handle"),
                                      .mtime_ns = parse_time(project, "dtCreated")};
        entry.name = name ? name : entry.id;
        r = entry.id ? listing_add(listing, &entry) : 0;
        if (r < 0)
            return r;
    }
    return r < 0 ? r : add_unassigned(g, listing);
}

static const json_t *find_model(const json_t *reply, const char *model_id)
{
    size_t i;
    json_t *model;
    json_array_foreach(json_get_array(reply, "modelList"), i, model)
    {
        const char *id = json_get_text(model, "id");
        if (id && strcmp(id, model_id) == 0)
            return model;
    }
    return NULL;
}

/* What is known of the model itself: name, type, times, metrics. */
static int fill_self(struct gradient *g, const char *model_id, struct listing *listing,
                     int64_t *retry)
{
    JSON_CLEANUP json_t *reply = NULL;
    int r = call_models(g, "id", model_id, &reply, retry);
    if (r < 0)
        return r;
    const json_t *model = find_model(reply, model_id);
    if (!model)
        return -ENOENT;
    struct listing_entry self;
    model_entry(model, &self);
    r = listing_set_self(listing, &self);
    return r < 0 ? r : summary_add_rows(listing, model);
}

/* @url when it may be asked: no registry can make us read our own disk. */
static const char *web_url(const char *url)
{
    bool is_web = url && (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0);
    return is_web ? url : NULL;
}

static int add_file(void *ctx, const json_t *file)
{
    struct listing *listing = ctx;
    const char *path = json_get_text(file, "file"), *digest = json_get_text(file, "digest");
    int64_t size = json_get_int(file, "size", 0), modified = parse_time(file, "dtModified");
    char etag[DIGEST_HEX_BYTES + 2];
    struct listing_entry entry = {.id = path,
                                  .name = path,
                                  .url = web_url(json_get_text(file, "url")),
                                  .size_bytes = size < 0 ? 0 : (uint64_t)size,
                                  .mtime_ns = modified ? modified : listing->self.mtime_ns};
    if (!path) {
        log_warn("a file of model %s has no name that can be shown: left out",
                 listing->self.id ? listing->self.id : "");
        return 0;
    }
    entry.has_digest = digest && digest_parse(digest, &entry.digest) == 0;
    if (entry.has_digest) {
        etag[0] = '"';
        digest_format_hex(&entry.digest, etag + 1);
        strcpy(etag + DIGEST_HEX_BYTES, "\"");
        entry.etag = etag;
    }
    return listing_add(listing, &entry);
}

/* Both calls are under way side by side: from a far registry each takes a round trip. Whether there
 * is such a model only the one about the model itself tells. */
static int list_files(struct gradient *g, const char *model_id, struct listing *listing,
                      int64_t *retry)
{
    JSON_CLEANUP json_t *body = json_pack("{s:s,s:b,s:b}", "id", model_id, "links", 1, "size", 1);
    const struct gradient_call call = {NULL, "/mlModels/listFiles/", body};
    struct gradient_sent *sent = gradient_send(g->http, g->base, &call);
    int r = fill_self(g, model_id, listing, retry);
    if (r == 0)
        return gradient_each(sent, add_file, listing, retry);
    gradient_drop(sent);
    return r;
}

static int fill(struct gradient *g, const struct registry_place *place, struct listing *listing,
                int64_t *retry)
{
    if (place->model_id)
        return list_files(g, place->model_id, listing, retry);
    if (place->project_id)
        return list_models(g, place->project_id, listing, retry);
    return list_projects(g, listing, retry);
}

static int gradient_list(void *self, const struct registry_place *place, struct listing **out,
                         int64_t *out_retry_after_ms)
{
    enum listing_kind kind = place->model_id     ? LISTING_FILES
                             : place->project_id ? LISTING_MODELS
                                                 : LISTING_PROJECTS;
    LISTING_CLEANUP struct listing *listing = listing_new(kind);
    int r = listing ? fill(self, place, listing, out_retry_after_ms) : -ENOMEM;
    if (r < 0)
        return r;
    listing->fetched_ns = clock_wall_ns();
    *out = steal_ptr(listing);
    return 0;
}

static int gradient_locate(void *self, const struct registry_place *place, const char *file_id,
                           struct locator *out)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    BUF_CLEANUP struct buf texts = {0};
    struct listing_entry entry;
    int64_t retry;
    int r = gradient_list(self, place, &listing, &retry);
    size_t found = r == 0 ? listing_find(listing, file_id) : LISTING_NONE;
    if (r == 0)
        r = found == LISTING_NONE ? -ENOENT : listing_get_whole(listing, found, &texts, &entry);
    if (r < 0)
        return r;
    if (!entry.url)
        return -EPROTO;
    *out =
        (struct locator){.url = strdup(entry.url), .etag = entry.etag ? strdup(entry.etag) : NULL};
    if (out->url && (out->etag || !entry.etag))
        return 0;
    locator_deinit(out);
    return -ENOMEM;
}

const struct registry_driver registry_gradient = {
    .schemes = schemes,
    .open = gradient_open,
    .close = gradient_close,
    .list = gradient_list,
    .locate = gradient_locate,
};
