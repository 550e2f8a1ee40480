/* SPDX-License-Identifier: Apache-2.0 */
/* What the parsers of metrics in texts share: the text, read whole, and rows for a history.
 * Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/glimpse.h"
#include "model/history.h"

enum {
    METRIC_SOURCE_MAX_BYTES = 64 << 20,
    /* Of a document, an item or a line that is parsed at once: as JSON in memory it may take a
     * hundred times as much. */
    METRIC_SOURCE_MAX_PARSED_BYTES = 1 << 20,
};

struct metric_source {
    struct history *history; /* borrowed */
    uint32_t file;
    const char *path; /* borrowed */
    const char *text; /* borrowed from the glimpse, without a byte order mark */
    size_t len;
    char *session;   /* owned */
    int64_t step;    /* of the rows that are added next; METRIC_LAST_STEP at first */
    int64_t wall_ns; /* the same; 0 at first */
    size_t n_rows;   /* of the history at first */
};
#define METRIC_SOURCE_CLEANUP CLEANUP(metric_source_deinit)
void metric_source_deinit(struct metric_source *source);

/* For the parse of @file, of a struct history. 0; -EAGAIN; -EFBIG when it is too large; -ENOMEM.
 * *out is to be deinitialised in any case. */
int metric_source_open(void *history, uint32_t file, struct glimpse *glimpse,
                       struct metric_source *out);

/* Adds a row. 0 or -ENOMEM. */
int metric_source_add(struct metric_source *source, const char *name, double value);

/* What a parser returns: @r, for which nothing is kept when it is negative. */
int metric_source_end(struct metric_source *source, int r);

/* The number that @value is, or the text NaN, Infinity or -Infinity. False when it is none. */
bool metric_source_number(const json_t *value, double *out);

/* Parses up to METRIC_SOURCE_MAX_PARSED_BYTES as Python's json writes it; NULL when it cannot. */
json_t *metric_source_parse(const char *text, size_t len);

/* Sets step and wall time to those that @object's own axes say; the step to METRIC_LAST_STEP where
 * it says none. Whether it says a step. */
bool metric_source_seek(struct metric_source *source, const json_t *object);
/* Adds the numbers of @object but for axes, by their keys behind @prefix (NULL: none, else `x` as
 * `x/key`). 0 or -ENOMEM. */
int metric_source_add_object(struct metric_source *source, const char *prefix,
                             const json_t *object);
