/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_head.h"

#include <errno.h>

#include "check.h"

#define HEAD_CLEANUP CLEANUP(http_head_deinit)

static const int64_t now_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */

/* Feeds the lines of @text; what the last one returned. */
static int feed(struct http_head_parser *parser, const char *text)
{
    int r = 0;
    while (*text && r >= 0) {
        size_t len = strcspn(text, "\n") + 1;
        r = http_head_feed(parser, text, len, now_s);
        text += len;
    }
    return r;
}

static void a_whole_head_is_read(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    CHECK_EQ(feed(&p, "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\ncontent-type:text/plain \r\n"
                      "CONTENT-LENGTH: 100\r\nContent-Range: bytes 50-149/1000\r\nX-Other: x\r\n"
                      "Location:\t/there\r\n\r\n"),
             HTTP_HEAD_WHOLE);
    CHECK_EQ(p.head.status, 206);
    CHECK_STR(p.head.etag, "\"v1\"");
    CHECK_STR(p.head.content_type, "text/plain");
    CHECK_STR(p.head.location, "/there");
    CHECK_EQ(p.head.content_length, 100);
    CHECK_EQ(p.head.range_off, 50);
    CHECK_EQ(p.head.range_len, 100);
    CHECK_EQ(p.head.total_bytes, 1000);
    CHECK_EQ(p.head.retry_after_ms, -1);
}

static void what_is_missing_says_so(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    CHECK_EQ(feed(&p, "HTTP/2 200\r\n\r\n"), HTTP_HEAD_WHOLE);
    CHECK_EQ(p.head.status, 200);
    CHECK(!p.head.etag && !p.head.content_type && !p.head.location);
    CHECK_EQ(p.head.content_length, -1);
    CHECK_EQ(p.head.total_bytes, -1);
    CHECK_EQ(p.head.range_len, 0);
}

