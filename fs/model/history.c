/* SPDX-License-Identifier: Apache-2.0 */
#include "model/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void history_init(struct history *history, const struct history_file *files, size_t n_files)
{
    *history = (struct history){.files = files, .n_files = n_files};
}

void history_deinit(struct history *history)
{
    free(history->rows);
    free(history->latest);
    arena_free(&history->texts);
    *history = (struct history){0};
}

static int reserve(struct history *history)
{
    size_t cap = history->cap_rows ? 2 * history->cap_rows : 64;
    if (history->n_rows < history->cap_rows)
        return 0;
    struct history_row *grown = realloc(history->rows, cap * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    history->rows = grown;
    history->cap_rows = cap;
    return 0;
}

/* A copy of @text, or @last where that is the same. */
static const char *keep(struct history *history, const char *text, const char *last)
{
    if (last && strcmp(text, last) == 0)
        return last;
    return arena_copy(&history->texts, text, strlen(text));
}

int history_add(struct history *history, const struct history_row *row)
{
    const struct history_row *last = NULL;
    struct history_row kept = *row;
    size_t len = row->name ? strlen(row->name) : 1;
    if (!len || len > HISTORY_MAX_NAME_BYTES || history->n_rows >= HISTORY_MAX_ROWS)
        return 0;
    if (reserve(history) < 0)
        return -ENOMEM;
    if (history->n_rows)
        last = &history->rows[history->n_rows - 1];
    if (row->name)
        kept.name = keep(history, row->name, last ? last->name : NULL);
    kept.session = keep(history, row->session, last ? last->session : NULL);
    if ((row->name && !kept.name) || !kept.session)
        return -ENOMEM;
    history->rows[history->n_rows++] = kept;
    return 0;
}

void history_cut(struct history *history, size_t n_rows)
{
    if (n_rows < history->n_rows)
        history->n_rows = n_rows;
}
int history_merge(struct history *history) { (void)history; return 0; }
