/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "registry/detail.h"

/* What is made of the evaluations at one checkpoint. */
struct moments {
    double mean, least, greatest, median, deviation, variance;
};

static int compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of @n values, at least one, which it sorts. */
static struct moments measure(double *values, size_t n)
{
    double sum = 0, squares = 0;
    qsort(values, n, sizeof(*values), compare_reals);
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return (struct moments){
        .mean = mean,
        .least = values[0],
        .greatest = values[n - 1],
        .median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2,
        .deviation = sqrt(squares / (double)n),
        .variance = squares / (double)n,
    };
}

/* The first of a metric's rows at or behind @step; their end when there is none. */
static size_t first_at(const struct outline *o, size_t metric, int64_t step)
{
    size_t low = o->first_rows[metric], high = o->first_rows[metric + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (o->rows[middle].step < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The step of the next checkpoint, or INT64_MAX. They stand in the order of steps, exports behind
 * them; many may have one step. */
static int64_t next_step(const struct outline *o, size_t c)
{
    const struct checkpoint *items = o->checkpoints.items;
    size_t low = c + 1, high = o->checkpoints.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].kind == CHECKPOINT_STEP && items[middle].step <= items[c].step)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_step = low < o->checkpoints.n && items[low].kind == CHECKPOINT_STEP;
    return is_step ? items[low].step : INT64_MAX;
}

/* The evaluations that belong to checkpoint @c, or its one value: how many, from @rows on. */
static size_t find_rows(const struct outline *o, size_t c, size_t metric,
                        const struct metric_row **rows)
{
    size_t first = first_at(o, metric, o->checkpoints.items[c].step),
           end = first_at(o, metric, next_step(o, c));
    *rows = first < end ? &o->rows[first] : outline_value(o, c, metric);
    return first < end ? end - first : *rows != NULL;
}

static json_t *new_real(double value)
{
    char text[METRIC_TEXT_BYTES];
    if (isfinite(value))
        return json_real(value);
    metric_format(value, text);
    return json_string(text);
}

static int add_point(json_t *checkpoints, int64_t step, double value)
{
    return json_array_append_new(
        checkpoints,
        json_pack("{s:I, s:o}", "checkpoint", (json_int_t)step, "value", new_real(value)));
}

static const char *const operations[] = {"mean", "amin", "amax", "median", "std", "var"};
enum { N_OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

static int add_points(json_t *const series[], int64_t step, const struct metric_row *rows, size_t n)
{
    CLEANUP(cleanup_free) double *values = calloc(n, sizeof(*values));
    int r = values ? 0 : -1;
    for (size_t i = 0; r == 0 && i < n; i++)
        values[i] = rows[i].value;
    if (r < 0)
        return r;
    const struct moments m = measure(values, n);
    const double points[] = {m.mean, m.least, m.greatest, m.median, m.deviation, m.variance};
    for (size_t i = 0; i < N_OPERATIONS; i++)
        r |= add_point(series[i], step, points[i]);
    return r;
}

/* `{"scalar":"loss","data":[{"operation":"mean","checkpoints":[..]},..]}` */
static json_t *make_scalar(const struct outline *o, size_t metric)
{
    json_t *series[N_OPERATIONS];
    JSON_CLEANUP json_t *scalar = json_object(), *data = json_array();
    int r = json_object_set_new(scalar, "scalar", json_new_text(o->metrics[metric]));
    r |= json_object_set(scalar, "data", data);
    for (size_t i = 0; i < N_OPERATIONS; i++) {
        series[i] = json_array();
        r |= json_array_append_new(
            data, json_pack("{s:s, s:o}", "operation", operations[i], "checkpoints", series[i]));
    }
    for (size_t c = 0; r == 0 && c < o->checkpoints.n; c++) {
        const struct metric_row *rows;
        if (o->checkpoints.items[c].kind != CHECKPOINT_STEP)
            continue;
        size_t n = find_rows(o, c, metric, &rows);
        if (n)
            r = add_points(series, o->checkpoints.items[c].step, rows, n);
    }
    return r == 0 ? steal_ptr(scalar) : NULL;
}

json_t *detail_make(const struct outline *o)
{
    JSON_CLEANUP json_t *scalars = json_array();
    int r = scalars ? 0 : -1;
    for (size_t m = 0; r == 0 && m < o->n_metrics; m++)
        r = json_array_append_new(scalars, make_scalar(o, m));
    if (r < 0)
        return NULL;
    return json_pack("[{s:s, s:O}]", "session", "eval", "scalars", scalars);
}
