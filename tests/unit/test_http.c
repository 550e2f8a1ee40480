/* SPDX-License-Identifier: Apache-2.0 */
/* Single transfers: what arrives, when they end, and what is counted. */
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>

#include "check.h"
#include "fake_server.h"
#include "http_probe.h"
#include "util/clock.h"

#define PROBE_CLEANUP CLEANUP(probe_deinit)

enum { CONTENT_BYTES = 3000000, STALL_MS = 400, LATE_MS = 30 };

static struct http *http;
static struct fake_server server;
static char content[CONTENT_BYTES];

/* ---- the server's side ---- */

static void answer_content(int fd, const struct fake_request *request)
{
    unsigned long first = 0, last = CONTENT_BYTES - 1;
    char *range = fake_get_header(request, "Range");
    if (range && sscanf(range, "bytes=%lu-%lu", &first, &last) == 2)
        fake_printf(fd,
                    "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes "
                    "%lu-%lu/%d\r\nContent-Length: %lu\r\n\r\n",
                    first, last, CONTENT_BYTES, last - first + 1);
    else
        fake_printf(fd, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: %d\r\n\r\n",
                    CONTENT_BYTES);
    free(range);
    if (strcmp(request->method, "HEAD") != 0)
        fake_send(fd, content + first, last - first + 1);
}

static void answer_slowly(int fd)
{
    fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
    for (int i = 0; i < 12; i++) {
        fake_sleep_ms(STALL_MS / 5);
        fake_send(fd, "x", 1);
    }
}

static void answer_endlessly(int fd)
{
    fake_printf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while (send(fd, content, 65536, MSG_NOSIGNAL) > 0)
        continue;
}

static bool answer(struct fake_server *s, int fd, const struct fake_request *request)
{
    const char *path = request->path;
    (void)s;
    if (strcmp(path, "/late") == 0)
        fake_sleep_ms(LATE_MS), answer_content(fd, request);
    else if (strcmp(path, "/slow") == 0)
        answer_slowly(fd);
    else if (strcmp(path, "/endless") == 0)
        answer_endlessly(fd);
    else if (strcmp(path, "/silent") == 0)
        fake_wait_hangup(fd);
    else if (strcmp(path, "/cut") == 0)
        fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
    else if (strcmp(path, "/stall") == 0)
        fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this"),
            fake_wait_hangup(fd);
    else
        answer_content(fd, request);
    return strcmp(path, "/content") == 0;
}

static const char *url_of(const char *path)
{
    static char url[256];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
    return url;
}

/* ---- whole replies ---- */

static void a_whole_body_arrives(void)
{
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, http, (struct http_request){.url = url_of("/content")}), 0);
    CHECK_EQ(p.head.status, 200);
    CHECK_EQ(p.head.content_length, CONTENT_BYTES);
    CHECK_EQ(p.head.total_bytes, CONTENT_BYTES);
    CHECK_EQ(p.head.range_len, 0);
    CHECK_STR(p.etag, "\"v1\"");
    CHECK(p.body.len == CONTENT_BYTES && memcmp(p.body.data, content, CONTENT_BYTES) == 0);
}

static void a_range_arrives(void)
{
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, http,
                       (struct http_request){
                           .url = url_of("/content"), .range_off = 1000, .range_len = 500}),
             0);
    CHECK_EQ(p.head.status, 206);
    CHECK_EQ(p.head.range_off, 1000);
    CHECK_EQ(p.head.range_len, 500);
    CHECK_EQ(p.head.total_bytes, CONTENT_BYTES);
    CHECK(p.body.len == 500 && memcmp(p.body.data, content + 1000, 500) == 0);
}

static void a_head_has_no_body(void)
{
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, http,
                       (struct http_request){
                           .method = "HEAD", .url = url_of("/content"), .max_bytes = 10}),
             0);
    CHECK_EQ(p.head.total_bytes, CONTENT_BYTES);
    CHECK_EQ(p.body.len, 0);
}

/* ---- ends ---- */

static void silence_ends_by_the_stall_timeout(void)
{
    static const char *const paths[] = {"/silent", "/stall"};
    for (int i = 0; i < 2; i++) {
        struct probe p PROBE_CLEANUP;
        uint64_t start_ms = clock_now_ms();
        CHECK_EQ(probe_run(&p, http, (struct http_request){.url = url_of(paths[i])}), -ETIMEDOUT);
        CHECK(clock_now_ms() - start_ms >= STALL_MS);
        CHECK(clock_now_ms() - start_ms < 10 * STALL_MS);
    }
}

static void slow_is_not_silent(void)
{
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, http, (struct http_request){.url = url_of("/slow")}), 0);
    CHECK_STR(p.body.data, "xxxxxxxxxxxx");
}

