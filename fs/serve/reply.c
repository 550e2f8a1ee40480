/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reply.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void reply_init(struct reply *reply)
{
    *reply = (struct reply){.fd = -1};
}

void reply_deinit(struct reply *reply)
{
    buf_deinit(&reply->body);
    cleanup_close(&reply->fd);
    reply->fd = -1;
}

void reply_reset(struct reply *reply)
{
    reply_deinit(reply);
    reply_init(reply);
}

void reply_add_header(struct reply *reply, const char *name, const char *fmt, ...)
{
    assert(reply->n_headers < REPLY_HEADERS);
    struct reply_header *header = &reply->headers[reply->n_headers++];
    header->name = name;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(header->value, sizeof(header->value), fmt, args);
    va_end(args);
    assert(n >= 0 && n < REPLY_HEADER_BYTES);
    (void)n;
}

static int append_json(const char *data, size_t len, void *arg)
{
    return buf_append(arg, data, len) < 0 ? -1 : 0;
}

int reply_json(struct reply *reply, unsigned status, json_t *json)
{
    json_t *owned JSON_CLEANUP = json;
    if (!owned)
        return -ENOMEM;
    reply->status = status;
    reply_add_header(reply, "Content-Type", "application/json; charset=utf-8");
    int r = json_dump_callback(owned, append_json, &reply->body, JSON_COMPACT | JSON_ENCODE_ANY);
    return r < 0 ? -ENOMEM : 0;
}

int reply_text(struct reply *reply, unsigned status, const char *text)
{
    return reply_json(reply, status, json_string(text));
}

int reply_empty(struct reply *reply, unsigned status)
{
    reply->status = status;
    return 0;
}

/* It may quote what a client sent, cut anywhere: it must be neither broken UTF-8 nor a second line
 * of the log. */
static void make_plain(char *text)
{
    for (; *text; text++) {
        if ((signed char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

int reply_error(struct reply *reply, unsigned status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(reply->problem, sizeof(reply->problem), fmt, args);
    va_end(args);
    make_plain(reply->problem);
    json_t *error = json_pack("{s:{s:s, s:i, s:i, s:s}}", "error", "name", "Error", "status",
                              (int)status, "statusCode", (int)status, "message", reply->problem);
    return reply_json(reply, status, error);
}

int reply_invalid(struct reply *reply, const char *what, const char *field, const char *message)
{
    char text[256];
    snprintf(reply->problem, sizeof(reply->problem), "%s %s", field, message);
    snprintf(text, sizeof(text), "The `%s` instance is not valid. Details: `%s` %s.", what, field,
             message);
    json_t *error = json_pack("{s:{s:s, s:i, s:i, s:s, s:{s:s, s:{s:[s]}, s:{s:[s]}}}}", "error",
                              "name", "ValidationError", "status", 422, "statusCode", 422,
                              "message", text, "details", "context", what, "codes", field,
                              strcmp(message, "can't be blank") == 0 ? "presence" : "custom",
                              "messages", field, message);
    return reply_json(reply, 422, error);
}

int reply_no_key(struct reply *reply)
{
    snprintf(reply->problem, sizeof(reply->problem), "No such API token");
    return reply_json(reply, 401,
                      json_pack("{s:i, s:s}", "status", 401, "message", "No such API token"));
}

int reply_failure(struct reply *reply, int error)
{
    reply_reset(reply);
    if (error == -ENOSPC || error == -EDQUOT || error == -EFBIG)
        return reply_error(reply, 507, "There is no room left on the registry's disk");
    if (error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EAGAIN)
        return reply_error(reply, 503, "The registry is busy, try again");
    return reply_error(reply, 500, "The registry failed: %s", strerror(-error));
}
