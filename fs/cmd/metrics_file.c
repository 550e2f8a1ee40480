/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/metrics_file.h"

#include <errno.h>
#include <string.h>

#include "cmd/metrics_csv.h"

void metrics_file_deinit(struct metrics_file *metrics)
{
    json_decref(metrics->detail);
    json_decref(metrics->summary);
    *metrics = (struct metrics_file){0};
}

static int refuse(struct buf *why, const char *text)
{
    int r = buf_puts(why, text);
    return r < 0 ? r : -EINVAL;
}

static bool scalar_has_points(const json_t *scalar)
{
    size_t i;
    json_t *data;
    json_array_foreach(json_get_array(scalar, "data"), i, data)
    {
        if (json_array_size(json_get_array(data, "checkpoints")))
            return json_get_text(scalar, "scalar") != NULL;
    }
    return false;
}

/* Whether at least one value would be found in it. */
static bool has_points(const json_t *detail)
{
    size_t i, k;
    json_t *session, *scalar;
    json_array_foreach(detail, i, session)
    {
        json_array_foreach(json_get_array(session, "scalars"), k, scalar)
        {
            if (scalar_has_points(scalar))
                return true;
        }
    }
    return false;
}

/* {"metrics":[{"name","numberValue"}]} as {name: number}, else NULL. */
static json_t *flatten(const json_t *object)
{
    JSON_CLEANUP json_t *flat = json_object();
    size_t i;
    json_t *metric;
    json_array_foreach(json_get_array(object, "metrics"), i, metric)
    {
        const char *name = json_get_text(metric, "name");
        json_t *value = json_object_get(metric, "numberValue");
        if (name && value && json_object_set(flat, name, value) < 0)
            return NULL;
    }
    return json_object_size(flat) ? steal_ptr(flat) : NULL;
}

static int take_object(json_t *object, int64_t step, struct metrics_file *out, struct buf *why)
{
    JSON_CLEANUP json_t *flat = flatten(object);
    JSON_CLEANUP json_t *detail = metrics_of_step(object, step == METRICS_NO_STEP ? 0 : step);
    if (!detail)
        return refuse(why, "it is a JSON object without any {\"metric\": number}");
    if (step == METRICS_NO_STEP)
        out->summary = json_incref(flat ? flat : object);
    else
        out->detail = steal_ptr(detail);
    return 0;
}

static int take_array(json_t *array, int64_t step, struct metrics_file *out, struct buf *why)
{
    if (step != METRICS_NO_STEP)
        return refuse(why, "it names its steps itself: leave out --step");
    if (!has_points(array))
        return refuse(why, "it is a JSON list, but not of sessions with scalars and checkpoints: "
                           "[{\"session\":\"eval\",\"scalars\":[{\"scalar\":\"loss\",\"data\":"
                           "[{\"operation\":\"mean\",\"checkpoints\":[{\"checkpoint\":600,"
                           "\"value\":0.07}]}]}]}]");
    out->detail = json_incref(array);
    return 0;
}

static int take_json(const char *text, size_t len, int64_t step, struct metrics_file *out,
                     struct buf *why)
{
    char error[JSON_ERROR_TEXT_LENGTH];
    JSON_CLEANUP json_t *json = json_parse(text, len, error);
    if (!json) {
        int r = buf_printf(why, "it is no JSON: %s", error);
        return r < 0 ? r : -EINVAL;
    }
    return json_is_array(json) ? take_array(json, step, out, why)
                               : take_object(json, step, out, why);
}

static bool is_text(const char *text, size_t len)
{
    JSON_CLEANUP json_t *probe = json_stringn(text, len);
    return probe && !memchr(text, '\0', len);
}

int metrics_file_parse(const char *text, size_t len, int64_t step, struct metrics_file *out,
                       struct buf *why)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some editors put before UTF-8 */
    *out = (struct metrics_file){0};
    if (len >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
        text += strlen(mark);
        len -= strlen(mark);
    }
    while (len && strchr(" \t\r\n", *text)) {
        text++;
        len--;
    }
    if (!len)
        return refuse(why, "it is empty");
    if (!is_text(text, len))
        return refuse(why, "it is no UTF-8 text");
    if (*text == '[' || *text == '{')
        return take_json(text, len, step, out, why);
    if (step != METRICS_NO_STEP)
        return refuse(why, "it names its steps itself: leave out --step");
    return metrics_csv_detail(text, len, &out->detail, why);
}
