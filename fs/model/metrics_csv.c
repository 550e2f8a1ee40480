/* SPDX-License-Identifier: Apache-2.0 */
/* Values are added to the history column by column, so that it keeps each name once: a line of two
 * bytes a cell could else cost a long name a cell. */
#include "model/metrics_csv.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/csv.h"
#include "model/metric_axis.h"
#include "model/metric_source.h"

#define NO_COLUMN SIZE_MAX
enum { MAX_VALUES = 1 << 22 }; /* of a table; what comes behind is left out */

struct value {
    size_t column, line;
    int64_t step, wall_ns;
    double number;
};

struct table {
    struct metric_source source;
    struct csv_record names, record;
    size_t step_column, wall_column; /* NO_COLUMN: none */
    struct buf values;               /* struct value */
};

static void table_deinit(struct table *table)
{
    metric_source_deinit(&table->source);
    csv_record_deinit(&table->names);
    csv_record_deinit(&table->record);
    buf_deinit(&table->values);
}

static void find_axes(struct table *table)
{
    const char *name = table->names.text.data;
    int best = INT_MAX;
    table->step_column = table->wall_column = NO_COLUMN;
    for (size_t i = 0; i < table->names.n_cells; i++, name = csv_behind(name)) {
        int rank = metric_axis_step_rank(name);
        if (metric_axis_is_wall(name))
            table->wall_column = i;
        if (!rank || rank >= best)
            continue;
        best = rank;
        table->step_column = i;
    }
}

static bool read_number(const char *cell, double *out)
{
    char *end;
    *out = strtod(cell, &end);
    return *cell && !*end;
}

/* Sets the source to the record's step and time; false when it has no step. */
static bool seek(struct table *table)
{
    const char *cell = table->record.text.data;
    struct metric_source *source = &table->source;
    bool has_step = false;
    double number;
    source->wall_ns = 0;
    for (size_t i = 0; i < table->record.n_cells; i++, cell = csv_behind(cell)) {
        if (i == table->step_column)
            has_step = metric_axis_parse_step(cell, &source->step);
        else if (i == table->wall_column && read_number(cell, &number))
            source->wall_ns = metric_axis_wall_ns(number);
    }
    return has_step;
}

static int keep_value(struct table *table, size_t column, double number)
{
    struct value value = {
        .column = column,
        .line = table->record.line,
        .step = table->source.step,
        .wall_ns = table->source.wall_ns,
        .number = number,
    };
    if (table->values.len / sizeof(value) >= MAX_VALUES)
        return 0;
    return buf_append(&table->values, &value, sizeof(value));
}

static int take_record(struct table *table)
{
    const char *name = table->names.text.data, *cell = table->record.text.data;
    size_t n = table->names.n_cells;
    double number;
    int r = 0;
    if (!seek(table))
        return 0;
    for (size_t i = 0; r == 0 && i < n && i < table->record.n_cells; i++) {
        if (read_number(cell, &number) && !metric_axis_is(name))
            r = keep_value(table, i, number);
        name = csv_behind(name);
        cell = csv_behind(cell);
    }
    return r;
}

static int take_records(struct table *table)
{
    struct csv csv = csv_of(table->source.text, table->source.len);
    int r = csv_next(&csv, &table->names);
    if (r <= 0)
        return r;
    find_axes(table);
    if (table->step_column == NO_COLUMN)
        return 0;
    while ((r = csv_next(&csv, &table->record)) == 1)
        if ((r = take_record(table)) < 0)
            return r;
    return r;
}

static int compare_values(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static int add_values(struct table *table)
{
    struct value *values = (struct value *)(void *)table->values.data;
    size_t n = table->values.len / sizeof(*values), column = 0;
    const char *name = table->names.text.data;
    int r = 0;
    if (n)
        qsort(values, n, sizeof(*values), compare_values);
    for (size_t i = 0; r == 0 && i < n; i++) {
        for (; column < values[i].column; column++)
            name = csv_behind(name);
        table->source.step = values[i].step;
        table->source.wall_ns = values[i].wall_ns;
        r = metric_source_add(&table->source, name, values[i].number);
    }
    return r;
}

int metrics_csv_parse(void *history, uint32_t file, struct glimpse *glimpse)
{
    CLEANUP(table_deinit) struct table table = {0};
    int r = metric_source_open(history, file, glimpse, &table.source);
    if (r < 0)
        return r;
    r = take_records(&table);
    if (r == 0)
        r = add_values(&table);
    return metric_source_end(&table.source, r);
}
