/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer as a test watches it: what each callback brought, and a wait for the end. */
#pragma once

#include <pthread.h>

#include "net/http.h"

#include "check.h"

struct probe {
    struct http_head head; /* numbers only: its strings are gone */
    char etag[64], location[256];
    struct buf body;
    int n_heads, n_done, err;
    bool was_done_last;           /* no callback after on_done */
    int head_answer, data_answer; /* what the callbacks return */
    int *order, place;            /* where it came in, counted through *order */
    struct http *restart;         /* on_done starts another one there, and keeps its answer */
    int restart_answer;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static inline int probe_head(void *ctx, const struct http_head *head)
{
    struct probe *p = ctx;
    p->head = *head;
    p->n_heads++;
    p->was_done_last = false;
    snprintf(p->etag, sizeof(p->etag), "%s", head->etag ? head->etag : "");
    snprintf(p->location, sizeof(p->location), "%s", head->location ? head->location : "");
    return p->head_answer;
}

static inline int probe_data(void *ctx, const void *data, size_t len)
{
    struct probe *p = ctx;
    p->was_done_last = false;
    CHECK_EQ(p->n_heads, 1);
    CHECK_EQ(buf_append(&p->body, data, len), 0);
    return p->data_answer;
}

static inline void probe_done(void *ctx, int err)
{
    struct probe *p = ctx;
    if (p->restart)
        p->restart_answer = http_start(p->restart, &(struct http_request){.url = "http://h/"});
    pthread_mutex_lock(&p->lock);
    p->err = err;
    p->was_done_last = true;
    p->n_done++;
    if (p->order)
        p->place = __atomic_add_fetch(p->order, 1, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static inline void probe_init(struct probe *p)
{
    memset(p, 0, sizeof(*p));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
}

static inline void probe_deinit(struct probe *p)
{
    buf_deinit(&p->body);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
}

static inline int probe_start(struct probe *p, struct http *http, struct http_request request)
{
    request.on_head = probe_head;
    request.on_data = probe_data;
    request.on_done = probe_done;
    request.ctx = p;
    return http_start(http, &request);
}

/* What the transfer ended with. */
static inline int probe_wait(struct probe *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->n_done == 0)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
    CHECK_EQ(p->n_done, 1);
    CHECK(p->was_done_last);
    return p->err;
}

/* One request from start to end. */
static inline int probe_run(struct probe *p, struct http *http, struct http_request request)
{
    probe_init(p);
    int r = probe_start(p, http, request);
    return r < 0 ? r : probe_wait(p);
}
