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

#include "model/metrics.h"
#include "util/arena.h"

struct value {
    size_t column, line;
    int64_t step;
    double number;
};

struct csv {
    struct buf names;  /* const char *, of the columns behind the step */
    struct buf values; /* struct value */
    struct arena *texts;
    size_t line;
    int64_t step; /* of the line being read */
    struct buf *why;
};

static void csv_deinit(struct csv *csv)
{
    buf_deinit(&csv->names);
    buf_deinit(&csv->values);
    arena_free(&csv->texts);
}

static size_t n_columns(const struct csv *csv)
{
    return csv->names.len / sizeof(char *);
}

static int refuse(struct csv *csv, const char *what, const char *cell)
{
    int r = buf_printf(csv->why, "line %zu: %s `%.40s`", csv->line, what, cell);
    return r < 0 ? r : -EINVAL;
}

/* A cell without the blanks and the quotes around it, in the arena. */
static char *copy_cell(struct csv *csv, const char *cell, size_t len)
{
    while (len && strchr(" \t\r", cell[len - 1]))
        len--;
    while (len && (*cell == ' ' || *cell == '\t')) {
        cell++;
        len--;
    }
    if (len >= 2 && cell[0] == '"' && cell[len - 1] == '"') {
        cell++;
        len -= 2;
    }
    return arena_copy(&csv->texts, cell, len);
}

static int take_name(struct csv *csv, size_t column, const char *cell)
{
    if (column == 0)
        return strcasecmp(cell, "step") == 0
                   ? 0
                   : refuse(csv, "the first column must be `step`, and is", cell);
    return *cell ? buf_append(&csv->names, &cell, sizeof(cell))
                 : refuse(csv, "a column has no name, after", "step");
}

/* Whole steps only; tools that keep numbers as floats write 600.0. */
static int take_step(struct csv *csv, const char *cell)
{
    char *end;
    double step = strtod(cell, &end);
    if (!*cell || *end || !(step >= 0 && step < 0x1p53) || step != trunc(step))
        return refuse(csv, "is no step:", cell);
    csv->step = (int64_t)step;
    return 0;
}

static int take_value(struct csv *csv, size_t column, const char *cell)
{
    char *end;
    struct value value = {.column = column - 1, .line = csv->line, .step = csv->step};
    if (!*cell)
        return 0;
    if (column > n_columns(csv))
        return refuse(csv, "there are more cells than names, from", cell);
    value.number = strtod(cell, &end);
    return *end ? refuse(csv, "is no number:", cell)
                : buf_append(&csv->values, &value, sizeof(value));
}

static int take_cell(struct csv *csv, size_t column, const char *text, size_t len)
{
    const char *cell = copy_cell(csv, text, len);
    if (!cell)
        return -ENOMEM;
    if (csv->line == 1)
        return take_name(csv, column, cell);
    return column == 0 ? take_step(csv, cell) : take_value(csv, column, cell);
}

static bool is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r", line[i]))
            return false;
    return true;
}

static int take_line(struct csv *csv, const char *line, size_t len)
{
    const char *end = line + len;
    int r = 0;
    for (size_t column = 0; r == 0 && line <= end; column++) {
        const char *comma = memchr(line, ',', (size_t)(end - line));
        const char *to = comma ? comma : end;
        r = take_cell(csv, column, line, (size_t)(to - line));
        line = to + 1;
    }
    return r;
}

static int take_lines(struct csv *csv, const char *text, size_t len)
{
    const char *end = text + len;
    int r = 0;
    while (r == 0 && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        csv->line++;
        if (csv->line == 1 || !is_blank(text, n))
            r = take_line(csv, text, n);
        text += n + 1;
    }
    return r;
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

static json_t *make_scalars(const struct csv *csv)
{
    JSON_CLEANUP json_t *scalars = json_array();
    const struct value *values = (const void *)csv->values.data;
    const char *const *names = (const void *)csv->names.data;
    size_t n = csv->values.len / sizeof(*values), at = 0;
    for (size_t column = 0; column < n_columns(csv); column++) {
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

int metrics_csv_parse(const char *text, size_t len, json_t **out, struct buf *why)
{
    CLEANUP(csv_deinit) struct csv csv = {.why = why};
    int r = take_lines(&csv, text, len);
    size_t n = csv.values.len / sizeof(struct value);
    if (r == 0 && !n) {
        r = buf_puts(why, "it has no values");
        return r < 0 ? r : -EINVAL;
    }
    if (r < 0)
        return r;
    qsort(csv.values.data, n, sizeof(struct value), compare_values);
    json_t *scalars = make_scalars(&csv);
    *out = scalars ? make_detail(scalars) : NULL;
    return *out ? 0 : -ENOMEM;
}

/* Whether @value is a number, the text of one, or what a registry's summary has: {"result":
 * {"mean":number}}. */
static bool read_number(const json_t *value, double *out)
{
    const json_t *mean = json_object_get(json_get_object(value, "result"), "mean");
    value = mean ? mean : value;
    const char *text = json_string_value(value);
    char *end;
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (!text || !*text)
        return false;
    *out = strtod(text, &end);
    return *end == '\0';
}

json_t *metrics_of_step(const json_t *flat, json_int_t step)
{
    JSON_CLEANUP json_t *scalars = json_array();
    const char *name;
    json_t *value;
    double number;
    json_object_foreach((json_t *)flat, name, value)
    {
        if (!read_number(value, &number))
            continue;
        json_t *points = json_pack("[o]", make_point(step, number));
        if (json_array_append_new(scalars, points ? make_scalar(name, points) : NULL) < 0)
            return NULL;
    }
    return json_array_size(scalars) ? make_detail(steal_ptr(scalars)) : NULL;
}
