/* SPDX-License-Identifier: Apache-2.0 */
/* facts_diff, diff_text. */
#include "cmd/facts_diff.h"

#include <errno.h>

#include "check.h"
#include "cmd/diff_text.h"
#include "cmd/screen.h"
#include "util/cleanup.h"

static json_t *parse(const char *text)
{
    json_t *json = json_parse(text, strlen(text), NULL);
    CHECK(json);
    return json;
}

static const char one[] =
    "{\"name\":\"ckpt-600\",\"step\":600,\"size\":30,\"metrics\":{\"loss\":0.5,\"acc\":0.9,\"x\":1}"
    ","
    "\"files\":[{\"path\":\"m-600.index\",\"size\":10,\"digest\":\"aa\"},"
    "{\"path\":\"config\",\"size\":5,\"digest\":\"cc\"},{\"path\":\"old\",\"size\":1},"
    "{\"path\":\"open\",\"size\":7}],"
    "\"tensors\":[{\"name\":\"w\",\"dtype\":\"F32\",\"shape\":[2]},"
    "{\"name\":\"v\",\"dtype\":\"F32\",\"shape\":[3]},{\"name\":\"gone\",\"dtype\":\"I8\"}]}";
static const char other[] =
    "{\"name\":\"ckpt-800\",\"step\":800,\"size\":40,\"metrics\":{\"loss\":0.25,\"acc\":\"NaN\"},"
    "\"files\":[{\"path\":\"m-800.index\",\"size\":10,\"digest\":\"bb\"},"
    "{\"path\":\"config\",\"size\":5,\"digest\":\"cc\"},{\"path\":\"new\",\"size\":2},"
    "{\"path\":\"open\",\"size\":7,\"digest\":\"dd\"}],"
    "\"tensors\":[{\"name\":\"w\",\"dtype\":\"F32\",\"shape\":[2]},"
    "{\"name\":\"v\",\"dtype\":\"F16\",\"shape\":[3]},{\"name\":\"fresh\",\"dtype\":\"I8\"}]}";

