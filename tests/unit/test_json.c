/* SPDX-License-Identifier: Apache-2.0 */
#include "util/json.h"

#include <errno.h>

#include "check.h"

static json_t *parse(const char *text)
{
    return json_parse(text, strlen(text), NULL);
}

static void any_value_is_a_document(void)
{
    static const char *const cases[] = {"{}",   "[]",   "\"text\"",   "12",
                                        "true", "null", " {\"a\":1} "};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *parsed JSON_CLEANUP = parse(cases[i]);
        CHECK(parsed);
    }
}

static void other_text_is_refused_with_a_reason(void)
{
    static const char *const cases[] = {
        "",
        "{",
        "{\"a\":}",
        "{} x",
        "nul",
        "\"open",
        "[1,]",
        "{\"a\" 1}",
        "<html>",
        "\"\\",
        "]",
        "NaN",
        "1e999",
        "\"\xff\"",
        "99999999999999999999",
        "\"\\u0000\"",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char why[JSON_ERROR_TEXT_LENGTH] = "";
        json_t *parsed JSON_CLEANUP = json_parse(cases[i], strlen(cases[i]), why);
        if (parsed)
            printf("# %s\n", cases[i]);
        CHECK(!parsed);
        CHECK(why[0]);
    }
}

struct items {
    int n, stop_at, sum;
};

static int count_item(void *ctx, const json_t *item)
{
    struct items *items = ctx;
    items->n++;
    items->sum +=
        (int)(json_is_array(item) ? (json_int_t)json_array_size(item) : json_integer_value(item));
    return items->n == items->stop_at ? -7 : 0;
}

