/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/outline.h"

#include <errno.h>
#include <math.h>
#include <time.h>

#include "check.h"

#define OUTLINE_CLEANUP CLEANUP(outline_deinit)

static void add_file(struct listing *listing, const char *path, uint64_t size, int64_t mtime_ns)
{
    struct listing_entry entry = {
        .id = path, .name = path, .size_bytes = size, .mtime_ns = mtime_ns};
    CHECK_EQ(listing_add(listing, &entry), 0);
}

/* A complete TensorFlow checkpoint. */
static void add_step(struct listing *listing, int step)
{
    char path[64];
    snprintf(path, sizeof(path), "m-%d.index", step);
    add_file(listing, path, 1, step);
    snprintf(path, sizeof(path), "m-%d.data-00000-of-00001", step);
    add_file(listing, path, 10, 0);
}

/* The value of a metric at a checkpoint as text: `-` where it has none. */
static const char *value_text(const struct metric_row *row)
{
    static char text[METRIC_TEXT_BYTES];
    if (!row)
        return "-";
    metric_format(row->value, text);
    return text;
}

/* `<checkpoint>:<value> ...` of one metric, then the model's own and the best. */
static void check_metric(const struct outline *o, const char *name, const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    size_t m = 0;
    while (m < o->n_metrics && strcmp(o->metrics[m], name) != 0)
        m++;
    CHECK(m < o->n_metrics);
    if (m == o->n_metrics)
        return;
    for (size_t c = 0; c < o->checkpoints.n; c++)
        buf_printf(&got, "%s:%s ", o->checkpoints.items[c].name,
                   value_text(outline_value(o, c, m)));
    buf_printf(&got, "model:%s", value_text(outline_model_value(o, m)));
    for (size_t i = 0; i < o->n_best; i++)
        if (strcmp(o->best[i].metric, name) == 0)
            buf_printf(&got, " best:%s", o->checkpoints.items[o->best[i].checkpoint].name);
    CHECK_STR(got.data, want);
}

