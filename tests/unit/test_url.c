/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include <errno.h>

#include "check.h"

static void urls_come_apart(void)
{
    static const struct {
        const char *text, *scheme, *host, *path, *query;
    } cases[] = {
        {"http://h", "http", "h", "", NULL},
        {"http://h:8060/a/b?x=1&y=2", "http", "h:8060", "/a/b", "x=1&y=2"},
        {"HTTPS://h/", "https", "h", "/", NULL},
        {"gradient+http://127.0.0.1:8060", "gradient+http", "127.0.0.1:8060", "", NULL},
        {"dir:///srv/models", "dir", "", "/srv/models", NULL},
        {"s3://bucket/a%2Fb", "s3", "bucket", "/a%2Fb", NULL},
        {"http://h?q", "http", "h", "", "q"},
        {"http://h/p?", "http", "h", "/p", ""},
        {"http://h/p?a=b?c#d?e", "http", "h", "/p", "a=b?c"},
        {"http://h/p#f?no", "http", "h", "/p", NULL},
        {"http://[::1]:80/a@b", "http", "[::1]:80", "/a@b", NULL},
        {"http://h/a://b", "http", "h", "/a://b", NULL},
        {"http://h/\xc3\xa9", "http", "h", "/\xc3\xa9", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url URL_CLEANUP = {0};
        CHECK_EQ(url_parse(cases[i].text, &url), 0);
        CHECK_STR(url.scheme, cases[i].scheme);
        CHECK_STR(url.host, cases[i].host);
        CHECK_STR(url.path, cases[i].path);
        if (cases[i].query)
            CHECK_STR(url.query, cases[i].query);
        else
            CHECK(!url.query);
    }
}

static void other_text_is_refused(void)
{
    static const char *const cases[] = {
        "",           "http",          "http:",          "http:/h",    "://h",
        "1http://h",  "+http://h",     "ht tp://h",      "/path",      "http://u:p@h/",
        "http://u@h", "http://h/a b",  "http://h/\r\nX", "http://h\t", "http://h/\x7f",
        " http://h",  "http://u@p@h/", "a/b://h",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url = {0};
        if (url_parse(cases[i], &url) != -EINVAL)
            printf("# \"%s\"\n", cases[i]);
        CHECK_EQ(url_parse(cases[i], &url), -EINVAL);
        CHECK(!url.scheme && !url.host && !url.path && !url.query);
    }
}

static void encoding_keeps_the_unreserved_only(void)
{
    static const struct {
        const char *text;
        int keep_slash;
        const char *want;
    } cases[] = {
        {"", 0, "/base/"},
        {"AZaz09-._~", 0, "/base/AZaz09-._~"},
        {"a/b", 0, "/base/a%2Fb"},
        {"a/b", 1, "/base/a/b"},
        {"a b+c%d?e#f&g=h", 1, "/base/a%20b%2Bc%25d%3Fe%23f%26g%3Dh"},
        {"\xc3\xa9\x01\xff", 1, "/base/%C3%A9%01%FF"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b BUF_CLEANUP = {0};
        CHECK_EQ(buf_puts(&b, "/base/"), 0);
        CHECK_EQ(url_append_encoded(&b, cases[i].text, cases[i].keep_slash), 0);
        CHECK_STR(b.data, cases[i].want);
        CHECK_EQ(b.len, strlen(cases[i].want));
    }
}

static void decoding_undoes_it(void)
{
    static const struct {
        const char *text;
        int plus_is_space;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"", 0, ""},         {"a%20b", 0, "a b"},       {"a+b", 0, "a+b"},  {"a+b", 1, "a b"},
        {"%2f%2F", 0, "//"}, {"%c3%A9", 0, "\xc3\xa9"}, {"%", 0, NULL},     {"%4", 0, NULL},
        {"%zz", 0, NULL},    {"%4g", 0, NULL},          {"a%00b", 0, NULL}, {"%%41", 0, NULL},
        {"%2B+", 1, "+ "},   {"%41%", 0, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = cases[i].text;
        char *got CLEANUP(cleanup_free) = url_decode(text, strlen(text), cases[i].plus_is_space);
        if (cases[i].want)
            CHECK_STR(got, cases[i].want);
        else
            CHECK(!got);
    }
    CHECK(!url_decode("a\0b", 3, 0));
    char *part CLEANUP(cleanup_free) = url_decode("abc%41", 3, 0);
    CHECK_STR(part, "abc");
    CHECK(!url_decode("ab%41", 4, 0));
}

static void every_byte_makes_the_round_trip(void)
{
    char all[256];
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    for (int keep_slash = 0; keep_slash <= 1; keep_slash++) {
        struct buf b BUF_CLEANUP = {0};
        CHECK_EQ(url_append_encoded(&b, all, keep_slash), 0);
        char *back CLEANUP(cleanup_free) = url_decode(b.data, b.len, 1);
        CHECK_STR(back, all);
    }
}

static void query_parameters_are_joined(void)
{
    struct buf b BUF_CLEANUP = {0};
    CHECK_EQ(buf_puts(&b, "http://h/p"), 0);
    CHECK_EQ(url_append_query(&b, "limit", "10"), 0);
    CHECK_STR(b.data, "http://h/p?limit=10");
    CHECK_EQ(url_append_query(&b, "filter", "a/b=c&d"), 0);
    CHECK_STR(b.data, "http://h/p?limit=10&filter=a%2Fb%3Dc%26d");
    b.len = 0;
    CHECK_EQ(buf_puts(&b, "http://h/p?"), 0);
    CHECK_EQ(url_append_query(&b, "a", ""), 0);
    CHECK_STR(b.data, "http://h/p?a=");
}

static void logs_see_no_secret(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"http://h/p", "http://h/p"},
        {"http://h/p?token=s", "http://h/p?..."},
        {"http://h?token=s", "http://h?..."},
        {"http://u:p@h:80/p?x#y", "http://h:80/p?..."},
        {"http://u:p@q@h/p", "http://h/p"},
        {"http://h/p#token=s", "http://h/p"},
        {"http://h/a@b", "http://h/a@b"},
        {"u:p@h/x?y", "h/x?..."},
        {"", ""},
        {"http://h/a\r\nb", "http://h/a__b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[64];
        url_redact(cases[i].text, out, sizeof(out));
        CHECK_STR(out, cases[i].want);
    }
}

static void redacted_text_is_cut_to_fit(void)
{
    char out[9] = "untouched";
    url_redact("http://h/p", out, 0);
    CHECK_EQ(out[0], 'u');
    url_redact("http://h/p", out, 1);
    CHECK_STR(out, "");
    url_redact("http://host/path?q", out, sizeof(out));
    CHECK_STR(out, "http://h");
    url_redact("h/abc?q", out, 7);
    CHECK_STR(out, "h/abc?");
}

static void no_memory_leaves_nothing_behind(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct url url URL_CLEANUP = {0};
        struct buf b BUF_CLEANUP = {0};
        int r = url_parse("http://h/p?q", &url);
        CHECK(r == 0 || (r == -ENOMEM && !url.scheme && !url.query));
        r = url_append_encoded(&b, "a b", 0);
        CHECK(r == 0 || (r == -ENOMEM && b.len == 0));
        free(url_decode("a%20b", 5, 0));
    }
}

