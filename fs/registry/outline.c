/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/outline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

static int find_checkpoints(struct outline *o)
{
    size_t n = o->listing->n_entries;
    CLEANUP(cleanup_free) const char **paths = calloc(n + 1, sizeof(*paths));
    if (!paths)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        paths[i] = o->listing->entries[i].id;
    return checkpoints_find(paths, n, &o->checkpoints);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int collect_metrics(struct outline *o)
{
    size_t n = 0;
    o->metrics = calloc(o->listing->n_rows + 1, sizeof(*o->metrics));
    if (!o->metrics)
        return -ENOMEM;
    for (size_t i = 0; i < o->listing->n_rows; i++)
        o->metrics[i] = o->listing->rows[i].name;
    qsort(o->metrics, o->listing->n_rows, sizeof(*o->metrics), compare_texts);
    for (size_t i = 0; i < o->listing->n_rows; i++)
        if (!n || strcmp(o->metrics[n - 1], o->metrics[i]) != 0)
            o->metrics[n++] = o->metrics[i];
    o->n_metrics = n;
    return 0;
}

/* The step of the next later checkpoint of training, or INT64_MAX. */
static int64_t next_step(const struct outline *o, size_t index)
{
    const struct checkpoint *items = o->checkpoints.items;
    for (size_t i = index + 1; i < o->checkpoints.n && items[i].kind == CHECKPOINT_STEP; i++)
        if (items[i].step > items[index].step)
            return items[i].step;
    return INT64_MAX;
}

/* The row of the highest step, one for the last step before all. */
static const struct metric_row *newest_row(const struct outline *o, const char *name)
{
    const struct metric_row *newest = NULL;
    for (size_t i = 0; i < o->listing->n_rows; i++) {
        const struct metric_row *row = &o->listing->rows[i];
        if (strcmp(row->name, name) != 0)
            continue;
        if (row->step == METRIC_LAST_STEP)
            return row;
        if (!newest || row->step >= newest->step)
            newest = row;
    }
    return newest;
}

static const struct metric_row *find_value(const struct outline *o, size_t index, const char *name)
{
    const struct checkpoint *c = &o->checkpoints.items[index];
    if (c->kind == CHECKPOINT_EXPORT)
        return c == o->latest ? newest_row(o, name) : NULL;
    return metric_at(o->listing->rows, o->listing->n_rows, name, c->step, next_step(o, index),
                     c == o->latest);
}

static int fill_values(struct outline *o)
{
    o->values = calloc(o->checkpoints.n * o->n_metrics + 1, sizeof(*o->values));
    if (!o->values)
        return -ENOMEM;
    for (size_t c = 0; c < o->checkpoints.n; c++)
        for (size_t m = 0; m < o->n_metrics; m++)
            o->values[c * o->n_metrics + m] = find_value(o, c, o->metrics[m]);
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
        return newest_row(o, o->metrics[metric]);
    return outline_value(o, (size_t)(o->latest - o->checkpoints.items), metric);
}

uint64_t outline_size_bytes(const struct outline *o, const struct checkpoint *c)
{
    uint64_t size = 0;
    for (size_t i = 0; i < c->n_files; i++)
        size += o->listing->entries[c->files[i]].size_bytes;
    return size;
}

int64_t outline_mtime_ns(const struct outline *o, const struct checkpoint *c)
{
    int64_t newest = 0;
    for (size_t i = 0; i < c->n_files; i++)
        if (o->listing->entries[c->files[i]].mtime_ns > newest)
            newest = o->listing->entries[c->files[i]].mtime_ns;
    return newest ? newest : o->listing->self.mtime_ns;
}
