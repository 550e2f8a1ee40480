/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's listing says of the model: its checkpoints, which value of which metric belongs to
 * each, which is the latest and which the best. Pure. */
#pragma once

#include "model/checkpoints.h"
#include "registry/listing.h"

struct outline_best {
    const char *metric;
    size_t checkpoint; /* index */
};

struct outline {
    const struct listing *listing; /* borrowed, LISTING_FILES; outlives the outline */
    struct checkpoints checkpoints;
    const struct checkpoint *latest; /* NULL where no complete one is */
    struct metric_row *rows;         /* the listing's, those of one metric together */
    size_t *first_rows;              /* of each metric in rows; one more is their end */
    const char **metrics;            /* names, sorted, each once; borrowed from the listing */
    size_t n_metrics;
    const struct metric_row *
        *values;               /* [checkpoint * n_metrics + metric]; NULL where it has none */
    struct outline_best *best; /* one a metric that any complete checkpoint has */
    size_t n_best;
};

/* What lacks of a checkpoint whose names and sizes tell nothing of it. */
struct outline_flaw {
    uint64_t files; /* outline_files_hash() */
    const char *missing;
};
/* What is known beside the listing. Borrowed for the call. */
struct outline_hints {
    const struct metric_directions *directions; /* NULL: metrics are better as their names say */
    const struct outline_flaw *flaws;
    size_t n_flaws;
};
/* @hints may be NULL. 0 or -ENOMEM. */
int outline_init(struct outline *o, const struct listing *listing,
                 const struct outline_hints *hints);
void outline_deinit(struct outline *o);

/* A hash of a checkpoint's files: paths and versions. */
uint64_t outline_files_hash(const struct outline *o, const struct checkpoint *c);

/* The value of metric @metric at a checkpoint; NULL where it has none. */
const struct metric_row *outline_value(const struct outline *o, size_t checkpoint, size_t metric);
/* The model's own value: that of its latest checkpoint, or else of the newest row there is. */
const struct metric_row *outline_model_value(const struct outline *o, size_t metric);

/* Of all files of a checkpoint, and of the model: at most INT64_MAX. */
uint64_t outline_size_bytes(const struct outline *o, const struct checkpoint *c);
uint64_t outline_model_size_bytes(const struct outline *o);
/* The newest of a checkpoint's files, or else the model's own time. */
int64_t outline_mtime_ns(const struct outline *o, const struct checkpoint *c);
