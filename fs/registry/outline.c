/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/outline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* Each checkpoint could have each metric: a hostile model, millions of millions. */
enum { VALUES_MAX = 1 << 24 };

static int find_checkpoints(struct outline *o)
{
    size_t n = o->listing->n_entries;
    CLEANUP(cleanup_free) const char **paths = calloc(n + 1, sizeof(*paths));
    if (!paths)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        paths[i] = listing_id(o->listing, i);
    return checkpoints_find(paths, n, &o->checkpoints);
}

/* By metric and step, equal ones in the listing's order. */
static int compare_rows(const void *a, const void *b)
{
    const struct metric_row *const *x = a, *const *y = b;
    int order = metric_compare(*x, *y);
    return order ? order : (*x > *y) - (*x < *y);
}

/* Copies the listing's rows: those of one metric stand together, in the order of steps. */
static int sort_rows(struct outline *o)
{
    size_t n = o->listing->n_rows;
    CLEANUP(cleanup_free) const struct metric_row **sorted = calloc(n + 1, sizeof(*sorted));
    o->rows = calloc(n + 1, sizeof(*o->rows));
    if (!sorted || !o->rows)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &o->listing->rows[i];
    qsort(sorted, n, sizeof(*sorted), compare_rows);
    for (size_t i = 0; i < n; i++)
        o->rows[i] = *sorted[i];
    return 0;
}

static int collect_metrics(struct outline *o)
{
    size_t n = 0, n_rows = o->listing->n_rows;
    int r = sort_rows(o);
    o->metrics = calloc(n_rows + 1, sizeof(*o->metrics));
    o->first_rows = calloc(n_rows + 1, sizeof(*o->first_rows));
    if (r < 0 || !o->metrics || !o->first_rows)
        return -ENOMEM;
    for (size_t i = 0; i < n_rows; i++) {
        if (n && strcmp(o->metrics[n - 1], o->rows[i].name) == 0)
            continue;
        o->first_rows[n] = i;
        o->metrics[n++] = o->rows[i].name;
    }
    o->first_rows[n] = n_rows;
    o->n_metrics = n;
    return 0;
}

static struct metric_series series_of(const struct outline *o, size_t metric)
{
    size_t first = o->first_rows[metric];
    return (struct metric_series){o->rows + first, o->first_rows[metric + 1] - first};
}

static const struct metric_row *find_value(const struct outline *o, const struct checkpoint *c,
                                           int64_t next_step, size_t metric)
{
    struct metric_series series = series_of(o, metric);
    if (c->kind == CHECKPOINT_EXPORT)
        return c == o->latest ? metric_newest(series) : NULL;
    const struct metric_row *row = metric_at(series, c->step, next_step);
    return row || c != o->latest ? row : metric_summary(series);
}

static int fill_values(struct outline *o)
{
    const struct checkpoint *items = o->checkpoints.items;
    int64_t next_step = INT64_MAX;
    if (o->n_metrics && o->checkpoints.n <= VALUES_MAX / o->n_metrics)
        o->values = calloc(o->checkpoints.n * o->n_metrics, sizeof(*o->values));
    else if (!o->n_metrics)
        o->values = calloc(1, sizeof(*o->values));
    if (!o->values)
        return -ENOMEM;
    for (size_t c = o->checkpoints.n; c-- > 0;) {
        bool later = c + 1 < o->checkpoints.n && items[c + 1].kind == CHECKPOINT_STEP;
        if (later && items[c + 1].step > items[c].step)
            next_step = items[c + 1].step;
        for (size_t m = 0; m < o->n_metrics; m++)
            o->values[c * o->n_metrics + m] = find_value(o, &items[c], next_step, m);
    }
    return 0;
}

static void find_best(struct outline *o, size_t metric)
{
    struct outline_best best = {.metric = o->metrics[metric], .checkpoint = SIZE_MAX};
    double best_value = strtod("NaN", NULL);
    for (size_t c = 0; c < o->checkpoints.n; c++) {
        const struct metric_row *row = outline_value(o, c, metric);
        if (!row || o->checkpoints.items[c].missing ||
            !metric_beats(best.metric, row->value, best_value))
            continue;
        best.checkpoint = c;
        best_value = row->value;
    }
    if (best.checkpoint != SIZE_MAX)
        o->best[o->n_best++] = best;
}

static int find_all_best(struct outline *o)
{
    o->best = calloc(o->n_metrics + 1, sizeof(*o->best));
    if (!o->best)
        return -ENOMEM;
    for (size_t m = 0; m < o->n_metrics; m++)
        find_best(o, m);
    return 0;
}

int outline_init(struct outline *o, const struct listing *listing)
{
    *o = (struct outline){.listing = listing};
    int r = find_checkpoints(o);
    o->latest = r == 0 ? checkpoints_latest(&o->checkpoints) : NULL;
    if (r == 0)
        r = collect_metrics(o);
    if (r == 0)
        r = fill_values(o);
    if (r == 0)
        r = find_all_best(o);
    if (r < 0)
        outline_deinit(o);
    return r;
}

void outline_deinit(struct outline *o)
{
    checkpoints_deinit(&o->checkpoints);
    free(o->rows);
    free(o->first_rows);
    free(o->metrics);
    free(o->values);
    free(o->best);
    *o = (struct outline){0};
}

const struct metric_row *outline_value(const struct outline *o, size_t checkpoint, size_t metric)
{
    return o->values[checkpoint * o->n_metrics + metric];
}

const struct metric_row *outline_model_value(const struct outline *o, size_t metric)
{
    if (!o->latest)
        return metric_newest(series_of(o, metric));
    return outline_value(o, (size_t)(o->latest - o->checkpoints.items), metric);
}

/* Sizes are what the registry says: such as overflow are lies, and their sum stays one that JSON
 * can hold. */
static uint64_t add_size(uint64_t sum, const struct listing *listing, size_t file)
{
    struct listing_entry entry;
    listing_get(listing, file, &entry);
    bool overflow = __builtin_add_overflow(sum, entry.size_bytes, &sum);
    return overflow || sum > INT64_MAX ? INT64_MAX : sum;
}

uint64_t outline_size_bytes(const struct outline *o, const struct checkpoint *c)
{
    uint64_t size = 0;
    for (size_t i = 0; i < c->n_files; i++)
        size = add_size(size, o->listing, c->files[i]);
    return size;
}

uint64_t outline_model_size_bytes(const struct outline *o)
{
    uint64_t size = 0;
    for (size_t i = 0; i < o->listing->n_entries; i++)
        size = add_size(size, o->listing, i);
    return size;
}

int64_t outline_mtime_ns(const struct outline *o, const struct checkpoint *c)
{
    struct listing_entry entry;
    int64_t newest = 0;
    for (size_t i = 0; i < c->n_files; i++) {
        listing_get(o->listing, c->files[i], &entry);
        if (entry.mtime_ns > newest)
            newest = entry.mtime_ns;
    }
    return newest ? newest : o->listing->self.mtime_ns;
}
