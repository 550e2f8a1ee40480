/* SPDX-License-Identifier: Apache-2.0 */
#include "model/inquiry.h"

#include <errno.h>

#include "check.h"
#include "util/cleanup.h"

#define INQUIRY_CLEANUP CLEANUP(inquiry_deinit)

struct log {
    struct inquiry *inquiry;
    int n_calls, n_done;
};

static int give(struct inquiry_file *file, size_t len)
{
    uint8_t *data = calloc(1, len ? len : 1);
    return data ? inquiry_give(file, data, len) : -ENOMEM;
}

/* One round: every file that wants bytes gets them. */
static int answer(struct inquiry *inquiry)
{
    int r = 0;
    for (size_t i = 0; i < inquiry->n_files && r == 0; i++)
        if (inquiry_wants(inquiry->files[i]))
            r = give(inquiry->files[i], inquiry->files[i]->glimpse.want_len);
    return r;
}

/* Wants its whole file. */
static int read_whole(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct log *log = ctx;
    (void)file;
    log->n_calls++;
    if (!glimpse_at(glimpse, 0, glimpse->size_bytes))
        return glimpse_error(glimpse);
    log->n_done++;
    return 0;
}

/* Wants the next file looked into once it has its own. */
static int read_next(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    struct log *log = ctx;
    int r = read_whole(ctx, file, glimpse);
    return r == 0 && file < 5 ? inquiry_add(log->inquiry, file + 1, 10, read_next) : r;
}

static int want_nothing(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    (void)ctx, (void)file, (void)glimpse;
    return -EAGAIN;
}

static int run_out(void *ctx, uint32_t file, struct glimpse *glimpse)
{
    (void)ctx, (void)file, (void)glimpse;
    return -ENOMEM;
}

static void files_of_a_round_travel_together(void)
{
    struct log log = {0};
    INQUIRY_CLEANUP struct inquiry q;
    inquiry_init(&q, &log);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_EQ(inquiry_add(&q, i, 10 * i, read_whole), 0);
    CHECK_EQ(inquiry_step(&q), -EAGAIN);
    CHECK_EQ(log.n_done, 1); /* an empty file wants nothing */
    CHECK(!inquiry_wants(q.files[0]) && inquiry_wants(q.files[1]) && inquiry_wants(q.files[2]));
    CHECK_EQ(give(q.files[2], 20), 0);
    CHECK_EQ(inquiry_step(&q), -EAGAIN);
    CHECK_EQ(log.n_done, 2);
    CHECK_EQ(log.n_calls, 4); /* who waits is not called */
    CHECK_EQ(give(q.files[1], 10), 0);
    CHECK_EQ(inquiry_step(&q), 0);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(q.files[i]->result, 0);
        CHECK_EQ(q.files[i]->glimpse.held_bytes, 0);
    }
}

static void a_parser_may_add_files(void)
{
    struct log log = {0};
    INQUIRY_CLEANUP struct inquiry q;
    inquiry_init(&q, &log);
    log.inquiry = &q;
    CHECK_EQ(inquiry_add(&q, 0, 10, read_next), 0);
    int n_rounds = 0;
    for (; inquiry_step(&q) == -EAGAIN; n_rounds++)
        CHECK_EQ(answer(&q), 0);
    CHECK_EQ(n_rounds, 6);
    CHECK_EQ(q.n_files, 6);
    CHECK_EQ(log.n_done, 6);
}

static void less_than_was_wanted_is_asked_for_again(void)
{
    struct log log = {0};
    INQUIRY_CLEANUP struct inquiry q;
    inquiry_init(&q, &log);
    CHECK_EQ(inquiry_add(&q, 0, 10, read_whole), 0);
    CHECK_EQ(inquiry_step(&q), -EAGAIN);
    CHECK_EQ(give(q.files[0], 4), 0);
    CHECK_EQ(inquiry_step(&q), -EAGAIN);
    CHECK_EQ(q.files[0]->glimpse.want_offset, 4);
    CHECK_EQ(q.files[0]->glimpse.want_len, 6);
    CHECK_EQ(give(q.files[0], 6), 0);
    CHECK_EQ(inquiry_step(&q), 0);
}

static void what_cannot_be_had_is_the_files_result(void)
{
    struct log log = {0};
    INQUIRY_CLEANUP struct inquiry q;
    inquiry_init(&q, &log);
    CHECK_EQ(inquiry_add(&q, 0, 10, read_whole), 0);
    CHECK_EQ(inquiry_add(&q, 1, 10, read_whole), 0);
    CHECK_EQ(inquiry_step(&q), -EAGAIN);
    inquiry_fail(q.files[0], -EIO);
    CHECK(!inquiry_wants(q.files[0]));
    CHECK_EQ(answer(&q), 0);
    CHECK_EQ(inquiry_step(&q), 0);
    CHECK_EQ(q.files[0]->result, -EIO);
    CHECK_EQ(q.files[1]->result, 0);
}

static void who_wants_nothing_does_not_wait(void)
{
    INQUIRY_CLEANUP struct inquiry q;
    inquiry_init(&q, NULL);
    CHECK_EQ(inquiry_step(&q), 0);
    CHECK_EQ(inquiry_add(&q, 0, 10, want_nothing), 0);
    CHECK_EQ(inquiry_step(&q), 0);
    CHECK_EQ(q.files[0]->result, -EBADMSG);
    CHECK_EQ(inquiry_add(&q, 1, 10, run_out), 0);
    CHECK_EQ(inquiry_step(&q), -ENOMEM);
    CHECK_EQ(q.files[1]->result, -ENOMEM);
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        struct log log = {0};
        INQUIRY_CLEANUP struct inquiry q;
        inquiry_init(&q, &log);
        log.inquiry = &q;
        int r = inquiry_add(&q, 0, 10, read_next);
        while (r == 0 && (r = inquiry_step(&q)) == -EAGAIN)
            r = answer(&q);
        CHECK(r == 0 ? log.n_done == 6 : r == -ENOMEM);
    }
}

int main(void)
{
    TEST("files of a round travel together", files_of_a_round_travel_together);
    TEST("a parser may add files", a_parser_may_add_files);
    TEST("less than was wanted is asked for again", less_than_was_wanted_is_asked_for_again);
    TEST("what cannot be had is the file's result", what_cannot_be_had_is_the_files_result);
    TEST("who wants nothing does not wait", who_wants_nothing_does_not_wait);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
