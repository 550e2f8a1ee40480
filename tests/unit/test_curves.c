/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/curves.h"

#include <errno.h>
#include <math.h>
#include <time.h>

#include "check.h"
#include "registry/detail.h"

#define OUTLINE_CLEANUP CLEANUP(outline_deinit)

static void add_file(struct listing *listing, const char *path)
{
    listing_add(listing, &(struct listing_entry){.id = path, .name = path, .size_bytes = 1});
}

/* Checkpoints at 100 and 300, an export, and metrics with odd names and values. */
static struct listing *new_model(void)
{
    struct listing *listing = listing_new(LISTING_FILES);
    if (!listing)
        return NULL;
    add_file(listing, "m-100.index");
    add_file(listing, "m-100.data-00000-of-00001");
    add_file(listing, "m-300.index");
    add_file(listing, "m-300.data-00000-of-00001");
    add_file(listing, "a,b.onnx");
    listing_add_row(listing, "loss", 100, 0.5, INT64_C(1500000000250000000));
    listing_add_row(listing, "loss", 150, 1.5, -1500000000); /* no time of a training */
    listing_add_row(listing, "loss", 300, (double)NAN, 0);
    listing_add_row(listing, "a \"b\"", 300, 2, 0);
    listing_add_row(listing, "sum", METRIC_LAST_STEP, 7, 0);
    return listing;
}

static size_t metric_called(const struct outline *o, const char *name)
{
    size_t m = 0;
    while (m < o->n_metrics && strcmp(o->metrics[m], name) != 0)
        m++;
    CHECK(m < o->n_metrics);
    return m;
}

static void checkpoints_are_a_table(void)
{
    LISTING_CLEANUP struct listing *listing = new_model();
    OUTLINE_CLEANUP struct outline o = {0};
    BUF_CLEANUP struct buf got = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_EQ(curves_format_checkpoints(&o, &got), 0);
    CHECK_STR(got.data, "checkpoint,step,\"a \"\"b\"\"\",loss,sum\n"
                        "ckpt-100,100,,0.5,\n"
                        "ckpt-300,300,2,NaN,7\n"
                        "\"export-a,b\",,,,\n");
}

static void a_history_has_the_rows_with_steps(void)
{
    static const struct {
        const char *metric, *want;
    } cases[] = {
        {"loss", "step,wall_time,value\n100,1500000000.250000,0.5\n150,,1.5\n300,,NaN\n"},
        {"a \"b\"", "step,wall_time,value\n300,,2\n"},
        {"sum", "step,wall_time,value\n"},
    };
    LISTING_CLEANUP struct listing *listing = new_model();
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BUF_CLEANUP struct buf got = {0};
        CHECK_EQ(curves_format_history(&o, metric_called(&o, cases[i].metric), &got), 0);
        CHECK_STR(got.data, cases[i].want);
    }
}

/* The points of one operation of a scalar: `100:1 300:NaN`. */
static void check_points(const json_t *detail, const char *scalar, const char *operation,
                         const char *want)
{
    BUF_CLEANUP struct buf got = {0};
    size_t i, k, p;
    json_t *s, *data, *point;
    buf_puts(&got, "");
    json_array_foreach(json_object_get(json_array_get(detail, 0), "scalars"), i, s)
        json_array_foreach(json_object_get(s, "data"), k, data)
            json_array_foreach(json_object_get(data, "checkpoints"), p, point)
    {
        const json_t *value = json_object_get(point, "value");
        if (strcmp(json_get_text(s, "scalar"), scalar) != 0 ||
            strcmp(json_get_text(data, "operation"), operation) != 0)
            continue;
        buf_printf(&got, "%s%lld:", got.len ? " " : "",
                   (long long)json_get_int(point, "checkpoint", -1));
        if (json_is_string(value))
            buf_puts(&got, json_string_value(value));
        else
            buf_printf(&got, "%g", json_number_value(value));
    }
    CHECK_STR(got.data, want);
}

static void the_detail_measures_what_belongs_to_a_checkpoint(void)
{
    LISTING_CLEANUP struct listing *listing = new_model();
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    JSON_CLEANUP json_t *detail = detail_make(&o);
    CHECK_STR(json_get_text(json_array_get(detail, 0), "session"), "eval");
    check_points(detail, "loss", "mean", "100:1 300:NaN");
    check_points(detail, "loss", "amin", "100:0.5 300:NaN");
    check_points(detail, "loss", "amax", "100:1.5 300:NaN");
    check_points(detail, "loss", "median", "100:1 300:NaN");
    check_points(detail, "loss", "std", "100:0.5 300:NaN");
    check_points(detail, "loss", "var", "100:0.25 300:NaN");
    check_points(detail, "sum", "mean", "300:7");
    JSON_CLEANUP json_t *summary = detail_summarize(detail);
    const json_t *sum = json_object_get(json_object_get(summary, "sum"), "result");
    CHECK_EQ(json_get_int(sum, "mean", -1), 7);
}

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How long the detail of so many checkpoints of one step takes, in CPU seconds. */
static double time_detail(int n)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    OUTLINE_CLEANUP struct outline o = {0};
    for (int i = 0; i < n; i++) {
        char path[48];
        snprintf(path, sizeof(path), "%06d/m-1.pt", i);
        add_file(listing, path);
    }
    listing_add_row(listing, "loss", 1, 1, 0);
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    CHECK_EQ(o.checkpoints.n, n);
    double began = cpu_s();
    JSON_CLEANUP json_t *detail = detail_make(&o);
    CHECK(detail);
    return cpu_s() - began;
}

/* A registry may list as many as it likes: four times as many take about four times as long, and
 * not sixteen. */
static void time_grows_with_the_checkpoints_of_one_step(void)
{
    double few = time_detail(20000), many = time_detail(80000);
    printf("# %.3f s, %.3f s\n", few, many);
    CHECK(many < 9 * few);
}

static void survives_each_allocation_failure(void)
{
    LISTING_CLEANUP struct listing *listing = new_model();
    OUTLINE_CLEANUP struct outline o = {0};
    CHECK_EQ(outline_init(&o, listing, NULL), 0);
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf got = {0};
        JSON_CLEANUP json_t *detail = detail_make(&o);
        CHECK(!detail || json_array_size(detail) == 1);
        int r = curves_format_checkpoints(&o, &got);
        CHECK(r == 0 || r == -ENOMEM);
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("checkpoints are a table", checkpoints_are_a_table);
    TEST("a history has the rows with steps", a_history_has_the_rows_with_steps);
    TEST("the detail measures what belongs to a checkpoint",
         the_detail_measures_what_belongs_to_a_checkpoint);
    TEST("time grows with the checkpoints of one step",
         time_grows_with_the_checkpoints_of_one_step);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