static void items_come_one_by_one(void)
{
    static const struct {
        const char *text;
        int r, n, sum, stop_at;
    } cases[] = {
        {"[]", 0, 0, 0, 0},
        {" [ ] \n", 0, 0, 0, 0},
        {"[1]", 0, 1, 1, 0},
        {"[ 1 , 2,3 ]\r\n", 0, 3, 6, 0},
        {"[[1,[2,3],{}],[\"]\",\",\\\"]\"],{\"a\":[1,2]},\"}\"]", 0, 4, 5, 0},
        {"[\"\xff\",\"\\ud800\",5]", 0, 3, 5, 0}, /* hostile texts hide no others */
        {"[1,2,3]", -7, 2, 3, 2},
        {"", -EPROTO, 0, 0, 0},
        {"{}", -EPROTO, 0, 0, 0},
        {"1", -EPROTO, 0, 0, 0},
        {"[", -EPROTO, 0, 0, 0},
        {"[1", -EPROTO, 0, 0, 0},
        {"[1,", -EPROTO, 1, 1, 0},
        {"[1,]", -EPROTO, 1, 1, 0},
        {"[,1]", -EPROTO, 0, 0, 0},
        {"[1}", -EPROTO, 1, 1, 0},
        {"[1] x", -EPROTO, 1, 1, 0},
        {"[1]]", -EPROTO, 1, 1, 0},
        {"[1 2]", -EPROTO, 0, 0, 0},
        {"[\"a]", -EPROTO, 0, 0, 0},
        {"[\"a\\", -EPROTO, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct items items = {.stop_at = cases[i].stop_at};
        char why[JSON_ERROR_TEXT_LENGTH] = "";
        size_t len = strlen(cases[i].text);
        CLEANUP(cleanup_free) char *text = malloc(len + 1); /* a byte too far is noticed */
        memcpy(text, cases[i].text, len);
        int r = json_each(text, len, count_item, &items, why);
        if (r != cases[i].r || items.n != cases[i].n || items.sum != cases[i].sum)
            printf("# %s\n", cases[i].text);
        CHECK_EQ(r, cases[i].r);
        CHECK_EQ(items.n, cases[i].n);
        CHECK_EQ(items.sum, cases[i].sum);
        CHECK(r != -EPROTO || why[0]);
    }
}

static int count_member(void *ctx, const char *key, json_t *value)
{
    struct items *items = ctx;
    items->n++;
    items->sum += (int)strlen(key) + (int)json_integer_value(value);
    return items->n == items->stop_at ? -7 : 0;
}

static void members_come_one_by_one(void)
{
    static const struct {
        const char *text;
        int r, n, sum, stop_at;
    } cases[] = {
        {"{}", 0, 0, 0, 0},
        {" { } \n", 0, 0, 0, 0},
        {"{\"a\":1}", 0, 1, 2, 0},
        {"{ \"a\" : 1 , \"}\\\"\":{\"b\":[]}\n}\n", 0, 2, 4, 0},
        {"{\"a\":1,\"a\":2}", 0, 2, 5, 0},
        {"{\"a\":1,\"b\":2}", -7, 1, 2, 1},
        {"{\"a\":123456789012345678901}", -EPROTO, 0, 0, 0},
        {"{\"a\":\"12345678901234567\"}", 0, 1, 1, 0},
        {"{\"a\":\"123456789012345678\"}", -EFBIG, 0, 0, 0},
        {"", -EPROTO, 0, 0, 0},
        {"[]", -EPROTO, 0, 0, 0},
        {"{", -EPROTO, 0, 0, 0},
        {"{,}", -EPROTO, 0, 0, 0},
        {"{\"a\":1,}", -EPROTO, 1, 2, 0},
        {"{\"a\":1", -EPROTO, 0, 0, 0},
        {"{\"a\":1]", -EPROTO, 1, 2, 0},
        {"{\"a\":1}}", -EPROTO, 1, 2, 0},
        {"{\"a\"}", -EPROTO, 0, 0, 0},
        {"{\"a\":}", -EPROTO, 0, 0, 0},
        {"{1}", -EPROTO, 0, 0, 0},
        {"{\"\\u0000\":1}", -EPROTO, 0, 0, 0},
        {"{\"\xff\":1}", -EPROTO, 0, 0, 0},
        {"{\"a\\", -EPROTO, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct items items = {.stop_at = cases[i].stop_at};
        size_t len = strlen(cases[i].text);
        CLEANUP(cleanup_free) char *text = malloc(len + 1); /* a byte too far is noticed */
        memcpy(text, cases[i].text, len);
        int r = json_each_member(text, len, 23, count_member, &items);
        if (r != cases[i].r || items.n != cases[i].n || items.sum != cases[i].sum)
            printf("# %s\n", cases[i].text);
        CHECK_EQ(r, cases[i].r);
        CHECK_EQ(items.n, cases[i].n);
        CHECK_EQ(items.sum, cases[i].sum);
    }
}

static void length_counts_and_not_a_nul(void)
{
    json_t *parsed JSON_CLEANUP = json_parse("[1]garbage", 3, NULL);
    CHECK(parsed);
    CHECK(!json_parse("[1]\0", 4, NULL));
}

/* @depth opening brackets, and their closing ones. */
static void format_nested(char *out, size_t depth)
{
    memset(out, '[', depth);
    memset(out + depth, ']', depth);
    out[2 * depth] = '\0';
}

static void nesting_ends_at_64(void)
{
    static char text[200001];
    char why[JSON_ERROR_TEXT_LENGTH] = "";
    format_nested(text, 64);
    json_t *parsed JSON_CLEANUP = parse(text);
    CHECK(parsed);
    format_nested(text, 65);
    CHECK(!json_parse(text, strlen(text), why));
    CHECK_STR(why, "nested too deep");
    format_nested(text, 100000);
    CHECK(!parse(text));
    memset(text, '{', 200000);
    CHECK(!parse(text));
}

static void brackets_in_strings_do_not_nest(void)
{
    char text[300] = "\"\\\"";
    memset(text + 3, '[', 100);
    text[103] = '"';
    text[104] = '\0';
    json_t *parsed JSON_CLEANUP = parse(text);
    CHECK(json_is_string(parsed));
}

static void many_siblings_do_not_nest(void)
{
    struct buf_of_pairs {
        char text[1000];
    } b;
    char *end = b.text;
    *end++ = '[';
    for (int i = 0; i < 200; i++)
        end = stpcpy(end, i ? ",{}" : "{}");
    stpcpy(end, "]");
    json_t *parsed JSON_CLEANUP = parse(b.text);
    CHECK_EQ(json_array_size(parsed), 200);
}

static const char sample[] =
    "{\"text\":\"t\",\"empty\":\"\",\"int\":12,\"big\":9223372036854775807,\"real\":1.5,"
    "\"whole\":1200.0,\"huge\":1e300,\"min\":-9223372036854775808.0,"
    "\"two63\":9223372036854775808.0,\"yes\":true,\"no\":false,\"null\":null,\"array\":[1],"
    "\"object\":{\"k\":1},\"text12\":\"12\",\"text1.5\":\"1.5\",\"textbig\":"
    "\"99999999999999999999\","
    "\"text-7\":\"-7\",\"text12x\":\"12x\",\"texthex\":\"0x10\",\"textnan\":\"NaN\",\"texttrue\":"
    "\"true\",\"textlist\":\"[1]\"}";

static void texts_and_containers_have_their_type(void)
{
    json_t *o JSON_CLEANUP = parse(sample);
    CHECK_STR(json_get_text(o, "text"), "t");
    CHECK_STR(json_get_text(o, "empty"), "");
    CHECK(!json_get_text(o, "int"));
    CHECK(!json_get_text(o, "null"));
    CHECK(!json_get_text(o, "missing"));
    CHECK_EQ(json_array_size(json_get_array(o, "array")), 1);
    CHECK(!json_get_array(o, "object"));
    CHECK_EQ(json_get_int(json_get_object(o, "object"), "k", 0), 1);
    CHECK(!json_get_object(o, "array"));
    CHECK(!json_get_object(o, "missing"));
}

static void integers_fit_or_fall_back(void)
{
    static const struct {
        const char *key;
        int64_t want; /* -5 is the fallback */
    } cases[] = {
        {"int", 12},        {"big", INT64_MAX}, {"whole", 1200}, {"real", -5},    {"huge", -5},
        {"min", INT64_MIN}, {"two63", -5},      {"yes", -5},     {"null", -5},    {"array", -5},
        {"missing", -5},    {"text", -5},       {"empty", -5},   {"text12", 12},  {"text-7", -7},
        {"text1.5", -5},    {"textbig", -5},    {"text12x", -5}, {"texthex", -5}, {"textnan", -5},
        {"textlist", -5},
    };
    json_t *o JSON_CLEANUP = parse(sample);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (json_get_int(o, cases[i].key, -5) != cases[i].want)
            printf("# key %s\n", cases[i].key);
        CHECK_EQ(json_get_int(o, cases[i].key, -5), cases[i].want);
    }
}

static void reals_take_any_number(void)
{
    json_t *o JSON_CLEANUP = parse(sample);
    CHECK(json_get_real(o, "real", -5) == 1.5);
    CHECK(json_get_real(o, "int", -5) == 12);
    CHECK(json_get_real(o, "huge", -5) == 1e300);
    CHECK(json_get_real(o, "text1.5", -5) == 1.5);
    CHECK(json_get_real(o, "text12", -5) == 12);
    CHECK(json_get_real(o, "text", -5) == -5);
    CHECK(json_get_real(o, "textnan", -5) == -5);
    CHECK(json_get_real(o, "yes", -5) == -5);
    CHECK(json_get_real(o, "missing", -5) == -5);
}

static void only_booleans_are_booleans(void)
{
    json_t *o JSON_CLEANUP = parse(sample);
    CHECK(json_get_bool(o, "yes", false));
    CHECK(!json_get_bool(o, "no", true));
    CHECK(json_get_bool(o, "int", true) && !json_get_bool(o, "int", false));
    CHECK(json_get_bool(o, "texttrue", true) && !json_get_bool(o, "texttrue", false));
    CHECK(json_get_bool(o, "missing", true) && !json_get_bool(o, "missing", false));
}

static void getters_take_what_is_no_object(void)
{
    json_t *array JSON_CLEANUP = parse("[1]");
    const json_t *const others[] = {NULL, array};
    for (int i = 0; i < 2; i++) {
        CHECK(!json_get_text(others[i], "k") && !json_get_array(others[i], "k"));
        CHECK(!json_get_object(others[i], "k"));
        CHECK_EQ(json_get_int(others[i], "k", 3), 3);
        CHECK(json_get_real(others[i], "k", 2.5) == 2.5);
        CHECK(json_get_bool(others[i], "k", true));
    }
}

/* What a text reads as when it is parsed leniently, in JSON; NULL when it does not. */
static char *read_leniently(const char *text, size_t len)
{
    json_t *parsed JSON_CLEANUP = json_parse_leniently(text, len, NULL);
    return parsed ? json_dumps(parsed, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
}

static void no_character_is_read_as_one_that_says_so(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"\"\xff\"", "\"\\uFFFD\""},
        {"\"a\x80z\"", "\"a\\uFFFDz\""},
        {"\"\xc3\"", "\"\\uFFFD\""},
        {"\"\xc3\xa9\xff\"", "\"\\u00E9\\uFFFD\""},
        {"\"\xc0\xaf\xff\"", "\"\\uFFFD\\uFFFD\\uFFFD\""},
        {"\"\xe0\x80\x80\"", "\"\\uFFFD\\uFFFD\\uFFFD\""},
        {"\"\xed\xa0\x80\"", "\"\\uFFFD\\uFFFD\\uFFFD\""},
        {"\"\xf4\x90\x80\x80\"", "\"\\uFFFD\\uFFFD\\uFFFD\\uFFFD\""},
        {"\"\xf5\x80\"", "\"\\uFFFD\\uFFFD\""},
        {"\"\xf4\x8f\xbf\xbf\xff\"", "\"\\uDBFF\\uDFFF\\uFFFD\""},
        {"\"\xe2\x82\"", "\"\\uFFFD\\uFFFD\""},
        {"\"\\ud800\"", "\"\\uFFFD\""},
        {"\"\\udc00x\"", "\"\\uFFFDx\""},
        {"\"\\uD83D\\uDE00\\ud83d\"", "\"\\uD83D\\uDE00\\uFFFD\""},
        {"\"\\ud800\\ud800\\udc00\"", "\"\\uFFFD\\uD800\\uDC00\""},
        {"\"\\ud800\\n\"", "\"\\uFFFD\\n\""},
        {"\"\\\\ud800\xff\"", "\"\\\\ud800\\uFFFD\""},
        {"\"\\\"\xff\"", "\"\\\"\\uFFFD\""},
        {"{\"\xff\":1}", "{\"\\uFFFD\":1}"},
        {"[\"\xff\",\"good\"]", "[\"\\uFFFD\",\"good\"]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_free) char *got = read_leniently(cases[i].text, strlen(cases[i].text));
        CHECK_STR(got, cases[i].want);
    }
}

static void what_needs_no_leniency_stays(void)
{
    static const char *const cases[] = {"{}", "[1,2.5,true,null]", "{\"a\":\"\\u00E9\"}",
                                        "9223372036854775807", "\"\\uD83D\\uDE00\""};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(cleanup_free) char *got = read_leniently(cases[i], strlen(cases[i]));
        CHECK_STR(got, cases[i]);
    }
}

