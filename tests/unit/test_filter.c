/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/filter.h"

#include "check.h"

static json_t *parse(const char *text)
{
    return json_parse(text, strlen(text), NULL);
}

static const char record[] =
    "{\"id\":\"m1\",\"name\":\"n\",\"projectId\":\"p1\",\"experimentId\":null,"
    "\"steps\":3,\"tags\":[\"a\",\"b\"]}";

static const struct {
    const char *filter;
    bool matches;
} cases[] = {
    {"null", true},
    {"{}", true},
    {"{\"where\":null}", true},
    {"{\"where\":{}}", true},
    {"{\"where\":{\"id\":\"m1\"}}", true},
    {"{\"where\":{\"id\":\"m2\"}}", false},
    {"{\"where\":{\"id\":null}}", false},
    {"{\"where\":{\"experimentId\":null}}", true},
    {"{\"where\":{\"dtDeleted\":null}}", true},
    {"{\"where\":{\"unknown\":1}}", false},
    {"{\"where\":{\"steps\":3}}", true},
    {"{\"where\":{\"steps\":\"3\"}}", false},
    {"{\"where\":{\"id\":\"m1\",\"projectId\":\"p1\"}}", true},
    {"{\"where\":{\"id\":\"m1\",\"projectId\":\"p2\"}}", false},
    {"{\"where\":{\"and\":[{\"projectId\":\"p1\"}]}}", true},
    {"{\"where\":{\"and\":[{\"projectId\":\"p1\",\"name\":\"n\"}]}}", true},
    {"{\"where\":{\"and\":[{\"projectId\":\"p1\"},{\"name\":\"x\"}]}}", false},
    {"{\"where\":{\"and\":[]}}", true},
    {"{\"where\":{\"or\":[{\"projectId\":\"p2\"},{\"name\":\"n\"}]}}", true},
    {"{\"where\":{\"or\":[{\"projectId\":\"p2\"},{\"name\":\"x\"}]}}", false},
    {"{\"where\":{\"or\":[]}}", false},
    {"{\"where\":{\"id\":{\"inq\":[\"m0\",\"m1\"]}}}", true},
    {"{\"where\":{\"id\":{\"inq\":[\"m0\"]}}}", false},
    {"{\"where\":{\"id\":{\"inq\":[]}}}", false},
    {"{\"where\":{\"id\":{\"neq\":\"m0\"}}}", true},
    {"{\"where\":{\"id\":{\"neq\":\"m1\"}}}", false},
    {"{\"where\":{\"projectId\":{\"neq\":null}}}", true},
};

static void matches_what_the_where_says(void)
{
    json_t *one JSON_CLEANUP = parse(record);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *json JSON_CLEANUP = parse(cases[i].filter);
        struct filter f;
        filter_init(&f);
        CHECK(json && !filter_take(&f, json));
        if (filter_matches(&f, one) != cases[i].matches)
            printf("# %s\n", cases[i].filter);
        CHECK_EQ(filter_matches(&f, one), cases[i].matches);
    }
}

static void refuses_what_it_cannot_understand(void)
{
    static const char *const bad[] = {
        "[]",
        "1",
        "\"x\"",
        "{\"where\":1}",
        "{\"where\":[]}",
        "{\"where\":\"id\"}",
        "{\"where\":{\"and\":{}}}",
        "{\"where\":{\"and\":[1]}}",
        "{\"where\":{\"or\":[[]]}}",
        "{\"where\":{\"or\":[{\"and\":1}]}}",
        "{\"where\":{\"id\":[\"m1\"]}}",
        "{\"where\":{\"id\":{}}}",
        "{\"where\":{\"id\":{\"like\":\"m\"}}}",
        "{\"where\":{\"id\":{\"inq\":1}}}",
        "{\"where\":{\"id\":{\"inq\":[{}]}}}",
        "{\"where\":{\"id\":{\"neq\":{}}}}",
        "{\"where\":{\"id\":{\"neq\":1,\"inq\":[]}}}",
        "{\"limit\":-2}",
        "{\"limit\":\"x\"}",
        "{\"limit\":[]}",
        "{\"offset\":-1}",
        "{\"skip\":-1}",
        "{\"order\":1}",
        "{\"order\":\"name sideways\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        json_t *json JSON_CLEANUP = parse(bad[i]);
        struct filter f;
        filter_init(&f);
        if (!filter_take(&f, json))
            printf("# %s\n", bad[i]);
        CHECK(json && filter_take(&f, json) != NULL);
    }
}

static void one_of_the_tags_will_do(void)
{
    static const struct {
        const char *tags;
        bool matches;
    } tags[] = {
        {"[]", true},       {"[\"a\"]", true}, {"[\"x\",\"b\"]", true},
        {"[\"x\"]", false}, {"[1]", false},
    };
    json_t *one JSON_CLEANUP = parse(record), *untagged JSON_CLEANUP = parse("{\"tags\":null}");
    for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
        json_t *wanted JSON_CLEANUP = parse(tags[i].tags);
        struct filter f;
        filter_init(&f);
        f.tags = wanted;
        CHECK_EQ(filter_matches(&f, one), tags[i].matches);
        CHECK_EQ(filter_matches(&f, untagged), json_array_size(wanted) == 0);
    }
}

