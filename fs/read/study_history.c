/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_STATIC_LINKING_ONLY /* a hash state as a local */
#include "read/study_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "model/formats.h"
#include "model/history_sources.h"
#include "util/cleanup.h"
#include "util/json.h"

struct history_job {
    struct inquiry inquiry;
    struct study_history *history;
    study_history_fn *done;
    void *ctx;
};

void study_history_free(struct study_history *history)
{
    if (!history)
        return;
    history_deinit(&history->history);
    free(history->files);
    free(history->entries);
    free(history);
}

/* The listing's files that metrics are read from, as history_sources_pick(). */
static int pick_sources(const struct listing *listing, uint32_t **out, size_t *out_n)
{
    CLEANUP(cleanup_free)
    const char **paths = calloc(listing->n_entries + 1, sizeof(*paths));
    if (!paths)
        return -ENOMEM;
    for (size_t i = 0; i < listing->n_entries; i++)
        paths[i] = listing_id(listing, i);
    return history_sources_pick(paths, listing->n_entries, out, out_n);
}

uint64_t study_history_key(const char *origin, const struct registry_place *place,
                           const struct listing *listing)
{
    CLEANUP(cleanup_free) uint32_t *sources = NULL;
    XXH3_state_t h;
    size_t n;
    XXH3_64bits_reset(&h);
    if (pick_sources(listing, &sources, &n) < 0 || !n)
        return 0;
    for (size_t i = 0; i < n; i++) {
        struct listing_entry entry;
        struct blob_id id;
        listing_get(listing, sources[i], &entry);
        blob_source_id(&(struct blob_source){origin, *place, &entry}, &id);
        XXH3_64bits_update(&h, entry.id, strlen(entry.id) + 1);
        XXH3_64bits_update(&h, &id, sizeof(id));
    }
    return XXH3_64bits_digest(&h) | 1;
}

static void end_job(struct history_job *job, int err)
{
    struct study_history *history = steal_ptr(job->history);
    if (err < 0) {
        study_history_free(history);
        history = NULL;
    }
    job->done(job->ctx, history, err);
    inquiry_deinit(&job->inquiry);
    free(job);
}

/* Sources that make no sense are passed over: what they are is their writer's matter. */
static void on_studied(void *ctx, int err)
{
    struct history_job *job = ctx;
    job->history->is_whole = true;
    for (size_t i = 0; i < job->inquiry.n_files; i++) {
        int result = job->inquiry.files[i]->result;
        if (result < 0 && result != -EBADMSG && result != -EFBIG)
            job->history->is_whole = false;
    }
    if (err == 0)
        err = history_merge(&job->history->history);
    job->history->history.n_files = 0; /* their paths go with the listing */
    end_job(job, err);
}

static int add_sources(struct history_job *job, const struct listing *listing)
{
    struct study_history *history = job->history;
    size_t n;
    int r = pick_sources(listing, &history->entries, &n);
    history->files = r == 0 ? calloc(n + 1, sizeof(*history->files)) : NULL;
    if (!history->files)
        return -ENOMEM;
    history_init(&history->history, history->files, n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct listing_entry entry;
        listing_get(listing, history->entries[i], &entry);
        history->files[i] = (struct history_file){entry.id, entry.size_bytes};
        r = inquiry_add(&job->inquiry, (uint32_t)i, entry.size_bytes,
                        format_history_parser(entry.id));
    }
    return r;
}

void study_history_begin(const struct study_target *target, study_history_fn *done, void *ctx)
{
    struct history_job *job = calloc(1, sizeof(*job));
    if (!job) {
        done(ctx, NULL, -ENOMEM);
        return;
    }
    *job = (struct history_job){.done = done, .ctx = ctx};
    job->history = calloc(1, sizeof(*job->history));
    inquiry_init(&job->inquiry, job->history ? &job->history->history : NULL);
    int r = job->history ? add_sources(job, target->listing) : -ENOMEM;
    if (r < 0) {
        end_job(job, r);
        return;
    }
    struct study_target of = *target;
    of.entries = job->history->entries;
    study_begin(&of, &job->inquiry, on_studied, job);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the metrics whose steps the listing has, sorted, in fresh memory; NULL when memory
 * is short. */
static const char **names_with_steps(const struct listing *listing, size_t *out_n)
{
    const char **names = calloc(listing->n_rows + 1, sizeof(*names));
    *out_n = 0;
    for (size_t i = 0; names && i < listing->n_rows; i++)
        if (listing->rows[i].step != METRIC_LAST_STEP)
            names[(*out_n)++] = listing->rows[i].name;
    if (names)
        qsort(names, *out_n, sizeof(*names), compare_names);
    return names;
}

int study_history_apply(const struct study_history *history, struct listing *listing)
{
    const struct history *h = &history->history;
    size_t n;
    CLEANUP(cleanup_free) const char **known = names_with_steps(listing, &n);
    JSON_CLEANUP json_t *text = NULL; /* files have names that are no UTF-8, JSON has none */
    const char *name = NULL;
    bool is_known = false;
    int r = known ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < h->n_rows; i++) {
        const struct history_row *row = &h->rows[i];
        if (i == 0 || row->name != h->rows[i - 1].name) {
            json_decref(text);
            text = json_new_text(row->name);
            name = json_string_value(text);
            is_known = name && bsearch(&name, known, n, sizeof(*known), compare_names);
        }
        if (!is_known)
            r = name ? listing_add_row(listing, name, row->step, row->value, row->wall_ns)
                     : -ENOMEM;
    }
    return r == 0 && h->latest ? listing_set_latest(listing, h->latest) : r;
}
