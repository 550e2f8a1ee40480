/* SPDX-License-Identifier: Apache-2.0 */
#include "model/history.h"

#include <errno.h>

#include "check.h"
#include "util/buf.h"

#define HISTORY_CLEANUP CLEANUP(history_deinit)

enum { MAX_ROWS = 12 };

static const struct history_file files[] = {{"e.2", 0}, {"e.1", 0}, {"x/e.9", 0}, {"e.10", 0}};

/* A row: name (NULL: a restart), session, step, value, file, whether it goes back. */
struct row {
    const char *name, *session;
    int64_t step;
    double value;
    uint32_t file;
    bool goes_back;
};

static int add(struct history *history, const struct row *row)
{
    return history_add(history, &(struct history_row){.name = row->name,
                                                      .session = row->session,
                                                      .step = row->step,
                                                      .wall_ns = 5,
                                                      .value = row->value,
                                                      .file = row->file,
                                                      .goes_back = row->goes_back});
}

/* What the rows come to, as `name step value; `. */
static char *merge(const struct row *rows)
{
    HISTORY_CLEANUP struct history history;
    struct buf out = {0};
    history_init(&history, files, sizeof(files) / sizeof(files[0]));
    for (size_t i = 0; i < MAX_ROWS && rows[i].session; i++)
        CHECK_EQ(add(&history, &rows[i]), 0);
    CHECK_EQ(history_merge(&history), 0);
    buf_puts(&out, "");
    for (size_t i = 0; i < history.n_rows; i++) {
        CHECK_STR(history.rows[i].session, "");
        buf_printf(&out, "%s %lld %g; ", history.rows[i].name, (long long)history.rows[i].step,
                   history.rows[i].value);
    }
    return buf_steal(&out);
}

struct merge_case {
    struct row rows[MAX_ROWS];
    const char *want;
};

static void check_cases(const struct merge_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(cleanup_free) char *got = merge(cases[i].rows);
        CHECK_STR(got, cases[i].want);
    }
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof((cases)[0]))

static void rows_are_sorted_and_the_last_of_a_pair_counts(void)
{
    static const struct merge_case cases[] = {
        {{{NULL, NULL, 0, 0, 0, 0}}, ""},
        {{{"b", "", 2, 1, 0, 0}, {"a", "", 2, 2, 0, 0}, {"b", "", 1, 3, 0, 0}},
         "a 2 2; b 1 3; b 2 1; "},
        {{{"a", "", 1, 1, 0, 0}, {"a", "", 1, 2, 0, 0}, {"a", "", 1, 3, 0, 0}}, "a 1 3; "},
        {{{"a", "", METRIC_LAST_STEP, 1, 0, 0}, {"a", "", 0, 2, 0, 0}}, "a -1 1; a 0 2; "},
        /* files by path: e.1, e.10, e.2 */
        {{{"a", "", 1, 2, 0, 0}, {"a", "", 1, 1, 1, 0}}, "a 1 2; "},
        {{{"a", "", 1, 10, 3, 0}, {"a", "", 1, 1, 1, 0}}, "a 1 10; "},
        {{{"a", "", 1, 2, 0, 0}, {"a", "", 1, 10, 3, 0}}, "a 1 2; "},
    };
    CHECK_CASES(cases);
}

static void a_restart_voids_what_came_before(void)
{
    static const struct merge_case cases[] = {
        {{{"a", "", 1, 1, 0, 0},
          {"a", "", 2, 2, 0, 0},
          {"b", "", 3, 3, 0, 0},
          {NULL, "", 2, 0, 0, 0},
          {"a", "", 3, 4, 0, 0}},
         "a 1 1; a 3 4; "},
        {{{NULL, "", 0, 0, 0, 0}, {"a", "", 1, 1, 0, 0}}, "a 1 1; "},
        {{{"a", "", 1, 1, 0, 0}, {NULL, "", 0, 0, 0, 0}}, ""},
        /* a later one that goes back further, and one that does not */
        {{{"a", "", 1, 1, 0, 0},
          {"a", "", 5, 2, 0, 0},
          {NULL, "", 4, 0, 0, 0},
          {"a", "", 6, 3, 0, 0},
          {NULL, "", 6, 0, 0, 0},
          {"a", "", 7, 4, 0, 0}},
         "a 1 1; a 7 4; "},
        {{{"a", "", 4, 1, 0, 0},
          {NULL, "", 9, 0, 0, 0},
          {"a", "", 9, 2, 0, 0},
          {NULL, "", 5, 0, 0, 0}},
         "a 4 1; "},
        /* in the order of the files, though they were read in another */
        {{{NULL, "", 2, 0, 0, 0},
          {"a", "", 3, 1, 0, 0},
          {"a", "", 1, 2, 1, 0},
          {"a", "", 9, 3, 1, 0}},
         "a 1 2; a 3 1; "},
        /* another session is not touched */
        {{{"a", "x", 3, 1, 2, 0}, {NULL, "", 0, 0, 0, 0}}, "a 3 1; "},
        {{{NULL, "x", 0, 0, 2, 0}, {"a", "", 3, 1, 0, 0}}, "a 3 1; "},
    };
    CHECK_CASES(cases);
}