/* The JSON at @part of the difference of two texts, as text. */
static void check_part(const char *a, const char *b, const char *part, const char *want)
{
    JSON_CLEANUP json_t *x = parse(a), *y = parse(b), *diff = facts_diff(x, y);
    CLEANUP(cleanup_free)
    char *got = json_dumps(json_object_get(diff, part),
                           JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    CHECK_STR(got, want);
}

static void files_are_paired_by_path_without_the_step(void)
{
    check_part(one, other, "files",
               "{\"same\":1,"
               "\"unknown\":[{\"path\":\"open\",\"a\":{\"path\":\"open\",\"size\":7},"
               "\"b\":{\"path\":\"open\",\"size\":7,\"digest\":\"dd\"}}],"
               "\"changed\":[{\"path\":\"m-*.index\","
               "\"a\":{\"path\":\"m-600.index\",\"size\":10,\"digest\":\"aa\"},"
               "\"b\":{\"path\":\"m-800.index\",\"size\":10,\"digest\":\"bb\"}}],"
               "\"added\":[{\"path\":\"new\",\"size\":2}],"
               "\"removed\":[{\"path\":\"old\",\"size\":1}]}");
}

static void only_the_step_itself_is_left_out(void)
{
    check_part("{\"step\":6,\"files\":[{\"path\":\"6-66-006\",\"size\":1,\"digest\":\"a\"}]}",
               "{\"step\":7,\"files\":[{\"path\":\"7-66-007\",\"size\":1,\"digest\":\"a\"}]}",
               "files", "{\"same\":1,\"unknown\":[],\"changed\":[],\"added\":[],\"removed\":[]}");
    check_part("{\"step\":6,\"files\":[{\"path\":\"66\"}]}",
               "{\"step\":7,\"files\":[{\"path\":\"77\"}]}", "files",
               "{\"same\":0,\"unknown\":[],\"changed\":[],\"added\":[{\"path\":\"77\"}],"
               "\"removed\":[{\"path\":\"66\"}]}");
}

static void tensors_differ_in_shape_or_dtype(void)
{
    check_part(one, other, "tensors",
               "{\"same\":1,\"changed\":[{\"name\":\"v\",\"a\":{\"dtype\":\"F32\",\"shape\":[3]},"
               "\"b\":{\"dtype\":\"F16\",\"shape\":[3]}}],"
               "\"added\":[{\"name\":\"fresh\",\"dtype\":\"I8\"}],"
               "\"removed\":[{\"name\":\"gone\",\"dtype\":\"I8\"}]}");
}

static void a_metric_s_name_says_which_is_better(void)
{
    check_part(one, other, "metrics",
               "[{\"name\":\"loss\",\"a\":0.5,\"b\":0.25,\"difference\":-0.25,\"better\":\"b\"},"
               "{\"name\":\"acc\",\"a\":0.90000000000000002,\"b\":\"NaN\",\"better\":null},"
               "{\"name\":\"x\",\"a\":1,\"b\":null,\"better\":null}]");
}

static void the_same_is_the_same(void)
{
    check_part(one, one, "same", "true");
    check_part(one, other, "same", "false");
    check_part("{}", "[]", "same", "true");
    check_part("{\"metrics\":{\"a\":1}}", "{\"metrics\":{\"a\":2}}", "same", "false");
    check_part("{\"metrics\":{\"a\":1}}", "{}", "same", "false");
    check_part("{\"files\":[{\"path\":\"a\"}]}", "{}", "same", "false");
    check_part("{\"tensors\":[{\"name\":\"a\"}]}", "{}", "same", "false");
    check_part("{\"files\":[1,{},{\"path\":7}]}", "{\"files\":{}}", "same", "true");
}

static void what_was_read_is_settled(void)
{
    JSON_CLEANUP json_t *a = parse("{\"files\":[{\"path\":\"a\"},{\"path\":\"b\"}]}");
    JSON_CLEANUP json_t *diff = facts_diff(a, a);
    CHECK_EQ(facts_diff_settle(diff, 0, true), 0);
    CHECK(json_get_bool(diff, "same", false));
    CHECK_EQ(facts_diff_settle(diff, 0, false), 0);
    CHECK(!json_get_bool(diff, "same", true));
    const json_t *files = json_get_object(diff, "files");
    CHECK_EQ(json_get_int(files, "same", -1), 1);
    CHECK_EQ(json_array_size(json_get_array(files, "changed")), 1);
    CHECK_EQ(json_array_size(json_get_array(files, "unknown")), 0);
}

static void common_tensors_are_found(void)
{
    JSON_CLEANUP json_t *x = parse(one), *y = parse(other), *both = facts_common_tensors(x, y);
    CHECK_EQ(json_array_size(both), 1);
    CHECK_STR(json_get_text(json_array_get(both, 0), "name"), "w");
}

static const char told[] =
    "      A         B\n"
    "name  ckpt-600  ckpt-800\n"
    "step  600       800\n"
    "size  30 B      40 B\n"
    "\n"
    "METRIC       A       B  DIFFERENCE  BETTER\n"
    "loss    0.5000  " SCREEN_BOLD "0.2500" SCREEN_NORMAL "     -0.2500  B\n"
    "acc     0.9000     NaN           -  -\n"
    "x       1.0000       -           -  -\n"
    "\n"
    "   FILE          A     B\n"
    "-  old         1 B     -\n"
    "+  new           -   2 B\n"
    "~  m-*.index  10 B  10 B\n"
    "?  open        7 B   7 B\n"
    "\n"
    "   TENSOR  A        B\n"
    "-  gone    I8 []    -\n"
    "+  fresh   -        I8 []\n"
    "~  v       F32 [3]  F16 [3]\n"
    "\n"
    "files: 1 the same, 1 changed, 1 added, 1 removed, 1 of one size and no known digest (?)\n"
    "tensors: 1 the same, 1 changed, 1 added, 1 removed\n";

static void a_difference_is_told(void)
{
    JSON_CLEANUP json_t *x = parse(one), *y = parse(other), *diff = facts_diff(x, y);
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(diff_text_format(diff, &out), 0);
    CHECK_STR(out.data, told);
}

static void values_are_told(void)
{
    JSON_CLEANUP json_t *diff = parse(
        "{\"a\":{\"name\":\"a\"},\"b\":{\"name\":\"b\"},\"values\":{\"same\":2,\"lacking\":[\"z\"],"
        "\"different\":[{\"name\":\"w\",\"dtype\":\"F32\",\"elements\":200,\"differing\":1,"
        "\"greatest\":0.125},{\"name\":\"q\",\"dtype\":\"Q4_K\",\"elements\":10,\"differing\":10,"
        "\"greatest\":null},{\"name\":\"i\",\"elements\":0,\"greatest\":\"Infinity\"}]}}");
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(diff_text_format(diff, &out), 0);
    CHECK_STR(out.data,
              "      A  B\n"
              "name  a  b\n"
              "\n"
              "TENSOR  DTYPE  ELEMENTS  DIFFERENT  SHARE  GREATEST\n"
              "w       F32         200          1  0.5 %     0.125\n"
              "q       Q4_K         10         10  100 %         -\n"
              "i       -             0          0    0 %  Infinity\n"
              "\n"
              "values: 2 tensors the same, 3 different, 1 that the mount does not show\n");
}

static void survives_each_allocation_failure(void)
{
    JSON_CLEANUP json_t *x = parse(one), *y = parse(other);
    FOR_EACH_ALLOC_FAILURE
    {
        JSON_CLEANUP json_t *diff = facts_diff(x, y);
        BUF_CLEANUP struct buf out = {0};
        int r = diff ? diff_text_format(diff, &out) : -ENOMEM;
        CHECK(r == 0 || r == -ENOMEM);
    }
}

int main(void)
{
    TEST("files are paired by path without the step", files_are_paired_by_path_without_the_step);
    TEST("only the step itself is left out", only_the_step_itself_is_left_out);
    TEST("tensors differ in shape or dtype", tensors_differ_in_shape_or_dtype);
    TEST("a metric's name says which is better", a_metric_s_name_says_which_is_better);
    TEST("the same is the same", the_same_is_the_same);
    TEST("what was read is settled", what_was_read_is_settled);
    TEST("common tensors are found", common_tensors_are_found);
    TEST("a difference is told", a_difference_is_told);
    TEST("values are told", values_are_told);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
