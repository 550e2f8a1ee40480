/* SPDX-License-Identifier: Apache-2.0 */
#include "model/gradient_metadata.h"

#include <errno.h>

#include "model/flat_metrics.h"
#include "model/metric_source.h"
#include "util/json.h"

static int add(void *ctx, const char *name, double value)
{
    return metric_source_add(ctx, name, value);
}

int gradient_metadata_parse(void *history, uint32_t file, struct glimpse *glimpse)
{
    METRIC_SOURCE_CLEANUP struct metric_source source;
    int r = metric_source_open(history, file, glimpse, &source);
    if (r < 0)
        return r;
    JSON_CLEANUP json_t *json = metric_source_parse(source.text, source.len);
    r = json ? flat_metrics_each(json, add, &source) : -EBADMSG;
    return metric_source_end(&source, r);
}
