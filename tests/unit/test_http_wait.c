/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges that are waited for. */
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>

#include "check.h"
#include "fake_server.h"

enum { CONTENT_BYTES = 3000000 };

static struct http *http;
static struct fake_server server;
static char content[CONTENT_BYTES];

/* Says what it was sent: the head, then the body. */
static void answer_echo(int fd, const struct fake_request *request)
{
    size_t n_head = strlen(request->head);
    fake_printf(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                n_head + request->body_len);
    fake_send(fd, request->head, n_head);
    fake_send(fd, request->body, request->body_len);
}

static bool answer(struct fake_server *s, int fd, const struct fake_request *request)
{
    (void)s;
    if (strcmp(request->path, "/cut") == 0) {
        fake_printf(fd, "HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 1000\r\n\r\nonly this");
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

static int count_progress(void *ctx, uint64_t sent)
{
    uint64_t *last = ctx;
    CHECK(sent >= *last);
    *last = sent;
    return 0;
}

static int refuse_progress(void *ctx, uint64_t sent)
{
    (void)ctx;
    return sent > 100000 ? -EINTR : 0;
}

/* An open, unlinked file with the content. */
static int open_content(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    CHECK_EQ(write(fd, content, CONTENT_BYTES), CONTENT_BYTES);
    return fd;
}

static void a_file_is_put(void)
{
    int fd CLEANUP(cleanup_close) = open_content();
    struct http_reply reply = {0};
    struct http_request request = {.url = url_of("/echo")};
    uint64_t sent = 0;
    lseek(fd, 1000, SEEK_SET);
    CHECK_EQ(http_put_fd(http, &request, fd, 2000000, count_progress, &sent, &reply), 0);
    CHECK_EQ(sent, 2000000);
    CHECK(strncmp(reply.body.data, "PUT /echo", 9) == 0);
    CHECK(strstr(reply.body.data, "\r\nContent-Length: 2000000\r\n"));
    CHECK(!strcasestr(reply.body.data, "\r\nExpect"));
    char *body = strstr(reply.body.data, "\r\n\r\n") + 4;
    CHECK_EQ(reply.body.data + reply.body.len - body, 2000000);
    CHECK(memcmp(body, content + 1000, 2000000) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 1000);
    http_reply_deinit(&reply);
}

static void a_put_that_cannot_go_on_ends(void)
{
    int fd CLEANUP(cleanup_close) = open_content();
    struct http_request request = {.url = url_of("/echo")};
    struct http_reply reply;
    int ends[2];
    lseek(fd, 0, SEEK_SET);
    CHECK_EQ(http_put_fd(http, &request, fd, CONTENT_BYTES + 1, NULL, NULL, &reply), -ESTALE);
    CHECK_EQ(http_put_fd(http, &request, fd, CONTENT_BYTES, refuse_progress, NULL, &reply), -EINTR);
    CHECK_EQ(http_put_fd(http, &request, fd, 0, NULL, NULL, &reply), 0);
    http_reply_deinit(&reply);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(http_put_fd(http, &request, ends[0], 1, NULL, NULL, &reply), -ESPIPE);
    close(ends[0]);
    close(ends[1]);
}

static void two_fetches_side_by_side_each_get_their_own(void)
{
    struct http_reply good, cut, bad;
    struct http_wait *wait = http_fetch_begin(http, &(struct http_request){.url = url_of("/echo")});
    struct http_wait *wait_cut =
        http_fetch_begin(http, &(struct http_request){.url = url_of("/cut")});
    struct http_wait *wait_bad = http_fetch_begin(http, &(struct http_request){.url = "nothing"});
    CHECK_EQ(http_fetch_end(wait_bad, &bad), -EINVAL);
    CHECK_EQ(http_fetch_end(wait_cut, &cut), -ECONNRESET);
    CHECK_EQ(http_fetch_end(wait, &good), 0);
    CHECK(!bad.body.data && !cut.body.data);
    CHECK(strncmp(good.body.data, "GET /echo", 9) == 0);
    http_reply_deinit(&good);
}

static void a_failed_fetch_is_empty(void)
{
    struct http_reply reply = {.status = 1};
    CHECK_EQ(http_fetch(http, &(struct http_request){.url = url_of("/cut")}, &reply), -ECONNRESET);
    CHECK(reply.status == 0 && !reply.body.data && !reply.etag);
    CHECK_EQ(http_fetch(http, &(struct http_request){.url = "nothing"}, &reply), -EINVAL);
    CHECK(!reply.body.data);
}

int main(void)
{
    for (size_t i = 0; i < CONTENT_BYTES; i++)
        content[i] = (char)(i * 2654435761u >> 13);
    fake_server_start(&server, answer);
    if (http_new(NULL, &http) < 0)
        return EXIT_FAILURE;
    TEST("a file is put from its offset, exactly", a_file_is_put);
    TEST("a put that cannot go on ends", a_put_that_cannot_go_on_ends);
    TEST("fetches side by side each get their own reply",
         two_fetches_side_by_side_each_get_their_own);
    TEST("a failed fetch leaves an empty reply", a_failed_fetch_is_empty);
    http_free(http);
    fake_server_stop(&server);
    return check_done();
}
