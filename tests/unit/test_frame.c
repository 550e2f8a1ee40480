/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/frame.h"

#include <errno.h>

#include "check.h"

#define B    "0123456789abcdef0123456789abcdef"
#define HEAD "--" B "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"/x/w\"\r\n\r\n"
#define TAIL "\r\n--" B "--\r\n"

static const struct {
    const char *claim, *body, *want;
    enum frame_end end;
} cases[] = {
    {"an empty body", "", "", FRAME_RAW},
    {"plain bytes", "hello", "hello", FRAME_RAW},
    {"one dash", "-", "-", FRAME_RAW},
    {"half a boundary", "--0123", "--0123", FRAME_RAW},
    {"upper case is no boundary", "--0123456789ABCDEF", "--0123456789ABCDEF", FRAME_RAW},
    {"a boundary alone", "--" B "\r\n", "--" B "\r\n", FRAME_RAW},
    {"another field", "--" B "\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nx" TAIL,
     "--" B "\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nx" TAIL, FRAME_RAW},
    {"a head that does not end", "--" B "\r\nContent-Disposition: form-data; name=\"file\"\r\nX: y",
     "--" B "\r\nContent-Disposition: form-data; name=\"file\"\r\nX: y", FRAME_RAW},
    {"one frame", HEAD "hello" TAIL, "hello", FRAME_CLOSED},
    {"no file name", "--" B "\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello" TAIL,
     "hello", FRAME_CLOSED},
    {"a further header",
     "--" B "\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: x\r\n\r\nhi" TAIL,
     "hi", FRAME_CLOSED},
    {"an empty file", HEAD TAIL, "", FRAME_CLOSED},
    {"a file that ends like a frame", HEAD "x" TAIL TAIL, "x" TAIL, FRAME_CLOSED},
    {"a file that is a frame", HEAD HEAD "x" TAIL TAIL, HEAD "x" TAIL, FRAME_CLOSED},
    {"a file of line ends", HEAD "\r\n\r\n\r\n" TAIL, "\r\n\r\n\r\n", FRAME_CLOSED},
    {"no end", HEAD "hello", "hello", FRAME_OPEN},
    {"no end and no file", HEAD, "", FRAME_OPEN},
    {"bytes behind the end", HEAD "hello" TAIL "!", "hello" TAIL "!", FRAME_OPEN},
    {"an end of another boundary", HEAD "hello\r\n--fedcba9876543210fedcba9876543210--\r\n",
     "hello\r\n--fedcba9876543210fedcba9876543210--\r\n", FRAME_OPEN},
    {"an end that is cut", HEAD "hello\r\n--" B "--\r", "hello\r\n--" B "--\r", FRAME_OPEN},
};

static int sink(const void *data, size_t len, void *arg)
{
    return buf_append(arg, data, len);
}

static int feed_all(struct frame *f, const char *body, size_t piece, struct buf *out,
                    enum frame_end *end)
{
    size_t len = strlen(body);
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        int r = frame_feed(f, body + at, n, sink, out);
        if (r < 0)
            return r;
    }
    return frame_finish(f, sink, out, end);
}

static void check_case(size_t i, size_t piece)
{
    struct frame f FRAME_CLEANUP = {0};
    struct buf out BUF_CLEANUP = {0};
    enum frame_end end = FRAME_RAW;
    CHECK_EQ(feed_all(&f, cases[i].body, piece, &out, &end), 0);
    if (end != cases[i].end || strcmp(out.data ? out.data : "", cases[i].want) != 0)
        printf("# %s, in pieces of %zu\n", cases[i].claim, piece);
    CHECK_EQ(end, cases[i].end);
    CHECK_STR(out.data ? out.data : "", cases[i].want);
}

static void takes_off_one_frame_in_any_pieces(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (size_t piece = 1; piece <= strlen(cases[i].body) + 1; piece++)
            check_case(i, piece);
    }
}

static void gives_back_the_head_of_an_open_frame(void)
{
    struct frame f FRAME_CLEANUP = {0};
    struct buf out BUF_CLEANUP = {0};
    enum frame_end end = FRAME_RAW;
    CHECK_EQ(feed_all(&f, HEAD "hello", 7, &out, &end), 0);
    CHECK_EQ(end, FRAME_OPEN);
    CHECK_STR(f.head.data, HEAD);
}

static void a_head_without_end_is_kept_within_bounds(void)
{
    struct frame f FRAME_CLEANUP = {0};
    struct buf out BUF_CLEANUP = {0}, body BUF_CLEANUP = {0};
    enum frame_end end = FRAME_CLOSED;
    CHECK_EQ(buf_puts(&body, "--" B "\r\nContent-Disposition: form-data; name=\"file\""), 0);
    while (body.len < 100000)
        CHECK_EQ(buf_putc(&body, 'x'), 0);
    CHECK_EQ(frame_feed(&f, body.data, 99000, sink, &out), 0);
    CHECK_EQ(f.head.len, 0);
    CHECK_EQ(frame_feed(&f, body.data + 99000, 1000, sink, &out), 0);
    CHECK_EQ(frame_finish(&f, sink, &out, &end), 0);
    CHECK_EQ(end, FRAME_RAW);
    CHECK_EQ(out.len, body.len);
    CHECK_STR(out.data, body.data);
}

static int full_sink(const void *data, size_t len, void *arg)
{
    (void)data;
    (void)len;
    (void)arg;
    return -ENOSPC;
}

static void passes_on_what_the_sink_says(void)
{
    struct frame raw FRAME_CLEANUP = {0}, framed FRAME_CLEANUP = {0};
    enum frame_end end;
    char much[100] = {0};
    CHECK_EQ(frame_feed(&raw, "hello", 5, full_sink, NULL), -ENOSPC);
    CHECK_EQ(frame_feed(&framed, HEAD "hello", strlen(HEAD "hello"), full_sink, NULL), 0);
    CHECK_EQ(frame_finish(&framed, full_sink, NULL, &end), -ENOSPC);
    CHECK_EQ(frame_feed(&framed, much, sizeof(much), full_sink, NULL), -ENOSPC);
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct frame f FRAME_CLEANUP = {0};
        struct buf out BUF_CLEANUP = {0};
        enum frame_end end = FRAME_RAW;
        int r = feed_all(&f, HEAD "hello" TAIL, 5, &out, &end);
        CHECK(r == -ENOMEM || (r == 0 && strcmp(out.data, "hello") == 0));
    }
}

int main(void)
{
    TEST("takes one frame off, in pieces of any size", takes_off_one_frame_in_any_pieces);
    TEST("gives back the head of an open frame", gives_back_the_head_of_an_open_frame);
    TEST("a head without end is kept within bounds", a_head_without_end_is_kept_within_bounds);
    TEST("passes on what the sink says", passes_on_what_the_sink_says);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
