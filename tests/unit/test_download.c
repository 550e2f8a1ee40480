/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "check.h"
#include "uploads.h"

static const char content[] = "0123456789";

/* A GET with a header (or none). 0 or -errno. */
static int get(const char *path, const char *header, const char *value, struct reply *reply)
{
    const struct request_pair headers[] = {{header ? header : "X", value ? value : ""}};
    struct request request = uploads_request(path);
    request.headers = headers;
    request.n_headers = 1;
    reply_init(reply);
    return api_files_download(uploads_store, &request, reply);
}

static const char *header_of(const struct reply *reply, const char *name)
{
    for (unsigned i = 0; i < reply->n_headers; i++) {
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    }
    return "";
}

/* The bytes the reply would send from its file. */
static void read_body(const struct reply *reply, char out[32])
{
    memset(out, 0, 32);
    if (reply->fd >= 0)
        CHECK_EQ(pread(reply->fd, out, reply->len, (off_t)reply->off), reply->len);
}

static void etag_of(const char *text, char out[DIGEST_HEX_BYTES + 2])
{
    struct digest digest;
    char hex[DIGEST_HEX_BYTES];
    digest_of(text, strlen(text), &digest);
    digest_format_hex(&digest, hex);
    snprintf(out, DIGEST_HEX_BYTES + 2, "\"%s\"", hex);
}

static void ranges_and_conditions_are_answered(void)
{
    char etag[DIGEST_HEX_BYTES + 2];
    etag_of(content, etag);
    CHECK_EQ(uploads_put("w", content, strlen(content), 4), 200);
    const struct {
        const char *header, *value;
        unsigned status;
        const char *body, *content_range;
    } cases[] = {
        {NULL, NULL, 200, content, ""},
        {"Range", "bytes=2-4", 206, "234", "bytes 2-4/10"},
        {"Range", "bytes=-3", 206, "789", "bytes 7-9/10"},
        {"Range", "bytes=8-99", 206, "89", "bytes 8-9/10"},
        {"Range", "bytes=10-", 416, "", "bytes */10"},
        {"Range", "lines=1-2", 200, content, ""},
        {"If-Match", etag, 200, content, ""},
        {"If-Match", "\"other\"", 412, "", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct reply reply REPLY_CLEANUP;
        char body[32];
        CHECK_EQ(get("w", cases[i].header, cases[i].value, &reply), 0);
        CHECK_EQ(reply.status, cases[i].status);
        CHECK_STR(header_of(&reply, "Content-Range"), cases[i].content_range);
        CHECK_STR(header_of(&reply, "ETag"), etag);
        CHECK_STR(header_of(&reply, "Accept-Ranges"), "bytes");
        CHECK_EQ(strlen(header_of(&reply, "Last-Modified")),
                 strlen("Sun, 06 Nov 1994 08:49:37 GMT"));
        read_body(&reply, body);
        CHECK_STR(body, cases[i].body);
    }
}

static void a_304_has_the_length_of_the_file(void)
{
    struct reply reply REPLY_CLEANUP;
    char etag[DIGEST_HEX_BYTES + 2];
    etag_of(content, etag);
    CHECK_EQ(uploads_put("w", content, strlen(content), 4), 200);
    CHECK_EQ(get("w", "If-None-Match", etag, &reply), 0);
    CHECK_EQ(reply.status, 304);
    CHECK_EQ(reply.len, strlen(content));
    CHECK_STR(header_of(&reply, "ETag"), etag);
}

static void a_file_that_is_not_there_is_404(void)
{
    struct reply reply REPLY_CLEANUP, deeper REPLY_CLEANUP;
    CHECK_EQ(get("nothing", NULL, NULL, &reply), 0);
    CHECK_EQ(reply.status, 404);
    CHECK_EQ(get("w/x", NULL, NULL, &deeper), 0);
    CHECK_EQ(deeper.status, 404);
}

static void an_empty_file_has_no_ranges(void)
{
    struct reply reply REPLY_CLEANUP, ranged REPLY_CLEANUP;
    CHECK_EQ(uploads_put("empty", "", 0, 1), 200);
    CHECK_EQ(get("empty", NULL, NULL, &reply), 0);
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(reply.len, 0);
    CHECK_EQ(get("empty", "Range", "bytes=0-", &ranged), 0);
    CHECK_EQ(ranged.status, 416);
}

static void a_reply_keeps_its_content_when_the_file_changes(void)
{
    struct reply reply REPLY_CLEANUP;
    char body[32];
    CHECK_EQ(uploads_put("w", content, strlen(content), 4), 200);
    CHECK_EQ(get("w", NULL, NULL, &reply), 0);
    CHECK_EQ(uploads_put("w", "another", 7, 7), 200);
    read_body(&reply, body);
    CHECK_STR(body, content);
}

static void a_lost_or_damaged_object_is_a_failure(void)
{
    struct reply reply REPLY_CLEANUP, again REPLY_CLEANUP;
    char etag[DIGEST_HEX_BYTES + 2], name[128];
    etag_of(content, etag);
    snprintf(name, sizeof(name), "objects/%.2s/%.62s", etag + 1, etag + 3);
    CHECK_EQ(uploads_put("w", content, strlen(content), 4), 200);
    CHECK_EQ(truncate(store_dir_path(name), 5), 0);
    CHECK_EQ(get("w", NULL, NULL, &reply), -EIO);
    CHECK_EQ(reply.fd, -1);
    CHECK_EQ(unlink(store_dir_path(name)), 0);
    CHECK_EQ(get("w", NULL, NULL, &again), -EIO);
}

int main(void)
{
    uploads_open();
    TEST("ranges and conditions are answered", ranges_and_conditions_are_answered);
    TEST("a 304 has the length of the file", a_304_has_the_length_of_the_file);
    TEST("a file that is not there is 404", a_file_that_is_not_there_is_404);
    TEST("an empty file has no ranges", an_empty_file_has_no_ranges);
    TEST("a reply keeps its content when the file changes",
         a_reply_keeps_its_content_when_the_file_changes);
    TEST("a lost or damaged object is a failure", a_lost_or_damaged_object_is_a_failure);
    uploads_close();
    return check_done();
}