static void a_huge_number_hides_no_other(void)
{
    static const char big[] = "{\"n\":99999999999999999999,\"m\":12}", beyond[] = "[1e400,12]";
    json_t *o JSON_CLEANUP = json_parse_leniently(big, strlen(big), NULL);
    CHECK(json_get_real(o, "n", 0) == 1e20);
    CHECK_EQ(json_get_int(o, "n", -5), -5);
    CHECK_EQ(json_get_int(o, "m", -5), 12);
    CHECK(!json_parse_leniently(beyond, strlen(beyond), NULL)); /* no double has it either */
}

static void a_text_with_a_nul_hides_no_other(void)
{
    static const char text[] = "{\"bad\":\"a\\u0000b\",\"good\":\"g\"}";
    json_t *parsed JSON_CLEANUP = json_parse_leniently(text, strlen(text), NULL);
    CHECK_STR(json_get_text(parsed, "good"), "g");
    CHECK(!json_get_text(parsed, "bad"));
    CHECK(json_is_string(json_object_get(parsed, "bad")));
}

static void leniency_ends_at_what_is_no_json(void)
{
    static const char *const cases[] = {
        "",          "{",         "\xff", "{\xff}",      "\"\xff",      "[\"\xff\",]", "\"\\ud800",
        "\"\\xff\"", "\"\\u12\"", "\"\\", "\"\\u0x1f\"", "\"\\u 123\"", "\"\xff\n\"",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char why[JSON_ERROR_TEXT_LENGTH] = "";
        json_t *parsed JSON_CLEANUP = json_parse_leniently(cases[i], strlen(cases[i]), why);
        CHECK(!parsed && why[0]);
    }
    static char deep[140] = "\"\xff\"";
    format_nested(deep + 3, 66);
    CHECK(!json_parse_leniently(deep, strlen(deep), NULL));
}

