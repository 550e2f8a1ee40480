/* SPDX-License-Identifier: Apache-2.0 */
/* Who needs a place's listing and finds it old or absent starts a job on the pool, or joins the one
 * that runs, and waits in a list. A job lists, then looks for metrics and references in the model's
 * files, unless it did so when they were the same, and shows what it has; there is one at a time.
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

#include "read/study_contents.h"
#include "read/study_history.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json.h"
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
    int refs; /* atomic */
    const struct place_options *options;
    struct layout_place where;  /* owned texts but origin; directions are borrowed */
    struct place_source source; /* of: a reference */

    /* of the job under way */
    struct listing *listing;       /* what it is about to show */
    int64_t fresh_ms;              /* for how long */
    bool is_copy;                  /* it is the cache's */
    struct study_history *history; /* of the model's files when they had history_key */
    uint64_t history_key;          /* 0: not known */

    pthread_mutex_t lock;       /* guards what follows */
    struct outline_flaw *flaws; /* owned, as their texts, which stay as long as the place */
    size_t n_flaws;
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
                        const struct place_source *source)
{
    struct place *place = calloc(1, sizeof(*place));
    bool ok = true;
    if (!place)
        return NULL;
    pthread_mutex_init(&place->lock, NULL);
    place->refs = 1;
    place->options = options;
    place->source = *source;
    if (source->of)
        layout_ref(source->of);
    place->where = (struct layout_place){where->origin,
                                         copy_text(where->project_id, &ok),
                                         copy_text(where->model_id, &ok),
                                         copy_text(where->project_name, &ok),
                                         copy_text(where->contents, &ok),
                                         where->directions};
    if (ok)
        return place;
    place_unref(place);
    return NULL;
}

struct place *place_ref(struct place *place)
{
    __atomic_add_fetch(&place->refs, 1, __ATOMIC_RELAXED);
    return place;
}

