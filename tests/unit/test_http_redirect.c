/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_redirect.h"

#include <errno.h>
#include <limits.h>

#include "check.h"
#include "fake_server.h"
#include "http_probe.h"

#define PROBE_CLEANUP CLEANUP(probe_deinit)

static struct http *http;
static struct fake_server near, far; /* two ports: two origins */
static char start_url[64];

static void locations_are_resolved(void)
{
    static const struct {
        const char *base, *location, *want; /* want NULL: refused */
        bool is_same_origin;
    } cases[] = {
        {"http://h/a/b?q", "/c", "http://h/c", true},
        {"http://h/a/b?q", "c?d", "http://h/a/c?d", true},
        {"http://h/a", "http://H:80/b", "http://H:80/b", true},
        {"https://h:443/a", "https://h/b", "https://h/b", true},
        {"http://h/a", "http://h:8080/b", "http://h:8080/b", false},
        {"http://h/a", "http://other/b", "http://other/b", false},
        {"http://h/a", "//other/b", "http://other/b", false},
        {"http://h/a", "https://h/b", "https://h/b", false},
        {"https://h/a", "http://h/b", NULL, false},
        {"http://h/a", "file:///etc/hosts", NULL, false},
        {"http://h/a", "ftp://h/b", NULL, false},
        {"http://h/a", "gopher://h/b", NULL, false},
        {"http://h/a", "http://", NULL, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *got CLEANUP(cleanup_free) = NULL;
        bool is_same_origin = false;
        int r = http_redirect_resolve(cases[i].base, cases[i].location, &got, &is_same_origin);
        CHECK_EQ(r, cases[i].want ? 0 : -EPROTO);
        if (cases[i].want)
            CHECK_STR(got, cases[i].want);
        CHECK_EQ(is_same_origin, cases[i].is_same_origin);
    }
}

static void answer_echo(int fd, const struct fake_request *request)
{
    fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s%s",
                strlen(request->head) + request->body_len, request->head, request->body);
}

/* /echo says what was sent; /<status>/<where> redirects: `far`, `back` (far, and from there here
 * again), `here`, `loop`, or anything else as it is written. */
static bool answer(struct fake_server *server, int fd, const struct fake_request *request)
{
    int status = 0;
    char where[256] = "";
    if (sscanf(request->path, "/%d/%255s", &status, where) != 2) {
        answer_echo(fd, request);
        return true;
    }
    fake_printf(fd, "HTTP/1.1 %d Moved\r\nETag: \"not this\"\r\nContent-Length: %d\r\nLocation: ",
                status, strcmp(where, "long") == 0 ? INT_MAX : 4);
    if (strcmp(where, "far") == 0)
        fake_printf(fd, "http://127.0.0.1:%d/echo", far.port);
    else if (strcmp(where, "back") == 0)
        fake_printf(fd, "http://127.0.0.1:%d/%d/home", far.port, status);
    else if (strcmp(where, "home") == 0)
        fake_printf(fd, "http://127.0.0.1:%d/echo", near.port);
    else if (strcmp(where, "here") == 0 || strcmp(where, "long") == 0)
        fake_printf(fd, "/echo");
    else if (strcmp(where, "loop") == 0)
        fake_printf(fd, "loop");
    else
        fake_printf(fd, "%s", where);
    fake_printf(fd, "\r\n\r\n");
    if (strcmp(where, "long") != 0)
        fake_printf(fd, "gone");
    while (strcmp(where, "long") == 0 && send(fd, where, sizeof(where), MSG_NOSIGNAL) > 0)
        continue;
    return server != NULL;
}

/* Runs a request with secrets to near's @path, following. */
static int run(struct probe *p, const char *method, const char *path, const char *body)
{
    static const struct http_header headers[] = {
        {"X-API-Key", "secret"}, {"Authorization", "Bearer secret"}, {"If-Match", "\"v1\""}};
    snprintf(start_url, sizeof(start_url), "http://127.0.0.1:%d%s", near.port, path);
    return probe_run(p, http,
                     (struct http_request){.method = method,
                                           .url = start_url,
                                           .headers = headers,
                                           .n_headers = 3,
                                           .range_off = body ? 0 : 10,
                                           .range_len = body ? 0 : 5,
                                           .body = body,
                                           .body_len = body ? strlen(body) : 0,
                                           .deadline_ms = 5000,
                                           .follow = true});
}

