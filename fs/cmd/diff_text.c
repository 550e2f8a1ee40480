/* SPDX-License-Identifier: Apache-2.0 */
/* Tables one below the other, each only where it has something to say: what the two are, metrics,
 * files, tensors, values. `+` is only in the second, `-` only in the first, `~` in both, other. */
#include "cmd/diff_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd/facts.h"
#include "cmd/table.h"

enum { NUMBER_BYTES = 24 };

/* --- cells --- */

static void append_shape(struct buf *out, const json_t *tensor)
{
    const json_t *shape = json_get_array(tensor, "shape");
    const char *dtype = json_get_text(tensor, "dtype");
    int r = buf_printf(out, "%s [", dtype ? dtype : "?");
    for (size_t i = 0; r == 0 && i < json_array_size(shape); i++)
        r = buf_printf(out, "%s%" PRId64, i ? ", " : "",
                       (int64_t)json_integer_value(json_array_get(shape, i)));
    if (r == 0)
        buf_putc(out, ']');
}

/* `F32 [768, 3072]`, or `-`. */
static void add_shape(struct table *table, const json_t *tensor)
{
    struct buf text BUF_CLEANUP = {0};
    if (tensor)
        append_shape(&text, tensor);
    table_add(table, text.data);
}

static void add_file_size(struct table *table, const json_t *file)
{
    if (file)
        table_add_size(table, facts_size(file, "size"));
    else
        table_add(table, NULL);
}

static void add_count(struct table *table, uint64_t n)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof(text), "%" PRIu64, n);
    table_add(table, text);
}

static void add_real(struct table *table, const char *fmt_sign, double value)
{
    char number[HUMAN_BYTES], text[HUMAN_BYTES + 1];
    human_number(value, number);
    snprintf(text, sizeof(text), "%s%s", fmt_sign, number);
    table_add(table, text);
}

/* --- what the two are --- */

static void add_fact(struct table *table, const json_t *side, const char *key)
{
    const json_t *value = json_object_get(side, key);
    char text[HUMAN_BYTES];
    if (json_is_integer(value) && strcmp(key, "size") == 0)
        table_add_size(table, facts_size(side, key));
    else if (json_is_integer(value) && strcmp(key, "parameters") == 0) {
        human_count(facts_size(side, key), text);
        table_add(table, text);
    } else if (json_is_integer(value))
        add_count(table, facts_size(side, key));
    else
        table_add(table, json_text(value));
}

static void fill_sides(struct table *table, const json_t *diff)
{
    static const char *const keys[] = {"name",      "model",  "project", "registry", "type",
                                       "framework", "format", "step",    "size",     "parameters"};
    const json_t *a = json_get_object(diff, "a"), *b = json_get_object(diff, "b");
    table_add_column(table, " ", TABLE_LEFT);
    table_add_column(table, "A", TABLE_LEFT);
    table_add_column(table, "B", TABLE_LEFT);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_t *x = json_object_get(a, keys[i]), *y = json_object_get(b, keys[i]);
        /* where they are the same, only what names them */
        if ((!x && !y) || (i > 0 && json_equal(x, y)))
            continue;
        table_add(table, keys[i]);
        add_fact(table, a, keys[i]);
        add_fact(table, b, keys[i]);
    }
}

/* --- metrics --- */

static void add_value(struct table *table, const json_t *value, bool is_better)
{
    char text[HUMAN_BYTES];
    facts_format_metric(value, text);
    if (is_better)
        table_add_bold(table, text);
    else
        table_add(table, text);
}

static void fill_metrics(struct table *table, const json_t *diff)
{
    size_t i;
    json_t *metric;
    table_add_column(table, "METRIC", TABLE_LEFT);
    table_add_column(table, "A", TABLE_RIGHT);
    table_add_column(table, "B", TABLE_RIGHT);
    table_add_column(table, "DIFFERENCE", TABLE_RIGHT);
    table_add_column(table, "BETTER", TABLE_LEFT);
    json_array_foreach(json_get_array(diff, "metrics"), i, metric)
    {
        const char *better = json_get_text(metric, "better");
        double difference = json_get_real(metric, "difference", 0);
        table_add(table, json_get_text(metric, "name"));
        add_value(table, json_object_get(metric, "a"), better && *better == 'a');
        add_value(table, json_object_get(metric, "b"), better && *better == 'b');
        if (json_object_get(metric, "difference"))
            add_real(table, difference > 0 ? "+" : "", difference);
        else
            table_add(table, NULL);
        table_add(table, better ? (*better == 'a' ? "A" : "B") : NULL);
    }
}

/* --- files and tensors --- */

typedef void cell_fn(struct table *table, const json_t *item);

struct part {
    const char *name, *key; /* of the part, and of what names an item of it */
    cell_fn *add;
};
static const struct part files = {"files", "path", add_file_size};
static const struct part tensors = {"tensors", "name", add_shape};

