/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_card.h"

#include <errno.h>
#include <string.h>

#include "model/flat_metrics.h"
#include "model/metric_source.h"
#include "util/buf.h"
#include "util/json.h"
#include "util/yaml.h"

/* Bytes of the line at @text without its end; *out_whole: with it. */
static size_t line_len(const char *text, size_t len, size_t *out_whole)
{
    const char *newline = memchr(text, '\n', len);
    size_t n = newline ? (size_t)(newline - text) : len;
    *out_whole = n + (newline != NULL);
    while (n && strchr(" \t\r", text[n - 1]))
        n--;
    return n;
}

static bool is_fence(const char *text, size_t len, size_t *out_whole)
{
    return line_len(text, len, out_whole) == 3 && memcmp(text, "---", 3) == 0;
}

/* The YAML between the fences, or NULL. */
static const char *front_matter(const char *text, size_t len, size_t *out_len)
{
    size_t whole, at;
    if (!is_fence(text, len, &whole))
        return NULL;
    const char *begin = text + whole;
    len -= whole;
    for (at = 0; at < len; at += whole)
        if (is_fence(begin + at, len - at, &whole)) {
            *out_len = at;
            return begin;
        }
    return NULL;
}

/* Each is compared with each: more than that are not. */
enum { MAX_COMPARED = 1000 };

/* Whether exactly one of @metrics has this type, or there are too many to know. */
static bool is_unique(const json_t *metrics, const char *type)
{
    size_t i, n = json_array_size(metrics) > MAX_COMPARED;
    if (n)
        return true;
    json_t *metric;
    json_array_foreach(metrics, i, metric)
    {
        const char *other = json_get_text(metric, "type");
        n += other && strcmp(other, type) == 0;
    }
    return n == 1;
}

static const char *name_of(const json_t *metrics, const json_t *metric)
{
    const char *type = json_get_text(metric, "type"), *name = json_get_text(metric, "name");
    if (!name || !*name)
        return type;
    return type && *type && is_unique(metrics, type) ? type : name;
}

static const char *dataset_of(const json_t *result)
{
    const json_t *dataset = json_get_object(result, "dataset");
    const char *name = json_get_text(dataset, "name");
    return name && *name ? name : json_get_text(dataset, "type");
}

static int take_metric(struct metric_source *source, const char *dataset, const char *name,
                       const json_t *value)
{
    BUF_CLEANUP struct buf text = {0};
    double number;
    if (!name || !flat_metrics_number(value, &number))
        return 0;
    if (!dataset)
        return metric_source_add(source, name, number);
    int r = buf_printf(&text, "%s/%s", dataset, name);
    return r < 0 ? r : metric_source_add(source, text.data, number);
}

static int take_result(struct metric_source *source, const json_t *result, bool is_only)
{
    const json_t *metrics = json_get_array(result, "metrics");
    const char *dataset = is_only ? NULL : dataset_of(result);
    size_t i;
    json_t *metric;
    json_array_foreach(metrics, i, metric)
    {
        int r = take_metric(source, dataset, name_of(metrics, metric),
                            json_object_get(metric, "value"));
        if (r < 0)
            return r;
    }
    return 0;
}

static size_t count_results(const json_t *index)
{
    size_t i, n = 0;
    json_t *model;
    json_array_foreach(index, i, model) n += json_array_size(json_get_array(model, "results"));
    return n;
}

static int take_index(struct metric_source *source, const json_t *index)
{
    bool is_only = count_results(index) == 1;
    size_t i, k;
    json_t *model, *result;
    json_array_foreach(index, i, model)
    {
        json_array_foreach(json_get_array(model, "results"), k, result)
        {
            int r = take_result(source, result, is_only);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

int model_card_parse(void *history, uint32_t file, struct glimpse *glimpse)
{
    METRIC_SOURCE_CLEANUP struct metric_source source;
    JSON_CLEANUP json_t *card = NULL;
    size_t len;
    int r = metric_source_open(history, file, glimpse, &source);
    if (r < 0)
        return r;
    const char *yaml = front_matter(source.text, source.len, &len);
    if (!yaml)
        return 0; /* a text as any other */
    r = yaml_parse(yaml, len, &card);
    if (r == 0)
        r = take_index(&source, json_get_array(card, "model-index"));
    return metric_source_end(&source, r);
}