static void any_bytes_become_a_text(void)
{
    static const struct {
        const char *bytes, *want;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\\ud800\\", "\\ud800\\"},
        {"\xc3\xa9\xff\xc3", "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *text JSON_CLEANUP = json_new_text(cases[i].bytes);
        CHECK_STR(json_text(text), cases[i].want);
    }
}

/* Any end of a text that needs repair: nothing behind it is read. */
static void a_cut_text_is_read_to_its_end_only(void)
{
    static const char text[] = "[\"\xff\\ud83d\\ude00\xf0\x9f\x98\x80\\ud800\\u0000\xe2\x82\xac\"]";
    size_t len = sizeof(text) - 1;
    for (size_t n = 0; n <= len; n++) {
        CLEANUP(cleanup_free) char *copy = malloc(n + !n); /* exact, for ASan */
        memcpy(copy, text, n);
        json_t *parsed JSON_CLEANUP = json_parse_leniently(copy, n, NULL);
        CHECK_EQ(parsed != NULL, n == len);
    }
}

/* jansson allocates inside its own library, out of --wrap's reach; these are inside. */
static void *failing_malloc(size_t n)
{
    return malloc(n);
}

static void plain_free(void *p)
{
    free(p);
}

static void no_memory_is_an_error_or_a_fallback(void)
{
    json_set_alloc_funcs(failing_malloc, plain_free);
    json_object_seed(1); /* once, and outside the loop */
    FOR_EACH_ALLOC_FAILURE
    {
        json_t *o JSON_CLEANUP = parse("{\"a\":[1,\"two\",{\"b\":1.5}],\"n\":\"12\"}");
        int64_t n = json_get_int(o, "n", -5);
        CHECK(n == 12 || n == -5);
        CLEANUP(cleanup_free) char *text = read_leniently("[\"\xff\",99999999999999999999]", 26);
        CHECK(!text || text[0] == '[');
    }
}

static int note_text(void *ctx, const char *text, size_t len)
{
    size_t n = strlen(ctx);
    return snprintf((char *)ctx + n, 100 - n, "<%.*s>", (int)len, text) < 0;
}

static void texts_of_items_are_given(void)
{
    static const struct {
        const char *text, *items;
        int result;
    } cases[] = {
        {"[]", "", 0},
        {" [ 1 ,[2,\"]\"],{\"a\":3} ] ", "<1 ><[2,\"]\"]><{\"a\":3} >", 0},
        {"[NaN,x]", "<NaN><x>", 0},
        {"[1", "", -EPROTO},
        {"[1,2", "<1>", -EPROTO},
        {"[1] 2", "<1>", -EPROTO},
        {"{}", "", -EPROTO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char got[100] = "", error[JSON_ERROR_TEXT_LENGTH];
        CHECK_EQ(json_each_text(cases[i].text, strlen(cases[i].text), note_text, got, error),
                 cases[i].result);
        CHECK_STR(got, cases[i].items);
    }
}

static void a_member_is_found_without_parsing(void)
{
    static const struct {
        const char *text, *value; /* of `a`; NULL: there is none */
    } cases[] = {
        {"{\"a\":1}", "1"},
        {" { \"b\" : [1,{\"a\":2}] , \"a\" : {\"x\":[NaN]} }", "{\"x\":[NaN]} "},
        {"{\"b\":\"\\\",\\\"a\\\":1\",\"a\":\"}\"}", "\"}\""},
        {"{\"aa\":1,\"\":2,\"a\":3,\"a\":4}", "3"},
        {"{\"a\":[1", "[1"},
        {"{\"b\":{\"a\":1}}", NULL},
        {"{\"b\":1 \"a\":1}", NULL},
        {"{\"a\" 1}", NULL},
        {"{\"a\"", NULL},
        {"{\"a", NULL},
        {"[\"a\",1]", NULL},
        {"{a:1}", NULL},
        {"{", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len;
        const char *found = json_find_member(cases[i].text, strlen(cases[i].text), "a", &len);
        CHECK_EQ(found != NULL, cases[i].value != NULL);
        if (found && cases[i].value)
            CHECK(len == strlen(cases[i].value) && memcmp(found, cases[i].value, len) == 0);
    }
}

static void what_python_calls_numbers_are_texts(void)
{
    static const struct {
        const char *text, *json; /* NULL: none */
    } cases[] = {
        {"[NaN,Infinity,-Infinity,1]", "[\"NaN\",\"Infinity\",\"-Infinity\",1]"},
        {"{\"NaN\":\"a \\\" NaN\",\"b\":NaN}", "{\"NaN\":\"a \\\" NaN\",\"b\":\"NaN\"}"},
        {"NaN", "\"NaN\""},
        {"[1]", "[1]"},
        {"[NaN", NULL},
        {"[nan]", NULL},
        {"[NaNa]", NULL},
        {"[\"NaN]", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        JSON_CLEANUP json_t *got = json_parse_python(cases[i].text, strlen(cases[i].text), NULL);
        char *text = got ? json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        CHECK(cases[i].json ? text != NULL : !got);
        if (text && cases[i].json)
            CHECK_STR(text, cases[i].json);
        free(text);
    }
}

int main(void)
{
    TEST("items come one by one", items_come_one_by_one);
    TEST("members come one by one", members_come_one_by_one);
    TEST("any value is a document", any_value_is_a_document);
    TEST("other text is refused with a reason", other_text_is_refused_with_a_reason);
    TEST("the length counts, and not a NUL", length_counts_and_not_a_nul);
    TEST("nesting ends at 64 levels, however deep it goes", nesting_ends_at_64);
    TEST("brackets in strings do not nest", brackets_in_strings_do_not_nest);
    TEST("many siblings do not nest", many_siblings_do_not_nest);
    TEST("texts, arrays and objects are had by their type", texts_and_containers_have_their_type);
    TEST("integers fit or fall back", integers_fit_or_fall_back);
    TEST("reals take any number", reals_take_any_number);
    TEST("only booleans are booleans", only_booleans_are_booleans);
    TEST("getters take NULL and what is no object", getters_take_what_is_no_object);
    TEST("what is no character is read as U+FFFD", no_character_is_read_as_one_that_says_so);
    TEST("what needs no leniency stays as it is", what_needs_no_leniency_stays);
    TEST("a huge number hides no other", a_huge_number_hides_no_other);
    TEST("a text with a NUL hides no other", a_text_with_a_nul_hides_no_other);
    TEST("leniency ends at what is no JSON", leniency_ends_at_what_is_no_json);
    TEST("any bytes become a text", any_bytes_become_a_text);
    TEST("a cut text is read to its end only", a_cut_text_is_read_to_its_end_only);
    TEST("texts of items are given", texts_of_items_are_given);
    TEST("a member is found without parsing", a_member_is_found_without_parsing);
    TEST("what Python calls numbers are texts", what_python_calls_numbers_are_texts);
    TEST("no memory is an error or a fallback", no_memory_is_an_error_or_a_fallback);
    return check_done();
}
