/* SPDX-License-Identifier: Apache-2.0 */
/* Which transfer of an engine runs when, and on which thread. Internal to net/http*.c. Any thread
 * may call; no call blocks. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "net/http_transfer.h"

enum { HTTP_SEATS_MAX = 32 };

TAILQ_HEAD(http_transfer_list, http_transfer);

/* A transfer thread as the queue sees it. */
struct http_seat {
    CURLM *multi; /* woken when something is in the inbox */
    struct http_transfer_list inbox;
    int n_assigned; /* transfers in the inbox and on the thread */
};

/* Embedded. All but the limits is guarded by the lock. */
struct http_queue {
    int max_active; /* constant: transfers on threads at a time */
    int max_bulk;   /* constant: of these, how many may be other than urgent */
    pthread_mutex_t lock;
    bool is_ending;
    struct http_transfer_list urgent, bulk;
    int n_active, n_queued;
    int n_seats;
    struct http_seat seats[HTTP_SEATS_MAX];
};

void http_queue_init(struct http_queue *q, int max_active);
void http_queue_deinit(struct http_queue *q);

/* A seat for the thread that sleeps in @multi: its index. */
int http_queue_add_seat(struct http_queue *q, CURLM *multi);
void http_queue_remove_last_seat(struct http_queue *q);

/* Takes @t over: it will come out at some seat, or at take_overdue. -ECANCELED, and @t stays the
 * caller's, once the end came. */
int http_queue_push(struct http_queue *q, struct http_transfer *t);

/* The next transfer for @seat to run, or NULL in *out; false when the engine ends. Each one taken
 * is given back by release. */
bool http_queue_take(struct http_queue *q, int seat, struct http_transfer **out);
void http_queue_release(struct http_queue *q, int seat);

void http_queue_count(struct http_queue *q, int *out_active, int *out_queued);

/* A waiting transfer whose deadline has passed, or NULL. */
struct http_transfer *http_queue_take_overdue(struct http_queue *q, uint64_t now_ms);

/* From now on nothing is pushed and take is false everywhere; wakes all seats. What still waits is
 * had from take_rest. */
void http_queue_end(struct http_queue *q);
struct http_transfer *http_queue_take_rest(struct http_queue *q);