/* The rows of one list; a changed item has both sides. */
static void add_list(struct table *table, const struct part *part, const json_t *diff,
                     const char *list, const char *sign)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_get_array(json_get_object(diff, part->name), list), i, item)
    {
        const json_t *a = json_get_object(item, "a"), *b = json_get_object(item, "b");
        if (*sign == '-')
            a = item;
        if (*sign == '+')
            b = item;
        table_add(table, sign);
        table_add(table, json_get_text(item, part->key));
        part->add(table, a);
        part->add(table, b);
    }
}

static void fill_part(struct table *table, const struct part *part, const json_t *diff)
{
    enum table_align align = part == &files ? TABLE_RIGHT : TABLE_LEFT;
    table_add_column(table, " ", TABLE_LEFT);
    table_add_column(table, part == &files ? "FILE" : "TENSOR", TABLE_LEFT);
    table_add_column(table, "A", align);
    table_add_column(table, "B", align);
    add_list(table, part, diff, "removed", "-");
    add_list(table, part, diff, "added", "+");
    add_list(table, part, diff, "changed", "~");
    add_list(table, part, diff, "unknown", "?");
}

static void fill_files(struct table *table, const json_t *diff)
{
    fill_part(table, &files, diff);
}

static void fill_tensors(struct table *table, const json_t *diff)
{
    fill_part(table, &tensors, diff);
}

/* --- values --- */

static void add_greatest(struct table *table, const json_t *tensor)
{
    const json_t *greatest = json_object_get(tensor, "greatest");
    char text[HUMAN_BYTES];
    if (json_is_number(greatest)) {
        snprintf(text, sizeof(text), "%.4g", json_number_value(greatest));
        table_add(table, text);
    } else
        table_add(table, json_text(greatest));
}

static void fill_values(struct table *table, const json_t *diff)
{
    size_t i;
    json_t *tensor;
    table_add_column(table, "TENSOR", TABLE_LEFT);
    table_add_column(table, "DTYPE", TABLE_LEFT);
    table_add_column(table, "ELEMENTS", TABLE_RIGHT);
    table_add_column(table, "DIFFERENT", TABLE_RIGHT);
    table_add_column(table, "SHARE", TABLE_RIGHT);
    table_add_column(table, "GREATEST", TABLE_RIGHT);
    json_array_foreach(json_get_array(json_get_object(diff, "values"), "different"), i, tensor)
    {
        char share[HUMAN_BYTES];
        uint64_t n = facts_size(tensor, "elements"), other = facts_size(tensor, "differing");
        human_share(other, n, share);
        table_add(table, json_get_text(tensor, "name"));
        table_add(table, json_get_text(tensor, "dtype"));
        add_count(table, n);
        add_count(table, other);
        table_add(table, share);
        add_greatest(table, tensor);
    }
}

/* --- the whole --- */

typedef void fill_fn(struct table *table, const json_t *diff);

static int append_part(const json_t *diff, fill_fn *fill, struct buf *out)
{
    TABLE_CLEANUP struct table *table = table_new();
    if (!table)
        return -ENOMEM;
    fill(table, diff);
    if (!table_rows(table))
        return 0;
    int r = out->len ? buf_putc(out, '\n') : 0;
    return r < 0 ? r : table_format(table, out);
}

static size_t n_in(const json_t *diff, const char *part, const char *list)
{
    return json_array_size(json_get_array(json_get_object(diff, part), list));
}

/* `files: 3 the same, 1 changed, 0 added, 0 removed`; nothing where there are none. */
static int append_count(const json_t *diff, const char *part, struct buf *out)
{
    uint64_t same = facts_size(json_get_object(diff, part), "same");
    size_t changed = n_in(diff, part, "changed"), added = n_in(diff, part, "added");
    size_t removed = n_in(diff, part, "removed"), unknown = n_in(diff, part, "unknown");
    if (!same && !changed && !added && !removed && !unknown)
        return 0;
    int r = buf_printf(out, "%s: %" PRIu64 " the same, %zu changed, %zu added, %zu removed", part,
                       same, changed, added, removed);
    if (r == 0 && unknown)
        r = buf_printf(out, ", %zu of one size and no known digest (?)", unknown);
    return r < 0 ? r : buf_putc(out, '\n');
}

static int append_values_count(const json_t *diff, struct buf *out)
{
    const json_t *values = json_get_object(diff, "values");
    size_t lacking = n_in(diff, "values", "lacking");
    if (!values)
        return 0;
    int r = buf_printf(out, "values: %" PRIu64 " tensors the same, %zu different",
                       facts_size(values, "same"), n_in(diff, "values", "different"));
    if (r == 0 && lacking)
        r = buf_printf(out, ", %zu that the mount does not show", lacking);
    return r < 0 ? r : buf_putc(out, '\n');
}

int diff_text_format(const json_t *diff, struct buf *out)
{
    static fill_fn *const parts[] = {fill_sides, fill_metrics, fill_files, fill_tensors,
                                     fill_values};
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
        r = append_part(diff, parts[i], out);
    if (r == 0)
        r = buf_putc(out, '\n');
    if (r == 0)
        r = append_count(diff, "files", out);
    if (r == 0)
        r = append_count(diff, "tensors", out);
    return r < 0 ? r : append_values_count(diff, out);
}
