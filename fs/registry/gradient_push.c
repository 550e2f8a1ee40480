/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/gradient_push.h"

#include <errno.h>
#include <string.h>

#include "net/http.h"
#include "net/retry.h"
#include "net/url.h"
#include "registry/gradient_call.h"
#include "util/buf.h"
#include "util/log.h"

#define CONTENT_TYPE "application/octet-stream"

enum { MAX_REPLY_BYTES = 1 << 20, SHOWN_BYTES = 512, STATUS_NO_ROOM = 507 };

/* Calls and copies the text at @key of the reply; of a bare text the text itself. */
static int call_for_text(const struct gradient_target *target, const struct gradient_call *call,
                         const char *key, char **out)
{
    JSON_CLEANUP json_t *reply = NULL;
    int64_t retry_after_ms;
    int r = gradient_call(target->http, target->base, call, &reply, &retry_after_ms);
    if (r < 0)
        return r;
    const char *text = key ? json_get_text(reply, key) : json_text(reply);
    if (!text || !*text) {
        log_warn("%s%.*s answered without %s", target->base, (int)strcspn(call->path, "?"),
                 call->path, key ? key : "a URL");
        return -EPROTO;
    }
    *out = strdup(text);
    return *out ? 0 : -ENOMEM;
}

int gradient_push_project(const struct gradient_target *target, const char *name, char **out_id)
{
    JSON_CLEANUP json_t *body = json_pack("{s:s}", "name", name);
    if (!body)
        return -EINVAL;
    const struct gradient_call call = {"POST", "/projects/", body};
    return call_for_text(target, &call, "handle", out_id);
}

int gradient_push_model(const struct gradient_target *target, const struct gradient_model *model,
                        char **out_id)
{
    JSON_CLEANUP json_t *body = json_pack("{s:s, s:s, s:s*, s:O*, s:O*}", "name", model->name,
                                          "modelType", model->type, "projectId", model->project_id,
                                          "detail", model->detail, "summary", model->summary);
    if (!body)
        return -EINVAL;
    const struct gradient_call call = {"POST", "/mlModels/createModelV2", body};
    return call_for_text(target, &call, "id", out_id);
}

/* Asks for the URL that takes the file. */
static int presign(const struct gradient_target *target, const struct gradient_upload *upload,
                   char **out_url)
{
    struct buf path BUF_CLEANUP = {0};
    int r = buf_puts(&path, "/mlModels/getPresignedModelUrl");
    if (r == 0)
        r = url_append_query(&path, "fileName", upload->path);
    if (r == 0)
        r = url_append_query(&path, "modelHandle", upload->model_id);
    if (r == 0)
        r = url_append_query(&path, "contentType", CONTENT_TYPE);
    if (r < 0)
        return r;
    const struct gradient_call call = {.path = path.data};
    return call_for_text(target, &call, NULL, out_url);
}

static int upload_errno(const char *url, int status)
{
    char shown[SHOWN_BYTES];
    if (status >= 200 && status < 300)
        return 0;
    url_redact(url, shown, sizeof(shown));
    log_warn("%s answered %d", shown, status);
    return status == STATUS_NO_ROOM ? -ENOSPC : retry_status_errno(status);
}

/* The URL is signed: no API key goes there, since it may be another host. */
static int put(const struct gradient_target *target, const struct gradient_upload *upload,
               const char *url, char **out_etag)
{
    const struct http_header headers[] = {{"Content-Type", CONTENT_TYPE}};
    const struct http_request request = {
        .url = url, .headers = headers, .n_headers = 1, .max_bytes = MAX_REPLY_BYTES};
    struct http_reply reply = {0};
    int r = http_put_fd(target->http, &request, upload->fd, upload->size_bytes, upload->on_progress,
                        upload->ctx, &reply);
    if (r == 0)
        r = upload_errno(url, reply.status);
    if (r == 0 && out_etag)
        *out_etag = steal_ptr(reply.etag);
    http_reply_deinit(&reply);
    return r;
}

int gradient_push_file(const struct gradient_target *target, const struct gradient_upload *upload,
                       char **out_etag)
{
    CLEANUP(cleanup_free) char *url = NULL;
    if (out_etag)
        *out_etag = NULL;
    int r = presign(target, upload, &url);
    return r < 0 ? r : put(target, upload, url, out_etag);
}
