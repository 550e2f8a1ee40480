/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/metrics_file.h"

#include <errno.h>

#include "check.h"

static int parse(const char *text, int64_t step, struct metrics_file *out, struct buf *why)
{
    return metrics_file_parse(text, strlen(text), step, out, why);
}

#define POINT(step, value) "{\"checkpoint\":" step ",\"value\":" value "}"
#define SCALAR(name, points)                                                                       \
    "{\"scalar\":\"" name "\",\"data\":[{\"operation\":\"mean\",\"checkpoints\":[" points "]}]}"
#define DETAIL(scalars) "[{\"session\":\"eval\",\"scalars\":[" scalars "]}]"
#define TWO_STEPS       DETAIL(SCALAR("loss", POINT("0", "2.5") "," POINT("600", "0.25")))

static const struct {
    const char *text;
    int64_t step;
    const char *detail, *summary;
} cases[] = {
    {TWO_STEPS, METRICS_NO_STEP, TWO_STEPS, NULL},
    {"step,loss\n0,2.5\n600,0.25\n", METRICS_NO_STEP, TWO_STEPS, NULL},
    /* as other systems and tools write it */
    {"step,loss\r\n0,2.5\r\n600,0.25", METRICS_NO_STEP, TWO_STEPS, NULL},
    {"\xef\xbb\xbfStep, \"loss\" \n0.0, 2.5\n\n600.0 ,0.25\n \n", METRICS_NO_STEP, TWO_STEPS, NULL},
    {"step,loss\n600,0.25\n0,2.5\n", METRICS_NO_STEP, TWO_STEPS, NULL},
    /* training went back to step 0 */
    {"step,loss\n0,9.5\n600,0.75\n0,2.5\n600,0.25\n", METRICS_NO_STEP, TWO_STEPS, NULL},
    {"step,loss,accuracy,none\n0,2.5,,\n600,,0.5,\n", METRICS_NO_STEP,
     DETAIL(SCALAR("loss", POINT("0", "2.5")) "," SCALAR("accuracy", POINT("600", "0.5"))), NULL},
    {"step,loss\n1,nan\n2,-inf\n", METRICS_NO_STEP,
     DETAIL(SCALAR("loss", POINT("1", "\"NaN\"") "," POINT("2", "\"-Infinity\""))), NULL},
    {"{\"loss\":0.25}", 600, DETAIL(SCALAR("loss", POINT("600", "0.25"))), NULL},
    {" {\"loss\":\"0.25\",\"by\":\"me\",\"on\":[1]}", 0, DETAIL(SCALAR("loss", POINT("0", "0.25"))),
     NULL},
    {"{\"loss\":0.25}", METRICS_NO_STEP, NULL, "{\"loss\":0.25}"},
    {"{\"metrics\":[{\"name\":\"loss\",\"numberValue\":0.25}]}", METRICS_NO_STEP, NULL,
     "{\"loss\":0.25}"},
    {"{\"metrics\":[{\"name\":\"loss\",\"numberValue\":0.25}]}", 7,
     DETAIL(SCALAR("loss", POINT("7", "0.25"))), NULL},
    {"{\"loss\":{\"result\":{\"mean\":0.25,\"max\":1}}}", METRICS_NO_STEP, NULL,
     "{\"loss\":{\"result\":{\"mean\":0.25,\"max\":1}}}"},
    {"{\"loss\":{\"result\":{\"mean\":0.25,\"max\":1}}}", 7,
     DETAIL(SCALAR("loss", POINT("7", "0.25"))), NULL},
};

/* Equal with 0 for 0.0: CSV's numbers are all reals. */
static bool is_same(const json_t *got, const char *want)
{
    JSON_CLEANUP json_t *wanted = want ? json_loads(want, JSON_DECODE_ANY, NULL) : NULL;
    return want ? json_equal(got, wanted) : !got;
}

static void each_form_is_read(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        METRICS_FILE_CLEANUP struct metrics_file metrics = {0};
        struct buf why BUF_CLEANUP = {0};
        CHECK_EQ(parse(cases[i].text, cases[i].step, &metrics, &why), 0);
        if (!is_same(metrics.detail, cases[i].detail) ||
            !is_same(metrics.summary, cases[i].summary))
            printf("# case %zu: %s\n", i, why.data ? why.data : cases[i].text);
        CHECK(is_same(metrics.detail, cases[i].detail));
        CHECK(is_same(metrics.summary, cases[i].summary));
    }
}

