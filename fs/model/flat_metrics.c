/* SPDX-License-Identifier: Apache-2.0 */
#include "model/flat_metrics.h"

#include <stdlib.h>

#include "util/json.h"

bool flat_metrics_number(const json_t *value, double *out)
{
    const json_t *mean = json_object_get(json_get_object(value, "result"), "mean");
    value = mean ? mean : value;
    const char *text = json_text(value);
    char *end;
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    if (!text || !*text)
        return false;
    *out = strtod(text, &end);
    return *end == '\0';
}

static int each_named(const json_t *metrics, flat_metrics_fn *fn, void *ctx)
{
    size_t i;
    json_t *metric;
    double number;
    int r = 0;
    json_array_foreach(metrics, i, metric)
    {
        const char *name = json_get_text(metric, "name");
        if (r == 0 && name && flat_metrics_number(json_object_get(metric, "numberValue"), &number))
            r = fn(ctx, name, number);
    }
    return r;
}

int flat_metrics_each(const json_t *object, flat_metrics_fn *fn, void *ctx)
{
    const char *name;
    json_t *value;
    double number;
    json_object_foreach((json_t *)object, name, value)
    {
        int r = flat_metrics_number(value, &number) ? fn(ctx, name, number) : 0;
        if (r != 0)
            return r;
    }
    return each_named(json_get_array(object, "metrics"), fn, ctx);
}
