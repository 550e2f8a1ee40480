/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent, and what becomes of each kind of reply. */
#include "net/http.h"

#include <errno.h>

#include "check.h"
#include "fake_server.h"
#include "http_probe.h"

#define PROBE_CLEANUP CLEANUP(probe_deinit)

static struct http *http;
static struct fake_server server;

/* Says what it was sent: the head, then the body. */
static void answer_echo(int fd, const struct fake_request *request)
{
    size_t n_head = strlen(request->head);
    fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                n_head + request->body_len);
    fake_send(fd, request->head, n_head);
    fake_send(fd, request->body, request->body_len);
}

static void reset_connection(int fd)
{
    struct linger at_once = {.l_onoff = 1};
    fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome");
    fake_sleep_ms(50);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* Replies that are only text; the connection is closed behind them. */
static const struct {
    const char *path, *reply;
} replies[] = {
    {"/cut", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"},
    {"/cut-range", "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-99/1000\r\n\r\nonly this"},
    {"/long-range", "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-3/1000\r\n\r\nmore than this"},
    {"/cut-head", "HTTP/1.1 200 OK\r\nContent-Le"},
    {"/cut-chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n9\r\non"},
    {"/bad-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nonly this\r\n"},
    {"/chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n5\r\n this\r\n0\r\n"
     "ETag: \"late\"\r\n\r\n"},
    {"/at-odds", "HTTP/1.1 206 OK\r\nContent-Range: bytes 0-99/1000\r\nContent-Length: 9\r\n\r\n"
                 "only this"},
    {"/elsewhere", "HTTP/1.1 206 OK\r\nContent-Range: bytes 500-503/1000\r\nContent-Length: 4\r\n"
                   "\r\nthis"},
    {"/empty", ""},
    {"/garbage", "SSH-2.0-OpenSSH\r\n\r\n"},
    {"/429", "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait"},
    {"/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nonly this"},
    {"/hints", "HTTP/1.1 103 Early Hints\r\nETag: \"no\"\r\n\r\nHTTP/1.1 200 OK\r\n"
               "Content-Length: 2\r\n\r\nok"},
};

static bool answer(struct fake_server *s, int fd, const struct fake_request *request)
{
    (void)s;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
        if (strcmp(request->path, replies[i].path) == 0) {
            fake_printf(fd, "%s", replies[i].reply);
            return false;
        }
    if (strcmp(request->path, "/reset") == 0) {
        reset_connection(fd);
        return false;
    }
    answer_echo(fd, request);
    return true;
}

static const char *url_of(const char *path)
{
    static char url[256];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
    return url;
}

static void odd_but_whole_replies_are_taken(void)
{
    static const struct {
        const char *path;
        int status;
        const char *body;
    } cases[] = {{"/chunks", 200, "only this"},
                 {"/429", 429, "wait"},
                 {"/gzip", 200, "only this"},
                 {"/hints", 200, "ok"},
                 {"/elsewhere", 206, "this"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe p PROBE_CLEANUP;
        CHECK_EQ(probe_run(&p, http, (struct http_request){.url = url_of(cases[i].path)}), 0);
        CHECK_EQ(p.head.status, cases[i].status);
        CHECK_EQ(p.n_heads, 1);
        CHECK_STR(p.body.data, cases[i].body);
        CHECK_STR(p.etag, "");
        CHECK_EQ(p.head.retry_after_ms, cases[i].status == 429 ? 7000 : -1);
        CHECK_EQ(p.head.range_off, cases[i].status == 206 ? 500 : 0);
    }
}

static void only_the_callers_headers_are_sent(void)
{
    const struct http_header headers[] = {
        {"X-API-Key", "k"}, {"X-Empty", ""}, {"If-Match", "\"v\""}};
    struct http_request request = {.url = url_of("/echo"), .headers = headers, .n_headers = 3};
    struct http_reply reply = {0};
    CHECK_EQ(http_fetch(http, &request, &reply), 0);
    const char *sent = reply.body.data;
    CHECK(strncmp(sent, "GET /echo HTTP/1.1\r\n", 20) == 0);
    CHECK(strstr(sent, "\r\nX-API-Key: k\r\n"));
    CHECK(strstr(sent, "\r\nX-Empty:\r\n"));
    CHECK(strstr(sent, "\r\nIf-Match: \"v\"\r\n"));
    CHECK(strstr(sent, "\r\nUser-Agent: modelfs/"));
    CHECK(!strstr(sent, "Accept-Encoding") && !strstr(sent, "Range:"));
    CHECK(!strstr(sent, "Content-Type") && !strstr(sent, "Content-Length"));
    CHECK_STR(reply.content_type, "text/plain");
    http_reply_deinit(&reply);
}

static void bodies_go_with_every_method(void)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct http_reply reply = {0};
        struct http_request request = {
            .method = methods[i], .url = url_of("/echo"), .body = "{\"a\":1}", .body_len = 7};
        CHECK_EQ(http_fetch(http, &request, &reply), 0);
        CHECK(strncmp(reply.body.data, methods[i], strlen(methods[i])) == 0);
        CHECK(strstr(reply.body.data, "\r\nContent-Length: 7\r\n"));
        CHECK(!strstr(reply.body.data, "Content-Type") && !strstr(reply.body.data, "Expect"));
        CHECK(strstr(reply.body.data, "\r\n\r\n{\"a\":1}"));
        http_reply_deinit(&reply);
    }
}

static void an_empty_post_says_so(void)
{
    struct http_reply reply = {0};
    CHECK_EQ(
        http_fetch(http, &(struct http_request){.method = "POST", .url = url_of("/echo")}, &reply),
        0);
    CHECK(strstr(reply.body.data, "\r\nContent-Length: 0\r\n"));
    http_reply_deinit(&reply);
}

static void broken_replies_have_their_errno(void)
{
    static const struct {
        const char *path;
        int err;
    } cases[] = {
        {"/cut", -ECONNRESET},       {"/cut-range", -ECONNRESET}, {"/cut-chunk", -ECONNRESET},
        {"/cut-head", -ECONNRESET},  {"/reset", -ECONNRESET},     {"/empty", -ECONNRESET},
        {"/long-range", -EPROTO},    {"/at-odds", -EPROTO},       {"/garbage", -EPROTO},
        {"/bad-chunk", -ECONNRESET},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe p PROBE_CLEANUP;
        int err = probe_run(&p, http, (struct http_request){.url = url_of(cases[i].path)});
        if (err != cases[i].err)
            printf("# %s\n", cases[i].path);
        CHECK_EQ(err, cases[i].err);
    }
}

static void nobody_there_is_refused(void)
{
    struct probe p PROBE_CLEANUP, q PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, http, (struct http_request){.url = "http://127.0.0.1:1/"}),
             -ECONNREFUSED);
    CHECK_EQ(probe_run(&q, http, (struct http_request){.url = "http://not..a..name/"}),
             -EHOSTUNREACH);
}

