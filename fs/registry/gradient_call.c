/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/gradient_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"
#include "net/retry.h"
#include "net/url.h"
#include "registry/credentials.h"
#include "util/log.h"

enum {
    CALL_DEADLINE_MS = 60000,
    MAX_REPLY_BYTES = 512 << 20, /* a listing of a million files with long URLs */
    MESSAGE_BYTES = 400,
    SHOWN_BYTES = 512,
};

static void cleanup_reply(struct http_reply *reply)
{
    http_reply_deinit(reply);
}

/* What the registry says is wrong, in the shapes that are found; empty where it says nothing. */
static void find_message(const struct http_reply *reply, char out[MESSAGE_BYTES])
{
    JSON_CLEANUP json_t *json =
        json_parse(reply->body.data ? reply->body.data : "", reply->body.len, NULL);
    const json_t *error = json_get_object(json, "error");
    const char *text = json_get_text(error ? error : json, "message");
    snprintf(out, MESSAGE_BYTES, "%s%s", text ? ": " : "", text ? text : "");
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' '; /* a line of the log stays one */
}

/* What went wrong, said once, with what to do about it. */
static void log_failure(const char *url, const struct http_reply *reply, int err)
{
    char shown[SHOWN_BYTES], message[MESSAGE_BYTES];
    url_redact(url, shown, sizeof(shown));
    if (err == -EACCES && !reply->status)
        return; /* the key's file is not as it should be: that was said */
    if (err == -ECANCELED)
        return; /* we end */
    if (err == -EACCES) {
        log_warn("%s answered %d: the API key is missing or wrong; " CREDENTIALS_HINT, shown,
                 reply->status);
    } else if (reply->status) {
        find_message(reply, message);
        log_warn("%s answered %d%s", shown, reply->status, message);
    } else {
        log_warn("%s cannot be reached: %s", shown, strerror(-err));
    }
}

struct gradient_sent {
    struct http_wait *wait; /* NULL: it could not be sent, and why */
    int err;
    struct buf url;
};

static int send_call(struct http *http, const char *url, const struct gradient_call *call,
                     struct http_wait **out)
{
    CLEANUP(cleanup_free) char *key = NULL;
    CLEANUP(cleanup_free) char *body = call->body ? json_dumps(call->body, JSON_COMPACT) : NULL;
    int r = credentials_api_key(&key);
    if (r < 0 || (call->body && !body))
        return r < 0 && r != -ENOMEM ? -EACCES : -ENOMEM;
    const struct http_header headers[] = {{"Accept", "application/json"},
                                          {"Content-Type", "application/json"},
                                          {"X-API-Key", key ? key : ""}};
    const struct http_request request = {
        .method = call->method,
        .url = url,
        .headers = headers,
        .n_headers = key ? 3 : 2,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .deadline_ms = CALL_DEADLINE_MS,
        .max_bytes = MAX_REPLY_BYTES,
        .urgent = true,
        .follow = true,
    };
    *out = http_fetch_begin(http, &request);
    return *out ? 0 : -ENOMEM;
}

static void log_no_json(const char *url, const char *why)
{
    char shown[SHOWN_BYTES];
    url_redact(url, shown, sizeof(shown));
    log_warn("%s answered what is no JSON: %s", shown, why);
}

struct gradient_sent *gradient_send(struct http *http, const char *base,
                                    const struct gradient_call *call)
{
    struct gradient_sent *sent = calloc(1, sizeof(*sent));
    if (!sent)
        return NULL;
    sent->err = buf_printf(&sent->url, "%s%s", base, call->path);
    if (sent->err == 0)
        sent->err = send_call(http, sent->url.data, call, &sent->wait);
    return sent;
}

/* Waits for what comes and frees all but the URL, which it moves to @out_url. */
static int receive(struct gradient_sent *sent, struct buf *out_url, struct http_reply *reply)
{
    int r = sent ? sent->err : -ENOMEM;
    if (!sent)
        return r;
    if (sent->wait)
        r = http_fetch_end(sent->wait, reply);
    *out_url = sent->url;
    free(sent);
    return r;
}

void gradient_drop(struct gradient_sent *sent)
{
    struct buf url BUF_CLEANUP = {0};
    CLEANUP(cleanup_reply) struct http_reply reply = {0};
    receive(sent, &url, &reply);
}

/* Waits; the reply is a successful one when 0 is returned. */
static int get_reply(struct gradient_sent *sent, struct buf *out_url, struct http_reply *reply,
                     int64_t *out_retry_after_ms)
{
    int r = receive(sent, out_url, reply);
    bool is_success = reply->status >= 200 && reply->status < 300; /* a new project is a 201 */
    if (r == 0 && !is_success)
        r = retry_status_errno(reply->status);
    *out_retry_after_ms = reply->status ? reply->retry_after_ms : -1;
    if (r < 0 && out_url->data)
        log_failure(out_url->data, reply, r);
    return r;
}

int gradient_call(struct http *http, const char *base, const struct gradient_call *call,
                  json_t **out, int64_t *out_retry_after_ms)
{
    char why[JSON_ERROR_TEXT_LENGTH];
    struct buf url BUF_CLEANUP = {0};
    CLEANUP(cleanup_reply) struct http_reply reply = {0};
    int r = get_reply(gradient_send(http, base, call), &url, &reply, out_retry_after_ms);
    if (r < 0)
        return r;
    *out = json_parse_leniently(reply.body.data ? reply.body.data : "", reply.body.len, why);
    if (*out)
        return 0;
    log_no_json(url.data, why);
    return -EPROTO;
}

int gradient_each(struct gradient_sent *sent, json_item_fn *item, void *ctx,
                  int64_t *out_retry_after_ms)
{
    char why[JSON_ERROR_TEXT_LENGTH];
    struct buf url BUF_CLEANUP = {0};
    CLEANUP(cleanup_reply) struct http_reply reply = {0};
    int r = get_reply(sent, &url, &reply, out_retry_after_ms);
    if (r < 0)
        return r;
    r = json_each(reply.body.data ? reply.body.data : "", reply.body.len, item, ctx, why);
    if (r == -EPROTO)
        log_no_json(url.data, why);
    return r;
}
