/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody asks of the network: a request and the callbacks that take its reply. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head;

struct http_header {
    const char *name, *value;
};

struct http_request {
    const char *method;                /* NULL: GET */
    const char *url;                   /* http, https or file */
    const struct http_header *headers; /* copied */
    size_t n_headers;
    uint64_t range_off, range_len; /* range_len 0: no Range header */
    const void *body;              /* sent with Content-Length, also on a GET; copied */
    size_t body_len;
    /* Instead of @body: puts up to @cap (never 0) of the body's bytes at @off into @out and returns
     * how many, or -errno to end the transfer with it; 0 before body_len bytes were given ends it
     * with -ESTALE. Offsets go back when the body is sent again. */
    int64_t (*read_body)(void *ctx, uint64_t off, void *out, size_t cap);
    int deadline_ms;   /* for the whole transfer, from its start; 0: none but the stall timeout */
    int64_t max_bytes; /* a longer body ends the transfer with -EFBIG; 0: no limit */
    bool urgent;       /* somebody waits for it: before read-ahead when connections are short */
    bool follow;       /* follow up to 5 redirects; no header is sent to another host or port */
    /* Each may be NULL. Return 0, or -errno to end the transfer with it. */
    int (*on_head)(void *ctx, const struct http_head *head);
    int (*on_data)(void *ctx, const void *data, size_t len);
    /* Always the last call and exactly one: 0 when a whole reply came, whatever its status; else
     * -errno: -ECONNREFUSED, -ECONNRESET (also a body shorter than announced), -ETIMEDOUT,
     * -EHOSTUNREACH, -EPROTO, -EINVAL (not a URL), -ECANCELED, -EFBIG, -ENOMEM, -ESTALE (a file://
     * that changed while it was read), or what a callback gave. */
    void (*on_done)(void *ctx, int err);
    void *ctx;
};
