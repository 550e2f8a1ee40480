/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/request.h"

#include "check.h"

static void the_base_url_is_what_the_client_calls_us(void)
{
    static char long_host[300];
    memset(long_host, 'h', sizeof(long_host) - 1);
    const struct {
        const char *host, *scheme, *want;
    } cases[] = {
        {"localhost:99", NULL, "http://localhost:99"},
        {"[::1]:8060", NULL, "http://[::1]:8060"},
        {"models.example", "https", "https://models.example"},
        {"models.example", "http", "http://models.example"},
        {"models.example", "javascript", "http://models.example"},
        {NULL, NULL, "http://own:1"},
        {"", NULL, "http://own:1"},
        {"a/b", NULL, "http://own:1"},
        {"a@b", NULL, "http://own:1"},
        {"a\"b", "https", "https://own:1"},
        {long_host, NULL, "http://own:1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct request_pair headers[] = {
            {cases[i].host ? "host" : "X-Other", cases[i].host ? cases[i].host : "x"},
            {cases[i].scheme ? "X-Forwarded-Proto" : "X-More",
             cases[i].scheme ? cases[i].scheme : "x"},
        };
        struct request request = {.headers = headers, .n_headers = 2};
        char got[REQUEST_BASE_URL_BYTES];
        request_format_base_url(&request, "own:1", got);
        CHECK_STR(got, cases[i].want);
    }
}

static void the_longest_host_fits(void)
{
    char host[REQUEST_BASE_URL_BYTES] = "", got[REQUEST_BASE_URL_BYTES];
    memset(host, 'h', REQUEST_BASE_URL_BYTES - sizeof("https://"));
    const struct request_pair headers[] = {{"Host", host}, {"X-Forwarded-Proto", "https"}};
    struct request request = {.headers = headers, .n_headers = 2};
    request_format_base_url(&request, "own:1", got);
    CHECK_EQ(strlen(got), REQUEST_BASE_URL_BYTES - 1);
    CHECK_STR(got + strlen("https://"), host);
}

static void a_parameter_comes_from_the_query_or_the_body(void)
{
    static const struct request_pair query[] = {{"a", "query"}, {"a", "second"}, {"empty", ""}};
    json_t *body JSON_CLEANUP = json_pack("{s:s, s:s, s:i, s:n, s:s}", "a", "body", "b", "body",
                                          "number", 5, "none", "empty", "body");
    struct request request = {.query = query, .n_query = 3, .json = body};
    static const struct {
        const char *name, *want;
        bool wrong;
    } cases[] = {
        {"a", "query", false}, {"b", "body", false},   {"number", NULL, true},
        {"none", NULL, false}, {"empty", NULL, false}, {"missing", NULL, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool wrong = false;
        const char *got = request_param(&request, cases[i].name, &wrong);
        CHECK_STR(got ? got : "(none)", cases[i].want ? cases[i].want : "(none)");
        CHECK_EQ(wrong, cases[i].wrong);
    }
    request.json = NULL;
    CHECK(request_param(&request, "b", NULL) == NULL);
}

static void headers_count_in_any_case_and_queries_do_not(void)
{
    static const struct request_pair pairs[] = {{"Range", "x"}};
    struct request request = {.headers = pairs, .n_headers = 1, .query = pairs, .n_query = 1};
    CHECK_STR(request_header(&request, "rANGE"), "x");
    CHECK(request_query(&request, "range") == NULL);
    CHECK_STR(request_query(&request, "Range"), "x");
}

int main(void)
{
    TEST("the base URL is what the client calls us", the_base_url_is_what_the_client_calls_us);
    TEST("the longest host fits", the_longest_host_fits);
    TEST("a parameter comes from the query or the body",
         a_parameter_comes_from_the_query_or_the_body);
    TEST("headers count in any case, query parameters as they are",
         headers_count_in_any_case_and_queries_do_not);
    return check_done();
}
