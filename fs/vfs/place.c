/* SPDX-License-Identifier: Apache-2.0 */
/* Who needs a place's listing and finds it old or absent starts a job on the pool, or joins the one
 * that runs, and waits in a list.
 *
 *   absent   wait for the job: the cache's copy if it is young enough, else the registry, with
 *            patience up to the deadline
 *   old      wait for the job, but no longer than GRACE_MS; then, or when the registry fails in
 *            passing, the old one is used
 *   gone     the registry said so (-ENOENT); asked again when that is as old as a listing may be
 *
 * While a registry hangs, only the first who need an old listing wait, and just for the grace;
 * those who come later get the old one at once. After a failure nothing is asked for BACKOFF_MS
 * where there is an old listing to use. */
#include "vfs/place.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/pool.h"
#include "vfs/views.h"

enum { GRACE_MS = 1000, BACKOFF_MS = 2000 };

struct waiter {
    struct waiter *next;
    place_ready_fn *ready;
    void *ctx;
};

struct place {
    const struct place_options *options;
    struct layout_place where; /* owned texts but origin; directions are borrowed */
    bool is_root;

    pthread_mutex_t lock; /* guards what follows */
    struct layout *layout;
    int gone; /* -ENOENT, -EACCES, ...: what the registry last said for good; 0 */
    uint64_t fresh_until_ms;
    bool loaded;            /* the cache's copy was looked for */
    bool fetching, overdue; /* a job is under way; it took longer than the grace */
    uint64_t job;           /* its number */
    struct waiter *waiters;
};

static atomic_ullong n_fetched, n_failed, n_stale_served;

static char *copy_text(const char *text, bool *ok)
{
    char *copy = text ? strdup(text) : NULL;
    *ok &= !text || copy;
    return copy;
}

struct place *place_new(const struct place_options *options, const struct layout_place *where,
                        bool is_root)
{
    struct place *place = calloc(1, sizeof(*place));
    bool ok = true;
    if (!place)
        return NULL;
    pthread_mutex_init(&place->lock, NULL);
    place->options = options;
    place->is_root = is_root;
    place->where = (struct layout_place){where->origin, copy_text(where->project_id, &ok),
                                         copy_text(where->model_id, &ok),
                                         copy_text(where->project_name, &ok), where->directions};
    if (ok)
        return place;
    place_free(place);
    return NULL;
}

void place_free(struct place *place)
{
    if (!place)
        return;
    layout_unref(place->layout);
    free((char *)place->where.project_id);
    free((char *)place->where.model_id);
    free((char *)place->where.project_name);
    pthread_mutex_destroy(&place->lock);
    free(place);
}

const struct layout_place *place_where(const struct place *place)
{
    return &place->where;
}

struct layout *place_layout(struct place *place)
{
    pthread_mutex_lock(&place->lock);
    struct layout *layout = place->layout ? layout_ref(place->layout) : NULL;
    pthread_mutex_unlock(&place->lock);
    return layout;
}

void place_expire(struct place *place)
{
    pthread_mutex_lock(&place->lock);
    place->fresh_until_ms = 0;
    pthread_mutex_unlock(&place->lock);
}

/* Tells everybody in the list; no lock may be held. */
static void tell(struct waiter *waiters, int err)
{
    while (waiters) {
        struct waiter *waiter = waiters;
        waiters = waiter->next;
        waiter->ready(waiter->ctx, err);
        free(waiter);
    }
}

/* Makes @listing what the place shows, fresh for @fresh_ms. */
static int adopt(struct place *place, struct listing *listing, int64_t fresh_ms)
{
    struct layout *layout;
    int r = views_build(listing, &place->where, place->is_root, &layout);
    if (r < 0)
        return r;
    pthread_mutex_lock(&place->lock);
    struct layout *old = place->layout;
    place->layout = layout;
    place->gone = 0;
    place->fresh_until_ms = fresh_ms > 0 ? clock_now_ms() + (uint64_t)fresh_ms : 0;
    pthread_mutex_unlock(&place->lock);
    layout_unref(old);
    return 0;
}

/* Shows the cache's copy, once: positive when it is young enough to do without the registry. */
static int load(struct place *place)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    const struct registry_place at = {place->where.project_id, place->where.model_id};
    if (place->loaded)
        return 0;
    place->loaded = true; /* only the one job under way comes here */
    if (catalog_load(place->options->catalog, &at, &listing) < 0)
        return 0;
    int64_t age_ms = (clock_wall_ns() - listing->fetched_ns) / 1000000;
    int64_t fresh_ms = age_ms < 0 ? 0 : place->options->list_timeout_ms - age_ms;
    return adopt(place, listing, fresh_ms) == 0 && fresh_ms > 0;
}

/* What a failure means: with an old listing it is used a while longer, unless the registry spoke
 * with authority. */
