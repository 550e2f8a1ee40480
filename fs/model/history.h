/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a model's metrics as its files tell it: rows of name, step, wall time and value,
 * in sessions (`train`, `eval`: directories of event files), filled by the parsers of metric
 * sources; and what else files tell of one another. Pure; not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/metrics.h"
#include "model/reference.h"
#include "util/arena.h"

enum {
    HISTORY_MAX_ROWS = 1 << 24, /* of a model; what comes behind is left out */
    HISTORY_MAX_NAME_BYTES = 1024,
    HISTORY_MAX_REFERENCE_BYTES = 16 << 20, /* of their paths; likewise */
};

struct history_row {
    const char *name; /* the scalar's tag, as the source has it; NULL: training went back to `step`
                            here, and what the session had at or behind it is void */
    const char *session; /* the directory of the source below the model, without a last `/`; `` */
    int64_t step;        /* or METRIC_LAST_STEP */
    int64_t wall_ns;     /* since 1970 in UTC; 0: not known */
    double value;
    uint32_t file;  /* the source */
    bool goes_back; /* what the session had of this name at or behind the step before is void */
};

struct history_file {
    const char *path; /* within the model; borrowed */
    uint64_t size_bytes;
};

struct history {
    const struct history_file *files; /* borrowed: those that the parsers' numbers mean */
    size_t n_files;
    struct history_row *rows; /* owned; in the order they were added */
    size_t n_rows, cap_rows;
    struct arena *texts;
    char *latest; /* owned: the path within the model of the prefix that TensorFlow's state file
                     calls the newest checkpoint, or NULL */
    uint32_t latest_file;         /* the state file that says so */
    struct reference *references; /* owned; in the order they were added */
    size_t n_references, cap_references;
    size_t reference_bytes;
};

void history_init(struct history *history, const struct history_file *files, size_t n_files);
void history_deinit(struct history *history);

/* Adds a row; name and session are copied, once for a run of equal ones. A name that is empty or
 * too long is passed over, and so is all behind HISTORY_MAX_ROWS. 0 or -ENOMEM. */
int history_add(struct history *history, const struct history_row *row);
/* Adds a reference, with copies of both paths, unless it is the same as the last one. Behind
 * HISTORY_MAX_REFERENCE_BYTES they are passed over. 0 or -ENOMEM. */
int history_refer(struct history *history, const char *from, const char *to);
/* Takes back what was added since there were @n_rows. */
void history_cut(struct history *history, size_t n_rows);

/* Makes of all sessions one history. The files of a session count in the order of their paths, the
 * rows of a file in the order they were added; of one tag and step the last row counts. After this,
 * rows are sorted by name and step, each pair once, and sessions are empty. 0 or -ENOMEM (then rows
 * are missing or not merged).
 *
 * A tag of one session only keeps its name. Of several sessions with the same tag one keeps it:
 * that whose last part is `eval`, `validation`, `val`, `test` (the first of these that there is),
 * else the model's own directory, else the first by name. In the others it is `<session>/<tag>`; in
 * the model's own directory, where training writes beside an `eval`, `train/<tag>`. What gets too
 * long by that is left out. */
int history_merge(struct history *history);
