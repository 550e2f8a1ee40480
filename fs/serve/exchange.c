/* SPDX-License-Identifier: Apache-2.0 */
/* The library calls exchange_handle() once when a request's head is there, once for each piece of
 * its body, and once more at the end:
 *
 *     head: route, access, is the body acceptable?  --> a refusal, kept until the body is over
 *     body: collected (a call), fed to an upload, or thrown away (refused)
 *     end:  the handler or the upload's end makes the reply, and it is sent
 *
 * A reply that is sent before a body has come makes the library close the connection, and a client
 * that is still sending may lose the reply to a reset. So the body of a refused request is read and
 * thrown away first, unless it is a huge one, or the client waits for `100 Continue` and has not
 * begun: then the refusal goes out at once. */
#include "serve/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "serve/access.h"
#include "serve/framing.h"
#include "serve/respond.h"
#include "serve/routes.h"
#include "serve/upload.h"
#include "util/clock.h"
#include "util/log.h"

enum {
    BODY_LIMIT = 16 << 20, /* of JSON */
    DRAIN_LIMIT = 1 << 30, /* what is read of a refused request */
    NS_PER_S = 1000000000,
};

struct exchange {
    struct exchange_context *context;
    struct request request;
    struct reply reply;
    struct buf queries, headers; /* arrays of struct request_pair */
    struct buf body;
    json_t *json;
    char base_url[REQUEST_BASE_URL_BYTES];
    enum route_kind kind;
    api_handler handler;
    struct upload *upload;
    uint64_t announced_bytes; /* of the body; 0 when unknown */
    uint64_t drained_bytes;   /* of it, thrown away */
    bool bad_query;
    bool closes;  /* no request after this one on the connection */
    bool refused; /* the reply is made; what comes of the body does not matter */
};

static void exchange_free(struct exchange *e)
{
    if (!e)
        return;
    atomic_fetch_sub(&e->context->n_open, 1);
    upload_free(e->upload);
    json_decref(e->json);
    buf_deinit(&e->body);
    buf_deinit(&e->queries);
    buf_deinit(&e->headers);
    reply_deinit(&e->reply);
    free(e);
}

DEFINE_CLEANUP(struct exchange *, cleanup_exchange, exchange_free)

static bool is_utf8_text(const char *text, size_t len)
{
    if (memchr(text, '\0', len))
        return false;
    json_t *probe JSON_CLEANUP =
        json_stringn(text, len); /* NULL for what could not be stored either */
    return probe != NULL;
}

static enum MHD_Result take_query(void *arg, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    struct exchange *e = arg;
    struct request_pair pair = {name, value ? value : ""};
    (void)kind;
    if (!is_utf8_text(name, name_len) || !is_utf8_text(pair.value, value_len))
        e->bad_query = true;
    return buf_append(&e->queries, &pair, sizeof(pair)) < 0 ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct exchange *e = arg;
    struct request_pair pair = {name, value ? value : ""};
    (void)kind;
    return buf_append(&e->headers, &pair, sizeof(pair)) < 0 ? MHD_NO : MHD_YES;
}

static int take_head(struct exchange *e, struct MHD_Connection *connection, const char *url,
                     const char *method)
{
    struct request *request = &e->request;
    request->method = strcmp(method, "HEAD") == 0 ? "GET" : method;
    request->path = url;
    int n_queries = MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_query, e);
    int n_headers = MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, e);
    if (n_queries < 0 || n_headers < 0)
        return -ENOMEM;
    request->query = (const void *)e->queries.data;
    request->n_query = e->queries.len / sizeof(struct request_pair);
    request->headers = (const void *)e->headers.data;
    request->n_headers = e->headers.len / sizeof(struct request_pair);
    e->announced_bytes = framing_announced_bytes(request);
    request_format_base_url(request, e->context->own_name, e->base_url);
    request->base_url = e->base_url;
    return 0;
}

static int refuse(struct exchange *e, unsigned status, const char *message)
{
    return reply_error(&e->reply, status, "%s", message) < 0 ? -ENOMEM : 1;
}

static int begin_upload(struct exchange *e)
{
    const char *problem;
    unsigned status = framing_check_upload(&e->request, &problem);
    if (status)
        return refuse(e, status, problem);
    problem = names_path_problem(e->request.rest);
    if (problem)
        return refuse(e, 400, problem);
    int r = upload_new(e->context->store, &e->request, &e->upload);
    return r == -ENOENT ? refuse(e, 404, "Unable to find model") : r;
}

static int check_access(struct exchange *e)
{
    struct exchange_context *context = e->context;
    if (e->kind == ROUTE_DOWNLOAD || e->kind == ROUTE_UPLOAD)
        return access_check_signed(context->store, &e->request, clock_wall_ns() / NS_PER_S,
                                   &e->reply);
    return access_check_call(context->store, context->key_required, &e->request, &e->reply);
}

/* What can be said of a request by its head alone. */
static int check_head(struct exchange *e)
{
    switch (e->kind) {
    case ROUTE_NONE:
        return refuse(e, 404, "There is no such call");
    case ROUTE_OTHER:
        return refuse(e, 405, "This path has other methods");
    case ROUTE_LATER:
        return refuse(e, 501, "This registry has projects and models, but not this call");
    case ROUTE_CALL:
    case ROUTE_DOWNLOAD:
    case ROUTE_UPLOAD:
        break;
    }
    if (e->bad_query)
        return refuse(e, 400, "The query is not UTF-8 text");
    if (e->kind == ROUTE_UPLOAD)
        return begin_upload(e);
    return e->announced_bytes > BODY_LIMIT ? refuse(e, 413, "The body is too large") : 0;
}

