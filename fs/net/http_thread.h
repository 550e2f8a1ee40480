/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer thread: takes transfers from its seat of the queue and carries them through. Internal
 * to net/http*.c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "net/http_exchange.h"
#include "net/http_paces.h"
#include "net/http_queue.h"

enum { HTTP_IDLE_HANDLES_MAX = 32 };

struct http_counters {
    atomic_uint_fast64_t requests, errors, opened, received_bytes;
    atomic_int n_connections; /* open now */
};

/* Embedded in the engine. The first five are set before the start and constant; the rest is the
 * thread's own. */
struct http_thread {
    struct http_queue *queue;
    struct http_counters *counters;
    struct http_paces *paces;
    const struct http_setup *setup;
    uint64_t stall_timeout_ms;

    pthread_t id;
    int seat;
    CURLM *multi;                      /* its own, but for curl_multi_wakeup() */
    struct http_transfer_list running; /* over sockets */
    struct http_transfer_list files;   /* file://, the next one first */
    CURL *idle[HTTP_IDLE_HANDLES_MAX]; /* handles to use again */
    int n_idle;
    uint64_t next_sweep_ms;
    char *file_buffer; /* from the first file on */
};

/* 0, -ENOMEM, or -errno of pthread_create(); then nothing is left to stop. */
int http_thread_start(struct http_thread *thread);

/* After http_queue_end(): returns when the thread has cancelled what it had, and frees what it
 * owned. */
void http_thread_join(struct http_thread *thread);
