/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metric_source.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "model/metric_axis.h"
#include "util/buf.h"
#include "util/json.h"

void metric_source_deinit(struct metric_source *source)
{
    free(source->session);
    *source = (struct metric_source){0};
}

static void skip_mark(struct metric_source *source)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some editors put before UTF-8 */
    if (source->len < strlen(mark) || memcmp(source->text, mark, strlen(mark)) != 0)
        return;
    source->text += strlen(mark);
    source->len -= strlen(mark);
}

int metric_source_open(void *history, uint32_t file, struct glimpse *glimpse,
                       struct metric_source *out)
{
    *out = (struct metric_source){.history = history, .file = file, .step = METRIC_LAST_STEP};
    if (file >= out->history->n_files)
        return -EBADMSG;
    if (glimpse->size_bytes > METRIC_SOURCE_MAX_BYTES)
        return -EFBIG;
    out->text = (const char *)glimpse_at(glimpse, 0, glimpse->size_bytes);
    if (!out->text)
        return glimpse_error(glimpse);
    out->path = out->history->files[file].path;
    out->len = (size_t)glimpse->size_bytes;
    out->n_rows = out->history->n_rows;
    const char *slash = strrchr(out->path, '/');
    out->session = strndup(out->path, slash ? (size_t)(slash - out->path) : 0);
    skip_mark(out);
    return out->session ? 0 : -ENOMEM;
}

int metric_source_add(struct metric_source *source, const char *name, double value)
{
    struct history_row row = {
        .name = name,
        .session = source->session,
        .step = source->step,
        .wall_ns = source->wall_ns,
        .value = value,
        .file = source->file,
    };
    return history_add(source->history, &row);
}

int metric_source_end(struct metric_source *source, int r)
{
    if (r < 0)
        history_cut(source->history, source->n_rows);
    return r;
}

bool metric_source_number(const json_t *value, double *out)
{
    const char *text = json_text(value);
    bool is_negative = text && *text == '-';
    if (json_is_number(value))
        *out = json_number_value(value);
    else if (text && strcmp(text, "NaN") == 0)
        *out = (double)NAN;
    else if (text && strcmp(text + is_negative, "Infinity") == 0)
        *out = is_negative ? -(double)INFINITY : (double)INFINITY;
    else
        return false;
    return true;
}

json_t *metric_source_parse(const char *text, size_t len)
{
    return len <= METRIC_SOURCE_MAX_PARSED_BYTES ? json_parse_python(text, len, NULL) : NULL;
}

bool metric_source_seek(struct metric_source *source, const json_t *object)
{
    const char *key;
    json_t *value;
    double number;
    int64_t step;
    int best = INT_MAX;
    source->step = METRIC_LAST_STEP;
    source->wall_ns = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        int rank = metric_axis_step_rank(key);
        if (!metric_source_number(value, &number))
            continue;
        if (metric_axis_is_wall(key))
            source->wall_ns = metric_axis_wall_ns(number);
        if (rank && rank < best && metric_axis_step(number, &step)) {
            best = rank;
            source->step = step;
        }
    }
    return best != INT_MAX;
}

int metric_source_add_object(struct metric_source *source, const char *prefix, const json_t *object)
{
    BUF_CLEANUP struct buf name = {0};
    const char *key;
    json_t *value;
    double number;
    json_object_foreach((json_t *)object, key, value)
    {
        if (metric_axis_is(key) || !metric_source_number(value, &number))
            continue;
        name.len = 0;
        int r = prefix ? buf_printf(&name, "%s/%s", prefix, key) : buf_puts(&name, key);
        if (r < 0 || (r = metric_source_add(source, name.data, number)) < 0)
            return r;
    }
    return 0;
}
