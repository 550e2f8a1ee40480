/* SPDX-License-Identifier: Apache-2.0 */
#include "util/yaml.h"

#include <errno.h>

#include "check.h"
#include "util/buf.h"
#include "util/json.h"

static const struct {
    const char *yaml, *json; /* compact */
} cases[] = {
    {"a", "\"a\""},
    {"a: 1\nb: [x, 'y', \"z\"]\nc: {d: ~, e: }\n", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\"],\"c\":"
                                                   "{\"d\":null,\"e\":null}}"},
    {"[yes, No, on, OFF, true, FALSE, null, Null, y, n]",
     "[true,false,true,false,true,false,null,null,\"y\",\"n\"]"},
    {"[0, -1, +12, 0x1F, 0b101, 017, -0x10, 08, 0x, 0b, 1_000, 12:30]",
     "[0,-1,12,31,5,15,-16,\"08\",\"0x\",\"0b\",\"1_000\",\"12:30\"]"},
    {"[9223372036854775807, 9223372036854775808, 0xffffffffffffffff]",
     "[9223372036854775807,9.2233720368547758e18,\"0xffffffffffffffff\"]"},
    {"[1.5, -.5, 1., 1.0e+5, 1.e-2, 1e5, 1.0e5, ., 1.2.3, 1.0e+, +1.25]",
     "[1.5,-0.5,1.0,100000.0,0.01,\"1e5\",\"1.0e5\",\".\",\"1.2.3\",\"1.0e+\",1.25]"},
    {"[.nan, .inf, -.Inf, +.INF, -.nan, 1.0e+999]",
     "[\"NaN\",\"Infinity\",\"-Infinity\",\"Infinity\",\"-.nan\",\"1.0e+999\"]"},
    {"['1', \"true\", !!str 5, !x 6, 2020-01-02]", "[\"1\",\"true\",\"5\",\"6\",\"2020-01-02\"]"},
    {"a: &x [1, 2]\nb: *x\n", "{\"a\":[1,2],\"b\":[1,2]}"},
    {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
    {"a: 1\na: 2\n", "{\"a\":2}"},
    {"? [1, 2]\n: 3\nyes: 4\n1: 5\n", "{\"1\":5,\"yes\":4}"},
    {"? &k a\n: 3\nb: *k\n", "{\"b\":\"a\"}"},
    {"? {x: 1}\n: &v 3\nb: *v\n", "{\"b\":3}"},
    {"--- a\n--- b\n", "\"a\""},
    {"text: |\n  one\n  two\nfold: >\n  one\n  two\n", "{\"fold\":\"one two\\n\",\"text\":"
                                                       "\"one\\ntwo\\n\"}"},
    {"a: \"\\0\"\n\"\\0\": 1\nb: \"\\u00e9\"\n", "{\"a\":\"\\u0000\",\"b\":\"\u00e9\"}"},
    {"<<: {a: 1}\nb: 2\n", "{\"<<\":{\"a\":1},\"b\":2}"},
};

static void yaml_becomes_json(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        JSON_CLEANUP json_t *got = NULL;
        CHECK_EQ(yaml_parse(cases[i].yaml, strlen(cases[i].yaml), &got), 0);
        char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        CHECK_STR(text, cases[i].json);
        free(text);
    }
}

static void what_is_no_yaml_is_refused(void)
{
    static const char *const texts[] = {
        "",           "# only\n", "[",           "a: [1", "a: b: c", "*x",
        "a: &x [*x]", "\t- x",    "\"\\ud800\"", "a\xff", "{a: 1}}", "%YAML 9.9\n--- a",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *got = NULL;
        int r = yaml_parse(texts[i], strlen(texts[i]), &got);
        if (r != -EBADMSG && strcmp(texts[i], "{a: 1}}") != 0)
            printf("# %s: %d\n", texts[i], r);
        CHECK(r == -EBADMSG || (r == 0 && strcmp(texts[i], "{a: 1}}") == 0));
        json_decref(got);
    }
}

static int parse_buf(const struct buf *text)
{
    JSON_CLEANUP json_t *got = NULL;
    return yaml_parse(text->data, text->len, &got);
}