static void the_deadline_holds_for_all(void)
{
    struct probe p PROBE_CLEANUP;
    uint64_t start_ms = clock_now_ms();
    CHECK_EQ(probe_run(&p, http, (struct http_request){.url = url_of("/slow"), .deadline_ms = 250}),
             -ETIMEDOUT);
    CHECK(clock_now_ms() - start_ms >= 250 && clock_now_ms() - start_ms < 800);
}

static void too_long_a_body_ends(void)
{
    struct probe p PROBE_CLEANUP, q PROBE_CLEANUP, exact PROBE_CLEANUP;
    CHECK_EQ(
        probe_run(&p, http, (struct http_request){.url = url_of("/endless"), .max_bytes = 100000}),
        -EFBIG);
    CHECK(p.body.len <= 100000);
    CHECK_EQ(
        probe_run(&q, http,
                  (struct http_request){.url = url_of("/content"), .max_bytes = CONTENT_BYTES - 1}),
        -EFBIG);
    CHECK_EQ(q.body.len, 0);
    CHECK_EQ(
        probe_run(&exact, http,
                  (struct http_request){.url = url_of("/content"), .max_bytes = CONTENT_BYTES}),
        0);
}

static void a_callbacks_word_ends_it(void)
{
    struct probe p PROBE_CLEANUP, q PROBE_CLEANUP;
    probe_init(&p);
    p.head_answer = -EXDEV;
    CHECK_EQ(probe_start(&p, http, (struct http_request){.url = url_of("/content")}), 0);
    CHECK_EQ(probe_wait(&p), -EXDEV);
    CHECK_EQ(p.body.len, 0);
    probe_init(&q);
    q.data_answer = -EDOM;
    CHECK_EQ(probe_start(&q, http, (struct http_request){.url = url_of("/content")}), 0);
    CHECK_EQ(probe_wait(&q), -EDOM);
    CHECK(q.body.len > 0 && q.body.len < CONTENT_BYTES);
}

static void what_is_no_request_never_starts(void)
{
    static const struct http_header split = {"X", "a\r\nEvil: b"}, colon = {"X: y", "z"};
    const struct http_request cases[] = {
        {.url = ""},
        {.url = "h/p"},
        {.url = "ftp://127.0.0.1/"},
        {.url = "http://user:pass@127.0.0.1/"},
        {.url = "http://127.0.0.1/a b"},
        {.url = "http://127.0.0.1/\r\nX: y"},
        {.url = "http://127.0.0.1/", .headers = &split, .n_headers = 1},
        {.url = "http://127.0.0.1/", .headers = &colon, .n_headers = 1},
        {.url = "http://127.0.0.1/", .range_off = UINT64_MAX, .range_len = 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe p PROBE_CLEANUP;
        CHECK_EQ(probe_run(&p, http, cases[i]), -EINVAL);
        CHECK_EQ(p.n_done, 0);
    }
}

/* ---- files and counting ---- */

static void files_are_served_alike(void)
{
    char path[] = "/tmp/modelfs-test-http-XXXXXX", url[64];
    int fd CLEANUP(cleanup_close) = mkstemp(path);
    CHECK_EQ(write(fd, content, CONTENT_BYTES), CONTENT_BYTES);
    snprintf(url, sizeof(url), "file://%s", path);
    struct probe whole PROBE_CLEANUP, part PROBE_CLEANUP, past PROBE_CLEANUP, put PROBE_CLEANUP;
    CHECK_EQ(probe_run(&whole, http, (struct http_request){.url = url}), 0);
    CHECK_EQ(whole.head.status, 200);
    CHECK_EQ(whole.head.total_bytes, CONTENT_BYTES);
    CHECK(whole.body.len == CONTENT_BYTES && memcmp(whole.body.data, content, CONTENT_BYTES) == 0);

    struct http_header match = {"if-match", whole.etag};
    struct http_request range = {
        .url = url, .headers = &match, .n_headers = 1, .range_off = 999999, .range_len = 1000000};
    CHECK_EQ(probe_run(&part, http, range), 0);
    CHECK_EQ(part.head.status, 206);
    CHECK_EQ(part.head.range_off, 999999);
    CHECK_EQ(part.head.range_len, 1000000);
    CHECK(part.body.len == 1000000 && memcmp(part.body.data, content + 999999, 1000000) == 0);

    CHECK_EQ(
        probe_run(&past, http,
                  (struct http_request){.url = url, .range_off = CONTENT_BYTES, .range_len = 1}),
        0);
    CHECK_EQ(past.head.status, 416);
    CHECK_EQ(past.head.total_bytes, CONTENT_BYTES);
    CHECK_EQ(probe_run(&put, http, (struct http_request){.method = "PUT", .url = url}), 0);
    CHECK_EQ(put.head.status, 405);

    struct http_reply reply;
    match.value = "\"other\"";
    CHECK_EQ(http_fetch(http, &range, &reply), 0);
    CHECK_EQ(reply.status, 412);
    CHECK_EQ(reply.body.len, 0);
    http_reply_deinit(&reply);
    unlink(path);
    CHECK_EQ(http_fetch(http, &range, &reply), 0);
    CHECK_EQ(reply.status, 404);
    http_reply_deinit(&reply);
}

static void connections_are_kept_and_counted(void)
{
    struct http *own = NULL;
    struct http_stats stats;
    CHECK_EQ(http_new(NULL, &own), 0);
    for (int i = 0; i < 5; i++) {
        struct probe p PROBE_CLEANUP;
        CHECK_EQ(
            probe_run(&p, own, (struct http_request){.url = url_of("/content"), .range_len = 1000}),
            0);
    }
    http_get_stats(own, &stats);
    CHECK_EQ(stats.connections, 1);
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, own, (struct http_request){.url = url_of("/cut")}), -ECONNRESET);
    http_get_stats(own, &stats);
    CHECK_EQ(stats.connections, 0);
    CHECK_EQ(stats.requests, 6);
    CHECK_EQ(stats.errors, 1);
    CHECK_EQ(stats.connections_opened, 1);
    CHECK_EQ(stats.bytes_received, 5000 + 9);
    CHECK_EQ(stats.active, 0);
    CHECK_EQ(stats.queued, 0);
    http_free(own);
}

