/* SPDX-License-Identifier: Apache-2.0 */
/* facts, fact_rows, show_text. */
#include "cmd/facts.h"

#include <errno.h>
#include <math.h>

#include "check.h"
#include "cmd/fact_rows.h"
#include "cmd/screen.h"
#include "cmd/show_text.h"

static json_t *parse(const char *text)
{
    json_t *json = json_parse(text, strlen(text), NULL);
    CHECK(json);
    return json;
}

static const char model_text[] =
    "{\"kind\":\"model\",\"name\":\"m\",\"latest\":\"ckpt-2\",\"best\":{\"loss\":\"ckpt-1\"},"
    "\"size\":2048,\"files\":[],\"checkpoints\":["
    "{\"name\":\"ckpt-1\",\"step\":1,\"size\":1024,\"metrics\":{\"loss\":0.5,\"val_loss\":\"NaN\"}}"
    ","
    "{\"name\":\"ckpt-2\",\"step\":2,\"size\":1024,\"metrics\":{\"loss\":0.75},"
    "\"parameters\":124439808,\"dtypes\":{\"F32\":439808,\"BF16\":124000000},"
    "\"framework\":\"PyTorch\"},"
    "{\"name\":\"ckpt-3\",\"step\":3,\"size\":0,\"missing\":[\"a\",\"b\"]},"
    "{\"name\":\"export-1\",\"step\":null,\"metrics\":{\"loss\":9}}]}";

static void a_metric_is_matched_by_name_or_part(void)
{
    JSON_CLEANUP json_t *names = parse("[\"my_loss\",\"val/loss\",\"loss\"]");
    CHECK_STR(facts_match_metric(names, "loss"), "loss");
    CHECK_STR(facts_match_metric(names, "val"), "val/loss");
    CHECK_STR(facts_match_metric(names, "_loss"), "my_loss");
    CHECK(!facts_match_metric(names, "accuracy") && !facts_match_metric(NULL, "loss"));
}

static void a_value_may_be_a_text(void)
{
    JSON_CLEANUP json_t *values = parse("[1.5,\"-Infinity\",\"NaN\",\"low\",\"\",null,[]]");
    CHECK(facts_metric_number(json_array_get(values, 0)) == 1.5);
    CHECK(facts_metric_number(json_array_get(values, 1)) == -INFINITY);
    for (size_t i = 2; i < json_array_size(values); i++)
        CHECK(isnan(facts_metric_number(json_array_get(values, i))));
    CHECK(isnan(facts_metric_number(NULL)));
}

static void checkpoints_make_a_curve(void)
{
    JSON_CLEANUP json_t *model = parse(model_text);
    CURVE_CLEANUP struct curve curve = {0};
    CHECK_EQ(facts_add_curve(model, "loss", &curve), 0);
    CHECK(curve.n == 2 && curve.points[0].value == 0.5 && curve.points[1].step == 2);
}

static void what_is_missing_is_one_text_or_several(void)
{
    static const char *const cases[][2] = {
        {"{}", ""},
        {"{\"missing\":\"x.index\"}", "x.index"},
        {"{\"missing\":[\"a\",\"b\"]}", "a, b"},
        {"{\"missing\":[1]}", "?"},
        {"{\"missing\":7}", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        JSON_CLEANUP json_t *facts = parse(cases[i][0]);
        BUF_CLEANUP struct buf out = {0};
        CHECK_EQ(facts_append_missing(facts, &out), 0);
        CHECK_STR(out.data ? out.data : "", cases[i][1]);
    }
}

/* Formats a model with the curves of its checkpoints. */
static int show(const json_t *model, struct buf *out)
{
    JSON_CLEANUP json_t *metrics = facts_metric_names(model);
    struct curve curves[SHOW_METRICS_MAX] = {0};
    int r = metrics ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < json_array_size(metrics) && i < SHOW_METRICS_MAX; i++)
        r = facts_add_curve(model, json_string_value(json_array_get(metrics, i)), &curves[i]);
    if (r == 0)
        r = show_model(model, metrics, curves, false, 0, out);
    for (size_t i = 0; i < SHOW_METRICS_MAX; i++)
        curve_deinit(&curves[i]);
    return r;
}

static const char shown[] =
    "name         m\n"
    "framework    PyTorch\n"
    "parameters   124 M (124439808)\n"
    "dtypes       BF16 99.6 %, F32 0.4 %\n"
    "size         2.0 KiB (2048 bytes in 0 files)\n"
    "checkpoints  4\n"
    "latest       ckpt-2\n"
    "\n"
    "CHECKPOINT  STEP     SIZE    loss   val_loss   NOTE\n"
    "ckpt-1         1  1.0 KiB  " SCREEN_BOLD "0.5000*" SCREEN_NORMAL "       NaN   -\n"
    "ckpt-2         2  1.0 KiB  0.7500          -   latest\n"
    "ckpt-3         3      0 B       -          -   incomplete, lacks a, b\n"
    "export-1       -      0 B  9.0000          -   -\n"
    "\n"
    "METRIC      LAST    BEST  AT STEP  HISTORY\n"
    "loss      0.7500  0.5000        1  _#\n"
    "val_loss     NaN       -        -   \n";

static void a_model_is_shown_with_its_best(void)
{
    JSON_CLEANUP json_t *model = parse(model_text);
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(show(model, &out), 0);
    CHECK_STR(out.data, shown);
}

static void tensors_are_shown(void)
{
    JSON_CLEANUP json_t *facts =
        parse("{\"tensors\":[{\"name\":\"a\",\"dtype\":\"F32\",\"shape\":[2,3],\"bytes\":24},"
              "{\"name\":\"b\",\"dtype\":null,\"shape\":[],\"bytes\":-1},{}]}");
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(show_tensors(facts, &out), 0);
    CHECK_STR(out.data, "TENSOR  DTYPE  SHAPE   BYTES\n"
                        "a       F32    [2, 3]     24\n"
                        "b       -      []          0\n"
                        "-       -      -           0\n");
}

static void facts_of_any_shape_do_no_harm(void)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"checkpoints\":[1,null,{}],\"best\":[]}",
        ("{\"dtypes\":{\"F32\":-1,\"BF16\":\"x\",\"I8\":9223372036854775807,\"U8\":"
         "9223372036854775807,\"U16\":9223372036854775807},\"parameters\":-5,\"size\":-9}"),
        "{\"dtypes\":{\"a\":0},\"tensors\":{},\"files\":7,\"metrics\":[1],\"step\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        JSON_CLEANUP json_t *facts = parse(texts[i]);
        BUF_CLEANUP struct buf a = {0}, b = {0}, c = {0};
        CHECK_EQ(show(facts, &a), 0);
        CHECK_EQ(show_checkpoint(facts, 0, &b), 0);
        CHECK_EQ(show_tensors(facts, &c), 0);
    }
}

static void survives_each_allocation_failure(void)
{
    JSON_CLEANUP json_t *model = parse(model_text);
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf out = {0};
        int r = show(model, &out);
        CHECK(r == 0 || r == -ENOMEM);
    }
}

int main(void)
{
    TEST("a metric is matched by name or part", a_metric_is_matched_by_name_or_part);
    TEST("a value may be a text", a_value_may_be_a_text);
    TEST("checkpoints make a curve", checkpoints_make_a_curve);
    TEST("what is missing is one text or several", what_is_missing_is_one_text_or_several);
    TEST("a model is shown with its best", a_model_is_shown_with_its_best);
    TEST("tensors are shown", tensors_are_shown);
    TEST("facts of any shape do no harm", facts_of_any_shape_do_no_harm);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
