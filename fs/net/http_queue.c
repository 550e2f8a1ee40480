/* SPDX-License-Identifier: Apache-2.0 */
/* The queue before the transfer threads.
 *
 * Connections are what is short, so transfers are counted: at most max_active run, the others wait
 * in two lists, and the urgent one is served first. A slice of the slots is out of bounds for the
 * rest; otherwise 32 ranges of 16 MiB on a slow line would keep a reader waiting until the first of
 * them is through. curl's own limits are not used: it queues in order of arrival.
 *
 * A transfer goes to the least busy seat, the first of equals: requests one after another then find
 * the connection of the one before still open. */
#include "net/http_queue.h"

#include <errno.h>

enum { URGENT_SHARE = 8 }; /* one slot in so many is for urgent transfers only */

/* Bits of the seats with something new in their inbox; woken when the lock is released, for waking
 * writes to a socket. */
typedef uint32_t wake_mask;
_Static_assert(HTTP_SEATS_MAX <= 32, "a bit a seat");

void http_queue_init(struct http_queue *q, int max_active)
{
    q->max_active = max_active;
    q->max_bulk = max_active - max_active / URGENT_SHARE;
    pthread_mutex_init(&q->lock, NULL);
    TAILQ_INIT(&q->urgent);
    TAILQ_INIT(&q->bulk);
}

void http_queue_deinit(struct http_queue *q)
{
    pthread_mutex_destroy(&q->lock);
}

int http_queue_add_seat(struct http_queue *q, CURLM *multi)
{
    pthread_mutex_lock(&q->lock);
    int seat = q->n_seats++;
    q->seats[seat] = (struct http_seat){.multi = multi};
    TAILQ_INIT(&q->seats[seat].inbox);
    pthread_mutex_unlock(&q->lock);
    return seat;
}

void http_queue_remove_last_seat(struct http_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->n_seats--;
    pthread_mutex_unlock(&q->lock);
}

/* Seats come and go only while nothing is pushed, so their multis can be read without the lock. */
static void wake(struct http_queue *q, wake_mask mask)
{
    for (int i = 0; mask; i++, mask >>= 1)
        if (mask & 1)
            curl_multi_wakeup(q->seats[i].multi);
}

static struct http_transfer_list *list_of(struct http_queue *q, const struct http_transfer *t)
{
    return t->ask.urgent ? &q->urgent : &q->bulk;
}

/* The next that may start now, out of its list; NULL when none may. */
static struct http_transfer *take_startable(struct http_queue *q)
{
    struct http_transfer *t = TAILQ_FIRST(&q->urgent);
    if (q->is_ending || q->n_active >= q->max_active)
        return NULL;
    if (!t && q->n_active < q->max_bulk)
        t = TAILQ_FIRST(&q->bulk);
    if (!t)
        return NULL;
    TAILQ_REMOVE(list_of(q, t), t, link);
    q->n_queued--;
    return t;
}

static int find_least_busy(const struct http_queue *q)
{
    int best = 0;
    for (int i = 1; i < q->n_seats; i++)
        if (q->seats[i].n_assigned < q->seats[best].n_assigned)
            best = i;
    return best;
}

/* Seats what may start now. */
static wake_mask dispatch(struct http_queue *q)
{
    wake_mask mask = 0;
    struct http_transfer *t;
    while ((t = take_startable(q))) {
        int seat = find_least_busy(q);
        TAILQ_INSERT_TAIL(&q->seats[seat].inbox, t, link);
        q->seats[seat].n_assigned++;
        q->n_active++;
        mask |= 1u << seat;
    }
    return mask;
}

int http_queue_push(struct http_queue *q, struct http_transfer *t)
{
    wake_mask mask = 0;
    pthread_mutex_lock(&q->lock);
    bool is_ending = q->is_ending;
    if (!is_ending) {
        TAILQ_INSERT_TAIL(list_of(q, t), t, link);
        q->n_queued++;
        mask = dispatch(q);
    }
    pthread_mutex_unlock(&q->lock);
    wake(q, mask);
    return is_ending ? -ECANCELED : 0;
}

bool http_queue_take(struct http_queue *q, int seat, struct http_transfer **out)
{
    pthread_mutex_lock(&q->lock);
    bool goes_on = !q->is_ending;
    *out = goes_on ? TAILQ_FIRST(&q->seats[seat].inbox) : NULL;
    if (*out)
        TAILQ_REMOVE(&q->seats[seat].inbox, *out, link);
    pthread_mutex_unlock(&q->lock);
    return goes_on;
}

void http_queue_release(struct http_queue *q, int seat)
{
    pthread_mutex_lock(&q->lock);
    q->seats[seat].n_assigned--;
    q->n_active--;
    wake_mask mask = dispatch(q);
    pthread_mutex_unlock(&q->lock);
    wake(q, mask);
}

void http_queue_count(struct http_queue *q, int *out_active, int *out_queued)
{
    pthread_mutex_lock(&q->lock);
    *out_active = q->n_active;
    *out_queued = q->n_queued;
    pthread_mutex_unlock(&q->lock);
}

static struct http_transfer *find_overdue(struct http_transfer_list *list, uint64_t now_ms)
{
    struct http_transfer *t;
    for (t = TAILQ_FIRST(list); t; t = TAILQ_NEXT(t, link))
        if (now_ms >= t->deadline_ms)
            return t;
    return NULL;
}

struct http_transfer *http_queue_take_overdue(struct http_queue *q, uint64_t now_ms)
{
    pthread_mutex_lock(&q->lock);
    struct http_transfer *t = find_overdue(&q->urgent, now_ms);
    if (!t)
        t = find_overdue(&q->bulk, now_ms);
    if (t) {
        TAILQ_REMOVE(list_of(q, t), t, link);
        q->n_queued--;
    }
    pthread_mutex_unlock(&q->lock);
    return t;
}

void http_queue_end(struct http_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_ending = true;
    int n_seats = q->n_seats;
    pthread_mutex_unlock(&q->lock);
    for (int i = 0; i < n_seats; i++)
        curl_multi_wakeup(q->seats[i].multi);
}

static struct http_transfer *take_first(struct http_transfer_list *list)
{
    struct http_transfer *t = TAILQ_FIRST(list);
    if (t)
        TAILQ_REMOVE(list, t, link);
    return t;
}

struct http_transfer *http_queue_take_rest(struct http_queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct http_transfer *t = take_first(&q->urgent);
    if (!t)
        t = take_first(&q->bulk);
    for (int i = 0; !t && i < q->n_seats; i++)
        t = take_first(&q->seats[i].inbox);
    pthread_mutex_unlock(&q->lock);
    return t;
}