static void nesting_is_bounded(void)
{
    for (int depth = YAML_MAX_DEPTH - 1; depth <= YAML_MAX_DEPTH; depth++) {
        BUF_CLEANUP struct buf text = {0};
        for (int i = 0; i < depth; i++)
            CHECK_EQ(buf_puts(&text, "["), 0);
        CHECK_EQ(buf_puts(&text, "1"), 0);
        for (int i = 0; i < depth; i++)
            CHECK_EQ(buf_puts(&text, "]"), 0);
        CHECK_EQ(parse_buf(&text), depth < YAML_MAX_DEPTH ? 0 : -EFBIG);
    }
    BUF_CLEANUP struct buf chain = {0};
    CHECK_EQ(buf_puts(&chain, "- &a0 1\n"), 0);
    for (int i = 1; i < 100; i++)
        CHECK_EQ(buf_printf(&chain, "- &a%d [*a%d]\n", i, i - 1), 0);
    CHECK_EQ(parse_buf(&chain), -EFBIG);
}

static void a_billion_laughs_are_not_told(void)
{
    BUF_CLEANUP struct buf text = {0};
    CHECK_EQ(buf_puts(&text, "a0: &a0 [lol]\n"), 0);
    for (int i = 1; i < 10; i++) {
        CHECK_EQ(buf_printf(&text, "a%d: &a%d [", i, i), 0);
        for (int k = 0; k < 10; k++)
            CHECK_EQ(buf_printf(&text, "%s*a%d", k ? "," : "", i - 1), 0);
        CHECK_EQ(buf_puts(&text, "]\n"), 0);
        CHECK_EQ(parse_buf(&text), i < 5 ? 0 : -EFBIG);
    }
}

static void anchors_nodes_and_bytes_are_bounded(void)
{
    BUF_CLEANUP struct buf anchors = {0}, nodes = {0}, bytes = {0};
    for (int i = 0; i <= YAML_MAX_ANCHORS; i++) {
        CHECK_EQ(i ? parse_buf(&anchors) : 0, 0);
        CHECK_EQ(buf_printf(&anchors, "- &a%d 1\n", i), 0);
    }
    CHECK_EQ(parse_buf(&anchors), -EFBIG);
    for (int i = 0; i < YAML_MAX_NODES - 1; i++)
        CHECK_EQ(buf_puts(&nodes, "- 1\n"), 0);
    CHECK_EQ(parse_buf(&nodes), 0);
    CHECK_EQ(buf_puts(&nodes, "- 1\n"), 0);
    CHECK_EQ(parse_buf(&nodes), -EFBIG);
    for (int i = 0; i < YAML_MAX_BYTES / 1024; i++)
        CHECK_EQ(buf_printf(&bytes, "%01024d", 0), 0);
    CHECK_EQ(parse_buf(&bytes), 0);
    CHECK_EQ(buf_puts(&bytes, "0"), 0);
    CHECK_EQ(parse_buf(&bytes), -EFBIG);
}

/* libyaml's own allocations are not among them. */
static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        const char *yaml = "a: &x [1, .nan, text, 1.5]\nb: {c: *x}\n";
        JSON_CLEANUP json_t *got = NULL;
        int r = yaml_parse(yaml, strlen(yaml), &got);
        check_alloc_countdown = -1;
        char *text = json_dumps(got, JSON_COMPACT);
        CHECK(r == -ENOMEM ? !got : r == 0);
        if (r == 0)
            CHECK_STR(text, "{\"a\":[1,\"NaN\",\"text\",1.5],"
                            "\"b\":{\"c\":[1,\"NaN\",\"text\",1.5]}}");
        free(text);
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("YAML becomes JSON", yaml_becomes_json);
    TEST("what is no YAML is refused", what_is_no_yaml_is_refused);
    TEST("nesting is bounded, aliases unfolded", nesting_is_bounded);
    TEST("a billion laughs are not told", a_billion_laughs_are_not_told);
    TEST("anchors, nodes and bytes are bounded", anchors_nodes_and_bytes_are_bounded);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
