/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers of metric sources share: a history, whose rows are looked at in the end. */
#pragma once

#include "fuzz.h"
#include "model/history.h"

static inline void fuzz_metrics(inquiry_parse_fn *parse, const char *path, const uint8_t *data,
                                size_t size)
{
    struct history_file file = {path, size};
    struct history history;
    history_init(&history, &file, 1);
    int r = fuzz_parse(parse, &history, 0, data, size);
    if (r < 0 && history.n_rows)
        abort();
    for (size_t i = 0; i < history.n_rows; i++) {
        const struct history_row *row = &history.rows[i];
        if (!*row->name || strlen(row->name) > HISTORY_MAX_NAME_BYTES ||
            strlen(row->session) != 3 || row->step < METRIC_LAST_STEP || row->wall_ns < 0)
            abort();
    }
    history_deinit(&history);
}
