/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number as JSON or as text, since JSON has no NaN; NaN with *out_ok false for anything else. */
static double number_of(const json_t *value, bool *out_ok)
{
    *out_ok = true;
    if (json_is_number(value))
        return json_number_value(value);
    const char *text = json_text(value);
    char *end;
    double number = text ? strtod(text, &end) : (double)NAN;
    *out_ok = text && *text && *end == '\0';
    return number;
}

static int add_number(struct listing *listing, const char *name, int64_t step, const json_t *value)
{
    bool ok;
    double number = number_of(value, &ok);
    return ok && name ? listing_add_row(listing, name, step, number, 0) : 0;
}

static bool has_rows(const struct listing *listing, size_t n_rows, const char *name)
{
    for (size_t i = 0; i < n_rows; i++)
        if (strcmp(listing->rows[i].name, name) == 0)
            return true;
    return false;
}

static int add_checkpoints(struct listing *listing, const char *name, const json_t *data)
{
    size_t i;
    json_t *point;
    json_array_foreach(json_get_array(data, "checkpoints"), i, point)
    {
        int64_t step = json_get_int(point, "checkpoint", -1);
        int r = step < 0 ? 0 : add_number(listing, name, step, json_object_get(point, "value"));
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_scalar(struct listing *listing, const json_t *scalar)
{
    const char *name = json_get_text(scalar, "scalar");
    size_t i;
    json_t *data;
    json_array_foreach(name ? json_get_array(scalar, "data") : NULL, i, data)
    {
        const char *operation = json_get_text(data, "operation");
        if (!operation || strcmp(operation, "mean") != 0)
            continue;
        int r = add_checkpoints(listing, name, data);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Adds a session's scalars, but for those that had rows before it. */
static int add_session(struct listing *listing, const json_t *session)
{
    size_t n_before = listing->n_rows, i;
    json_t *scalar;
    json_array_foreach(json_get_array(session, "scalars"), i, scalar)
    {
        const char *name = json_get_text(scalar, "scalar");
        if (!name || has_rows(listing, n_before, name))
            continue;
        int r = add_scalar(listing, scalar);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_eval(const json_t *session)
{
    const char *name = json_get_text(session, "session");
    return name && strcmp(name, "eval") == 0;
}

static int add_detail(struct listing *listing, const json_t *detail)
{
    for (int eval = 1; eval >= 0; eval--) {
        size_t i;
        json_t *session;
        json_array_foreach(detail, i, session)
        {
            int r = is_eval(session) == (eval != 0) ? add_session(listing, session) : 0;
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int add_named_numbers(struct listing *listing, const json_t *metrics)
{
    size_t i;
    json_t *metric;
    json_array_foreach(metrics, i, metric)
    {
        int r = add_number(listing, json_get_text(metric, "name"), METRIC_LAST_STEP,
                           json_object_get(metric, "numberValue"));
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_summary(struct listing *listing, json_t *summary)
{
    const char *name;
    json_t *value;
    int r = 0;
    json_object_foreach(summary, name, value)
    {
        const json_t *mean = json_object_get(json_get_object(value, "result"), "mean");
        r = add_number(listing, name, METRIC_LAST_STEP, mean ? mean : value);
        if (r < 0)
            return r;
    }
    return add_named_numbers(listing, json_get_array(summary, "metrics"));
}

int summary_add_rows(struct listing *listing, const json_t *model)
{
    int r = add_detail(listing, json_get_array(model, "detail"));
    return r < 0 ? r : add_summary(listing, json_get_object(model, "summary"));
}
