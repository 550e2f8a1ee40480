/* SPDX-License-Identifier: Apache-2.0 */
#include "read/streams.h"

#include "check.h"

#define MIB(n) (UINT64_C(n) << 20)

enum { READ_BYTES = 128 << 10 };

static const uint64_t blob_bytes = MIB(1000), max_bytes = MIB(64);

static struct window_range note(struct streams *s, uint64_t off, struct stream **out_stream)
{
    const struct window_limits limits = {max_bytes, MIB(4)};
    return streams_note(s, off, READ_BYTES, blob_bytes, &limits, out_stream);
}

static size_t n_used(const struct streams *s)
{
    size_t n = 0;
    for (size_t i = 0; i < STREAMS_MAX; i++)
        n += s->items[i].used_at != 0;
    return n;
}

static void the_first_byte_opens_a_stream(void)
{
    struct streams s = {0};
    struct stream *stream;
    struct window_range ask = note(&s, 0, &stream);
    CHECK_EQ(ask.off, READ_BYTES);
    CHECK_EQ(ask.off + ask.len, WINDOW_FIRST_BYTES);
}

static void elsewhere_a_second_read_does(void)
{
    struct streams s = {0};
    struct stream *first, *second;
    CHECK_EQ(note(&s, MIB(10), &first).len, 0);
    struct window_range ask = note(&s, MIB(10) + READ_BYTES, &second);
    CHECK(first == second);
    CHECK_EQ(ask.off, MIB(10) + 2 * READ_BYTES);
    CHECK_EQ(ask.len, 2 * READ_BYTES); /* as far as was read */
    CHECK_EQ(second->run_bytes, 2 * READ_BYTES);
}

static void reads_out_of_order_are_one_stream(void)
{
    static const int64_t steps[] = {0, 2, 1, 4, 3, 8, 5, 7, 6, 3};
    struct streams s = {0};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct stream *stream;
        note(&s, (uint64_t)steps[i] * READ_BYTES, &stream);
        CHECK(stream == &s.items[0]);
    }
    CHECK_EQ(n_used(&s), 1);
    CHECK_EQ(s.items[0].next, 9 * READ_BYTES);
}

