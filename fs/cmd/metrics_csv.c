/* SPDX-License-Identifier: Apache-2.0 */
/* The table is read into one flat array of values, sorted by column and step, and written out from
 * there: a stable sort keeps a step's later line behind the earlier one, which it replaces. */
#include "cmd/metrics_csv.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/csv.h"
#include "model/flat_metrics.h"
#include "model/metric_axis.h"
#include "model/metrics.h"
#include "util/arena.h"

struct value {
    size_t column, line;
    int64_t step;
    double number;
};

struct table {
    struct buf names;  /* const char *, of the columns behind the step */
    struct buf values; /* struct value */
    struct arena *texts;
    size_t line;
    int64_t step; /* of the line being read */
    struct buf *why;
};

static void table_deinit(struct table *table)
{
    buf_deinit(&table->names);
    buf_deinit(&table->values);
    arena_free(&table->texts);
}

static size_t n_columns(const struct table *table)
{
    return table->names.len / sizeof(char *);
}

static int refuse(struct table *table, const char *what, const char *cell)
{
    int r = buf_printf(table->why, "line %zu: %s `%.40s`", table->line, what, cell);
    return r < 0 ? r : -EINVAL;
}

static int take_name(struct table *table, size_t column, const char *cell)
{
    if (column == 0)
        return strcasecmp(cell, "step") == 0
                   ? 0
                   : refuse(table, "the first column must be `step`, and is", cell);
    if (!*cell)
        return refuse(table, "a column has no name, after", "step");
    const char *name = arena_copy(&table->texts, cell, strlen(cell));
    return name ? buf_append(&table->names, &name, sizeof(name)) : -ENOMEM;
}

/* Whole steps only; tools that keep numbers as floats write 600.0. */
static int take_step(struct table *table, const char *cell)
{
    return metric_axis_parse_step(cell, &table->step) ? 0 : refuse(table, "is no step:", cell);
}

static int take_value(struct table *table, size_t column, const char *cell)
{
    char *end;
    struct value value = {.column = column - 1, .line = table->line, .step = table->step};
    if (!*cell)
        return 0;
    if (column > n_columns(table))
        return refuse(table, "there are more cells than names, from", cell);
    value.number = strtod(cell, &end);
    return *end ? refuse(table, "is no number:", cell)
                : buf_append(&table->values, &value, sizeof(value));
}

static int take_cell(struct table *table, size_t column, const char *cell, bool is_first)
{
    if (is_first)
        return take_name(table, column, cell);
    return column == 0 ? take_step(table, cell) : take_value(table, column, cell);
}

static int take_records(struct table *table, const char *text, size_t len)
{
    CLEANUP(csv_record_deinit) struct csv_record record = {0};
    struct csv csv = csv_of(text, len);
    int r;
    for (bool is_first = true; (r = csv_next(&csv, &record)) == 1; is_first = false) {
        const char *cell = record.text.data;
        table->line = record.line;
        for (size_t i = 0; i < record.n_cells; i++, cell = csv_behind(cell))
            if ((r = take_cell(table, i, cell, is_first)) < 0)
                return r;
    }
    table->line = csv.line;
    return r == -EBADMSG ? refuse(table, "quotes do not end in", "\"") : r;
}

static int compare_values(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* JSON has no NaN: such a value goes as text, which readers of the form take for a number. */
static json_t *make_number(double number)
{
    char text[METRIC_TEXT_BYTES];
    metric_format(number, text);
    return isfinite(number) ? json_real(number) : json_string(text);
}

static json_t *make_point(int64_t step, double number)
{
    return json_pack("{s:I, s:o}", "checkpoint", (json_int_t)step, "value", make_number(number));
}

/* Takes @points over. */
static json_t *make_scalar(const char *name, json_t *points)
{
    return json_pack("{s:s, s:[{s:s, s:o}]}", "scalar", name, "data", "operation", "mean",
                     "checkpoints", points);
}

/* Takes @scalars over. */
static json_t *make_detail(json_t *scalars)
{
    return json_pack("[{s:s, s:o}]", "session", "eval", "scalars", scalars);
}

/* The points of one column, which are [*at, ...) of the sorted values. */
static json_t *make_points(const struct value *values, size_t n, size_t column, size_t *at)
{
    JSON_CLEANUP json_t *points = json_array();
    for (; *at < n && values[*at].column == column; ++*at) {
        const struct value *value = &values[*at], *next = value + 1;
        if (*at + 1 < n && next->column == column && next->step == value->step)
            continue;
        if (json_array_append_new(points, make_point(value->step, value->number)) < 0)
            return NULL;
    }
    return steal_ptr(points);
}

static json_t *make_scalars(const struct table *table)
{
    JSON_CLEANUP json_t *scalars = json_array();
    const struct value *values = (const void *)table->values.data;
    const char *const *names = (const void *)table->names.data;
    size_t n = table->values.len / sizeof(*values), at = 0;
    for (size_t column = 0; column < n_columns(table); column++) {
        json_t *points = make_points(values, n, column, &at);
        if (points && json_array_size(points) == 0) {
            json_decref(points);
            continue;
        }
        if (!points || json_array_append_new(scalars, make_scalar(names[column], points)) < 0)
            return NULL;
    }
    return steal_ptr(scalars);
}

int metrics_csv_detail(const char *text, size_t len, json_t **out, struct buf *why)
{
    CLEANUP(table_deinit) struct table table = {.why = why};
    int r = take_records(&table, text, len);
    size_t n = table.values.len / sizeof(struct value);
    if (r == 0 && !n) {
        r = buf_puts(why, "it has no values");
        return r < 0 ? r : -EINVAL;
    }
    if (r < 0)
        return r;
    qsort(table.values.data, n, sizeof(struct value), compare_values);
    json_t *scalars = make_scalars(&table);
    *out = scalars ? make_detail(scalars) : NULL;
    return *out ? 0 : -ENOMEM;
}

struct step {
    json_t *scalars; /* borrowed */
    json_int_t step;
};

static int add_scalar(void *ctx, const char *name, double value)
{
    const struct step *step = ctx;
    json_t *points = json_pack("[o]", make_point(step->step, value));
    json_t *scalar = points ? make_scalar(name, points) : NULL;
    return json_array_append_new(step->scalars, scalar) < 0 ? -ENOMEM : 0;
}

json_t *metrics_of_step(const json_t *object, json_int_t step)
{
    JSON_CLEANUP json_t *scalars = json_array();
    struct step to = {scalars, step};
    if (!scalars || flat_metrics_each(object, add_scalar, &to) < 0)
        return NULL;
    return json_array_size(scalars) ? make_detail(steal_ptr(scalars)) : NULL;
}
