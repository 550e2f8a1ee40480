/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests, and file:// ranges served the same way: the only room that knows curl (http*.c).
 * An engine owns a few transfer threads, each a curl multi with its own connections; callbacks run
 * on them, under no lock, and must not block. */
#pragma once

#include <stdint.h>

#include "net/http_head.h"
#include "net/http_request.h"
#include "net/pace.h"
#include "util/buf.h"

struct http;

struct http_options {
    int n_threads; /* 0: by the number of processors, at most 4 */
    /* Transfers at a time, of the whole engine; the rest wait. 0: 32. One slot in eight (none of
     * fewer than eight) is kept for urgent requests. */
    int max_connections;
    int connect_timeout_ms; /* 0: 10000 */
    int stall_timeout_ms;   /* no byte for this long ends a transfer with -ETIMEDOUT; 0: 20000 */
    const char *ca_file;    /* extra certificate authority bundle, or NULL */
    const char *user_agent; /* NULL: modelfs/<version> */
};

/* Starts the threads. @options may be NULL: all defaults. 0, -ENOMEM, or -errno of
 * pthread_create(). */
int http_new(const struct http_options *options, struct http **out);
/* Cancels what still runs (each on_done comes with -ECANCELED) and ends the threads. From then on
 * every start gives -ECANCELED, so that whoever still holds the engine does no harm. One thread
 * calls it, which is none of the engine's. */
void http_stop(struct http *http);
/* Stops, if that has not been done, and frees. NULL is fine. */
void http_free(struct http *http);

/* Starts a transfer; the callbacks then run on a transfer thread. 0, or no callback will come:
 * -EINVAL (no http, https or file URL, user info in it, a line break in a header, a range over
 * 2^64), -ENOMEM, -ECANCELED while the engine ends. Any thread may call, callbacks too. */
int http_start(struct http *http, const struct http_request *request);

/* A whole small exchange, waited for. Starts from {0}. */
struct http_reply {
    int status;
    struct buf body;           /* owned: http_reply_deinit() */
    char *etag, *content_type; /* owned or NULL */
    int64_t total_bytes;       /* as in http_head */
    int64_t retry_after_ms;
};
void http_reply_deinit(struct http_reply *reply);
/* Sends @request (its callbacks are ignored) and waits. Not for FUSE workers or transfer threads. 0
 * with any status, or -errno and an empty *out. */
int http_fetch(struct http *http, const struct http_request *request, struct http_reply *out);
/* The same in two parts, for exchanges side by side: begins @request, of which nothing is kept, and
 * waits for what was begun, which must follow. Every error is the end's, but NULL: -ENOMEM. */
struct http_wait;
struct http_wait *http_fetch_begin(struct http *http, const struct http_request *request);
int http_fetch_end(struct http_wait *wait, struct http_reply *out);

/* Sends the content of @fd (exactly @len bytes from its current offset, which stays where it is) as
 * the body of a PUT, or of the request's own method, and waits; for command lines. @on_progress
 * (may be NULL; on a transfer thread) is told the bytes sent so far and returns 0, or -errno to
 * end. Errors as http_fetch(), and -ESPIPE for a pipe, -ESTALE for a file that ends early. */
int http_put_fd(struct http *http, const struct http_request *request, int fd, uint64_t len,
                int (*on_progress)(void *ctx, uint64_t sent), void *ctx, struct http_reply *out);

struct http_stats {
    uint64_t requests, bytes_received, errors, connections_opened;
    int connections, active, queued; /* open; transfers that run, and that wait */
};
void http_get_stats(struct http *http, struct http_stats *out);

/* How far away and how fast the host of @url is, as its transfers told; 0 where that is not known.
 * 0; -ENOENT when nothing came from it yet, -EINVAL when it is no http or https URL. Any thread; a
 * short lock, no I/O. */
int http_get_pace(struct http *http, const char *url, struct pace *out);

/* The same of all origins there are: how many. */
struct http_origin_pace {
    char name[PACE_NAME_BYTES]; /* host:port */
    struct pace pace;
};
int http_list_paces(struct http *http, struct http_origin_pace out[PACE_ORIGINS]);
