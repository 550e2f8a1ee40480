/* SPDX-License-Identifier: Apache-2.0 */
#include "model/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/cleanup.h"

void history_init(struct history *history, const struct history_file *files, size_t n_files)
{
    *history = (struct history){.files = files, .n_files = n_files};
}

void history_deinit(struct history *history)
{
    free(history->rows);
    free(history->latest);
    free(history->references);
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

static int reserve_reference(struct history *history)
{
    size_t cap = history->cap_references ? 2 * history->cap_references : 16;
    if (history->n_references < history->cap_references)
        return 0;
    struct reference *grown = realloc(history->references, cap * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    history->references = grown;
    history->cap_references = cap;
    return 0;
}

int history_refer(struct history *history, const char *from, const char *to)
{
    size_t n_bytes = strlen(from) + strlen(to) + sizeof(struct reference),
           n = history->n_references;
    const struct reference *last = n ? &history->references[n - 1] : NULL;
    if (last && strcmp(last->from, from) == 0 && strcmp(last->to, to) == 0)
        return 0;
    if (n_bytes > HISTORY_MAX_REFERENCE_BYTES - history->reference_bytes)
        return 0;
    if (reserve_reference(history) < 0)
        return -ENOMEM;
    last = n ? &history->references[n - 1] : NULL;
    struct reference kept = {.from = keep(history, from, last ? last->from : NULL),
                             .to = arena_copy(&history->texts, to, strlen(to))};
    if (!kept.from || !kept.to)
        return -ENOMEM;
    history->references[history->n_references++] = kept;
    history->reference_bytes += n_bytes;
    return 0;
}

void history_cut(struct history *history, size_t n_rows)
{
    if (n_rows < history->n_rows)
        history->n_rows = n_rows;
}

/* The merge. Rows are put in an order three times, by an array of their numbers, where a number is
 * the last thing that counts, so that equal rows stay in their order. First by session and time:
 * restarts void what came before them. Then by tag, session and time: the same for the restarts of
 * one tag, and tags get their names. Then by name and step: the last of each pair stays. */

typedef int row_compare_fn(const struct history *history, uint32_t a, uint32_t b);

struct sorting {
    const struct history *history;
    row_compare_fn *compare;
};

static int compare_texts(const char *a, const char *b)
{
    return a == b ? 0 : strcmp(a, b);
}

static const char *path_of(const struct history *history, uint32_t file)
{
    return file < history->n_files ? history->files[file].path : "";
}

static int by_time(const struct history *history, uint32_t a, uint32_t b)
{
    const struct history_row *x = &history->rows[a], *y = &history->rows[b];
    int order = compare_texts(x->session, y->session);
    if (order == 0 && x->file != y->file)
        order = strcmp(path_of(history, x->file), path_of(history, y->file));
    return order;
}

static int by_tag(const struct history *history, uint32_t a, uint32_t b)
{
    const struct history_row *x = &history->rows[a], *y = &history->rows[b];
    int order = compare_texts(x->name, y->name);
    return order ? order : compare_texts(x->session, y->session);
}

static int by_name_and_step(const struct history *history, uint32_t a, uint32_t b)
{
    const struct history_row *x = &history->rows[a], *y = &history->rows[b];
    int order = compare_texts(x->name, y->name);
    return order ? order : (x->step > y->step) - (x->step < y->step);
}

static int compare_numbers(const void *a, const void *b, void *ctx)
{
    const struct sorting *sorting = (const struct sorting *)ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = sorting->compare(sorting->history, x, y);
    return order ? order : (x > y) - (x < y);
}

static int sort_rows(struct history *history, row_compare_fn *compare)
{
    size_t n = history->n_rows;
    struct sorting sorting = {history, compare};
    CLEANUP(cleanup_free) uint32_t *numbers = malloc((n + 1) * sizeof(*numbers));
    struct history_row *sorted = malloc((n + 1) * sizeof(*sorted));
    if (!numbers || !sorted) {
        free(sorted);
        return -ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        numbers[i] = (uint32_t)i;
    qsort_r(numbers, n, sizeof(*numbers), compare_numbers, &sorting);
    for (size_t i = 0; i < n; i++)
        sorted[i] = history->rows[numbers[i]];
    free(history->rows);
    history->rows = sorted;
    history->cap_rows = n + 1;
    return 0;
}

/* Keeps the rows that have a session; others were voided. */
static void compact(struct history *history)
{
    size_t kept = 0;
    for (size_t i = 0; i < history->n_rows; i++)
        if (history->rows[i].session)
            history->rows[kept++] = history->rows[i];
    history->n_rows = kept;
}

/* Rows by time: voids what restarts do, and the restarts. */
static void void_by_restarts(struct history *history)
{
    const char *session = NULL;
    int64_t limit = INT64_MAX;
    bool is_limited = false;
    for (size_t i = history->n_rows; i-- > 0;) {
        struct history_row *row = &history->rows[i];
        if (!session || compare_texts(row->session, session) != 0)
            is_limited = false;
        session = row->session;
        if (!row->name && (!is_limited || row->step < limit)) {
            limit = row->step;
            is_limited = true;
        }
        if (!row->name || (is_limited && row->step >= limit))
            row->session = NULL;
    }
}

/* Rows by tag: voids what comes before a row that goes back to its step or before. */
static void void_by_tags(struct history *history)
{
    const struct history_row *next = NULL;
    const char *session = NULL;
    int64_t limit = INT64_MAX;
    bool is_limited = false;
    for (size_t i = history->n_rows; i-- > 0; next = &history->rows[i]) {
        struct history_row *row = &history->rows[i];
        if (!next || compare_texts(row->name, next->name) != 0 ||
            compare_texts(row->session, session) != 0)
            is_limited = false;
        session = row->session;
        bool is_void = is_limited && row->step >= limit;
        if (row->goes_back && (!is_limited || row->step < limit)) {
            limit = row->step;
            is_limited = true;
        }
        if (is_void)
            row->session = NULL;
    }
}

/* How much a session deserves to keep a tag's name; the least keeps it. */
static int rank_of(const char *session)
{
    static const char *const words[] = {"eval", "validation", "val", "test"};
    enum { N_WORDS = sizeof(words) / sizeof(words[0]) };
    const char *slash = strrchr(session, '/'), *last = slash ? slash + 1 : session;
    for (int i = 0; i < N_WORDS; i++)
        if (strcmp(last, words[i]) == 0)
            return i;
    return *session ? N_WORDS + 1 : N_WORDS;
}

/* The end of the rows from @begin on that have its name; and its session, where @in_session. */
static size_t end_of(const struct history *history, size_t begin, bool in_session)
{
    const struct history_row *first = &history->rows[begin];
    size_t end = begin + 1;
    while (end < history->n_rows && compare_texts(history->rows[end].name, first->name) == 0 &&
           (!in_session || compare_texts(history->rows[end].session, first->session) == 0))
        end++;
    return end;
}

/* The session that keeps the name of rows [begin, end), which are sorted by session. */
static const char *keeper(const struct history *history, size_t begin, size_t end)
{
    const char *best = history->rows[begin].session;
    for (size_t i = begin; i < end; i = end_of(history, i, true))
        if (rank_of(history->rows[i].session) < rank_of(best))
            best = history->rows[i].session;
    return best;
}

/* Gives rows [begin, end) of one tag and session their long name. */
static int rename_rows(struct history *history, size_t begin, size_t end)
{
    const struct history_row *first = &history->rows[begin];
    BUF_CLEANUP struct buf name = {0};
    int r = buf_printf(&name, "%s/%s", *first->session ? first->session : "train", first->name);
    if (r < 0)
        return r;
    const char *kept = arena_copy(&history->texts, name.data, name.len);
    if (!kept)
        return -ENOMEM;
    for (size_t i = begin; i < end; i++) {
        history->rows[i].name = kept;
        if (name.len > HISTORY_MAX_NAME_BYTES)
            history->rows[i].session = NULL;
    }
    return 0;
}

/* Names rows [begin, end) of one tag. */
static int name_tag(struct history *history, size_t begin, size_t end)
{
    const char *keeps = keeper(history, begin, end);
    int r = 0;
    for (size_t i = begin, next; r == 0 && i < end; i = next) {
        next = end_of(history, i, true);
        if (compare_texts(history->rows[i].session, keeps) != 0)
            r = rename_rows(history, i, next);
    }
    return r;
}

static int name_tags(struct history *history)
{
    int r = 0;
    for (size_t i = 0, end; r == 0 && i < history->n_rows; i = end) {
        end = end_of(history, i, false);
        r = name_tag(history, i, end);
    }
    return r;
}

/* Rows by name and step: of equal ones the last stays. */
static void keep_last(struct history *history)
{
    for (size_t i = 0; i < history->n_rows; i++) {
        bool is_last = i + 1 == history->n_rows ||
                       by_name_and_step(history, (uint32_t)i, (uint32_t)(i + 1)) != 0;
        history->rows[i].session = is_last ? "" : NULL;
    }
}

int history_merge(struct history *history)
{
    int r = sort_rows(history, by_time);
    if (r < 0)
        return r;
    void_by_restarts(history);
    compact(history);
    r = sort_rows(history, by_tag);
    if (r < 0)
        return r;
    void_by_tags(history);
    compact(history);
    r = name_tags(history);
    compact(history);
    if (r == 0)
        r = sort_rows(history, by_name_and_step);
    if (r == 0)
        keep_last(history);
    compact(history);
    return r;
}
