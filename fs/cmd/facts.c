/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/facts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "util/clock.h"

int64_t facts_modified_ns(const json_t *facts)
{
    const char *text = json_get_text(facts, "modified");
    int64_t ns = 0;
    if (text)
        clock_parse_iso(text, &ns);
    return ns;
}

json_t *facts_find_checkpoint(const json_t *model, const char *name)
{
    size_t i;
    json_t *checkpoint;
    json_array_foreach(json_get_array(model, "checkpoints"), i, checkpoint)
    {
        const char *its = json_get_text(checkpoint, "name");
        if (name && its && strcmp(its, name) == 0)
            return checkpoint;
    }
    return NULL;
}

void facts_format_metric(const json_t *value, char out[HUMAN_BYTES])
{
    const char *text = json_string_value(value); /* NaN and its kin */
    if (json_is_number(value))
        human_number(json_number_value(value), out);
    else
        snprintf(out, HUMAN_BYTES, "%s", text ? text : "-");
}

const json_t *facts_find_metric(const json_t *facts, const char *name)
{
    json_t *metrics = json_get_object(facts, "metrics"), *value;
    const json_t *found = json_object_get(metrics, name);
    const char *its;
    json_object_foreach(metrics, its, value)
    {
        if (!found && strstr(its, name))
            found = value;
    }
    return found;
}

double facts_metric_number(const json_t *value)
{
    const char *text = json_string_value(value);
    char *end;
    if (json_is_number(value))
        return json_number_value(value);
    double number = text ? strtod(text, &end) : NAN;
    return text && *text && !*end ? number : NAN;
}

const char *facts_match_metric(const json_t *names, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *its = json_string_value(json_array_get(names, i));
        if (strcmp(its, name) == 0)
            return its;
        if (!found && strstr(its, name))
            found = its;
    }
    return found;
}

int facts_add_curve(const json_t *model, const char *metric, struct curve *out)
{
    size_t i;
    json_t *checkpoint;
    json_array_foreach(json_get_array(model, "checkpoints"), i, checkpoint)
    {
        const json_t *value = json_object_get(json_get_object(checkpoint, "metrics"), metric);
        int64_t step = json_get_int(checkpoint, "step", -1);
        if (value && step >= 0 && curve_add(out, step, facts_metric_number(value)) < 0)
            return -ENOMEM;
    }
    curve_settle(out);
    return 0;
}

int facts_append_missing(const json_t *checkpoint, struct buf *out)
{
    const json_t *missing = json_object_get(checkpoint, "missing");
    const char *text = json_text(missing);
    int r = text ? buf_puts(out, text) : 0;
    for (size_t i = 0; r == 0 && i < json_array_size(missing); i++) {
        text = json_text(json_array_get(missing, i));
        r = buf_printf(out, "%s%s", i ? ", " : "", text ? text : "?");
    }
    return r;
}

uint64_t facts_size(const json_t *facts, const char *key)
{
    int64_t size = json_get_int(facts, key, 0);
    return size < 0 ? 0 : (uint64_t)size;
}

/* Accuracy and loss are what most people look for. */
static int rank(const char *name)
{
    return strstr(name, "accuracy") ? 0 : strstr(name, "loss") ? 1 : 2;
}

static int compare_names(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    return rank(x) != rank(y) ? rank(x) - rank(y) : strcmp(x, y);
}

static json_t *sorted_keys(const json_t *object)
{
    JSON_CLEANUP json_t *out = json_array();
    CLEANUP(cleanup_free)
    const char **names = calloc(json_object_size(object) + 1, sizeof(*names));
    const char *name;
    json_t *value;
    size_t n = 0;
    if (!names)
        return NULL;
    json_object_foreach((json_t *)object, name, value) names[n++] = name;
    qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(out, json_string(names[i])) < 0)
            return NULL;
    return steal_ptr(out);
}

json_t *facts_metric_names(const json_t *model)
{
    JSON_CLEANUP json_t *all = json_object();
    size_t i;
    json_t *checkpoint, *metrics;
    json_array_foreach(json_get_array(model, "checkpoints"), i, checkpoint)
    {
        metrics = json_get_object(checkpoint, "metrics");
        if (metrics && json_object_update(all, metrics) < 0)
            return NULL;
    }
    return all ? sorted_keys(all) : NULL;
}

static int compare_keyed(const void *a, const void *b, void *key)
{
    const char *x = json_get_text(*(const json_t *const *)a, key);
    const char *y = json_get_text(*(const json_t *const *)b, key);
    return strcmp(x ? x : "", y ? y : "");
}

const json_t **facts_sort(const json_t *array, const char *key)
{
    size_t n = json_array_size(array);
    const json_t **items = calloc(n + 1, sizeof(*items));
    for (size_t i = 0; items && i < n; i++)
        items[i] = json_array_get(array, i);
    if (items)
        qsort_r(items, n, sizeof(*items), compare_keyed, (char *)key);
    return items;
}

int facts_print_json(const json_t *facts)
{
    if (json_dumpf(facts, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) < 0 || putchar('\n') == EOF)
        return EX_IOERR;
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