static void the_length_of_a_200_is_the_total(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    feed(&p, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Range: bytes 0-1/2\r\n\r\n");
    CHECK_EQ(p.head.total_bytes, 7);
    http_head_deinit(&p);
    feed(&p, "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\n");
    CHECK_EQ(p.head.total_bytes, -1);
    CHECK_EQ(p.head.content_length, 7);
}

static void chunks_overrule_the_length(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    feed(&p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n");
    CHECK_EQ(p.head.content_length, -1);
    CHECK_EQ(p.head.total_bytes, -1);
}

static void informational_heads_are_passed_over(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    CHECK_EQ(feed(&p, "HTTP/1.1 103 Early Hints\r\nETag: \"no\"\r\nContent-Length: 9\r\n\r\n"), 0);
    CHECK_EQ(feed(&p, "HTTP/1.1 200 OK\r\n\r\n"), HTTP_HEAD_WHOLE);
    CHECK(!p.head.etag);
    CHECK_EQ(p.head.content_length, -1);
}

static void trailers_change_nothing(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    feed(&p, "HTTP/1.1 200 OK\r\nETag: \"a\"\r\n\r\n");
    CHECK_EQ(feed(&p, "ETag: \"b\"\r\nHTTP/1.1 404 No\r\n\r\n"), 0);
    CHECK_STR(p.head.etag, "\"a\"");
    CHECK_EQ(p.head.status, 200);
}

static void the_last_of_two_counts(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    feed(&p, "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nETag: \"b\"\r\n\r\n");
    CHECK_STR(p.head.etag, "\"b\"");
}

static void content_ranges_are_read_or_ignored(void)
{
    static const struct {
        const char *value;
        uint64_t off, len;
        int64_t total;
    } cases[] = {
        {"bytes 0-99/200", 0, 100, 200},
        {"Bytes 100-199/200", 100, 100, 200},
        {"bytes 5-5/6", 5, 1, 6},
        {"bytes 0-99/*", 0, 100, -1},
        {"bytes */200", 0, 0, 200},
        {"bytes */*", 0, 0, -1},
        {"bytes 0-9223372036854775806/9223372036854775807", 0, INT64_MAX, INT64_MAX},
        /* hostile */
        {"", 0, 0, -1},
        {"bytes", 0, 0, -1},
        {"bytes ", 0, 0, -1},
        {"items 0-99/200", 0, 0, -1},
        {"bytes 99-0/200", 0, 0, -1},
        {"bytes 0-200/200", 0, 0, -1},
        {"bytes 0-99/200x", 0, 0, -1},
        {"bytes 0-99", 0, 0, -1},
        {"bytes 0-/200", 0, 0, -1},
        {"bytes -99/200", 0, 0, -1},
        {"bytes -1-99/200", 0, 0, -1},
        {"bytes 0--1/200", 0, 0, -1},
        {"bytes 0x0-0x9/200", 0, 0, -1},
        {"bytes 0-99/-200", 0, 0, -1},
        {"bytes 0-99/99999999999999999999", 0, 0, -1},
        {"bytes 0-9223372036854775807/*", 0, 0, -1},
        {"bytes 0-18446744073709551615/*", 0, 0, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head_parser p HEAD_CLEANUP = {0};
        char text[200];
        snprintf(text, sizeof(text), "HTTP/1.1 206 OK\r\nContent-Range: %s\r\n\r\n",
                 cases[i].value);
        CHECK_EQ(feed(&p, text), HTTP_HEAD_WHOLE);
        if (p.head.range_len != cases[i].len)
            printf("# %s\n", cases[i].value);
        CHECK_EQ(p.head.range_off, cases[i].off);
        CHECK_EQ(p.head.range_len, cases[i].len);
        CHECK_EQ(p.head.total_bytes, cases[i].total);
    }
}

static void lengths_are_read_or_ignored(void)
{
    static const struct {
        const char *value;
        int64_t want;
    } cases[] = {
        {"0", 0},      {"12", 12},    {"9223372036854775807", INT64_MAX},
        {"", -1},      {"-1", -1},    {"9223372036854775808", -1},
        {"12 12", -1}, {"12,12", -1}, {"0x10", -1},
        {"1e3", -1},   {"+5", -1},    {"ten", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head_parser p HEAD_CLEANUP = {0};
        char text[200];
        snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
                 cases[i].value);
        feed(&p, text);
        CHECK_EQ(p.head.content_length, cases[i].want);
    }
}

static void retry_after_is_seconds_or_a_date(void)
{
    static const struct {
        const char *value;
        int64_t want_ms;
    } cases[] = {
        {"0", 0},
        {"7", 7000},
        {"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:00:00 GMT", 0},
        {"Mon, 07 Nov 1994 08:49:37 GMT", 86400000},
        /* hostile */
        {"", -1},
        {"-7", -1},
        {"7s", -1},
        {"99999999999999999999", -1},
        {"9223372036854775807", -1},
        {"soon", -1},
        {"Sun, 06 Nov 1994 08:49:47", -1},
        {"Sun, 06 Nov 1994 08:49:47 GMT+2", -1},
        {"Sun, 06 Foo 1994 08:49:47 GMT", -1},
        {"Sun, 06 Nov 0004 08:49:47 GMT", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head_parser p HEAD_CLEANUP = {0};
        char text[200];
        snprintf(text, sizeof(text), "HTTP/1.1 429 No\r\nRetry-After: %s\r\n\r\n", cases[i].value);
        feed(&p, text);
        if (p.head.retry_after_ms != cases[i].want_ms)
            printf("# %s\n", cases[i].value);
        CHECK_EQ(p.head.retry_after_ms, cases[i].want_ms);
    }
}

static void odd_lines_are_ignored(void)
{
    struct http_head_parser p HEAD_CLEANUP = {0};
    CHECK_EQ(http_head_feed(&p, "HTTP/1.1 200 OK\r\n", 17, now_s), 0);
    CHECK_EQ(http_head_feed(&p, "no colon here\r\n", 15, now_s), 0);
    CHECK_EQ(http_head_feed(&p, ":\r\n", 3, now_s), 0);
    CHECK_EQ(http_head_feed(&p, ": value\r\n", 9, now_s), 0);
    CHECK_EQ(http_head_feed(&p, "ETag: \"a\0b\"\r\n", 13, now_s), 0);
    CHECK_EQ(http_head_feed(&p, "ETag", 4, now_s), 0);
    CHECK_EQ(http_head_feed(&p, "\n", 1, now_s), HTTP_HEAD_WHOLE);
    CHECK_STR(p.head.etag, "\"a");
}

static void no_memory_is_said(void)
{
    int n_failed = 0;
    FOR_EACH_ALLOC_FAILURE
    {
        struct http_head_parser p HEAD_CLEANUP = {0};
        int r = feed(&p, "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Type: b\r\nETag: c\r\n\r\n");
        CHECK(r == HTTP_HEAD_WHOLE || r == -ENOMEM);
        n_failed += r == -ENOMEM;
    }
    CHECK(n_failed >= 6);
}

int main(void)
{
    TEST("a whole head is read", a_whole_head_is_read);
    TEST("what is missing says so", what_is_missing_says_so);
    TEST("the length of a 200 is the total, of others not", the_length_of_a_200_is_the_total);
    TEST("chunks overrule the length", chunks_overrule_the_length);
    TEST("informational heads are passed over", informational_heads_are_passed_over);
    TEST("trailers change nothing", trailers_change_nothing);
    TEST("the last of two equal headers counts", the_last_of_two_counts);
    TEST("content ranges are read, and hostile ones ignored", content_ranges_are_read_or_ignored);
    TEST("lengths are read, and hostile ones ignored", lengths_are_read_or_ignored);
    TEST("Retry-After is seconds or a date", retry_after_is_seconds_or_a_date);
    TEST("odd lines are ignored", odd_lines_are_ignored);
    TEST("no memory is said, and nothing leaks", no_memory_is_said);
    return check_done();
}