static void values_belong_to_checkpoints(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_step(listing, 100);
    add_step(listing, 300);
    add_step(listing, 200);
    listing_add_row(listing, "loss", 100, 0.3, 0);
    listing_add_row(listing, "loss", 205, 0.1, 0);
    listing_add_row(listing, "loss", 250, 0.01, 0);
    listing_add_row(listing, "loss", 300, 0.2, 0);
    listing_add_row(listing, "acc", 300, 0.5, 0);
    listing_add_row(listing, "acc", 100, 0.5, 0);
    listing_add_row(listing, "auc", METRIC_LAST_STEP, 0.9, 0);
    listing_add_row(listing, "acc", METRIC_LAST_STEP, 0.1, 0);
    listing_add_row(listing, "wer", 200, (double)NAN, 0);
    listing_add_row(listing, "wer", 50, 0.7, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_STR(o.latest->name, "ckpt-300");
    check_metric(&o, "loss", "ckpt-100:0.3 ckpt-200:0.1 ckpt-300:0.2 model:0.2 best:ckpt-200");
    check_metric(&o, "acc", "ckpt-100:0.5 ckpt-200:- ckpt-300:0.5 model:0.5 best:ckpt-300");
    check_metric(&o, "auc", "ckpt-100:- ckpt-200:- ckpt-300:0.9 model:0.9 best:ckpt-300");
    check_metric(&o, "wer", "ckpt-100:0.7 ckpt-200:NaN ckpt-300:- model:- best:ckpt-100");
}

static void metrics_are_sorted_and_once(void)
{
    static const char *const names[] = {"b", "a", "b", "", "B", "a"};
    static const char *const want[] = {"", "B", "a", "b"};
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    for (size_t i = 0; i < 6; i++)
        listing_add_row(listing, names[i], (int64_t)i, 1, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_EQ(o.n_metrics, 4);
    for (size_t i = 0; i < 4; i++)
        CHECK_STR(o.metrics[i], want[i]);
}

static void incomplete_ones_are_neither_latest_nor_best(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_step(listing, 100);
    add_file(listing, "m-200.index", 1, 0);
    listing_add_row(listing, "loss", 100, 0.3, 0);
    listing_add_row(listing, "loss", 200, 0.1, 0);
    listing_add_row(listing, "auc", METRIC_LAST_STEP, 0.9, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_STR(o.latest->name, "ckpt-100");
    check_metric(&o, "loss", "ckpt-100:0.3 ckpt-200:0.1 model:0.3 best:ckpt-100");
    check_metric(&o, "auc", "ckpt-100:0.9 ckpt-200:- model:0.9 best:ckpt-100");
}

static void twins_of_one_step_share_its_values(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_step(listing, 100);
    add_step(listing, 200);
    add_file(listing, "d/m-100.index", 1, 0);
    listing_add_row(listing, "loss", 150, 0.3, 0);
    listing_add_row(listing, "wer", 50, 0.5, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    check_metric(&o, "loss",
                 "ckpt-100~m-100:0.3 ckpt-100~d/m-100:0.3 ckpt-200:0.3 model:0.3 best:ckpt-200");
    check_metric(&o, "wer",
                 "ckpt-100~m-100:0.5 ckpt-100~d/m-100:0.5 ckpt-200:- model:- "
                 "best:ckpt-100~m-100");
}

static void references_give_files_to_checkpoints(void)
{
    static const struct reference references[] = {{"a/m.onnx", "a/w"}, {"a/m.onnx", "a/v"}};
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_file(listing, "a/m.onnx", 1, 0);
    add_file(listing, "a/w", 10, 0);
    add_file(listing, "w", 100, 0);
    for (size_t i = 0; i < 2; i++)
        CHECK_EQ(listing_add_reference(listing, &references[i]), 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_EQ(o.checkpoints.n, 1);
    CHECK_EQ(outline_size_bytes(&o, &o.checkpoints.items[0]), 11);
    CHECK_EQ(o.checkpoints.n_rest, 1);
}

/* Those that evaluate, then save: the value of a checkpoint is the one before it. */
static void an_evaluation_may_come_before_its_checkpoint(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_step(listing, 100);
    add_step(listing, 200);
    add_step(listing, 300);
    listing_add_row(listing, "loss", 90, 0.3, 0);
    listing_add_row(listing, "loss", 95, 0.2, 7);
    listing_add_row(listing, "loss", 200, 0.1, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    check_metric(&o, "loss", "ckpt-100:0.2 ckpt-200:0.1 ckpt-300:- model:- best:ckpt-200");
    CHECK_EQ(outline_value(&o, 0, 0)->wall_ns, 7);
}

static void a_person_says_what_is_best(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    CLEANUP(metric_directions_deinit) struct metric_directions directions = {0};
    CLEANUP(cleanup_free) char *why = NULL;
    CHECK_EQ(metric_directions_parse(&directions, "loss:max,acc:min", &why), 0);
    for (int i = 1; i <= 3; i++) {
        add_step(listing, i);
        listing_add_row(listing, "loss", i, i, 0);
        listing_add_row(listing, "acc", i, i, 0);
        listing_add_row(listing, "wer", i, i, 0);
    }
    CHECK_EQ(outline_init(&o, listing, &(struct outline_hints){.directions = &directions}), 0);
    check_metric(&o, "loss", "ckpt-1:1 ckpt-2:2 ckpt-3:3 model:3 best:ckpt-3");
    check_metric(&o, "acc", "ckpt-1:1 ckpt-2:2 ckpt-3:3 model:3 best:ckpt-1");
    check_metric(&o, "wer", "ckpt-1:1 ckpt-2:2 ckpt-3:3 model:3 best:ckpt-1");
}

static void files_without_bytes_make_no_checkpoint(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_file(listing, "m-1.pt", 1, 0);
    add_file(listing, "m-2.pt", 0, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_STR(o.latest->name, "ckpt-1");
    CHECK_STR(o.checkpoints.items[1].missing, "m-2.pt (empty)");
}

static void an_export_has_the_newest_values(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_file(listing, "3.onnx", 1, 0);
    add_file(listing, "20.onnx", 1, 0);
    listing_add_row(listing, "loss", 300, 0.3, 0);
    listing_add_row(listing, "loss", 100, 0.1, 0);
    listing_add_row(listing, "auc", 300, 0.3, 0);
    listing_add_row(listing, "auc", METRIC_LAST_STEP, 0.9, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_STR(o.latest->name, "export-20");
    check_metric(&o, "loss", "export-3:- export-20:0.3 model:0.3 best:export-20");
    check_metric(&o, "auc", "export-3:- export-20:0.9 model:0.9 best:export-20");
}

static void a_model_without_checkpoints_has_its_newest_values(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_file(listing, "readme", 1, 0);
    listing_add_row(listing, "loss", 5, 0.5, 0);
    listing_add_row(listing, "loss", 7, 0.7, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK(!o.latest && o.checkpoints.n_rest == 1);
    check_metric(&o, "loss", "model:0.7");
}

static void sizes_and_times_are_those_of_the_files(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    static const struct listing_entry self = {.mtime_ns = 77};
    CHECK_EQ(listing_set_self(listing, &self), 0);
    add_step(listing, 100);
    add_step(listing, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_EQ(outline_size_bytes(&o, &o.checkpoints.items[0]), 11);
    CHECK_EQ(outline_model_size_bytes(&o), 22);
    CHECK_EQ(outline_mtime_ns(&o, &o.checkpoints.items[0]), 77);
    CHECK_EQ(outline_mtime_ns(&o, &o.checkpoints.items[1]), 100);
}

static void sizes_that_lie_do_not_overflow(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    add_file(listing, "m-1.index", INT64_MAX, 0);
    add_file(listing, "m-1.data-00000-of-00001", INT64_MAX, 0);
    add_file(listing, "rest", UINT64_MAX, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_EQ(outline_size_bytes(&o, &o.checkpoints.items[0]), INT64_MAX);
    CHECK_EQ(outline_model_size_bytes(&o), INT64_MAX);
}

enum { METRICS = 100 };

static void add_training(struct listing *listing, int steps)
{
    for (int step = 1; step <= steps; step++) {
        add_step(listing, step);
        for (int m = 0; m < METRICS; m++) {
            char name[32];
            snprintf(name, sizeof(name), "some/long/metric-%02d", m);
            CHECK_EQ(listing_add_row(listing, name, step, step * 100 + m, 0), 0);
        }
    }
}

/* CPU seconds that the outline of so many steps takes; its values are looked at, too. */
static double cpu_s_of_steps(int steps)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    struct timespec from, to;
    add_training(listing, steps);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    CHECK(o.checkpoints.n == (size_t)steps && o.n_metrics == METRICS);
    for (size_t c = 0; c < (size_t)steps; c += 37)
        for (size_t m = 0; m < METRICS; m++)
            CHECK(outline_value(&o, c, m)->value == (double)((c + 1) * 100 + m));
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Each step looked for among all rows would take 64 times as long for 8 times the steps. */
static void time_grows_with_the_steps(void)
{
    cpu_s_of_steps(100); /* the allocator is warm now */
    double few_s = cpu_s_of_steps(100);
    double many_s = cpu_s_of_steps(800);
    CHECK(many_s < 24 * few_s);
}

static void nothing_is_an_outline_too(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK(!o.checkpoints.n && !o.n_metrics && !o.n_best && !o.latest);
}

static void no_memory_is_an_error(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    add_step(listing, 100);
    add_file(listing, "3.onnx", 1, 0);
    listing_add_row(listing, "loss", 100, 0.1, 0);
    FOR_EACH_ALLOC_FAILURE
    {
        OUTLINE_CLEANUP struct outline o = {0};
        int r = outline_init(&o, listing, NULL);
        CHECK(r == 0 ? o.n_best == 1 : r == -ENOMEM && !o.metrics && !o.values && !o.best);
    }
}

/* Thousands of checkpoints with thousands of metrics would be millions of values. */
static void too_many_values_are_refused(void)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    struct outline o;
    char name[16];
    for (int i = 0; i < 4097; i++) {
        add_step(listing, i);
        snprintf(name, sizeof(name), "metric%d", i);
        if (i < 4096)
            CHECK_EQ(listing_add_row(listing, name, i, i, 0), 0);
    }
    CHECK_EQ(outline_init(&o, listing, NULL), -ENOMEM);
}

int main(void)
{
    TEST("values belong to checkpoints", values_belong_to_checkpoints);
    TEST("metrics are sorted, each once", metrics_are_sorted_and_once);
    TEST("incomplete ones are neither latest nor best",
         incomplete_ones_are_neither_latest_nor_best);
    TEST("references give files to checkpoints", references_give_files_to_checkpoints);
    TEST("twins of one step share its values", twins_of_one_step_share_its_values);
    TEST("an evaluation may come before its checkpoint",
         an_evaluation_may_come_before_its_checkpoint);
    TEST("a person says what is best", a_person_says_what_is_best);
    TEST("files without bytes make no checkpoint", files_without_bytes_make_no_checkpoint);
    TEST("an export has the newest values", an_export_has_the_newest_values);
    TEST("a model without checkpoints has its newest values",
         a_model_without_checkpoints_has_its_newest_values);
    TEST("sizes and times are those of the files", sizes_and_times_are_those_of_the_files);
    TEST("sizes that lie do not overflow", sizes_that_lie_do_not_overflow);
    TEST("time grows with the number of steps", time_grows_with_the_steps);
    TEST("nothing is an outline, too", nothing_is_an_outline_too);
    TEST("no memory is an error", no_memory_is_an_error);
    TEST("too many values are refused", too_many_values_are_refused);
    return check_done();
}