/* 0: go on; 1: refused, the reply is made; or -errno. */
static int admit(struct exchange *e)
{
    const char *problem;
    unsigned status = framing_check(&e->request, &problem);
    e->closes = status != 0;
    if (e->closes)
        return refuse(e, status, problem);
    e->kind = routes_find(&e->request, &e->handler);
    int r = check_access(e);
    return r != 0 ? r : check_head(e);
}

/* Settles what became of a step: from a refusal or failure on the reply is fixed. */
static void settle(struct exchange *e, int r)
{
    if (r == 0)
        return;
    if (r < 0 && reply_failure(&e->reply, r) < 0)
        reply_reset(&e->reply);
    e->refused = true;
    upload_free(steal_ptr(e->upload)); /* its disk space is free from now on */
    if (e->reply.status == 0)
        e->reply.status = 503; /* no memory to say more */
}

static struct exchange *begin(struct exchange_context *context, struct MHD_Connection *connection,
                              const char *url, const char *method)
{
    struct exchange *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->context = context;
    atomic_fetch_add(&context->n_open, 1);
    reply_init(&e->reply);
    int r = take_head(e, connection, url, method);
    settle(e, r < 0 ? r : admit(e));
    return e;
}

/* False when a refused body has no end. */
static bool take_piece(struct exchange *e, const char *data, size_t len)
{
    int r = 0;
    if (e->refused)
        return (e->drained_bytes += len) <= DRAIN_LIMIT;
    if (e->upload)
        r = upload_feed(e->upload, data, len);
    else if (len > BODY_LIMIT - e->body.len)
        r = refuse(e, 413, "The body is too large");
    else
        r = buf_append(&e->body, data, len);
    settle(e, r);
    return true;
}

static int parse_body(struct exchange *e)
{
    char why[JSON_ERROR_TEXT_LENGTH];
    size_t blank = e->body.len ? strspn(e->body.data, " \t\r\n") : 0;
    if (blank == e->body.len)
        return 0;
    e->json = json_parse(e->body.data, e->body.len, why);
    e->request.json = e->json;
    if (e->json)
        return 0;
    return reply_error(&e->reply, 400, "The body is not JSON: %s", why) < 0 ? -ENOMEM : 1;
}

static void finish_upload(struct exchange *e, struct MHD_Connection *connection)
{
    /* The disk may take its time, and that is not the client's silence. */
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    settle(e, upload_finish(e->upload, &e->reply));
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned)EXCHANGE_TIMEOUT_S);
    upload_free(steal_ptr(e->upload));
}

static void finish(struct exchange *e, struct MHD_Connection *connection)
{
    if (e->refused)
        return;
    if (e->upload) {
        finish_upload(e, connection);
        return;
    }
    int r = parse_body(e);
    settle(e, r != 0 ? r : e->handler(e->context->store, &e->request, &e->reply));
}

/* The path could hold anything: a line of the log must stay one. */
static void log_failure(const struct exchange *e)
{
    char path[160];
    snprintf(path, sizeof(path), "%s", e->request.path);
    for (char *c = path; *c; c++) {
        if ((signed char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    }
    log_warn("serve: %s %s: %u %s", e->request.method, path, e->reply.status, e->reply.problem);
}

static enum MHD_Result send_reply(struct exchange *e, struct MHD_Connection *connection)
{
    if (e->reply.status >= 400)
        log_failure(e);
    /* The gradient client saves whatever body it gets as the file. A connection that is cut it
     * tries again, and so does everybody else. */
    if (e->kind == ROUTE_DOWNLOAD && e->reply.status >= 500)
        return MHD_NO;
    bool closes = e->closes || atomic_load(&e->context->closing);
    return respond(connection, &e->reply, closes);
}

static bool is_worth_draining(const struct exchange *e)
{
    bool waits = request_header(&e->request, "Expect") != NULL; /* and has not sent its body yet */
    return !waits && e->announced_bytes <= DRAIN_LIMIT && framing_has_end(&e->request);
}

enum MHD_Result exchange_handle(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *data_len, void **exchange)
{
    struct exchange *e = *exchange;
    (void)version;
    if (!e) {
        e = *exchange = begin(context, connection, url, method);
        if (!e)
            return MHD_NO;
        return e->refused && !is_worth_draining(e) ? send_reply(e, connection) : MHD_YES;
    }
    if (*data_len > 0) {
        bool go_on = take_piece(e, data, *data_len);
        *data_len = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    finish(e, connection);
    return send_reply(e, connection);
}

void exchange_completed(void *context, struct MHD_Connection *connection, void **exchange,
                        enum MHD_RequestTerminationCode how)
{
    struct exchange *e CLEANUP(cleanup_exchange) = steal_ptr(*exchange);
    (void)context;
    (void)connection;
    if (e && e->upload && how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        log_warn("serve: an upload to model %s was cut off", e->request.id);
}
