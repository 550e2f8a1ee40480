/* SPDX-License-Identifier: Apache-2.0 */
#include "read/window.h"

#include "check.h"

#define KIB(n) (UINT64_C(n) << 10)
#define MIB(n) (UINT64_C(n) << 20)

static struct window_range advance(struct window *w, uint64_t pos, uint64_t run_bytes,
                                   uint64_t size, uint64_t max_bytes)
{
    return window_advance(w, pos, run_bytes, size, &(struct window_limits){max_bytes, MIB(4)});
}

static void check_range(struct window_range got, uint64_t off, uint64_t len)
{
    CHECK_EQ(got.len, len);
    if (len)
        CHECK_EQ(got.off, off);
}

/* The first look of one who read @run_bytes up to 1 MiB. */
static uint64_t size_after(uint64_t run_bytes, uint64_t least, uint64_t max_bytes)
{
    struct window w = {.least = least};
    advance(&w, MIB(1), run_bytes, MIB(1000), max_bytes);
    return w.bytes;
}

static void grows_with_what_was_read(void)
{
    static const struct {
        uint64_t run, least, max, bytes;
    } cases[] = {
        {KIB(128), 0, MIB(64), KIB(128)},
        {KIB(1023), 0, MIB(64), KIB(1023)},
        {MIB(1), 0, MIB(64), MIB(8)},
        {MIB(4), 0, MIB(64), MIB(32)},
        {MIB(8), 0, MIB(64), MIB(64)},
        {MIB(900), 0, MIB(64), MIB(64)},
        {UINT64_MAX, 0, MIB(64), MIB(64)},
        {KIB(4), MIB(2), MIB(64), MIB(2)},
        {MIB(1), MIB(2), MIB(64), MIB(8)},
        {MIB(1), MIB(2), MIB(1), MIB(1)},
        {MIB(1), MIB(2), 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_EQ(size_after(cases[i].run, cases[i].least, cases[i].max), cases[i].bytes);
}

/* Reads on in sequence from the begin of a blob of @size, and counts what is asked for. */
struct walk {
    uint64_t asked, n_asks, most;
};

static struct walk walk(uint64_t size, uint64_t step, uint64_t max_bytes)
{
    struct window w = {.least = WINDOW_FIRST_BYTES};
    struct walk seen = {0};
    for (uint64_t pos = 0; pos < size; pos += step) {
        struct window_range ask = advance(&w, pos, pos, size, max_bytes);
        if (ask.len)
            CHECK_EQ(ask.off, seen.asked);
        seen.asked += ask.len;
        seen.n_asks += ask.len != 0;
        if (w.ahead_end - pos > seen.most)
            seen.most = w.ahead_end - pos;
        CHECK(w.ahead_end > pos || pos + step >= size);
    }
    return seen;
}

static void asks_for_each_byte_once(void)
{
    const uint64_t size = MIB(77) + 13;
    struct walk seen = walk(size, 100001, MIB(16));
    CHECK_EQ(seen.asked, size);
    CHECK(seen.most <= MIB(16));
}

static void slides_in_parts(void)
{
    /* 4 MiB at a time, of 64. */
    struct walk seen = walk(MIB(1024), KIB(128), MIB(64));
    CHECK(seen.n_asks >= 256 && seen.n_asks <= 280);
    CHECK(seen.most > MIB(60) && seen.most <= MIB(64));
}

static void parts_are_as_large_as_ranges(void)
{
    static const struct {
        uint64_t range, max, part;
    } cases[] = {
        {MIB(2), MIB(32), MIB(2)},
        {MIB(2), MIB(4), MIB(1)},  /* four a window at least */
        {MIB(1), MIB(64), MIB(4)}, /* sixteen at most */
        {MIB(4), KIB(128), KIB(64)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct window_limits limits = {cases[i].max, cases[i].range};
        struct window w = {0};
        uint64_t pos = MIB(100), size = MIB(1000);
        window_advance(&w, pos, pos, size, &limits);
        uint64_t before = w.ahead_end, len = 0;
        while (!len && pos < size)
            len = window_advance(&w, pos, pos, size, &limits).len, pos += KIB(4);
        CHECK_EQ(w.ahead_end - before, cases[i].part);
    }
}

static void asks_for_nothing_behind_the_end(void)
{
    struct window w = {.least = WINDOW_FIRST_BYTES};
    check_range(advance(&w, 10, 10, 30, MIB(64)), 10, 20);
    check_range(advance(&w, 30, 30, 30, MIB(64)), 0, 0);
    check_range(advance(&w, MIB(500), 30, 30, MIB(64)), 0, 0);
    struct window empty = {.least = WINDOW_FIRST_BYTES};
    check_range(advance(&empty, 0, 0, 0, MIB(64)), 0, 0);
}

static void a_jump_ahead_starts_there(void)
{
    struct window w = {.least = WINDOW_FIRST_BYTES};
    advance(&w, 0, 0, MIB(100), MIB(64));
    check_range(advance(&w, MIB(50), KIB(128), MIB(100), MIB(64)), MIB(50), MIB(2));
}

static void no_room_is_no_window(void)
{
    struct window w = {.least = WINDOW_FIRST_BYTES};
    check_range(advance(&w, 0, 0, MIB(100), 0), 0, 0);
    check_range(advance(&w, MIB(1), MIB(1), MIB(100), MIB(1)), MIB(1), MIB(1));
}

static void a_few_bytes_are_not_worth_asking(void)
{
    struct window w = {0};
    check_range(advance(&w, MIB(5) + KIB(8), KIB(8), MIB(100), MIB(64)), 0, 0);
    check_range(advance(&w, MIB(5) + KIB(64), KIB(64), MIB(100), MIB(64)), MIB(5) + KIB(64),
                KIB(64));
}

static void without_memory_it_is_half_and_recovers(void)
{
    struct window w = {0};
    advance(&w, MIB(100), MIB(100), MIB(1000), MIB(64));
    CHECK_EQ(w.bytes, MIB(64));
    window_shrink(&w, MIB(102));
    CHECK_EQ(w.ahead_end, MIB(102));
    check_range(advance(&w, MIB(101), MIB(101), MIB(1000), MIB(64)), MIB(102), MIB(30));
    CHECK_EQ(w.bytes, MIB(32));
    advance(&w, MIB(110), MIB(110), MIB(1000), MIB(64));
    CHECK_EQ(w.bytes, MIB(64));
}

static void it_shrinks_to_the_first_size_and_not_below(void)
{
    struct window w = {0};
    for (int i = 0; i < 20; i++) {
        advance(&w, MIB(100), MIB(100), MIB(1000), MIB(64));
        window_shrink(&w, MIB(100));
    }
    CHECK_EQ(w.bytes, WINDOW_FIRST_BYTES);
    CHECK_EQ(w.most, WINDOW_FIRST_BYTES);
}

int main(void)
{
    TEST("a window grows with what was read", grows_with_what_was_read);
    TEST("a reader has each byte asked for once", asks_for_each_byte_once);
    TEST("it slides, in parts", slides_in_parts);
    TEST("its parts are as large as ranges", parts_are_as_large_as_ranges);
    TEST("nothing behind the blob's end is asked for", asks_for_nothing_behind_the_end);
    TEST("a jump ahead starts there", a_jump_ahead_starts_there);
    TEST("no room is no window", no_room_is_no_window);
    TEST("a few bytes are not worth asking for", a_few_bytes_are_not_worth_asking);
    TEST("without memory it is half, and recovers", without_memory_it_is_half_and_recovers);
    TEST("it shrinks to its first size and not below", it_shrinks_to_the_first_size_and_not_below);
    return check_done();
}