/* main() names a proxy that is not there. */
static void only_loopback_goes_without_the_proxy(void)
{
    struct probe p PROBE_CLEANUP, q PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, http, (struct http_request){.url = "http://host.invalid/"}),
             -ECONNREFUSED);
    CHECK_EQ(probe_run(&q, http, (struct http_request){.url = "http://127.host.invalid/"}),
             -ECONNREFUSED);
}

/* A port where nobody listens, by every variable there is. */
static void use_a_dead_proxy(void)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "not..a..name", 1);
}

int main(void)
{
    use_a_dead_proxy();
    fake_server_start(&server, answer);
    if (http_new(NULL, &http) < 0)
        return EXIT_FAILURE;
    TEST("odd but whole replies are taken as they are", odd_but_whole_replies_are_taken);
    TEST("only the caller's headers are sent", only_the_callers_headers_are_sent);
    TEST("bodies go with every method", bodies_go_with_every_method);
    TEST("an empty POST says that it is empty", an_empty_post_says_so);
    TEST("broken replies have their errno", broken_replies_have_their_errno);
    TEST("a closed port is refused, an unknown host unreachable", nobody_there_is_refused);
    TEST("only loopback goes without the proxy", only_loopback_goes_without_the_proxy);
    http_free(http);
    fake_server_stop(&server);
    return check_done();
}
