/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cmd/fact_rows.h"
#include "cmd/facts.h"
#include "cmd/show_text.h"
#include "cmd/sparkline.h"
#include "model/metrics.h"

enum { SPARK_COLUMNS = 32, NUMBER_BYTES = 24 };

/* What checkpoints tell of the model, told of the latest. */
static void fill_facts(struct table *rows, const json_t *facts, int64_t now_ns)
{
    static const char *const keys[] = {"name", "id", "project", "registry", "type"};
    const char *latest = json_get_text(facts, "latest");
    const json_t *checkpoint = facts_find_checkpoint(facts, latest);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        fact_row_text(rows, facts, keys[i]);
    fact_row_text(rows, checkpoint, "framework");
    fact_row_text(rows, checkpoint, "format");
    fact_row_parameters(rows, checkpoint);
    fact_row_dtypes(rows, checkpoint);
    fact_row_modified(rows, facts, now_ns);
    fact_row_size(rows, facts);
    fact_row_f(rows, "checkpoints", "%zu", json_array_size(json_get_array(facts, "checkpoints")));
    fact_row(rows, "latest", latest);
}

static void add_number(struct table *table, int64_t number)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof(text), "%" PRId64, number);
    table_add(table, number < 0 ? NULL : text);
}

/* A best value has a sign; others a blank there, so that digits stand below each other. */
static void add_metric(struct table *table, const json_t *model, const json_t *checkpoint,
                       const char *metric)
{
    const json_t *value = json_object_get(json_get_object(checkpoint, "metrics"), metric);
    const char *best = json_get_text(json_get_object(model, "best"), metric);
    const char *name = json_get_text(checkpoint, "name");
    char number[HUMAN_BYTES], text[HUMAN_BYTES + 2];
    bool is_best = best && name && strcmp(best, name) == 0;
    facts_format_metric(value, number);
    snprintf(text, sizeof(text), "%s%c", number, is_best ? '*' : ' ');
    if (is_best)
        table_add_bold(table, text);
    else
        table_add(table, text);
}

static void add_note(struct table *table, const json_t *model, const json_t *checkpoint)
{
    struct buf note BUF_CLEANUP = {0}, missing BUF_CLEANUP = {0};
    const char *latest = json_get_text(model, "latest"), *name = json_get_text(checkpoint, "name");
    int r = facts_append_missing(checkpoint, &missing);
    if (r == 0 && latest && name && strcmp(latest, name) == 0)
        r = buf_puts(&note, "latest");
    if (r == 0 && missing.len)
        r = buf_printf(&note, "incomplete, lacks %s", missing.data);
    table_add(table, note.data);
}

static size_t n_shown(const json_t *metrics)
{
    size_t n = json_array_size(metrics);
    return n < SHOW_METRICS_MAX ? n : SHOW_METRICS_MAX;
}

static const char *metric_name(const json_t *metrics, size_t i)
{
    return json_string_value(json_array_get(metrics, i));
}

static void fill_checkpoints(struct table *table, const json_t *facts, const json_t *metrics)
{
    size_t i, n_metrics = n_shown(metrics);
    json_t *checkpoint;
    table_add_column(table, "CHECKPOINT", TABLE_LEFT);
    table_add_column(table, "STEP", TABLE_RIGHT);
    table_add_column(table, "SIZE", TABLE_RIGHT);
    for (i = 0; i < n_metrics; i++) {
        BUF_CLEANUP struct buf heading = {0};
        int r = buf_printf(&heading, "%s ", metric_name(metrics, i));
        table_add_column(table, r == 0 ? heading.data : "", TABLE_RIGHT);
    }
    table_add_column(table, "NOTE", TABLE_LEFT);
    json_array_foreach(json_get_array(facts, "checkpoints"), i, checkpoint)
    {
        table_add(table, json_get_text(checkpoint, "name"));
        add_number(table, json_get_int(checkpoint, "step", -1));
        table_add_size(table, facts_size(checkpoint, "size"));
        for (size_t m = 0; m < n_metrics; m++)
            add_metric(table, facts, checkpoint, metric_name(metrics, m));
        add_note(table, facts, checkpoint);
    }
}

static void add_value(struct table *table, double value)
{
    char text[METRIC_TEXT_BYTES];
    if (isfinite(value))
        human_number(value, text);
    else
        metric_format(value, text);
    table_add(table, text);
}

static void add_curve(struct table *table, const char *metric, const struct curve *curve, bool utf8)
{
    struct buf spark BUF_CLEANUP = {0};
    const struct point *best = curve_best(curve, metric);
    if (!curve->n)
        return;
    table_add(table, metric);
    add_value(table, curve->points[curve->n - 1].value);
    if (best)
        add_value(table, best->value);
    else
        table_add(table, NULL);
    add_number(table, best ? best->step : -1);
    int r = sparkline_format(curve, SPARK_COLUMNS, utf8, &spark);
    table_add(table, r == 0 ? spark.data : NULL);
}

static void fill_curves(struct table *table, const json_t *metrics, const struct curve *curves,
                        bool utf8)
{
    table_add_column(table, "METRIC", TABLE_LEFT);
    table_add_column(table, "LAST", TABLE_RIGHT);
    table_add_column(table, "BEST", TABLE_RIGHT);
    table_add_column(table, "AT STEP", TABLE_RIGHT);
    table_add_column(table, "HISTORY", TABLE_LEFT);
    for (size_t i = 0; i < n_shown(metrics); i++)
        add_curve(table, metric_name(metrics, i), &curves[i], utf8);
}

static int append_table(struct table *table, struct buf *out)
{
    int r = table_rows(table) ? buf_putc(out, '\n') : 0;
    return r < 0 || !table_rows(table) ? r : table_format(table, out);
}

int show_model(const json_t *facts, const json_t *metrics, const struct curve *curves, bool utf8,
               int64_t now_ns, struct buf *out)
{
    TABLE_CLEANUP struct table *rows = fact_rows_new();
    TABLE_CLEANUP struct table *checkpoints = table_new();
    TABLE_CLEANUP struct table *history = table_new();
    if (!rows || !checkpoints || !history)
        return -ENOMEM;
    fill_facts(rows, facts, now_ns);
    fill_checkpoints(checkpoints, facts, metrics);
    fill_curves(history, metrics, curves, utf8);
    int r = table_format(rows, out);
    if (r == 0)
        r = append_table(checkpoints, out);
    return r < 0 ? r : append_table(history, out);
}
