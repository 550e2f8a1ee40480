/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/detail.h"

#include "check.h"

static json_t *parse(const char *text)
{
    return json_parse(text, strlen(text), NULL);
}

#define SERIES(op, a, b)                                                                           \
    "{\"operation\":\"" op "\",\"checkpoints\":[{\"checkpoint\":1,\"value\":" a                    \
    "},{\"checkpoint\":2,\"value\":" b "}]}"
#define LOSS(last)                                                                                 \
    "{\"scalar\":\"loss\",\"data\":[{\"operation\":\"mean\",\"checkpoints\":"                      \
    "[{\"checkpoint\":1,\"value\":" last "}]}]}"
#define RESULT(last) "{\"loss\":{\"scalar\":\"loss\",\"result\":{\"mean\":" last "}}}"

/* clang-format off */
#define ALL_SERIES                                                                                 \
    SERIES("mean", "3", "4") ","                                                                   \
    SERIES("amin", "1", "2") ","                                                                   \
    SERIES("amax", "5", "6") ","                                                                   \
    SERIES("median", "7", "8") ","                                                                 \
    SERIES("std", "0", "9") ","                                                                    \
    SERIES("var", "0", "10") ","                                                                   \
    SERIES("odd", "0", "11")
/* clang-format on */

static const struct {
    const char *detail, *summary;
} cases[] = {
    {"[{\"session\":\"eval\",\"scalars\":[{\"scalar\":\"loss\",\"data\":[" ALL_SERIES "]}]}]",
     "{\"loss\":{\"scalar\":\"loss\",\"result\":{\"mean\":4,\"min\":2,\"max\":6,\"median\":8,"
     "\"stddev\":9,\"var\":10}}}"},
    {"[{\"scalars\":[{\"scalar\":\"loss\",\"data\":[" SERIES("mean", "0.5", "0.25") "]}]}]",
     RESULT("0.25")},
    {"[{\"scalars\":[{\"scalar\":\"loss\",\"data\":[{\"operation\":\"mean\",\"checkpoints\":["
     "{\"checkpoint\":9,\"value\":1},{\"checkpoint\":3,\"value\":2}]}]}]}]",
     RESULT("1")},
    {"[{\"session\":\"train\",\"scalars\":[" LOSS("1") "]},"
                                                       "{\"session\":\"other\",\"scalars\":[" LOSS(
                                                           "2") "]}]",
     RESULT("1")},
    {"[{\"session\":\"train\",\"scalars\":[" LOSS("1") "]},"
                                                       "{\"session\":\"eval\",\"scalars\":[" LOSS(
                                                           "2") "]}]",
     RESULT("2")},
    {"[{\"session\":\"eval\",\"scalars\":[" LOSS("2") "]},"
                                                      "{\"session\":\"train\",\"scalars\":[" LOSS(
                                                          "1") "]}]",
     RESULT("2")},
};

static void the_last_checkpoint_is_the_summary(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *detail JSON_CLEANUP = parse(cases[i].detail);
        json_t *want JSON_CLEANUP = parse(cases[i].summary);
        json_t *got JSON_CLEANUP = detail_summarize(detail);
        if (!json_equal(got, want))
            printf("# case %zu\n", i);
        CHECK(detail && want && json_equal(got, want));
    }
}

static void what_is_not_in_shape_is_passed_over(void)
{
    static const char *const shapes[] = {
        "null",
        "1",
        "{}",
        "[]",
        "[1]",
        "[[]]",
        "[{}]",
        "[{\"scalars\":1}]",
        "[{\"scalars\":[1]}]",
        "[{\"scalars\":[{}]}]",
        "[{\"scalars\":[{\"scalar\":1,\"data\":[]}]}]",
        "[{\"scalars\":[{\"scalar\":\"l\"}]}]",
        "[{\"scalars\":[{\"scalar\":\"l\",\"data\":[1]}]}]",
        "[{\"scalars\":[{\"scalar\":\"l\",\"data\":[{\"operation\":\"mean\"}]}]}]",
        "[{\"scalars\":[{\"scalar\":\"l\",\"data\":[{\"operation\":\"mean\",\"checkpoints\":[1]}]}]"
        "}]",
        "[{\"scalars\":[{\"scalar\":\"l\",\"data\":[{\"operation\":\"mean\","
        "\"checkpoints\":[{\"value\":\"x\"}]}]}]}]",
    };
    CHECK(!detail_summarize(NULL));
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        json_t *detail JSON_CLEANUP = parse(shapes[i]);
        json_t *got JSON_CLEANUP = detail_summarize(detail);
        CHECK(detail && !got);
    }
}

static void depth_counts_nesting(void)
{
    static const struct {
        const char *text;
        unsigned depth;
    } depths[] = {
        {"1", 0}, {"[]", 1}, {"{}", 1}, {"[1,[2],3]", 2}, {"{\"a\":{\"b\":[{}]}}", 4},
    };
    for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
        json_t *json JSON_CLEANUP = parse(depths[i].text);
        CHECK_EQ(detail_depth(json), depths[i].depth);
    }
}

static void survives_each_allocation_failure(void)
{
    json_t *detail JSON_CLEANUP = parse(cases[0].detail);
    FOR_EACH_ALLOC_FAILURE
    {
        json_t *summary JSON_CLEANUP = detail_summarize(detail);
        CHECK(!summary || json_object_size(summary) == 1);
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("the last checkpoint is the summary", the_last_checkpoint_is_the_summary);
    TEST("what is not in shape is passed over", what_is_not_in_shape_is_passed_over);
    TEST("depth counts nesting", depth_counts_nesting);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