void place_unref(struct place *place)
{
    if (!place || __atomic_sub_fetch(&place->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    layout_unref(place->layout);
    layout_unref(place->source.of);
    study_history_free(place->history);
    for (size_t i = 0; i < place->n_flaws; i++)
        free((char *)place->flaws[i].missing);
    free(place->flaws);
    free((char *)place->where.contents);
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

/* Makes @layout what the place shows; it is taken over. */
static void adopt(struct place *place, struct layout *layout, uint64_t fresh_until_ms)
{
    pthread_mutex_lock(&place->lock);
    struct layout *old = place->layout;
    place->layout = layout;
    place->gone = 0;
    place->fresh_until_ms = fresh_until_ms;
    pthread_mutex_unlock(&place->lock);
    layout_unref(old);
}

/* Ends the job: all who wait are told. */
static void end_job(struct place *place, int err)
{
    pthread_mutex_lock(&place->lock);
    struct waiter *waiters = steal_ptr(place->waiters);
    place->fetching = place->overdue = false;
    pthread_mutex_unlock(&place->lock);
    tell(waiters, err);
    place_unref(place);
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

/* Builds the layout of @listing with the flaws that are known. 0 or -ENOMEM. */
static int build(struct place *place, struct listing *listing, struct layout **out)
{
    struct views_options options = {.is_root = place->source.is_root};
    pthread_mutex_lock(&place->lock);
    size_t n = place->n_flaws;
    CLEANUP(cleanup_free) struct outline_flaw *flaws = calloc(n + 1, sizeof(*flaws));
    if (flaws && n)
        memcpy(flaws, place->flaws, n * sizeof(*flaws));
    pthread_mutex_unlock(&place->lock);
    options.flaws = flaws;
    options.n_flaws = n;
    return flaws ? views_build(listing, &place->where, &options, out) : -ENOMEM;
}

/* Makes the job's listing what the place shows. 0 or -ENOMEM. */
static int adopt_listing(struct place *place)
{
    LISTING_CLEANUP struct listing *listing = steal_ptr(place->listing);
    struct layout *layout;
    int r = place->history ? study_history_apply(place->history, listing) : 0;
    if (r == 0)
        r = build(place, listing, &layout);
    if (r == 0)
        adopt(place, layout, place->fresh_ms > 0 ? clock_now_ms() + (uint64_t)place->fresh_ms : 0);
    return r;
}

static void fetch(struct place *place);

/* The job's listing has its metrics: shows it, and goes on if that was an old copy. */
static void end_show(struct place *place)
{
    int r = adopt_listing(place);
    if (place->is_copy && (r < 0 || place->fresh_ms <= 0)) {
        fetch(place);
        return;
    }
    if (r == 0 && !place->is_copy)
        atomic_fetch_add(&n_fetched, 1);
    end_job(place, r < 0 ? settle_failure(place, r) : 0);
}

static void on_history(void *ctx, struct study_history *history, int err)
{
    struct place *place = ctx;
    study_history_free(place->history);
    place->history = history;
    if (err < 0 || !history->is_whole) {
        place->history_key = 0;
        log_info("%s: some files that tell of %s could not be read", place->where.origin,
                 place->where.model_id);
    }
    end_show(place);
}

static struct study_target target_of(const struct place *place, const struct listing *listing)
{
    return (struct study_target){.fetch = place->options->fetch,
                                 .pool = place->options->pool,
                                 .origin = place->where.origin,
                                 .place = {place->where.project_id, place->where.model_id},
                                 .listing = listing};
}

/* Shows @listing, taken over, fresh for @fresh_ms: ends in end_show(). */
static void show(struct place *place, struct listing *listing, int64_t fresh_ms, bool is_copy)
{
    const struct registry_place at = {place->where.project_id, place->where.model_id};
    bool looks = place->options->fetch && listing->kind == LISTING_FILES;
    uint64_t key = looks ? study_history_key(place->where.origin, &at, listing) : 0;
    place->listing = listing;
    place->fresh_ms = fresh_ms;
    place->is_copy = is_copy;
    if (key && key != place->history_key) {
        const struct study_target target = target_of(place, listing);
        place->history_key = key;
        study_history_begin(&target, on_history, place);
        return;
    }
    if (!key) {
        study_history_free(steal_ptr(place->history));
        place->history_key = 0;
    }
    end_show(place);
}

/* The cache's copy, once; NULL when there is none. */
static struct listing *load(struct place *place)
{
    struct listing *listing = NULL;
    const struct registry_place at = {place->where.project_id, place->where.model_id};
    if (place->loaded)
        return NULL;
    place->loaded = true; /* only the one job under way comes here */
    return catalog_load(place->options->catalog, &at, &listing) == 0 ? listing : NULL;
}

/* How long a copy is young enough to do without the registry. */
static int64_t copy_fresh_ms(const struct place *place, const struct listing *copy)
{
    int64_t age_ms = (clock_wall_ns() - copy->fetched_ns) / 1000000;
    return age_ms < 0 ? 0 : place->options->list_timeout_ms - age_ms;
}

static void fetch(struct place *place)
{
    struct listing *listing;
    const struct registry_place at = {place->where.project_id, place->where.model_id};
    struct layout *old = place_layout(place);
    int patience_ms = old ? 0 : place->options->deadline_ms;
    layout_unref(old);
    int r = catalog_fetch(place->options->catalog, &at, patience_ms, &listing);
    if (r == 0)
        show(place, listing, place->options->list_timeout_ms, false);
    else
        end_job(place, settle_failure(place, r));
}

/* Shows the same listing as before, but with the flaws, unless another came meanwhile. */
static void rebuild(struct place *place)
{
    struct layout *old = place_layout(place), *fresh = NULL;
    if (old && build(place, old->listing, &fresh) == 0) {
        pthread_mutex_lock(&place->lock);
        struct layout *dropped = place->layout == old ? old : fresh;
        if (dropped == old)
            place->layout = fresh;
        pthread_mutex_unlock(&place->lock);
        layout_unref(dropped);
    }
    layout_unref(old);
}

/* 0 or -ENOMEM; 1 when it is known. Under the lock. */
static int add_flaw(struct place *place, uint64_t files, const char *missing)
{
    for (size_t i = 0; i < place->n_flaws; i++)
        if (place->flaws[i].files == files)
            return 1;
    char *copy = strdup(missing);
    struct outline_flaw *grown =
        copy ? reallocarray(place->flaws, place->n_flaws + 1, sizeof(*grown)) : NULL;
    if (!grown) {
        free(copy);
        return -ENOMEM;
    }
    place->flaws = grown;
    grown[place->n_flaws++] = (struct outline_flaw){files, copy};
    return 0;
}

void place_note_flaw(struct place *place, uint64_t files, const char *missing)
{
    pthread_mutex_lock(&place->lock);
    int r = add_flaw(place, files, missing);
    pthread_mutex_unlock(&place->lock);
    if (r == 0)
        rebuild(place);
}

/* Tells the model what its checkpoint lacks. */
static void report_flaw(const struct place *place, const struct contents *contents)
{
    const struct outline *o = &place->source.of->outline;
    const struct checkpoint *c = &o->checkpoints.items[place->source.checkpoint];
    const char *missing = json_text(json_array_get(contents->missing, 0));
    if (!missing || c->missing || !place->source.model)
        return;
    log_info("%s: checkpoint %s of %s is incomplete: %s", place->where.origin, c->name,
             place->where.model_id, missing);
    place_note_flaw(place->source.model, outline_files_hash(o, c), missing);
}

static void on_contents(void *ctx, struct study_contents *contents, int err)
{
    struct place *place = ctx;
    struct layout *layout = NULL;
    if (err == 0)
        report_flaw(place, &contents->contents);
    if (err == 0)
        err = views_build_contents(place->source.of, place->source.checkpoint, contents,
                                   &place->where, &layout);
    if (err == 0) {
        adopt(place, layout, UINT64_MAX);
        layout_unref(steal_ptr(place->source.of)); /* no other job comes */
    }
    end_job(place, err);
}

/* The job. */
static void refresh(void *ctx)
{
    struct place *place = ctx;
    const struct layout *of = place->source.of;
    if (of) {
        const struct study_target target = target_of(place, of->listing);
        study_contents_begin(&target, &of->outline.checkpoints.items[place->source.checkpoint],
                             on_contents, place);
        return;
    }
    struct listing *copy = load(place);
    if (copy)
        show(place, copy, copy_fresh_ms(place, copy), true);
    else
        fetch(place);
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
    place_unref(place);
    free(grace);
}

static void start_grace(struct place *place, uint64_t job)
{
    struct grace *grace = malloc(sizeof(*grace));
    if (!grace)
        return;
    *grace = (struct grace){place_ref(place), job};
    if (pool_add_after(place->options->pool, GRACE_MS, end_grace, grace) < 0) {
        place_unref(place);
        free(grace);
    }
}

/* The job may be over before this returns. */
static void start_job(struct place *place, uint64_t job)
{
    place_ref(place); /* the job's */
    start_grace(place, job);
    if (pool_add(place->options->pool, refresh, place) < 0)
        end_job(place, -ENOMEM);
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
