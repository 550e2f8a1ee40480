/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_transfer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "net/http_redirect.h"
#include "net/url.h"
#include "util/clock.h"

enum { REDIRECTS_MAX = 5 };

/* ---- making one ---- */

static int copy_text(char **slot, const char *text)
{
    *slot = strdup(text);
    return *slot ? 0 : -ENOMEM;
}

static int check_url(const char *text, bool *out_is_file)
{
    struct url url URL_CLEANUP = {0};
    int r = url_parse(text, &url);
    if (r < 0)
        return r;
    *out_is_file = strcmp(url.scheme, "file") == 0;
    return *out_is_file || strcmp(url.scheme, "http") == 0 || strcmp(url.scheme, "https") == 0
               ? 0
               : -EINVAL;
}

static int append_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        return -ENOMEM;
    *list = longer;
    return 0;
}

/* Two headers that curl would add on its own are taken out: `Expect`, since it costs a round trip
 * and some servers never answer it, and a form's Content-Type. */
static int start_headers(struct curl_slist **list, bool has_content_type)
{
    int r = append_header(list, "Expect:");
    if (r == 0 && !has_content_type)
        r = append_header(list, "Content-Type:");
    return r;
}

static int copy_header(struct http_transfer *t, const struct http_header *header)
{
    struct buf line BUF_CLEANUP = {0};
    if (strpbrk(header->name, "\r\n:") || strpbrk(header->value, "\r\n"))
        return -EINVAL;
    if (strcasecmp(header->name, "If-Match") == 0) {
        free(t->if_match);
        if (copy_text(&t->if_match, header->value) < 0)
            return -ENOMEM;
    }
    /* curl's way to send a header without a value is a semicolon: a colon alone would take it
     * out. */
    int r = header->value[0] ? buf_printf(&line, "%s: %s", header->name, header->value)
                             : buf_printf(&line, "%s;", header->name);
    return r < 0 ? r : append_header(&t->headers, line.data);
}

static int copy_headers(struct http_transfer *t, const struct http_request *request)
{
    bool has_content_type = false;
    for (size_t i = 0; i < request->n_headers; i++) {
        has_content_type |= strcasecmp(request->headers[i].name, "Content-Type") == 0;
        int r = copy_header(t, &request->headers[i]);
        if (r < 0)
            return r;
    }
    return start_headers(&t->headers, has_content_type);
}

static int copy_body(struct http_transfer *t, const struct http_request *request)
{
    if (!request->body || request->read_body)
        return 0;
    t->body = malloc(request->body_len ? request->body_len : 1);
    if (!t->body)
        return -ENOMEM;
    memcpy(t->body, request->body, request->body_len);
    return 0;
}

static void free_transfer(struct http_transfer **t)
{
    http_transfer_free(*t);
}

int http_transfer_new(const struct http_request *request, struct http_transfer **out)
{
    uint64_t end;
    struct http_transfer *t CLEANUP(free_transfer) = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->range.fd = -1;
    if (__builtin_add_overflow(request->range_off, request->range_len, &end))
        return -EINVAL;
    t->ask = *request;
    int r = check_url(request->url, &t->is_file);
    if (r == 0)
        r = copy_text(&t->url, request->url);
    if (r == 0)
        r = copy_text(&t->method, request->method ? request->method : "GET");
    if (r == 0)
        r = copy_body(t, request);
    if (r == 0)
        r = copy_headers(t, request);
    if (r < 0)
        return r;
    t->ask.url = t->url;
    t->ask.method = t->method;
    t->ask.body = t->body;
    t->ask.headers = NULL;
    t->deadline_ms =
        request->deadline_ms > 0 ? clock_now_ms() + (uint64_t)request->deadline_ms : UINT64_MAX;
    *out = steal_ptr(t);
    return 0;
}

void http_transfer_free(struct http_transfer *t)
{
    if (!t)
        return;
    assert(!t->easy);
    file_range_deinit(&t->range);
    http_head_deinit(&t->head);
    curl_slist_free_all(t->headers);
    free(t->url);
    free(t->method);
    free(t->body);
    free(t->if_match);
    free(t);
}