static void failed_query_leaves_the_url_as_it_was(void)
{
    char value[200];
    memset(value, '/', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    FOR_EACH_ALLOC_FAILURE
    {
        struct buf b BUF_CLEANUP = {0};
        if (buf_puts(&b, "http://h/p") < 0)
            continue;
        int r = url_append_query(&b, "name", value);
        CHECK(r == 0 || r == -ENOMEM);
        if (r < 0) {
            CHECK_STR(b.data, "http://h/p");
            CHECK_EQ(b.len, strlen("http://h/p"));
        }
    }
}

int main(void)
{
    TEST("a URL comes apart", urls_come_apart);
    TEST("other text, credentials and control characters are refused", other_text_is_refused);
    TEST("encoding keeps the unreserved only", encoding_keeps_the_unreserved_only);
    TEST("decoding undoes it and refuses what is broken", decoding_undoes_it);
    TEST("every byte makes the round trip", every_byte_makes_the_round_trip);
    TEST("query parameters are joined", query_parameters_are_joined);
    TEST("a redacted URL has no query, fragment or user info", logs_see_no_secret);
    TEST("a redacted URL is cut to fit", redacted_text_is_cut_to_fit);
    TEST("no memory leaves nothing behind", no_memory_leaves_nothing_behind);
    TEST("a query that fails leaves the URL as it was", failed_query_leaves_the_url_as_it_was);
    return check_done();
}