static void the_same_origin_gets_the_headers(void)
{
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(run(&p, "GET", "/302/here", NULL), 0);
    CHECK_EQ(p.head.status, 200);
    CHECK_EQ(p.n_heads, 1);
    CHECK_STR(p.etag, "");
    CHECK(strstr(p.body.data, "GET /echo "));
    CHECK(strstr(p.body.data, "X-API-Key: secret"));
    CHECK(strstr(p.body.data, "Authorization: Bearer secret"));
    CHECK(strstr(p.body.data, "Range: bytes=10-14"));
}

static void another_origin_gets_none(void)
{
    static const char *const paths[] = {"/301/far", "/302/far", "/307/far", "/302/back"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct probe p PROBE_CLEANUP;
        CHECK_EQ(run(&p, "GET", paths[i], NULL), 0);
        CHECK_EQ(p.head.status, 200);
        CHECK(strstr(p.body.data, "GET /echo "));
        CHECK(!strstr(p.body.data, "secret") && !strcasestr(p.body.data, "x-api-key"));
        CHECK(!strcasestr(p.body.data, "if-match"));
        CHECK(strstr(p.body.data, "Range: bytes=10-14"));
    }
}

static void methods_change_by_the_book(void)
{
    static const struct {
        const char *method, *path, *want;
        bool has_body;
    } cases[] = {
        {"POST", "/301/here", "GET ", false}, {"POST", "/302/here", "GET ", false},
        {"POST", "/303/here", "GET ", false}, {"POST", "/307/here", "POST ", true},
        {"POST", "/308/far", "POST ", true},  {"PUT", "/303/here", "GET ", false},
        {"PUT", "/302/here", "PUT ", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe p PROBE_CLEANUP;
        CHECK_EQ(run(&p, cases[i].method, cases[i].path, "the body"), 0);
        CHECK(strncmp(p.body.data, cases[i].want, strlen(cases[i].want)) == 0);
        CHECK_EQ(strstr(p.body.data, "the body") != NULL, cases[i].has_body);
    }
}

static void bad_places_are_not_gone_to(void)
{
    static const char *const paths[] = {"/302/loop", "/302/file:///etc/hosts", "/302/ftp://h/",
                                        "/302/http://"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct probe p PROBE_CLEANUP;
        CHECK_EQ(run(&p, "GET", paths[i], NULL), -EPROTO);
        CHECK_EQ(p.n_heads, 0);
        CHECK_EQ(p.body.len, 0);
    }
}

static void five_hops_are_the_most(void)
{
    int before = atomic_load(&near.n_requests);
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(run(&p, "GET", "/302/loop", NULL), -EPROTO);
    CHECK_EQ(atomic_load(&near.n_requests) - before, 6);
}

static void a_long_body_is_not_read(void)
{
    struct probe p PROBE_CLEANUP;
    CHECK_EQ(run(&p, "GET", "/302/long", NULL), 0);
    CHECK_EQ(p.head.status, 200);
    CHECK(strncmp(p.body.data, "GET /echo", 9) == 0);
}

static void unasked_nothing_is_followed(void)
{
    struct probe p PROBE_CLEANUP;
    snprintf(start_url, sizeof(start_url), "http://127.0.0.1:%d/302/here", near.port);
    CHECK_EQ(probe_run(&p, http, (struct http_request){.url = start_url}), 0);
    CHECK_EQ(p.head.status, 302);
    CHECK_STR(p.location, "/echo");
    CHECK_STR(p.body.data, "gone");
}

int main(void)
{
    fake_server_start(&near, answer);
    fake_server_start(&far, answer);
    if (http_new(&(struct http_options){.n_threads = 1}, &http) < 0)
        return EXIT_FAILURE;
    TEST("locations are resolved, and only http and https", locations_are_resolved);
    TEST("the same origin gets the caller's headers", the_same_origin_gets_the_headers);
    TEST("another origin gets none, nor does the first after it", another_origin_gets_none);
    TEST("methods change by the book", methods_change_by_the_book);
    TEST("bad places are not gone to", bad_places_are_not_gone_to);
    TEST("five hops are the most", five_hops_are_the_most);
    TEST("a redirect's long body is not read", a_long_body_is_not_read);
    TEST("unasked, nothing is followed", unasked_nothing_is_followed);
    http_free(http);
    fake_server_stop(&near);
    fake_server_stop(&far);
    return check_done();
}