static const struct {
    const char *text;
    int64_t step;
    const char *why; /* a part of it */
} refused[] = {
    {"", METRICS_NO_STEP, "empty"},
    {" \n\t", METRICS_NO_STEP, "empty"},
    {"\xef\xbb\xbf", METRICS_NO_STEP, "empty"},
    {"step,l\xff\n1,2\n", METRICS_NO_STEP, "UTF-8"},
    {"{\"loss\":", METRICS_NO_STEP, "no JSON"},
    {"{\"loss\":1} 2", METRICS_NO_STEP, "no JSON"},
    {"{}", METRICS_NO_STEP, "number"},
    {"{\"by\":\"me\"}", METRICS_NO_STEP, "number"},
    {"{\"metrics\":[]}", METRICS_NO_STEP, "number"},
    {"[]", METRICS_NO_STEP, "sessions"},
    {"[1]", METRICS_NO_STEP, "sessions"},
    {DETAIL(""), METRICS_NO_STEP, "sessions"},
    {DETAIL(SCALAR("loss", "")), METRICS_NO_STEP, "sessions"},
    {TWO_STEPS, 3, "--step"},
    {"step,loss\n1,2\n", 3, "--step"},
    {"loss,step\n1,2\n", METRICS_NO_STEP, "line 1: the first column must be `step`"},
    {"step,,loss\n1,2,3\n", METRICS_NO_STEP, "line 1: a column has no name"},
    {"step\n1\n", METRICS_NO_STEP, "no values"},
    {"step,loss\n", METRICS_NO_STEP, "no values"},
    {"step,loss\n1,\n", METRICS_NO_STEP, "no values"},
    {"step,loss\n1,2\nx,3\n", METRICS_NO_STEP, "line 3: is no step: `x`"},
    {"step,loss\n-1,2\n", METRICS_NO_STEP, "line 2: is no step"},
    {"step,loss\n1.5,2\n", METRICS_NO_STEP, "line 2: is no step"},
    {"step,loss\n1e300,2\n", METRICS_NO_STEP, "line 2: is no step"},
    {"step,loss\nnan,2\n", METRICS_NO_STEP, "line 2: is no step"},
    {"step,loss\n,2\n", METRICS_NO_STEP, "line 2: is no step"},
    {"step,loss\n1,2x\n", METRICS_NO_STEP, "line 2: is no number: `2x`"},
    {"step,loss\n1,2,3\n", METRICS_NO_STEP, "line 2: there are more cells than names"},
};

static void anything_else_is_refused_with_a_reason(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        METRICS_FILE_CLEANUP struct metrics_file metrics = {0};
        struct buf why BUF_CLEANUP = {0};
        CHECK_EQ(parse(refused[i].text, refused[i].step, &metrics, &why), -EINVAL);
        if (!why.data || !strstr(why.data, refused[i].why))
            printf("# case %zu: %s\n", i, why.data ? why.data : "(nothing)");
        CHECK(why.data && strstr(why.data, refused[i].why));
        CHECK(!metrics.detail && !metrics.summary);
    }
}

static void a_nul_is_no_text(void)
{
    METRICS_FILE_CLEANUP struct metrics_file metrics = {0};
    struct buf why BUF_CLEANUP = {0};
    CHECK_EQ(metrics_file_parse("step,loss\n1,2\0\n", 15, METRICS_NO_STEP, &metrics, &why),
             -EINVAL);
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        METRICS_FILE_CLEANUP struct metrics_file metrics = {0};
        struct buf why BUF_CLEANUP = {0};
        int r = parse("step,loss\n0,2.5\n600,0.25\n", METRICS_NO_STEP, &metrics, &why);
        check_alloc_countdown = -1; /* the comparison may have all it wants */
        CHECK(r < 0 || is_same(metrics.detail, TWO_STEPS));
    }
    FOR_EACH_ALLOC_FAILURE
    {
        METRICS_FILE_CLEANUP struct metrics_file metrics = {0};
        struct buf why BUF_CLEANUP = {0};
        int r = parse("{\"loss\":0.25}", 600, &metrics, &why);
        check_alloc_countdown = -1; /* the comparison may have all it wants */
        CHECK(r < 0 || is_same(metrics.detail, cases[8].detail));
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("each form is read", each_form_is_read);
    TEST("anything else is refused with a reason", anything_else_is_refused_with_a_reason);
    TEST("a NUL is no text", a_nul_is_no_text);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
