/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/summary.h"

#include <errno.h>

#include "check.h"

/* The rows that a model's JSON gives, as `name@step=value` with commas between; ' stands for ". */
static char *rows_of(const char *quoted)
{
    LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
    CLEANUP(cleanup_free) char *text = strdup(quoted);
    struct buf out = {0};
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    JSON_CLEANUP json_t *model = json_parse_leniently(text, strlen(text), NULL);
    CHECK(model);
    CHECK_EQ(summary_add_rows(listing, model), 0);
    for (size_t i = 0; i < listing->n_rows; i++) {
        char value[METRIC_TEXT_BYTES];
        metric_format(listing->rows[i].value, value);
        buf_printf(&out, "%s%s@%lld=%s", i ? "," : "", listing->rows[i].name,
                   (long long)listing->rows[i].step, value);
    }
    return buf_steal(&out);
}

struct rows_case {
    const char *json, *rows;
};

static void check_cases(const struct rows_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(cleanup_free) char *got = rows_of(cases[i].json);
        CHECK_STR(got, cases[i].rows);
    }
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof((cases)[0]))

/* A session with one scalar of one mean. */
#define SESSION(session, scalar, points)                                                           \
    "{'session':'" session "','scalars':[{'scalar':'" scalar                                       \
    "','data':[{'operation':'mean','checkpoints':[" points "]}]}]}"
#define POINT(step, value) "{'checkpoint':" #step ",'value':" #value "}"

static void a_summary_has_three_shapes(void)
{
    static const struct rows_case cases[] = {
        {"{'summary':{'loss':{'scalar':'loss','result':{'mean':0.5}}}}", "loss@-1=0.5"},
        {"{'summary':{'loss':0.5,'acc':1}}", "loss@-1=0.5,acc@-1=1"},
        {"{'summary':{'metrics':[{'name':'a','numberValue':1},{'name':'b','numberValue':'2'}]}}",
         "a@-1=1,b@-1=2"},
        {"{'summary':{'loss':'0.25','nan':'NaN','inf':'-Infinity','e':'1e3'}}",
         "loss@-1=0.25,nan@-1=NaN,inf@-1=-Infinity,e@-1=1000"},
        {"{'summary':{'':3,'big':99999999999999999999}}", "@-1=3,big@-1=1e+20"},
    };
    CHECK_CASES(cases);
}

static void details_are_values_by_checkpoint(void)
{
    static const struct rows_case cases[] = {
        {"{'detail':[" SESSION("eval", "loss", POINT(5, 0.5) "," POINT(0, 1)) "]}",
         "loss@5=0.5,loss@0=1"},
        {"{'detail':[" SESSION("eval", "loss", POINT('7', '0.5')) "]}", "loss@7=0.5"},
        {"{'detail':[" SESSION("eval", "loss", POINT(5, 'NaN')) "],'summary':{'acc':1}}",
         "loss@5=NaN,acc@-1=1"},
        {"{'detail':[{'session':'eval','scalars':[{'scalar':'loss','data':["
         "{'operation':'max','checkpoints':[" POINT(
             1, 9) "]},"
                   "{'operation':'mean','checkpoints':[" POINT(1, 2) "]},"
                                                                     "{'checkpoints':[" POINT(
                                                                         1, 8) "]}]}]}]}",
         "loss@1=2"},
    };
    CHECK_CASES(cases);
}

static void eval_goes_before_other_sessions(void)
{
    static const struct rows_case cases[] = {
        {"{'detail':[" SESSION("train", "loss", POINT(5, 1)) "," SESSION("eval", "loss",
                                                                         POINT(5, 2)) "]}",
         "loss@5=2"},
        {"{'detail':[" SESSION("train", "acc", POINT(5, 1)) "," SESSION("eval", "loss",
                                                                        POINT(5, 2)) "]}",
         "loss@5=2,acc@5=1"},
        {"{'detail':[" SESSION("a", "acc", POINT(5, 1)) "," SESSION("b", "acc", POINT(5, 2)) "]}",
         "acc@5=1"},
        {"{'detail':[{'scalars':[{'scalar':'x','data':[{'operation':'mean','checkpoints':[" POINT(
             5, 1) "]}]}]}]}",
         "x@5=1"},
    };
    CHECK_CASES(cases);
}

static void other_shapes_are_passed_over(void)
{
    static const struct rows_case cases[] = {
        {"{}", ""},
        {"[]", ""},
        {"null", ""},
        {"{'detail':null,'summary':null}", ""},
        {"{'detail':{'session':'eval'},'summary':[1,2]}", ""},
        {"{'detail':[1,null,'x',[],{}],'summary':{'a':null,'b':[1],'c':{},'d':true}}", ""},
        {"{'detail':[{'session':'eval','scalars':[1,{},{'scalar':5},{'scalar':'a'},"
         "{'scalar':'b','data':{}},{'scalar':'c','data':[1,{'operation':7}]}]}]}",
         ""},
        {"{'detail':[" SESSION("eval", "loss", "1,{},{'checkpoint':5},{'value':5}") "]}", ""},
        {"{'detail':[" SESSION("eval", "loss",
                               POINT(-1, 1) "," POINT(1.5, 1) "," POINT('x', 1)) "]}",
         ""},
        {"{'summary':{'a':'','b':'x','c':'1x','d':'1 ','e':{'result':{'mean':'x'}},"
         "'f':{'result':5},'g':{'result':{'mean':[]}}}}",
         ""},
        {"{'summary':{'metrics':[1,{},{'name':5,'numberValue':1},{'numberValue':1},"
         "{'name':'a'},{'name':'b','numberValue':'x'}]}}",
         ""},
        {"{'summary':{'metrics':{'name':'a','numberValue':1}}}", ""},
        {"{'summary':{'bad':'1\\u00002','good':1}}", "good@-1=1"},
    };
    CHECK_CASES(cases);
}

static void a_bad_neighbour_hides_no_good_one(void)
{
    static const struct rows_case cases[] = {
        {"{'detail':[5," SESSION("eval", "loss", "5," POINT(5, 1)) "]}", "loss@5=1"},
        {"{'detail':5,'summary':{'x':'y','loss':2}}", "loss@-1=2"},
        {"{'summary':{'metrics':[5,{'name':'loss','numberValue':2}]}}", "loss@-1=2"},
    };
    CHECK_CASES(cases);
}

static void no_memory_is_an_error(void)
{
    static const char text[] =
        "{\"detail\":[{\"session\":\"eval\",\"scalars\":[{\"scalar\":\"loss\",\"data\":[{"
        "\"operation\":\"mean\",\"checkpoints\":[{\"checkpoint\":5,\"value\":1}]}]}]}],"
        "\"summary\":{\"acc\":1,\"metrics\":[{\"name\":\"m\",\"numberValue\":1}]}}";
    JSON_CLEANUP json_t *model = json_parse(text, strlen(text), NULL);
    CHECK(model);
    FOR_EACH_ALLOC_FAILURE
    {
        LISTING_CLEANUP struct listing *listing = listing_new(LISTING_FILES);
        int r = listing ? summary_add_rows(listing, model) : -ENOMEM;
        CHECK(r == 0 ? listing->n_rows == 3 : r == -ENOMEM);
    }
}

int main(void)
{
    TEST("a summary has three shapes", a_summary_has_three_shapes);
    TEST("details are values by checkpoint", details_are_values_by_checkpoint);
    TEST("the session `eval` goes before others", eval_goes_before_other_sessions);
    TEST("other shapes are passed over", other_shapes_are_passed_over);
    TEST("a bad neighbour hides no good one", a_bad_neighbour_hides_no_good_one);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
