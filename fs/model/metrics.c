/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metrics.h"

#include <ctype.h>
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

static bool is_lower_word(const char *word, size_t len)
{
    for (size_t i = 0; i < sizeof(lower_words) / sizeof(lower_words[0]); i++)
        if (strlen(lower_words[i]) == len && strncasecmp(word, lower_words[i], len) == 0)
            return true;
    return false;
}

bool metric_lower_is_better(const char *name)
{
    while (*name) {
        size_t len = 0;
        while (isalnum((unsigned char)name[len]))
            len++;
        if (len && is_lower_word(name, len))
            return true;
        name += len ? len : 1;
    }
    return false;
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

const struct metric_row *metric_at(struct metric_series series, int64_t step, int64_t next_step)
{
    size_t i = first_at(series, step);
    return i < series.n && series.rows[i].step < next_step ? &series.rows[i] : NULL;
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

bool metric_beats(const char *name, double value, double best)
{
    if (!isfinite(value))
        return false;
    if (!isfinite(best))
        return true;
    return metric_lower_is_better(name) ? value <= best : value >= best;
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
