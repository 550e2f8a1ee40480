/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/summary.h"

#include <string.h>

#include "model/flat_metrics.h"

static int add_number(struct listing *listing, const char *name, int64_t step, const json_t *value)
{
    double number;
    return name && flat_metrics_number(value, &number)
               ? listing_add_row(listing, name, step, number, 0)
               : 0;
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

static int add_last(void *ctx, const char *name, double value)
{
    return listing_add_row(ctx, name, METRIC_LAST_STEP, value, 0);
}

int summary_add_rows(struct listing *listing, const json_t *model)
{
    int r = add_detail(listing, json_get_array(model, "detail"));
    return r < 0 ? r : flat_metrics_each(json_get_object(model, "summary"), add_last, listing);
}