static void the_slack_grows_with_the_run(void)
{
    static const struct {
        uint64_t n_reads; /* from 50 MiB on */
        int64_t distance; /* of the next read, from where they end */
        bool same;
    } cases[] = {
        {1, READ_BYTES, true},     {1, READ_BYTES + 1, false},
        {1, -READ_BYTES, true},    {1, -2 * READ_BYTES - 1, false},
        {4, 4 * READ_BYTES, true}, {4, -4 * READ_BYTES, true},
        {4, MIB(2) + 1, false},    {800, -2 * (int64_t)STREAMS_SLACK_BYTES, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct streams s = {0};
        struct stream *first = NULL, *second;
        uint64_t off = MIB(50);
        for (uint64_t n = 0; n < cases[i].n_reads; n++, off += READ_BYTES)
            note(&s, off, &first);
        note(&s, off + (uint64_t)cases[i].distance, &second);
        CHECK_EQ(first == second, cases[i].same);
    }
}

static void random_reads_ask_for_nothing(void)
{
    struct streams s = {0};
    struct stream *stream;
    for (uint64_t i = 1; i < 100; i++)
        CHECK_EQ(note(&s, (i * 37 % 100) * MIB(9) + MIB(1), &stream).len, 0);
    CHECK_EQ(n_used(&s), STREAMS_MAX);
}

/* Parts of a file taken in turn by several readers: what one reads, another's window brought. */
static void readers_side_by_side_are_one_stream(void)
{
    struct streams s = {0};
    struct stream *first = NULL, *stream;
    for (uint64_t i = 0; i < 200; i++)
        note(&s, MIB(100) + i * READ_BYTES, &first);
    CHECK(first->window.bytes >= MIB(32));
    note(&s, first->window.ahead_end, &stream);
    CHECK(stream == first);
    note(&s, MIB(150), &stream);
    CHECK(stream == first);
    note(&s, MIB(100) - STREAMS_SLACK_BYTES - 1, &stream); /* before it began */
    CHECK(stream != first);
}

static void sixteen_readers_each_keep_a_window(void)
{
    struct streams s = {0};
    struct stream *own[STREAMS_MAX], *stream;
    for (uint64_t round = 0; round < 20; round++)
        for (uint64_t i = 0; i < STREAMS_MAX; i++) {
            note(&s, i * MIB(60) + round * READ_BYTES, &stream);
            if (round == 0)
                own[i] = stream;
            CHECK(stream == own[i]);
        }
    for (size_t i = 0; i < STREAMS_MAX; i++)
        CHECK(own[i]->window.bytes >= WINDOW_FIRST_BYTES);
}

static void the_oldest_makes_room(void)
{
    struct streams s = {0};
    struct stream *first, *second, *stream;
    note(&s, MIB(900), &first);
    note(&s, MIB(800), &second);
    for (uint64_t i = 0; i < STREAMS_MAX - 2; i++)
        note(&s, MIB(10) * (i + 1), &stream);
    note(&s, MIB(900) + READ_BYTES, &stream);
    CHECK(stream == first);
    note(&s, MIB(700), &stream);
    CHECK(stream == second);
    CHECK_EQ(stream->next, MIB(700) + READ_BYTES);
    CHECK_EQ(stream->run_bytes, READ_BYTES);
    CHECK_EQ(stream->window.bytes, 0);
}

/* Reads sequentially for long, and says how large the window gets. */
static uint64_t grow_one(struct streams *s, uint64_t off)
{
    struct stream *stream = NULL;
    for (uint64_t i = 0; i < 1000; i++)
        note(s, off + i * READ_BYTES, &stream);
    return stream->window.bytes;
}

static void one_reader_has_all_of_the_room(void)
{
    struct streams s = {0};
    CHECK_EQ(grow_one(&s, 0), max_bytes);
}

static void two_readers_share_the_room(void)
{
    struct streams s = {0};
    struct stream *a = NULL, *b = NULL;
    for (uint64_t i = 0; i < 1000; i++) {
        note(&s, i * READ_BYTES, &a);
        note(&s, MIB(500) + i * READ_BYTES, &b);
    }
    CHECK(a != b);
    CHECK_EQ(a->window.bytes, max_bytes / 2);
    CHECK_EQ(b->window.bytes, max_bytes / 2);
}

static void a_reader_that_stopped_has_no_share(void)
{
    struct streams s = {0};
    grow_one(&s, 0);
    CHECK_EQ(grow_one(&s, MIB(500)), max_bytes);
}

static void the_nearest_stream_takes_a_read(void)
{
    struct streams s = {0};
    struct stream *low, *high, *stream;
    note(&s, MIB(100), &low);
    note(&s, MIB(100) + 4 * READ_BYTES, &high);
    CHECK(low != high);
    note(&s, MIB(100) + 3 * READ_BYTES, &stream);
    CHECK(stream == high);
    note(&s, MIB(100) + READ_BYTES, &stream);
    CHECK(stream == low);
}

int main(void)
{
    TEST("a read of the first byte opens a stream", the_first_byte_opens_a_stream);
    TEST("elsewhere the second read does", elsewhere_a_second_read_does);
    TEST("reads out of order are one stream", reads_out_of_order_are_one_stream);
    TEST("the slack grows with the run", the_slack_grows_with_the_run);
    TEST("random reads ask for nothing", random_reads_ask_for_nothing);
    TEST("readers side by side are one stream", readers_side_by_side_are_one_stream);
    TEST("sixteen readers each keep a window", sixteen_readers_each_keep_a_window);
    TEST("the oldest stream makes room", the_oldest_makes_room);
    TEST("one reader has all of the room", one_reader_has_all_of_the_room);
    TEST("two readers share the room", two_readers_share_the_room);
    TEST("a reader that stopped has no share", a_reader_that_stopped_has_no_share);
    TEST("the nearest stream takes a read", the_nearest_stream_takes_a_read);
    return check_done();
}
