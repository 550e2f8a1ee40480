/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve/files.h"
#include "serve/names.h"
#include "serve/range.h"
#include "serve/records.h"
#include "util/clock.h"

enum {
    HOUR_S = 3600,
    LINK_HOURS = 8, /* what the service's own links live for */
};

/* At least 8 hours from now, and the same for all links made within an hour: a listing that did not
 * change reads the same. */
static int64_t link_expires_s(void)
{
    int64_t now = clock_wall_ns() / 1000000000;
    return (now / HOUR_S + LINK_HOURS + 1) * HOUR_S;
}

/* Makes `http://host/files/<model>/<path>?expires=...&signature=...` */
static char *make_link(struct store *store, const struct request *request, const char *method,
                       const char *model_id, const char *path)
{
    struct buf full BUF_CLEANUP = {0}, url BUF_CLEANUP = {0};
    if (buf_printf(&full, "/files/%s/%s", model_id, path) < 0 ||
        buf_puts(&url, request->base_url) < 0)
        return NULL;
    if (sign_append_url(store_sign_secret(store), method, full.data, link_expires_s(), &url) < 0)
        return NULL;
    return buf_steal(&url);
}

struct listing {
    struct store *store;
    const struct request *request;
    const char *model_id;
    bool with_links, with_sizes;
    json_t *entries;
};

static int list_file(const struct stored_file *file, void *arg)
{
    const struct listing *listing = arg;
    char hex[DIGEST_HEX_BYTES], time[CLOCK_ISO_BYTES];
    char *link CLEANUP(cleanup_free) = NULL;
    digest_format_hex(&file->digest, hex);
    clock_format_iso(file->modified_ns, time);
    json_t *entry JSON_CLEANUP = json_pack("{s:s, s:s+, s:s}", "file", file->path, "digest",
                                           "sha256:", hex, "dtModified", time);
    if (entry && listing->with_sizes)
        json_object_set_new(entry, "size", json_integer((json_int_t)file->size_bytes));
    if (entry && listing->with_links) {
        link = make_link(listing->store, listing->request, "GET", listing->model_id, file->path);
        json_object_set_new(entry, "url", json_string(link ? link : ""));
    }
    bool failed = !entry || (listing->with_links && !link);
    return failed || json_array_append(listing->entries, entry) < 0 ? -ENOMEM : 0;
}

/* true, "True" and 1 all turn a switch on. */
static bool is_on(const json_t *json, const char *key)
{
    const char *text = json_get_text(json, key);
    if (text)
        return strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return json_get_bool(json, key, json_get_int(json, key, 0) != 0);
}

static json_t *sort_entries(const json_t *entries)
{
    struct filter by_name;
    filter_init(&by_name);
    by_name.order_key = "file";
    by_name.ascending = true;
    return filter_page(&by_name, entries);
}

static int find_model(struct store_txn *txn, const char *id)
{
    json_t *model JSON_CLEANUP = NULL;
    return id ? records_get(txn, STORE_MODELS, id, &model) : -ENOENT;
}

int api_files_list(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    json_t *entries JSON_CLEANUP = json_array();
    const char *id = request_param(request, "id", NULL);
    struct listing listing = {
        .store = store,
        .request = request,
        .model_id = id,
        .with_links = is_on(request->json, "links"),
        .with_sizes = is_on(request->json, "size"),
        .entries = entries,
    };
    int r = entries ? store_begin(store, false, &txn) : -ENOMEM;
    if (r == 0)
        r = find_model(txn, id);
    if (r == -ENOENT)
        return reply_error(reply, 404, "Unable to find model");
    if (r == 0)
        r = files_each(txn, id, list_file, &listing);
    return r < 0 ? r : reply_json(reply, 200, sort_entries(entries));
}

int api_files_presign(struct store *store, const struct request *request, struct reply *reply)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    const char *id = request_query(request, "modelHandle");
    const char *path = request_query(request, "fileName");
    const char *problem = names_path_problem(path ? path : "");
    if (problem)
        return reply_invalid(reply, "mlModel", "fileName", problem);
    int r = store_begin(store, false, &txn);
    if (r == 0)
        r = find_model(txn, id);
    if (r == -ENOENT)
        return reply_error(reply, 404, "Unable to find model");
    if (r < 0)
        return r;
    char *link CLEANUP(cleanup_free) = make_link(store, request, "PUT", id, path);
    return link ? reply_text(reply, 200, link) : -ENOMEM;
}
