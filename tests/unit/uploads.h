/* SPDX-License-Identifier: Apache-2.0 */
/* A store with a model in it, and uploads to it, for unit tests. */
#pragma once

#include "serve/api.h"
#include "serve/upload.h"
#include "store_dir.h"

static struct store *uploads_store;
static char uploads_model[NAMES_ID_BYTES];

/* Makes a model and remembers its id. 0 or -errno. */
static inline int uploads_make_model(void)
{
    static const struct request_pair query[] = {{"name", "m"}};
    struct request request = {.method = "POST", .query = query, .n_query = 1};
    struct reply reply REPLY_CLEANUP;
    reply_init(&reply);
    int r = api_models_create(uploads_store, &request, &reply);
    json_t *model JSON_CLEANUP = r == 0 ? json_parse(reply.body.data, reply.body.len, NULL) : NULL;
    const char *id = json_get_text(model, "id");
    snprintf(uploads_model, sizeof(uploads_model), "%s", id ? id : "");
    return r;
}

static inline void uploads_open(void)
{
    store_dir_make();
    if (store_open(store_dir, STORE_SERVE, &uploads_store) < 0 || uploads_make_model() < 0)
        abort();
}

static inline void uploads_close(void)
{
    store_close(uploads_store);
    store_dir_drop();
}

static inline struct request uploads_request(const char *path)
{
    struct request request = {.method = "GET", .rest = path};
    memcpy(request.id, uploads_model, sizeof(request.id));
    return request;
}

/* Feeds @data in pieces of @piece bytes. 0 or -errno. */
static inline int uploads_feed(struct upload *upload, const char *data, size_t len, size_t piece)
{
    int r = 0;
    for (size_t at = 0; r == 0 && at < len; at += piece)
        r = upload_feed(upload, data + at, len - at < piece ? len - at : piece);
    return r;
}

DEFINE_CLEANUP(struct upload *, uploads_cleanup, upload_free)

/* A whole upload. The reply's status, or -errno. */
static inline int uploads_put(const char *path, const char *data, size_t len, size_t piece)
{
    struct upload *upload CLEANUP(uploads_cleanup) = NULL;
    struct request request = uploads_request(path);
    struct reply reply REPLY_CLEANUP;
    reply_init(&reply);
    int r = upload_new(uploads_store, &request, &upload);
    if (r == 0)
        r = uploads_feed(upload, data, len, piece);
    if (r == 0)
        r = upload_finish(upload, &reply);
    return r < 0 ? r : (int)reply.status;
}

static inline int uploads_delete_model(void)
{
    json_t *body JSON_CLEANUP = json_pack("{s:s}", "id", uploads_model);
    struct request request = {.method = "POST", .json = body};
    struct reply reply REPLY_CLEANUP;
    reply_init(&reply);
    int r = api_models_delete(uploads_store, &request, &reply);
    return r < 0 ? r : (int)reply.status;
}
