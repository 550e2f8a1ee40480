/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/framing.h"

#include "check.h"

enum { HEADERS_MAX = 4 };

struct head {
    struct request_pair headers[HEADERS_MAX];
};

static struct request request_of(const struct head *head)
{
    struct request request = {.headers = head->headers};
    while (request.n_headers < HEADERS_MAX && head->headers[request.n_headers].name)
        request.n_headers++;
    return request;
}

static void a_body_has_one_end(void)
{
    static const struct {
        struct head head;
        unsigned status;
        bool has_end;
    } cases[] = {
        {{{{0}}}, 0, true},
        {{{{"Content-Length", "5"}}}, 0, true},
        {{{{"transfer-encoding", "chunked"}}}, 0, true},
        {{{{"Transfer-Encoding", "CHUNKED"}}}, 0, true},
        {{{{"Content-Length", "5"}, {"content-length", "5"}}}, 400, true},
        {{{{"Content-Length", "5"}, {"X", "y"}, {"Content-Length", "3"}}}, 400, true},
        {{{{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}}, 400, true},
        {{{{"Transfer-Encoding", "gzip"}}}, 501, false},
        {{{{"Transfer-Encoding", "gzip, chunked"}}}, 501, false},
        {{{{"Transfer-Encoding", ""}}}, 501, false},
        {{{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}}, 501, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request request = request_of(&cases[i].head);
        const char *problem = NULL;
        CHECK_EQ(framing_check(&request, &problem), cases[i].status);
        CHECK_EQ(framing_has_end(&request), cases[i].has_end);
        CHECK(problem && *problem);
    }
}

static void an_upload_says_how_long_it_is_and_is_whole(void)
{
    static const struct {
        struct head head;
        unsigned status;
    } cases[] = {
        {{{{"Content-Length", "0"}}}, 0},
        {{{{"Transfer-Encoding", "chunked"}}}, 0},
        {{{{0}}}, 411},
        {{{{"Content-Type", "text/plain"}}}, 411},
        {{{{"Content-Length", "5"}, {"content-range", "bytes 0-4/10"}}}, 400},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request request = request_of(&cases[i].head);
        const char *problem = NULL;
        CHECK_EQ(framing_check_upload(&request, &problem), cases[i].status);
        CHECK(problem && *problem);
    }
}

static void the_announced_length_is_read(void)
{
    static const struct head none = {{{0}}}, five = {{{"content-length", "5"}}};
    struct request request = request_of(&none);
    CHECK_EQ(framing_announced_bytes(&request), 0);
    request = request_of(&five);
    CHECK_EQ(framing_announced_bytes(&request), 5);
}

int main(void)
{
    TEST("a body whose end is said twice or in no way we know is refused", a_body_has_one_end);
    TEST("an upload says how long it is, and is no part",
         an_upload_says_how_long_it_is_and_is_whole);
    TEST("the announced length is read", the_announced_length_is_read);
    return check_done();
}
