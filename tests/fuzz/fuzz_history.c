/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of three bytes: which name, session and file; which step; a restart or not. */
#include "model/history.h"

#include "fuzz.h"

static void add(struct history *history, const uint8_t *row)
{
    static const char *const names[] = {"a", "b", "x/a", "train/a"};
    static const char *const sessions[] = {"", "eval", "x", "y/val"};
    history_add(history, &(struct history_row){.name = row[2] % 5 ? names[row[0] & 3] : NULL,
                                               .session = sessions[row[0] >> 2 & 3],
                                               .file = row[0] >> 4 & 3,
                                               .step = (int64_t)row[1] - 1,
                                               .goes_back = row[2] & 1,
                                               .value = row[2]});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct history_file files[] = {{"b", 0}, {"a", 0}, {"eval/c", 0}};
    struct history history;
    history_init(&history, files, 3);
    for (; size >= 3; data += 3, size -= 3)
        add(&history, data);
    if (history_merge(&history) < 0)
        abort();
    for (size_t i = 1; i < history.n_rows; i++) {
        const struct history_row *a = &history.rows[i - 1], *b = &history.rows[i];
        int order = strcmp(a->name, b->name);
        if (order > 0 || (order == 0 && a->step >= b->step) || *a->session)
            abort();
    }
    history_deinit(&history);
    return 0;
}
