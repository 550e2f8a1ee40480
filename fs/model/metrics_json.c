/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics_json.h"

#include <errno.h>
#include <string.h>

#include "model/flat_metrics.h"
#include "model/metric_source.h"
#include "util/json.h"

/* The numbers of an object, and of the objects in it, from the moment that the source is at. */
static int take_object(struct metric_source *source, const json_t *object)
{
    const char *key;
    json_t *value;
    double mean;
    int r = metric_source_add_object(source, NULL, object);
    json_object_foreach((json_t *)object, key, value)
    {
        if (r < 0)
            return r;
        if (!json_is_object(value))
            continue;
        r = flat_metrics_number(value, &mean) ? metric_source_add(source, key, mean)
                                              : metric_source_add_object(source, key, value);
    }
    return r;
}

/* One of many. */
static int take_item(void *ctx, const char *text, size_t len)
{
    struct metric_source *source = ctx;
    JSON_CLEANUP json_t *item = metric_source_parse(text, len);
    return metric_source_seek(source, item) ? take_object(source, item) : 0;
}

static int take_lines(struct metric_source *source)
{
    const char *text = source->text, *end = text + source->len;
    int r = 0;
    while (r == 0 && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        r = take_item(source, text, n);
        text += n + (newline != NULL);
    }
    return r;
}

/* A document of one object, or else lines. */
static int take_document(struct metric_source *source)
{
    JSON_CLEANUP json_t *object = metric_source_parse(source->text, source->len);
    if (!object)
        return take_lines(source);
    metric_source_seek(source, object);
    return take_object(source, object);
}

static int take_list(struct metric_source *source)
{
    char error[JSON_ERROR_TEXT_LENGTH];
    int r = json_each_text(source->text, source->len, take_item, source, error);
    return r == -EPROTO ? -EBADMSG : r;
}

static bool has_suffix(const char *path, const char *suffix)
{
    size_t len = strlen(path), n = strlen(suffix);
    return len >= n && strcmp(path + len - n, suffix) == 0;
}

int metrics_json_parse(void *history, uint32_t file, struct glimpse *glimpse)
{
    METRIC_SOURCE_CLEANUP struct metric_source source;
    int r = metric_source_open(history, file, glimpse, &source);
    if (r < 0)
        return r;
    while (source.len && strchr(" \t\r\n", *source.text)) {
        source.text++;
        source.len--;
    }
    if (has_suffix(source.path, ".jsonl"))
        r = take_lines(&source);
    else if (source.len && *source.text == '[')
        r = take_list(&source);
    else
        r = take_document(&source);
    return metric_source_end(&source, r);
}
