/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/meta.h"
#include "net/retry.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

struct catalog {
    struct registry *registry;
    struct meta *meta;
    pthread_mutex_t lock; /* guards stopping */
    pthread_cond_t wake;
    bool stopping;
};

int catalog_new(struct registry *registry, struct meta *meta, struct catalog **out)
{
    struct catalog *catalog = calloc(1, sizeof(*catalog));
    pthread_condattr_t attr;
    if (!catalog)
        return -ENOMEM;
    catalog->registry = registry;
    catalog->meta = meta;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&catalog->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&catalog->lock, NULL);
    *out = catalog;
    return 0;
}

void catalog_free(struct catalog *catalog)
{
    if (!catalog)
        return;
    pthread_cond_destroy(&catalog->wake);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

void catalog_stop(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);
    catalog->stopping = true;
    pthread_cond_broadcast(&catalog->wake);
    pthread_mutex_unlock(&catalog->lock);
}

struct registry *catalog_registry(const struct catalog *catalog)
{
    return catalog->registry;
}

/* The record's key: origin and ids, each on its own line so that no two places share one. */
static int format_key(const struct catalog *catalog, const struct registry_place *place,
                      struct buf *out)
{
    return buf_printf(out, "listing\n%s\n%s\n%s", registry_origin(catalog->registry),
                      place->project_id ? place->project_id : "",
                      place->model_id ? place->model_id : "");
}

static void remember(struct catalog *catalog, const struct registry_place *place,
                     const struct listing *listing)
{
    struct buf key BUF_CLEANUP = {0}, text BUF_CLEANUP = {0};
    if (!catalog->meta || format_key(catalog, place, &key) < 0 ||
        listing_format(listing, &text) < 0)
        return;
    int r = meta_put(catalog->meta, key.data, text.data, text.len);
    if (r < 0)
        log_info("a listing could not be kept in the cache: %s", strerror(-r));
}

static void forget(struct catalog *catalog, const struct registry_place *place)
{
    struct buf key BUF_CLEANUP = {0};
    if (catalog->meta && format_key(catalog, place, &key) == 0)
        meta_delete(catalog->meta, key.data);
}

int catalog_load(struct catalog *catalog, const struct registry_place *place, struct listing **out)
{
    struct buf key BUF_CLEANUP = {0};
    CLEANUP(cleanup_free) void *text = NULL;
    size_t len;
    if (!catalog->meta)
        return -ENOENT;
    int r = format_key(catalog, place, &key);
    if (r == 0)
        r = meta_get(catalog->meta, key.data, &text, &len, NULL);
    if (r == 0)
        r = listing_parse(text, len, out);
    return r == -EINVAL ? -ENOENT : r;
}

/* Waits @delay_ms or until catalog_stop(). */
static int wait_before_retry(struct catalog *catalog, int64_t delay_ms)
{
    uint64_t due = clock_now_ms() + (uint64_t)delay_ms;
    struct timespec at = {.tv_sec = (time_t)(due / 1000), .tv_nsec = (long)(due % 1000) * 1000000};
    pthread_mutex_lock(&catalog->lock);
    while (!catalog->stopping && clock_now_ms() < due)
        pthread_cond_timedwait(&catalog->wake, &catalog->lock, &at);
    bool stopping = catalog->stopping;
    pthread_mutex_unlock(&catalog->lock);
    return stopping ? -ECANCELED : 0;
}

static double chance(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_nsec % 100003) / 100003;
}

int catalog_fetch(struct catalog *catalog, const struct registry_place *place, int patience_ms,
                  struct listing **out)
{
    uint64_t deadline = clock_now_ms() + (uint64_t)patience_ms;
    for (int attempt = 1;; attempt++) {
        int64_t retry_after_ms;
        int r = registry_list(catalog->registry, place, out, &retry_after_ms);
        if (r == 0)
            remember(catalog, place, *out);
        if (r == -ENOENT)
            forget(catalog, place);
        if (!retry_is_transient(r))
            return r;
        int64_t delay = retry_delay_ms(attempt, retry_after_ms, chance(), clock_now_ms(), deadline);
        if (delay < 0)
            return r == -ECONNREFUSED || r == -EHOSTUNREACH ? r : -EIO;
        if (wait_before_retry(catalog, delay) < 0)
            return -ECANCELED;
    }
}

int catalog_get(struct catalog *catalog, const struct registry_place *place, int patience_ms,
                struct listing **out)
{
    int r = catalog_fetch(catalog, place, patience_ms, out);
    if ((r == -EIO || retry_is_transient(r)) && catalog_load(catalog, place, out) == 0)
        return 0;
    return r;
}
