/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer thread.
 *
 *     http_start --> queue (urgent | bulk) --> inbox of a seat --> running | files --> on_done
 *                        the queue's lock                           the thread's own
 *
 * It owns a curl multi and sleeps in curl_multi_poll(), woken by sockets and for its inbox. Each
 * round takes at most one piece of one local file, so that files and sockets share the thread
 * fairly.
 *
 * Time is our own clock's: curl's low-speed limit counts whole seconds, and its timeout would start
 * anew at each redirect. */
#include "net/http_thread.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "net/url.h"
#include "util/clock.h"
#include "util/log.h"

enum {
    FILE_PIECE_BYTES = 256 * 1024,
    IDLE_POLL_MS = 60000, /* with nothing to do; a new transfer wakes */
    SWEEP_MS = 200,       /* how late a queued transfer may notice its deadline */
    LOGGED_URL_BYTES = 512,
};

/* ---- the end of a transfer ---- */

static void log_error_once(const struct http_transfer *t, int err)
{
    char url[LOGGED_URL_BYTES];
    if (err == 0)
        return;
    url_redact(t->url, url, sizeof(url));
    log_debug("%s %s: %s (after %llu bytes)", t->method, url, strerror(err < 0 ? -err : err),
              (unsigned long long)t->n_received);
}

/* Tells the caller, of a transfer that is in no list any more, and frees it. */
static void report(struct http_thread *thread, struct http_transfer *t, int err)
{
    log_error_once(t, err);
    if (err)
        atomic_fetch_add(&thread->counters->errors, 1);
    if (t->ask.on_done)
        t->ask.on_done(t->ask.ctx, err);
    http_transfer_free(t);
}

/* A handle whose transfer failed may still hold a buffer, and then refuses another BUFFERSIZE
 * (libcurl 7.88): it is not used again. */
static void put_handle(struct http_thread *thread, CURL *easy, bool is_good)
{
    if (!is_good || thread->n_idle == HTTP_IDLE_HANDLES_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy); /* its pointers into the transfer are about to dangle */
    thread->idle[thread->n_idle++] = easy;
}

static void detach_handle(struct http_thread *thread, struct http_transfer *t, bool is_good)
{
    long n_opened = 0;
    if (!t->easy)
        return;
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &n_opened);
    atomic_fetch_add(&thread->counters->opened, (uint_fast64_t)n_opened);
    curl_multi_remove_handle(thread->multi, t->easy);
    put_handle(thread, steal_ptr(t->easy), is_good);
}

/* Ends @t, which is in the thread's running or files. Its slot is free before the caller hears of
 * it. */
static void finish(struct http_thread *thread, struct http_transfer *t, int err)
{
    TAILQ_REMOVE(t->is_file ? &thread->files : &thread->running, t, link);
    detach_handle(thread, t, err == 0);
    http_queue_release(thread->queue, thread->seat);
    report(thread, t, err);
}

/* ---- the beginning of a transfer ---- */

static CURL *take_handle(struct http_thread *thread)
{
    return thread->n_idle > 0 ? thread->idle[--thread->n_idle] : curl_easy_init();
}

static int begin_exchange(struct http_thread *thread, struct http_transfer *t)
{
    CURL *easy = take_handle(thread);
    if (!easy)
        return -ENOMEM;
    int r = http_exchange_prepare(t, easy, thread->setup);
    if (r == 0 && curl_multi_add_handle(thread->multi, easy) != CURLM_OK)
        r = -ENOMEM;
    if (r < 0) {
        curl_easy_cleanup(easy);
        return r;
    }
    t->easy = easy;
    return 0;
}

static int begin_file(struct http_thread *thread, struct http_transfer *t)
{
    if (!thread->file_buffer)
        thread->file_buffer = malloc(FILE_PIECE_BYTES);
    return thread->file_buffer ? http_transfer_open_file(t) : -ENOMEM;
}

/* Files take turns; urgent ones stand before all others and in their order of arrival. */
static void insert_file(struct http_transfer_list *files, struct http_transfer *t)
{
    struct http_transfer *after = t->ask.urgent ? TAILQ_FIRST(files) : NULL;
    while (after && after->ask.urgent)
        after = TAILQ_NEXT(after, link);
    if (after)
        TAILQ_INSERT_BEFORE(after, t, link);
    else
        TAILQ_INSERT_TAIL(files, t, link);
}

static void begin(struct http_thread *thread, struct http_transfer *t)
{
    t->active_ms = clock_now_ms();
    if (t->is_file)
        insert_file(&thread->files, t);
    else
        TAILQ_INSERT_TAIL(&thread->running, t, link);
    int err = t->is_file ? begin_file(thread, t) : begin_exchange(thread, t);
    if (err)
        finish(thread, t, err);
}

/* ---- a round of a thread ---- */

/* False when the engine ends. */
static bool begin_new(struct http_thread *thread)
{
    struct http_transfer *t;
    while (http_queue_take(thread->queue, thread->seat, &t)) {
        if (!t)
            return true;
        begin(thread, t);
    }
    return false;
}

/* A redirect is a new exchange of the same transfer. */
static void end_exchange(struct http_thread *thread, struct http_transfer *t, CURLcode code)
{
    int err = http_exchange_end(t, code);
    if (err == 0)
        http_paces_note(thread->paces, t);
    if (err == 0 && t->is_redirect) {
        detach_handle(thread, t, code == CURLE_OK);
        err = http_transfer_follow(t);
        if (err == 0)
            err = begin_exchange(thread, t);
        if (err == 0)
            return;
    }
    finish(thread, t, err);
}

