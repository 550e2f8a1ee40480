/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd/fact_rows.h"
#include "cmd/facts.h"
#include "cmd/show_text.h"

static void add_complete(struct table *rows, const json_t *facts)
{
    struct buf missing BUF_CLEANUP = {0};
    if (facts_append_missing(facts, &missing) == 0)
        fact_row_f(rows, "complete", "%s%s", missing.len ? "no, lacks " : "yes",
                   missing.len ? missing.data : "");
}

static void add_metrics(struct table *rows, const json_t *facts)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_get_object(facts, "metrics"), name, value)
    {
        struct buf label BUF_CLEANUP = {0};
        char text[HUMAN_BYTES];
        facts_format_metric(value, text);
        if (buf_printf(&label, "metric %s", name) == 0)
            fact_row(rows, label.data, text);
    }
}

static void add_tensor_count(struct table *rows, const json_t *facts)
{
    size_t n = json_array_size(json_get_array(facts, "tensors"));
    if (n)
        fact_row_f(rows, "tensors", "%zu", n);
}

static void fill_facts(struct table *rows, const json_t *facts, int64_t now_ns)
{
    static const char *const keys[] = {"name", "model",     "project", "registry",
                                       "type", "framework", "format"};
    int64_t step = json_get_int(facts, "step", -1);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        fact_row_text(rows, facts, keys[i]);
    fact_row_parameters(rows, facts);
    fact_row_dtypes(rows, facts);
    add_tensor_count(rows, facts);
    if (step >= 0)
        fact_row_f(rows, "step", "%" PRId64, step);
    add_complete(rows, facts);
    fact_row_modified(rows, facts, now_ns);
    fact_row_size(rows, facts);
    add_metrics(rows, facts);
}

static void add_bytes(struct table *table, const json_t *item, const char *key)
{
    char bytes[HUMAN_BYTES];
    snprintf(bytes, sizeof(bytes), "%" PRIu64, facts_size(item, key));
    table_add(table, bytes);
}

static void fill_files(struct table *table, const json_t *facts)
{
    size_t i;
    json_t *file;
    table_add_column(table, "FILE", TABLE_LEFT);
    table_add_column(table, "BYTES", TABLE_RIGHT);
    table_add_column(table, "SHA-256", TABLE_LEFT);
    json_array_foreach(json_get_array(facts, "files"), i, file)
    {
        table_add(table, json_get_text(file, "path"));
        add_bytes(table, file, "size");
        table_add(table, json_get_text(file, "digest"));
    }
}

int show_checkpoint(const json_t *facts, int64_t now_ns, struct buf *out)
{
    TABLE_CLEANUP struct table *rows = fact_rows_new();
    TABLE_CLEANUP struct table *files = table_new();
    if (!rows || !files)
        return -ENOMEM;
    fill_facts(rows, facts, now_ns);
    fill_files(files, facts);
    int r = table_format(rows, out);
    if (r < 0 || !table_rows(files))
        return r;
    r = buf_putc(out, '\n');
    return r < 0 ? r : table_format(files, out);
}

/* `[768, 3072]`. */
static void add_shape(struct table *table, const json_t *tensor)
{
    struct buf text BUF_CLEANUP = {0};
    const json_t *shape = json_get_array(tensor, "shape");
    int r = buf_putc(&text, '[');
    for (size_t i = 0; r == 0 && i < json_array_size(shape); i++)
        r = buf_printf(&text, "%s%" PRId64, i ? ", " : "",
                       (int64_t)json_integer_value(json_array_get(shape, i)));
    if (r == 0)
        r = buf_putc(&text, ']');
    table_add(table, r == 0 && shape ? text.data : NULL);
}

int show_tensors(const json_t *facts, struct buf *out)
{
    TABLE_CLEANUP struct table *table = table_new();
    size_t i;
    json_t *tensor;
    if (!table)
        return -ENOMEM;
    table_add_column(table, "TENSOR", TABLE_LEFT);
    table_add_column(table, "DTYPE", TABLE_LEFT);
    table_add_column(table, "SHAPE", TABLE_LEFT);
    table_add_column(table, "BYTES", TABLE_RIGHT);
    json_array_foreach(json_get_array(facts, "tensors"), i, tensor)
    {
        table_add(table, json_get_text(tensor, "name"));
        table_add(table, json_get_text(tensor, "dtype"));
        add_shape(table, tensor);
        add_bytes(table, tensor, "bytes");
    }
    return table_format(table, out);
}