static void a_row_that_goes_back_voids_its_tag(void)
{
    static const struct merge_case cases[] = {
        {{{"a", "", 1, 1, 0, 0},
          {"a", "", 2, 2, 0, 0},
          {"a", "", 3, 3, 0, 0},
          {"b", "", 3, 9, 0, 0},
          {"a", "", 2, 4, 0, 1}},
         "a 1 1; a 2 4; b 3 9; "},
        {{{"a", "", 5, 1, 0, 0},
          {"a", "", 3, 2, 0, 1},
          {"a", "", 4, 3, 0, 0},
          {"a", "", 1, 4, 0, 1}},
         "a 1 4; "},
        {{{"a", "", 5, 1, 0, 0}, {"a", "", 3, 2, 0, 0}}, "a 3 2; a 5 1; "},
        {{{"a", "x", 5, 1, 2, 0}, {"a", "", 3, 2, 0, 1}}, "a 3 2; x/a 5 1; "},
    };
    CHECK_CASES(cases);
}

static void sessions_with_the_same_tag_are_told_apart(void)
{
    static const struct merge_case cases[] = {
        {{{"a", "train", 1, 1, 0, 0}, {"b", "eval", 1, 2, 0, 0}}, "a 1 1; b 1 2; "},
        {{{"a", "train", 1, 1, 0, 0}, {"a", "eval", 1, 2, 0, 0}}, "a 1 2; train/a 1 1; "},
        {{{"a", "", 1, 1, 0, 0}, {"a", "eval", 1, 2, 0, 0}}, "a 1 2; train/a 1 1; "},
        {{{"a", "", 1, 1, 0, 0}, {"a", "deep", 1, 2, 0, 0}}, "a 1 1; deep/a 1 2; "},
        {{{"a", "y", 1, 1, 0, 0}, {"a", "x", 1, 2, 0, 0}}, "a 1 2; y/a 1 1; "},
        {{{"a", "test", 1, 1, 0, 0},
          {"a", "val", 1, 2, 0, 0},
          {"a", "validation", 1, 3, 0, 0},
          {"a", "eval", 1, 4, 0, 0}},
         "a 1 4; test/a 1 1; val/a 1 2; validation/a 1 3; "},
        {{{"a", "test", 1, 1, 0, 0}, {"a", "val", 1, 2, 0, 0}, {"a", "x", 1, 3, 0, 0}},
         "a 1 2; test/a 1 1; x/a 1 3; "},
        {{{"a", "logs/train", 1, 1, 0, 0}, {"a", "logs/validation", 1, 2, 0, 0}},
         "a 1 2; logs/train/a 1 1; "},
        {{{"a", "1/eval", 1, 1, 0, 0}, {"a", "2/eval", 1, 2, 0, 0}}, "2/eval/a 1 2; a 1 1; "},
        {{{"a", "evaluation", 1, 1, 0, 0}, {"a", "", 1, 2, 0, 0}}, "a 1 2; evaluation/a 1 1; "},
        /* a long name that is taken already */
        {{{"a", "eval", 1, 1, 0, 0},
          {"a", "x", 1, 2, 0, 0},
          {"x/a", "", 1, 3, 0, 0},
          {"x/a", "", 2, 4, 0, 0}},
         "a 1 1; x/a 1 3; x/a 2 4; "},
        /* void rows make no session */
        {{{"a", "train", 1, 1, 0, 0}, {"a", "eval", 1, 2, 2, 0}, {NULL, "eval", 0, 0, 2, 0}},
         "a 1 1; "},
    };
    CHECK_CASES(cases);
}