static void a_transfer_tells_of_its_host(void)
{
    struct http *own = NULL;
    struct pace pace;
    static struct http_origin_pace all[PACE_ORIGINS];
    char name[64];
    CHECK_EQ(http_new(NULL, &own), 0);
    CHECK_EQ(http_get_pace(own, url_of("/"), &pace), -ENOENT);
    CHECK_EQ(http_list_paces(own, all), 0);
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(probe_run(&p, own, (struct http_request){.url = url_of("/late")}), 0);
    CHECK_EQ(http_get_pace(own, url_of("/another/path"), &pace), 0);
    CHECK(pace.rtt_us >= LATE_MS * 1000 * 9 / 10);
    CHECK(pace.connection_bytes_per_s > 0);
    CHECK(pace.total_bytes_per_s >= pace.connection_bytes_per_s);
    CHECK_EQ(http_list_paces(own, all), 1);
    snprintf(name, sizeof(name), "127.0.0.1:%d", server.port);
    CHECK_STR(all[0].name, name);
    CHECK_EQ(all[0].pace.rtt_us, pace.rtt_us);
    CHECK_EQ(http_get_pace(own, "http://elsewhere.test/", &pace), -ENOENT);
    CHECK_EQ(pace.rtt_us, 0);
    CHECK_EQ(http_get_pace(own, "file:///etc", &pace), -EINVAL);
    http_free(own);
}

/* A request that goes on sending while the reply is due, and one that failed. */
static void what_says_nothing_of_a_host_is_not_noted(void)
{
    struct http *own = NULL;
    struct pace pace;
    CHECK_EQ(http_new(NULL, &own), 0);
    struct probe cut PROBE_CLEANUP, post PROBE_CLEANUP;
    CHECK_EQ(probe_run(&cut, own, (struct http_request){.url = url_of("/cut")}), -ECONNRESET);
    CHECK_EQ(probe_run(&post, own,
                       (struct http_request){
                           .url = url_of("/post"), .method = "POST", .body = "x", .body_len = 1}),
             0);
    CHECK_EQ(http_get_pace(own, url_of("/"), &pace), -ENOENT);
    http_free(own);
}

int main(void)
{
    for (size_t i = 0; i < CONTENT_BYTES; i++)
        content[i] = (char)(i * 2654435761u >> 13);
    fake_server_start(&server, answer);
    if (http_new(&(struct http_options){.n_threads = 2, .stall_timeout_ms = STALL_MS}, &http) < 0)
        return EXIT_FAILURE;
    TEST("a whole body arrives", a_whole_body_arrives);
    TEST("a range arrives", a_range_arrives);
    TEST("HEAD has no body", a_head_has_no_body);
    TEST("silence ends by the stall timeout", silence_ends_by_the_stall_timeout);
    TEST("slow is not silent", slow_is_not_silent);
    TEST("the deadline holds for the whole transfer", the_deadline_holds_for_all);
    TEST("too long a body ends the transfer", too_long_a_body_ends);
    TEST("what a callback returns ends the transfer", a_callbacks_word_ends_it);
    TEST("what is no request never starts", what_is_no_request_never_starts);
    TEST("files are served alike", files_are_served_alike);
    TEST("connections are kept, and all is counted", connections_are_kept_and_counted);
    TEST("a transfer tells of its host", a_transfer_tells_of_its_host);
    TEST("what says nothing of a host is not noted", what_says_nothing_of_a_host_is_not_noted);
    http_free(http);
    http_free(NULL);
    fake_server_stop(&server);
    return check_done();
}
