/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics_csv.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/csv.h"
#include "model/metric_axis.h"
#include "model/metric_source.h"

#define NO_COLUMN SIZE_MAX

struct table {
    struct metric_source source;
    struct csv_record names, record;
    size_t step_column, wall_column; /* NO_COLUMN: none */
};

static void table_deinit(struct table *table)
{
    metric_source_deinit(&table->source);
    csv_record_deinit(&table->names);
    csv_record_deinit(&table->record);
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
            r = metric_source_add(&table->source, name, number);
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

int metrics_csv_parse(void *history, uint32_t file, struct glimpse *glimpse)
{
    CLEANUP(table_deinit) struct table table = {0};
    int r = metric_source_open(history, file, glimpse, &table.source);
    return r < 0 ? r : metric_source_end(&table.source, take_records(&table));
}