static void end_exchanges(struct http_thread *thread)
{
    CURLMsg *message;
    int n_left;
    while ((message = curl_multi_info_read(thread->multi, &n_left))) {
        char *owner = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        end_exchange(thread, (struct http_transfer *)owner, code);
    }
}

static bool is_overdue(const struct http_thread *thread, const struct http_transfer *t,
                       uint64_t now_ms)
{
    return now_ms >= t->deadline_ms || now_ms - t->active_ms >= thread->stall_timeout_ms;
}

static void end_overdue(struct http_thread *thread, uint64_t now_ms)
{
    struct http_transfer *t = TAILQ_FIRST(&thread->running);
    while (t) {
        struct http_transfer *next = TAILQ_NEXT(t, link);
        if (is_overdue(thread, t, now_ms))
            finish(thread, t, -ETIMEDOUT);
        t = next;
    }
}

/* While something waits in the queue all slots are taken, so some thread is awake and comes by
 * here. */
static void sweep_queue(struct http_thread *thread, uint64_t now_ms)
{
    struct http_transfer *t;
    if (now_ms < thread->next_sweep_ms)
        return;
    thread->next_sweep_ms = now_ms + SWEEP_MS;
    while ((t = http_queue_take_overdue(thread->queue, now_ms)))
        report(thread, t, -ETIMEDOUT);
}

/* One piece of the first file. An urgent one stays first until it is through. */
static void step_file(struct http_thread *thread)
{
    struct http_transfer *t = TAILQ_FIRST(&thread->files);
    int err = -ETIMEDOUT;
    if (!t)
        return;
    if (clock_now_ms() >= t->deadline_ms ||
        http_transfer_step_file(t, thread->file_buffer, FILE_PIECE_BYTES, &err)) {
        finish(thread, t, err);
        return;
    }
    if (t->ask.urgent)
        return;
    TAILQ_REMOVE(&thread->files, t, link);
    TAILQ_INSERT_TAIL(&thread->files, t, link);
}

/* How long the thread may sleep when no socket moves. */
static int poll_ms(const struct http_thread *thread)
{
    const struct http_transfer *t;
    uint64_t now_ms = clock_now_ms(), due_ms = now_ms + SWEEP_MS;
    if (!TAILQ_EMPTY(&thread->files))
        return 0;
    if (TAILQ_EMPTY(&thread->running))
        return IDLE_POLL_MS;
    for (t = TAILQ_FIRST(&thread->running); t; t = TAILQ_NEXT(t, link)) {
        uint64_t stall_ms = t->active_ms + thread->stall_timeout_ms;
        uint64_t own_ms = stall_ms < t->deadline_ms ? stall_ms : t->deadline_ms;
        if (own_ms < due_ms)
            due_ms = own_ms;
    }
    return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void run_round(struct http_thread *thread)
{
    int n_running;
    curl_multi_perform(thread->multi, &n_running);
    end_exchanges(thread);
    step_file(thread);
    uint64_t now_ms = clock_now_ms();
    end_overdue(thread, now_ms);
    sweep_queue(thread, now_ms);
    curl_multi_poll(thread->multi, NULL, 0, poll_ms(thread), NULL);
}

/* ---- from start to end ---- */

static void cancel_all(struct http_thread *thread)
{
    struct http_transfer *t;
    while ((t = TAILQ_FIRST(&thread->running)) || (t = TAILQ_FIRST(&thread->files)))
        finish(thread, t, -ECANCELED);
    while ((t = http_queue_take_rest(thread->queue)))
        report(thread, t, -ECANCELED);
}

static void *thread_main(void *arg)
{
    struct http_thread *thread = arg;
    while (begin_new(thread))
        run_round(thread);
    cancel_all(thread);
    return NULL;
}

/* Signals are for the threads that expect them, and curl's sockets must not raise SIGPIPE here. A
 * fault stays this thread's own: blocked, it would end the process past any handler. */
static int create_thread(struct http_thread *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&thread->id, NULL, thread_main, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err == 0)
        pthread_setname_np(thread->id, "modelfs-net");
    return -err;
}

int http_thread_start(struct http_thread *thread)
{
    TAILQ_INIT(&thread->running);
    TAILQ_INIT(&thread->files);
    thread->multi = curl_multi_init();
    if (!thread->multi)
        return -ENOMEM;
    /* Kept connections: by itself curl keeps four times the transfers that are under way, and so
     * none between two. */
    curl_multi_setopt(thread->multi, CURLMOPT_MAXCONNECTS, (long)thread->queue->max_active);
    thread->seat = http_queue_add_seat(thread->queue, thread->multi);
    int r = create_thread(thread);
    if (r < 0) {
        http_queue_remove_last_seat(thread->queue);
        curl_multi_cleanup(thread->multi);
    }
    return r;
}

void http_thread_join(struct http_thread *thread)
{
    pthread_join(thread->id, NULL);
    for (int i = 0; i < thread->n_idle; i++)
        curl_easy_cleanup(thread->idle[i]);
    curl_multi_cleanup(thread->multi);
    free(thread->file_buffer);
}
