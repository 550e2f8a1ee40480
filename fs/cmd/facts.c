/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/facts.h"

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
