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

const struct metric_row *metric_at(const struct metric_row *rows, size_t n_rows, const char *name,
                                   int64_t step, int64_t next_step, bool is_last)
{
    const struct metric_row *found = NULL, *summary = NULL;
    for (size_t i = 0; i < n_rows; i++) {
        const struct metric_row *row = &rows[i];
        if (strcmp(row->name, name) != 0)
            continue;
        if (row->step == METRIC_LAST_STEP)
            summary = row;
        else if (row->step >= step && row->step < next_step && (!found || row->step < found->step))
            found = row;
    }
    return found ? found : is_last ? summary : NULL;
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
