/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of training: a name, a step, a value; which value belongs to a checkpoint, and which is
 * best. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of metric @name as measured at a global step. */
struct metric_row {
    const char *name; /* borrowed */
    int64_t step;    /* METRIC_LAST_STEP: of the newest checkpoint, whatever its step (a summary) */
    double value;    /* may be NaN or infinite */
    int64_t wall_ns; /* when it was written, since 1970 in UTC; 0: unknown */
};
#define METRIC_LAST_STEP INT64_C(-1)

/* Whether a smaller value of this metric is better: loss, error, perplexity and their like, by the
 * words in its name. */
bool metric_lower_is_better(const char *name);

/* Orders rows by name, those of a name by step: <0, 0, >0. */
int metric_compare(const struct metric_row *a, const struct metric_row *b);

/* The rows of one metric, in the order of their steps. */
struct metric_series {
    const struct metric_row *rows;
    size_t n;
};
/* The steps a checkpoint's value may be of. */
struct metric_span {
    int64_t previous_step; /* of the checkpoint before; METRIC_LAST_STEP for the first one */
    int64_t step;          /* its own */
    int64_t next_step;     /* of the checkpoint behind; INT64_MAX for the last one */
};
/* The value at a checkpoint: the first evaluation at or after its step and before the next
 * checkpoint (trainers save, then evaluate); else the last one before its step and after the
 * previous checkpoint's (those that evaluate, then save). NULL when there is none. */
const struct metric_row *metric_at(struct metric_series series, struct metric_span span);
/* The summary: the last row of METRIC_LAST_STEP. NULL when there is none. */
const struct metric_row *metric_summary(struct metric_series series);
/* The summary, or else the row of the highest step. NULL when there are no rows. */
const struct metric_row *metric_newest(struct metric_series series);

/* Which way some metrics are better, as a person said it. Embedded by value: start from `{0}`. */
struct metric_directions {
    struct metric_direction *items; /* owned, in the order given */
    size_t n;
    char *text; /* owned: as it was given */
};
/* Reads `wer:min,bleu:max` in place of what was there; a name may hold all but a comma, what stands
 * last for one name counts. 0, -EINVAL with *why saying what is wrong (free it), or -ENOMEM; then
 * @d is as it was. */
int metric_directions_parse(struct metric_directions *d, const char *text, char **why);
void metric_directions_deinit(struct metric_directions *d);

/* Whether it makes sense to call a checkpoint the best by this metric: it does not for a learning
 * rate, a run time, an epoch and their like, unless @directions (may be NULL) name it. */
bool metric_rates(const struct metric_directions *directions, const char *name);

/* Whether @value beats @best for metric @name, by @directions where they name it (NULL: by the
 * words in its name); equal values beat (the later step wins when asked in order of steps), NaN and
 * infinities never do. */
bool metric_beats(const struct metric_directions *directions, const char *name, double value,
                  double best);

/* Writes the shortest decimal text that reads back as @value: `0.9911`, `NaN`, `Infinity`,
 * `-Infinity`. */
#define METRIC_TEXT_BYTES 32
void metric_format(double value, char out[METRIC_TEXT_BYTES]);