static const char records[] =
    "[{\"id\":\"b\",\"name\":\"x\",\"dtCreated\":\"2026-01-02\",\"n\":10},"
    "{\"id\":\"a\",\"name\":\"z\",\"dtCreated\":\"2026-01-01\",\"n\":9},"
    "{\"id\":\"d\",\"name\":\"y\",\"dtCreated\":\"2026-01-03\"},"
    "{\"id\":\"c\",\"name\":\"x\",\"dtCreated\":\"2026-01-02\",\"n\":11}]";

static const struct {
    const char *filter, *ids;
} pages[] = {
    {"{}", "dcba"},
    {"{\"order\":\"dtCreated desc\"}", "dcba"},
    {"{\"order\":\"dtCreated ASC\"}", "abcd"},
    {"{\"order\":\"name\"}", "bcda"},
    {"{\"order\":\"name DESC\"}", "adcb"},
    {"{\"order\":[\"n asc\"]}", "dabc"},
    {"{\"order\":\"\"}", "dcba"},
    {"{\"order\":null}", "dcba"},
    {"{\"limit\":2}", "dc"},
    {"{\"limit\":0}", ""},
    {"{\"limit\":-1}", "dcba"},
    {"{\"limit\":\"1\"}", "d"},
    {"{\"limit\":9223372036854775807}", "dcba"},
    {"{\"limit\":2,\"offset\":1}", "cb"},
    {"{\"limit\":2,\"skip\":3}", "a"},
    {"{\"offset\":4}", ""},
    {"{\"offset\":9223372036854775807}", ""},
};

static void pages_are_cut_from_the_order(void)
{
    json_t *all JSON_CLEANUP = parse(records);
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        json_t *json JSON_CLEANUP = parse(pages[i].filter);
        struct filter f;
        char ids[8] = "";
        filter_init(&f);
        CHECK(!filter_take(&f, json));
        json_t *page JSON_CLEANUP = filter_page(&f, all);
        for (size_t k = 0; k < json_array_size(page); k++)
            strcat(ids, json_get_text(json_array_get(page, k), "id"));
        CHECK_STR(ids, pages[i].ids);
    }
}

static void limits_in_a_query_are_numbers(void)
{
    static const struct {
        const char *text;
        bool limit, offset;
        uint64_t value;
    } numbers[] = {
        {"0", true, true, 0},     {"17", true, true, 17},  {"-1", true, false, UINT64_MAX},
        {"-2", false, false, 0},  {"", false, false, 0},   {"1x", false, false, 0},
        {" 1", false, false, 0},  {"+1", false, false, 0}, {"9999999999999999999", false, false, 0},
        {"1e3", false, false, 0},
    };
    uint64_t value = 5;
    CHECK(filter_parse_limit(NULL, &value) && filter_parse_offset(NULL, &value));
    CHECK_EQ(value, 5);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        CHECK_EQ(filter_parse_offset(numbers[i].text, &value), numbers[i].offset);
        CHECK_EQ(filter_parse_limit(numbers[i].text, &value), numbers[i].limit);
        if (numbers[i].limit)
            CHECK_EQ(value, numbers[i].value);
    }
}

static void says_which_text_a_record_must_have(void)
{
    static const struct {
        const char *filter, *id;
    } filters[] = {
        {"{}", NULL},
        {"{\"where\":{\"id\":\"m1\"}}", "m1"},
        {"{\"where\":{\"id\":null}}", NULL},
        {"{\"where\":{\"id\":{\"neq\":\"m1\"}}}", NULL},
        {"{\"where\":{\"and\":[{\"name\":\"n\"},{\"id\":\"m1\"}]}}", "m1"},
        {"{\"where\":{\"and\":[{\"and\":[{\"id\":\"m1\"}]}]}}", "m1"},
        {"{\"where\":{\"or\":[{\"id\":\"m1\"}]}}", NULL},
        {"{\"where\":{\"and\":[{\"or\":[{\"id\":\"m1\"}]}]}}", NULL},
    };
    for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
        json_t *json JSON_CLEANUP = parse(filters[i].filter);
        struct filter f;
        filter_init(&f);
        CHECK(!filter_take(&f, json));
        const char *id = filter_required_text(&f, "id");
        if (filters[i].id)
            CHECK_STR(id, filters[i].id);
        else
            CHECK(!id);
    }
}

static void survives_each_allocation_failure(void)
{
    json_t *all JSON_CLEANUP = parse(records);
    FOR_EACH_ALLOC_FAILURE
    {
        struct filter f;
        filter_init(&f);
        json_t *page JSON_CLEANUP = filter_page(&f, all);
        CHECK(!page || json_array_size(page) == 4);
    }
}

int main(void)
{
    json_set_alloc_funcs(malloc, free); /* so that jansson's allocations can fail, too */
    TEST("matches what the where says", matches_what_the_where_says);
    TEST("refuses what it cannot understand", refuses_what_it_cannot_understand);
    TEST("one of the tags will do", one_of_the_tags_will_do);
    TEST("pages are cut from the order", pages_are_cut_from_the_order);
    TEST("limits in a query are numbers", limits_in_a_query_are_numbers);
    TEST("says which text a record must have", says_which_text_a_record_must_have);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
