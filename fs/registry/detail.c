/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/detail.h"

#include <stddef.h>
#include <string.h>

/* The operations' names in detail and in summary. */
static const struct {
    const char *operation, *result;
} operations[] = {
    {"mean", "mean"},     {"amin", "min"},   {"min", "min"},       {"amax", "max"}, {"max", "max"},
    {"median", "median"}, {"std", "stddev"}, {"stddev", "stddev"}, {"var", "var"},
};

static const char *result_name(const char *operation)
{
    for (size_t i = 0; operation && i < sizeof(operations) / sizeof(*operations); i++) {
        if (strcmp(operations[i].operation, operation) == 0)
            return operations[i].result;
    }
    return NULL;
}

/* The value at the highest checkpoint, or NULL. */
static json_t *last_value(const json_t *checkpoints)
{
    json_t *one, *last = NULL;
    double highest = 0;
    size_t i;
    json_array_foreach(checkpoints, i, one)
    {
        double step = json_number_value(json_object_get(one, "checkpoint"));
        json_t *value = json_object_get(one, "value");
        if (json_is_number(value) && (!last || step >= highest)) {
            last = value;
            highest = step;
        }
    }
    return last;
}

/* `{"mean":0.03,"min":...}`; NULL when there is none. */
static json_t *make_result(const json_t *data)
{
    json_t *result JSON_CLEANUP = json_object();
    json_t *series;
    size_t i;
    json_array_foreach(data, i, series)
    {
        const char *name = result_name(json_get_text(series, "operation"));
        json_t *value = last_value(json_get_array(series, "checkpoints"));
        if (name && value && json_object_set(result, name, value) < 0)
            return NULL;
    }
    return json_object_size(result) ? steal_ptr(result) : NULL;
}

static int add_scalar(json_t *summary, const json_t *scalar, bool replace)
{
    const char *name = json_get_text(scalar, "scalar");
    if (!name || (!replace && json_object_get(summary, name)))
        return 0;
    json_t *result = make_result(json_get_array(scalar, "data"));
    if (!result)
        return 0;
    return json_object_set_new(summary, name,
                               json_pack("{s:s, s:o}", "scalar", name, "result", result));
}

json_t *detail_summarize(const json_t *detail)
{
    json_t *summary JSON_CLEANUP = json_object();
    json_t *session, *scalar;
    size_t i, k;
    json_array_foreach(detail, i, session)
    {
        const char *name = json_get_text(session, "session");
        bool is_eval = name && strcmp(name, "eval") == 0;
        json_array_foreach(json_get_array(session, "scalars"), k, scalar)
        {
            if (add_scalar(summary, scalar, is_eval) < 0)
                return NULL;
        }
    }
    return json_object_size(summary) ? steal_ptr(summary) : NULL;
}

unsigned detail_depth(const json_t *value)
{
    unsigned deepest = 0;
    const char *key;
    json_t *part;
    size_t i;
    if (!json_is_object(value) && !json_is_array(value))
        return 0;
    json_object_foreach((json_t *)value, key, part)
    {
        unsigned depth = detail_depth(part);
        deepest = depth > deepest ? depth : deepest;
    }
    json_array_foreach(value, i, part)
    {
        unsigned depth = detail_depth(part);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}