static void a_name_too_long_is_left_out(void)
{
    static char name[HISTORY_MAX_NAME_BYTES + 2];
    HISTORY_CLEANUP struct history history;
    history_init(&history, files, 4);
    memset(name, 'a', HISTORY_MAX_NAME_BYTES + 1);
    add(&history, &(struct row){name, "", 1, 1, 0, 0});
    add(&history, &(struct row){"", "", 1, 1, 0, 0});
    CHECK_EQ(history.n_rows, 0);
    add(&history, &(struct row){name + 1, "eval", 1, 1, 0, 0});
    add(&history, &(struct row){name + 1, "x", 1, 2, 0, 0});
    CHECK_EQ(history.n_rows, 2);
    CHECK_EQ(history_merge(&history), 0);
    CHECK_EQ(history.n_rows, 1);
    CHECK_EQ(history.rows[0].value, 1);
}

static void a_cut_takes_back(void)
{
    HISTORY_CLEANUP struct history history;
    history_init(&history, files, 4);
    for (int i = 0; i < 3; i++)
        add(&history, &(struct row){"a", "", i, i, 0, 0});
    history_cut(&history, 1);
    history_cut(&history, 5);
    CHECK_EQ(history.n_rows, 1);
    add(&history, &(struct row){"b", "", 7, 7, 0, 0});
    CHECK_EQ(history_merge(&history), 0);
    CHECK_EQ(history.n_rows, 2);
    CHECK_STR(history.rows[1].name, "b");
}

/* A million rows of five tags that take turns, the steps descending. */
static void a_million_rows_are_merged(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    enum { N = 1000000 };
    HISTORY_CLEANUP struct history history;
    history_init(&history, files, 4);
    for (int i = 0; i < N; i++)
        add(&history, &(struct row){names[i % 5], i % 2 ? "" : "x", N - i, i, 0, 0});
    CHECK_EQ(history_merge(&history), 0);
    CHECK_EQ(history.n_rows, N);
    for (size_t i = 1; i < history.n_rows; i++) {
        const struct history_row *a = &history.rows[i - 1], *b = &history.rows[i];
        int order = strcmp(a->name, b->name);
        if (order > 0 || (order == 0 && a->step >= b->step))
            CHECK_EQ(i, 0);
    }
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        HISTORY_CLEANUP struct history history;
        int r = 0;
        history_init(&history, files, 4);
        for (int i = 0; i < 100; i++)
            r = add(&history, &(struct row){i % 2 ? "a" : "b", i % 3 ? "" : "eval", i, i, 0, 0})
                    ?: r;
        r = history_merge(&history) ?: r;
        CHECK(r == -ENOMEM || (r == 0 && history.n_rows == 100));
        for (size_t i = 0; i < history.n_rows; i++)
            CHECK(history.rows[i].name && history.rows[i].session);
    }
}

static void references_are_kept_once_in_a_run(void)
{
    static const char *const pairs[][2] = {{"a", "x"}, {"a", "x"}, {"b", "x"}, {"a", "x"}};
    HISTORY_CLEANUP struct history history;
    history_init(&history, files, 1);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(history_refer(&history, pairs[i][0], pairs[i][1]), 0);
    CHECK_EQ(history.n_references, 3);
    CHECK_STR(history.references[1].from, "b");
}

static void there_is_an_end_to_references(void)
{
    enum { LEN = 1 << 20 };
    HISTORY_CLEANUP struct history history;
    CLEANUP(cleanup_free) char *path = malloc(LEN + 1);
    history_init(&history, files, 1);
    memset(path, 'p', LEN);
    path[LEN] = '\0';
    for (int i = 0; i < 40; i++) {
        path[0] = (char)('a' + i % 2);
        CHECK_EQ(history_refer(&history, "m.onnx", path), 0);
    }
    CHECK_EQ(history.n_references, HISTORY_MAX_REFERENCE_BYTES / LEN - 1);
}

int main(void)
{
    TEST("rows are sorted and the last of a pair counts",
         rows_are_sorted_and_the_last_of_a_pair_counts);
    TEST("a restart voids what came before", a_restart_voids_what_came_before);
    TEST("a row that goes back voids its tag", a_row_that_goes_back_voids_its_tag);
    TEST("sessions with the same tag are told apart", sessions_with_the_same_tag_are_told_apart);
    TEST("a name too long is left out", a_name_too_long_is_left_out);
    TEST("a cut takes back", a_cut_takes_back);
    TEST("a million rows are merged", a_million_rows_are_merged);
    TEST("no memory is an error", no_memory_is_an_error);
    TEST("references are kept once in a run", references_are_kept_once_in_a_run);
    TEST("there is an end to references", there_is_an_end_to_references);
    return check_done();
}
