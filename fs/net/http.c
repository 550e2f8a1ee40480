/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: its threads and what they share. Which transfer runs when is the queue's affair
 * (http_queue.c), how it runs the thread's (http_thread.c).
 *
 * What may fail: a callback ends its own transfer only. http_free() cancels whatever waits or runs;
 * each on_done still comes. */
#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "net/http_queue.h"
#include "net/http_thread.h"

enum {
    THREADS_DEFAULT_MAX = 4,
    CONNECTIONS_DEFAULT = 32,
    CONNECT_TIMEOUT_DEFAULT_MS = 10000,
    STALL_TIMEOUT_DEFAULT_MS = 20000,
};

struct http {
    struct http_setup setup; /* constant */
    char *ca_file, *user_agent;
    struct http_counters counters;
    struct http_paces paces;
    struct http_queue queue;
    int n_threads;
    struct http_thread threads[HTTP_SEATS_MAX];
};

static int count_threads(const struct http_options *options)
{
    long n = options->n_threads;
    if (n <= 0) {
        n = sysconf(_SC_NPROCESSORS_ONLN);
        n = n > THREADS_DEFAULT_MAX ? THREADS_DEFAULT_MAX : n;
    }
    return n < 1 ? 1 : n > HTTP_SEATS_MAX ? HTTP_SEATS_MAX : (int)n;
}

static int or_default(int value, int fallback)
{
    return value > 0 ? value : fallback;
}

static int copy_setup(struct http *http, const struct http_options *options)
{
    const char *user_agent = options->user_agent;
    http->user_agent = strdup(user_agent ? user_agent : "modelfs/" MODELFS_VERSION);
    if (options->ca_file)
        http->ca_file = strdup(options->ca_file);
    if (!http->user_agent || (options->ca_file && !http->ca_file))
        return -ENOMEM;
    http->setup = (struct http_setup){
        .connect_timeout_ms = or_default(options->connect_timeout_ms, CONNECT_TIMEOUT_DEFAULT_MS),
        .ca_file = http->ca_file,
        .user_agent = http->user_agent,
        .n_connections = &http->counters.n_connections,
    };
    return 0;
}

static int start_thread(struct http *http, uint64_t stall_timeout_ms)
{
    struct http_thread *thread = &http->threads[http->n_threads];
    *thread = (struct http_thread){
        .queue = &http->queue,
        .counters = &http->counters,
        .paces = &http->paces,
        .setup = &http->setup,
        .stall_timeout_ms = stall_timeout_ms,
    };
    int r = http_thread_start(thread);
    if (r == 0)
        http->n_threads++;
    return r;
}

static int start_threads(struct http *http, const struct http_options *options)
{
    int n = count_threads(options);
    int stall_ms = or_default(options->stall_timeout_ms, STALL_TIMEOUT_DEFAULT_MS);
    for (int i = 0; i < n; i++) {
        int r = start_thread(http, (uint64_t)stall_ms);
        if (r < 0)
            return r;
    }
    return 0;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_init_code;

static void init_curl(void)
{
    curl_init_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void free_engine(struct http **http)
{
    http_free(*http);
}

int http_new(const struct http_options *options, struct http **out)
{
    static const struct http_options defaults = {0};
    if (!options)
        options = &defaults;
    pthread_once(&curl_once, init_curl);
    if (curl_init_code != CURLE_OK)
        return -ENOMEM;
    struct http *http CLEANUP(free_engine) = calloc(1, sizeof(*http));
    if (!http)
        return -ENOMEM;
    http_paces_init(&http->paces);
    http_queue_init(&http->queue, or_default(options->max_connections, CONNECTIONS_DEFAULT));
    int r = copy_setup(http, options);
    if (r == 0)
        r = start_threads(http, options);
    if (r < 0)
        return r;
    *out = steal_ptr(http);
    return 0;
}

void http_stop(struct http *http)
{
    http_queue_end(&http->queue);
    while (http->n_threads > 0)
        http_thread_join(&http->threads[--http->n_threads]);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    http_stop(http);
    http_queue_deinit(&http->queue);
    http_paces_deinit(&http->paces);
    free(http->ca_file);
    free(http->user_agent);
    free(http);
}

int http_start(struct http *http, const struct http_request *request)
{
    struct http_transfer *t;
    int r = http_transfer_new(request, &t);
    if (r < 0)
        return r;
    t->received_bytes = &http->counters.received_bytes;
    atomic_fetch_add(&http->counters.requests, 1);
    r = http_queue_push(&http->queue, t);
    if (r < 0)
        http_transfer_free(t);
    return r;
}

void http_get_stats(struct http *http, struct http_stats *out)
{
    http_queue_count(&http->queue, &out->active, &out->queued);
    out->requests = atomic_load(&http->counters.requests);
    out->errors = atomic_load(&http->counters.errors);
    out->connections = atomic_load(&http->counters.n_connections);
    out->connections_opened = atomic_load(&http->counters.opened);
    out->bytes_received = atomic_load(&http->counters.received_bytes);
}

int http_get_pace(struct http *http, const char *url, struct pace *out)
{
    char name[PACE_NAME_BYTES];
    int r = pace_name(url, name);
    *out = (struct pace){0};
    if (r < 0)
        return r;
    pthread_mutex_lock(&http->paces.lock);
    bool found = paces_find(&http->paces.paces, name, out);
    pthread_mutex_unlock(&http->paces.lock);
    return found ? 0 : -ENOENT;
}

int http_list_paces(struct http *http, struct http_origin_pace out[PACE_ORIGINS])
{
    int n = 0;
    pthread_mutex_lock(&http->paces.lock);
    for (int i = 0; i < PACE_ORIGINS; i++) {
        const struct pace_origin *origin = &http->paces.paces.origins[i];
        if (!origin->name[0])
            continue;
        strcpy(out[n].name, origin->name);
        out[n++].pace = pace_of(origin);
    }
    pthread_mutex_unlock(&http->paces.lock);
    return n;
}
