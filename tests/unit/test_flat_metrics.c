/* SPDX-License-Identifier: Apache-2.0 */
#include "model/flat_metrics.h"

#include "check.h"
#include "util/buf.h"
#include "util/json.h"

static int note(void *ctx, const char *name, double value)
{
    return buf_printf(ctx, "%s=%g;", name, value);
}

static int stop(void *ctx, const char *name, double value)
{
    (void)name;
    (void)value;
    ++*(int *)ctx;
    return 7;
}

static const struct {
    const char *json, *metrics;
} cases[] = {
    {"{\"a\":1,\"b\":\"2.5\",\"c\":\"nan\"}", "a=1;b=2.5;c=nan;"},
    {"{\"a\":{\"scalar\":\"a\",\"result\":{\"mean\":1,\"max\":2}}}", "a=1;"},
    {"{\"metrics\":[{\"name\":\"a\",\"numberValue\":1},{\"name\":\"b\",\"numberValue\":\"2\"}]}",
     "a=1;b=2;"},
    {"{\"a\":\"\",\"b\":\"1x\",\"c\":true,\"d\":null,\"e\":{\"result\":1},\"f\":{\"mean\":1}}", ""},
    {"{\"a\":1,\"metrics\":[{\"name\":\"b\",\"numberValue\":2}]}", "a=1;b=2;"},
    {"[1]", ""},
    {"3", ""},
};

static void each_shape_is_known(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        JSON_CLEANUP json_t *json = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
        BUF_CLEANUP struct buf got = {0};
        CHECK_EQ(buf_puts(&got, ""), 0);
        CHECK_EQ(flat_metrics_each(json, note, &got), 0);
        CHECK_STR(got.data, cases[i].metrics);
    }
}

static void the_caller_may_stop(void)
{
    static const char *const texts[] = {
        "{\"a\":1,\"b\":2}",
        "{\"metrics\":[{\"name\":\"a\",\"numberValue\":1},{\"name\":\"b\",\"numberValue\":2}]}"};
    for (size_t i = 0; i < 2; i++) {
        JSON_CLEANUP json_t *json = json_loads(texts[i], 0, NULL);
        int n = 0;
        CHECK_EQ(flat_metrics_each(json, stop, &n), 7);
        CHECK_EQ(n, 1);
    }
}

int main(void)
{
    TEST("each shape is known", each_shape_is_known);
    TEST("the caller may stop", the_caller_may_stop);
    return check_done();
}