static int settle_failure(struct place *place, int err)
{
    struct layout *dropped = NULL;
    bool authoritative = err == -ENOENT || err == -EACCES;
    atomic_fetch_add(&n_failed, 1);
    pthread_mutex_lock(&place->lock);
    if (err == -ENOENT)
        dropped = steal_ptr(place->layout);
    if (authoritative && !place->layout)
        place->gone = err;
    place->fresh_until_ms =
        clock_now_ms() + (uint64_t)(err == -ENOENT ? place->options->list_timeout_ms : BACKOFF_MS);
    bool usable = place->layout != NULL;
    pthread_mutex_unlock(&place->lock);
    layout_unref(dropped);
    if (usable)
        log_info("%s does not answer; an older listing is used", place->where.origin);
    return usable ? 0 : err;
}

static int fetch(struct place *place)
{
    LISTING_CLEANUP struct listing *listing = NULL;
    const struct registry_place at = {place->where.project_id, place->where.model_id};
    struct layout *old = place_layout(place);
    int patience_ms = old ? 0 : place->options->deadline_ms;
    layout_unref(old);
    int r = catalog_fetch(place->options->catalog, &at, patience_ms, &listing);
    if (r == 0)
        r = adopt(place, listing, place->options->list_timeout_ms);
    if (r < 0)
        return settle_failure(place, r);
    atomic_fetch_add(&n_fetched, 1);
    return 0;
}

/* The job. */
static void refresh(void *ctx)
{
    struct place *place = ctx;
    int r = load(place) > 0 ? 0 : fetch(place);
    pthread_mutex_lock(&place->lock);
    struct waiter *waiters = steal_ptr(place->waiters);
    place->fetching = place->overdue = false;
    pthread_mutex_unlock(&place->lock);
    tell(waiters, r);
}

struct grace {
    struct place *place;
    uint64_t job;
};

/* The grace is over: those who wait get the old listing where there is one. */
static void end_grace(void *ctx)
{
    struct grace *grace = ctx;
    struct place *place = grace->place;
    struct waiter *waiters = NULL;
    pthread_mutex_lock(&place->lock);
    if (place->fetching && place->job == grace->job) {
        place->overdue = true;
        if (place->layout)
            waiters = steal_ptr(place->waiters);
    }
    pthread_mutex_unlock(&place->lock);
    if (waiters)
        atomic_fetch_add(&n_stale_served, 1);
    tell(waiters, 0);
    free(grace);
}

static void start_grace(struct place *place, uint64_t job)
{
    struct grace *grace = malloc(sizeof(*grace));
    if (!grace)
        return;
    *grace = (struct grace){place, job};
    if (pool_add_after(place->options->pool, GRACE_MS, end_grace, grace) < 0)
        free(grace);
}

static void start_job(struct place *place, uint64_t job)
{
    if (pool_add(place->options->pool, refresh, place) == 0) {
        start_grace(place, job);
        return;
    }
    pthread_mutex_lock(&place->lock);
    struct waiter *waiters = steal_ptr(place->waiters);
    place->fetching = false;
    pthread_mutex_unlock(&place->lock);
    tell(waiters, -ENOMEM);
}

enum need { NEED_NOTHING, NEED_WAIT, NEED_JOB };

/* What somebody who needs the listing has to do; under the lock. *out_err is the answer to
 * NEED_NOTHING. */
static enum need judge(struct place *place, int *out_err)
{
    bool fresh = clock_now_ms() < place->fresh_until_ms;
    *out_err = place->layout ? 0 : place->gone;
    if (fresh && (place->layout || place->gone))
        return NEED_NOTHING;
    if (!place->fetching)
        return NEED_JOB;
    return place->overdue && place->layout ? NEED_NOTHING : NEED_WAIT;
}

void place_need(struct place *place, place_ready_fn *ready, void *ctx)
{
    struct waiter *waiter = malloc(sizeof(*waiter));
    int err = -ENOMEM;
    pthread_mutex_lock(&place->lock);
    enum need need = waiter ? judge(place, &err) : NEED_NOTHING;
    if (need != NEED_NOTHING) {
        *waiter = (struct waiter){place->waiters, ready, ctx};
        place->waiters = steal_ptr(waiter);
    }
    if (need == NEED_JOB) {
        place->fetching = true;
        place->job++;
    }
    uint64_t job = place->job;
    pthread_mutex_unlock(&place->lock);
    free(waiter);
    if (need == NEED_NOTHING)
        ready(ctx, err);
    else if (need == NEED_JOB)
        start_job(place, job);
}

void place_get_counters(struct place_counters *out)
{
    *out = (struct place_counters){atomic_load(&n_fetched), atomic_load(&n_failed),
                                   atomic_load(&n_stale_served)};
}