/* ---- its reply ---- */

bool http_transfer_is_head(const struct http_transfer *t)
{
    return strcmp(t->method, "HEAD") == 0;
}

int http_transfer_deliver_head(struct http_transfer *t, const struct http_head *head)
{
    int r = t->ask.on_head ? t->ask.on_head(t->ask.ctx, head) : 0;
    bool is_too_long = t->ask.max_bytes > 0 && head->content_length > t->ask.max_bytes;
    return r == 0 && is_too_long && !http_transfer_is_head(t) ? -EFBIG : r;
}

int http_transfer_deliver_data(struct http_transfer *t, const void *data, size_t len)
{
    t->n_received += len;
    atomic_fetch_add_explicit(t->received_bytes, len, memory_order_relaxed);
    if (t->ask.max_bytes > 0 && t->n_received > (uint64_t)t->ask.max_bytes)
        return -EFBIG;
    return t->ask.on_data ? t->ask.on_data(t->ask.ctx, data, len) : 0;
}

/* ---- redirects ---- */

static int forget_caller_headers(struct http_transfer *t)
{
    struct curl_slist *headers = NULL;
    int r = start_headers(&headers, false);
    if (r < 0) {
        curl_slist_free_all(headers);
        return r;
    }
    curl_slist_free_all(t->headers);
    t->headers = headers;
    return 0;
}

/* 303 asks for a GET, and so do 301 and 302 after a POST (RFC 9110, 15.4). */
static int change_method(struct http_transfer *t)
{
    int status = t->head.head.status;
    bool was_post = strcmp(t->method, "POST") == 0;
    if (http_transfer_is_head(t) || status >= 307 || (status != 303 && !was_post))
        return 0;
    free(steal_ptr(t->body));
    t->ask.body_len = 0;
    t->ask.read_body = NULL;
    free(t->method);
    return copy_text(&t->method, "GET");
}

/* Redirects are not left to curl: it sends all custom headers but Authorization and Cookie on to
 * another host, and a registry's X-Api-Key is as secret as those. So the transfer starts again at
 * the new place, without the caller's headers from the moment it leaves the scheme, host and port
 * it was meant for. */
int http_transfer_follow(struct http_transfer *t)
{
    char *url CLEANUP(cleanup_free) = NULL;
    bool is_same_origin = false;
    if (++t->n_redirects > REDIRECTS_MAX)
        return -EPROTO;
    int r = http_redirect_resolve(t->url, t->head.head.location, &url, &is_same_origin);
    if (r == 0 && !is_same_origin)
        r = forget_caller_headers(t);
    if (r == 0)
        r = change_method(t);
    if (r < 0)
        return r;
    free(t->url);
    t->url = steal_ptr(url);
    return 0;
}

/* ---- file:// ---- */

int http_transfer_open_file(struct http_transfer *t)
{
    struct file_range *range = &t->range;
    if (strcmp(t->method, "GET") != 0 && !http_transfer_is_head(t))
        return http_transfer_deliver_head(t, &(struct http_head){.status = 405, .total_bytes = -1});
    int r = file_range_open(t->url, t->ask.range_off, t->ask.range_len, t->if_match, range);
    if (r < 0)
        return r;
    bool is_open = range->fd >= 0;
    struct http_head head = {
        .status = range->status,
        .content_length = is_open ? (int64_t)range->len : 0,
        .range_off = range->status == 206 ? range->off : 0,
        .range_len = range->status == 206 ? range->len : 0,
        .total_bytes = is_open || range->status == 416 ? (int64_t)range->total_bytes : -1,
        .etag = range->etag[0] ? range->etag : NULL,
        .retry_after_ms = -1,
    };
    return http_transfer_deliver_head(t, &head);
}

bool http_transfer_step_file(struct http_transfer *t, void *buffer, size_t cap, int *out_err)
{
    ssize_t n = http_transfer_is_head(t) ? 0 : file_range_read(&t->range, buffer, cap);
    *out_err = n > 0 ? http_transfer_deliver_data(t, buffer, (size_t)n) : (int)n;
    return n <= 0 || *out_err != 0 || t->range.len == 0;
}
