/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole words of a metric's name that mean "less is better"; words are runs of letters and digits.
 */
static const char *const lower_words[] = {
    "loss", "error", "err",     "perplexity", "ppl",          "wer",   "cer",
    "mae",  "mse",   "rmse",    "mape",       "nll",          "rmsle", "bpc",
    "fid",  "kl",    "latency", "entropy",    "crossentropy", "eer",
};

/* Words of what is logged beside metrics and tells how training went, not how good the model is;
 * and names that do so alone (Keras calls a good one `epoch_accuracy`). */
static const char *const course_words[] = {
    "lr", "learning", "grad", "runtime", "flos", "second", "seconds", "tokens",
};
static const char *const course_names[] = {
    "epoch", "epochs", "step", "steps", "global_step", "time",
};

static bool is_among(const char *word, size_t len, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(words[i]) == len && strncasecmp(word, words[i], len) == 0)
            return true;
    return false;
}

/* Whether one of the words of @name is among @words. */
static bool has_word(const char *name, const char *const *words, size_t n)
{
    while (*name) {
        size_t len = 0;
        while (isalnum((unsigned char)name[len]))
            len++;
        if (len && is_among(name, len, words, n))
            return true;
        name += len ? len : 1;
    }
    return false;
}

struct metric_direction {
    const char *name; /* in the memory behind the items */
    bool lower;
};

/* What a person said of @name, the last of it; NULL when nothing. */
static const struct metric_direction *find_direction(const struct metric_directions *d,
                                                     const char *name)
{
    for (size_t i = d ? d->n : 0; i-- > 0;)
        if (strcmp(d->items[i].name, name) == 0)
            return &d->items[i];
    return NULL;
}

bool metric_lower_is_better(const char *name)
{
    return has_word(name, lower_words, sizeof(lower_words) / sizeof(lower_words[0]));
}

bool metric_rates(const struct metric_directions *directions, const char *name)
{
    if (find_direction(directions, name))
        return true;
    return !has_word(name, course_words, sizeof(course_words) / sizeof(course_words[0])) &&
           !is_among(name, strlen(name), course_names,
                     sizeof(course_names) / sizeof(course_names[0]));
}

int metric_compare(const struct metric_row *a, const struct metric_row *b)
{
    int order = strcmp(a->name, b->name);
    return order ? order : (a->step > b->step) - (a->step < b->step);
}

/* Index of the first row at or after @step; n when there is none. */
static size_t first_at(struct metric_series series, int64_t step)
{
    size_t low = 0, high = series.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series.rows[middle].step < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct metric_row *metric_at(struct metric_series series, struct metric_span span)
{
    size_t i = first_at(series, span.step);
    if (i < series.n && series.rows[i].step < span.next_step)
        return &series.rows[i];
    /* never a summary: no step is below METRIC_LAST_STEP */
    return i > 0 && series.rows[i - 1].step > span.previous_step ? &series.rows[i - 1] : NULL;
}

const struct metric_row *metric_summary(struct metric_series series)
{
    size_t end = first_at(series, METRIC_LAST_STEP + 1);
    return end && series.rows[end - 1].step == METRIC_LAST_STEP ? &series.rows[end - 1] : NULL;
}

const struct metric_row *metric_newest(struct metric_series series)
{
    const struct metric_row *summary = metric_summary(series);
    return summary || !series.n ? summary : &series.rows[series.n - 1];
}

/* Reads one `name:min`, which it cuts in two. */
static bool parse_direction(char *item, struct metric_direction *out)
{
    char *colon = strrchr(item, ':');
    if (!colon || colon == item)
        return false;
    out->name = item;
    out->lower = strcmp(colon + 1, "min") == 0;
    if (!out->lower && strcmp(colon + 1, "max") != 0)
        return false;
    *colon = '\0';
    return true;
}

static int refuse_direction(const char *item, char **why)
{
    int n = asprintf(
        why, "`%s` does not say which way a metric is better; say NAME:min or NAME:max", item);
    if (n < 0)
        *why = NULL;
    return n < 0 ? -ENOMEM : -EINVAL;
}

static size_t count_items(const char *text)
{
    size_t n = 1;
    for (; *text; text++)
        n += *text == ',';
    return n;
}

int metric_directions_parse(struct metric_directions *d, const char *text, char **why)
{
    size_t items_bytes = count_items(text) * sizeof(*d->items), len = strlen(text) + 1;
    struct metric_directions parsed = {.items = malloc(items_bytes + len), .text = strdup(text)};
    int r = parsed.items && parsed.text ? 0 : -ENOMEM;
    char *rest = r == 0 ? memcpy((char *)parsed.items + items_bytes, text, len) : NULL, *item;
    while (r == 0 && (item = strsep(&rest, ",")))
        r = parse_direction(item, &parsed.items[parsed.n++]) ? 0 : refuse_direction(item, why);
    if (r == 0) {
        metric_directions_deinit(d);
        *d = parsed;
    } else {
        metric_directions_deinit(&parsed);
    }
    return r;
}

void metric_directions_deinit(struct metric_directions *d)
{
    free(d->items);
    free(d->text);
    *d = (struct metric_directions){0};
}

static bool is_lower_better(const struct metric_directions *d, const char *name)
{
    const struct metric_direction *direction = find_direction(d, name);
    return direction ? direction->lower : metric_lower_is_better(name);
}

bool metric_beats(const struct metric_directions *directions, const char *name, double value,
                  double best)
{
    if (!isfinite(value))
        return false;
    if (!isfinite(best))
        return true;
    return is_lower_better(directions, name) ? value <= best : value >= best;
}

void metric_format(double value, char out[METRIC_TEXT_BYTES])
{
    if (isnan(value)) {
        strcpy(out, "NaN");
        return;
    }
    if (isinf(value)) {
        strcpy(out, value > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, METRIC_TEXT_BYTES, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}
