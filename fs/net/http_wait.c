/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges that a thread waits for, on top of http_start(). */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/http.h"

/* One waited-for exchange, of the waiting thread. The transfer thread fills it; on_done hands it
 * back. */
struct http_wait {
    struct http_reply reply;

    int fd; /* what http_put_fd() sends */
    off_t fd_off;
    int (*on_progress)(void *ctx, uint64_t sent);
    void *ctx;

    pthread_mutex_t lock;
    pthread_cond_t is_done_changed;
    bool is_done; /* lock */
    int err;      /* lock */
};

void http_reply_deinit(struct http_reply *reply)
{
    buf_deinit(&reply->body);
    free(reply->etag);
    free(reply->content_type);
    *reply = (struct http_reply){0};
}

static int keep_text(char **slot, const char *text)
{
    if (!text)
        return 0;
    *slot = strdup(text);
    return *slot ? 0 : -ENOMEM;
}

static int keep_head(void *ctx, const struct http_head *head)
{
    struct http_reply *reply = &((struct http_wait *)ctx)->reply;
    reply->status = head->status;
    reply->total_bytes = head->total_bytes;
    reply->retry_after_ms = head->retry_after_ms;
    int r = keep_text(&reply->etag, head->etag);
    return r < 0 ? r : keep_text(&reply->content_type, head->content_type);
}

static int keep_data(void *ctx, const void *data, size_t len)
{
    return buf_append(&((struct http_wait *)ctx)->reply.body, data, len);
}

static void wake_waiter(void *ctx, int err)
{
    struct http_wait *wait = ctx;
    pthread_mutex_lock(&wait->lock);
    wait->err = err;
    wait->is_done = true;
    pthread_cond_signal(&wait->is_done_changed);
    pthread_mutex_unlock(&wait->lock);
}

static int64_t read_fd(void *ctx, uint64_t off, void *out, size_t cap)
{
    struct http_wait *wait = ctx;
    int r = wait->on_progress ? wait->on_progress(wait->ctx, off) : 0;
    if (r != 0)
        return r < 0 ? r : -r;
    ssize_t n = pread(wait->fd, out, cap, wait->fd_off + (off_t)off);
    return n < 0 ? -errno : n;
}

static int wait_until_done(struct http_wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    while (!wait->is_done)
        pthread_cond_wait(&wait->is_done_changed, &wait->lock);
    pthread_mutex_unlock(&wait->lock);
    return wait->err;
}

/* Starts @request with @wait's callbacks: end() must follow. */
static void begin(struct http *http, struct http_request request, struct http_wait *wait)
{
    request.on_head = keep_head;
    request.on_data = keep_data;
    request.on_done = wake_waiter;
    request.ctx = wait;
    pthread_mutex_init(&wait->lock, NULL);
    pthread_cond_init(&wait->is_done_changed, NULL);
    int r = http_start(http, &request);
    if (r < 0)
        wake_waiter(wait, r);
}

static int end(struct http_wait *wait, struct http_reply *out)
{
    int r = wait_until_done(wait);
    pthread_cond_destroy(&wait->is_done_changed);
    pthread_mutex_destroy(&wait->lock);
    if (r != 0)
        http_reply_deinit(&wait->reply);
    *out = wait->reply;
    return r;
}

static int exchange(struct http *http, const struct http_request *request, struct http_wait *wait,
                    struct http_reply *out)
{
    begin(http, *request, wait);
    return end(wait, out);
}

struct http_wait *http_fetch_begin(struct http *http, const struct http_request *request)
{
    struct http_request fetch = *request;
    struct http_wait *wait = calloc(1, sizeof(*wait));
    if (!wait)
        return NULL;
    wait->fd = -1;
    fetch.read_body = NULL;
    begin(http, fetch, wait);
    return wait;
}

int http_fetch_end(struct http_wait *wait, struct http_reply *out)
{
    int r = end(wait, out);
    free(wait);
    return r;
}

int http_fetch(struct http *http, const struct http_request *request, struct http_reply *out)
{
    struct http_request fetch = *request;
    struct http_wait wait = {.fd = -1};
    fetch.read_body = NULL;
    return exchange(http, &fetch, &wait, out);
}

int http_put_fd(struct http *http, const struct http_request *request, int fd, uint64_t len,
                int (*on_progress)(void *ctx, uint64_t sent), void *ctx, struct http_reply *out)
{
    struct http_request put = *request;
    struct http_wait wait = {.fd = fd, .on_progress = on_progress, .ctx = ctx};
    *out = (struct http_reply){0};
    wait.fd_off = lseek(fd, 0, SEEK_CUR);
    if (wait.fd_off < 0)
        return -errno;
    if (!put.method)
        put.method = "PUT";
    put.body = NULL;
    put.body_len = (size_t)len;
    put.read_body = read_fd;
    int r = exchange(http, &put, &wait, out);
    if (r == 0 && on_progress)
        r = on_progress(ctx, len);
    if (r != 0)
        http_reply_deinit(out);
    return r;
}
