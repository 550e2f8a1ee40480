/* SPDX-License-Identifier: Apache-2.0 */
#include "read/window.h"

#include "check.h"

#define MIB(n) (UINT64_C(n) << 20)

static void check_range(struct window_range got, uint64_t off, uint64_t len)
{
    CHECK_EQ(got.len, len);
    if (len)
        CHECK_EQ(got.off, off);
}

static void opens_at_the_first_size(void)
{
    struct window w = {0};
    check_range(window_advance(&w, MIB(1), MIB(100), MIB(64)), MIB(1), WINDOW_FIRST_BYTES);
    CHECK_EQ(w.bytes, WINDOW_FIRST_BYTES);
    CHECK_EQ(w.ahead_end, MIB(3));
}

static void asks_again_when_half_is_used(void)
{
    struct window w = {0};
    window_advance(&w, 0, MIB(100), MIB(64));
    check_range(window_advance(&w, 1, MIB(100), MIB(64)), 0, 0);
    check_range(window_advance(&w, MIB(1), MIB(100), MIB(64)), 0, 0);
    check_range(window_advance(&w, MIB(1) + 1, MIB(100), MIB(64)), MIB(2), MIB(3) + 1);
    CHECK_EQ(w.bytes, MIB(4));
}

static void doubles_up_to_the_limit(void)
{
    struct window w = {0};
    uint64_t pos = 0;
    for (int i = 0; i < 1000; i++, pos += 128 << 10) {
        window_advance(&w, pos, MIB(1000), MIB(20));
        CHECK(w.bytes <= MIB(20));
        CHECK(w.ahead_end <= pos + MIB(20));
        CHECK(w.ahead_end > pos);
    }
    CHECK_EQ(w.bytes, MIB(20));
}

/* Every byte from the first position on is asked for once, in order. */
static void asks_for_each_byte_once(void)
{
    struct window w = {0};
    const uint64_t size = MIB(77) + 13;
    uint64_t asked = 0;
    for (uint64_t pos = 0; pos < size; pos += 100001) {
        struct window_range ask = window_advance(&w, pos, size, MIB(16));
        if (ask.len)
            CHECK_EQ(ask.off, asked);
        asked += ask.len;
    }
    CHECK_EQ(asked, size);
    CHECK_EQ(w.ahead_end, size);
}

static void asks_for_nothing_behind_the_end(void)
{
    struct window w = {0};
    check_range(window_advance(&w, 10, 30, MIB(64)), 10, 20);
    check_range(window_advance(&w, 30, 30, MIB(64)), 0, 0);
    check_range(window_advance(&w, MIB(500), 30, MIB(64)), 0, 0);
    struct window empty = {0};
    check_range(window_advance(&empty, 0, 0, MIB(64)), 0, 0);
}

static void a_jump_ahead_starts_there(void)
{
    struct window w = {0};
    window_advance(&w, 0, MIB(100), MIB(64));
    check_range(window_advance(&w, MIB(50), MIB(100), MIB(64)), MIB(50), MIB(4));
}

static void no_room_is_no_window(void)
{
    struct window w = {0};
    check_range(window_advance(&w, 0, MIB(100), 0), 0, 0);
    check_range(window_advance(&w, MIB(1), MIB(100), MIB(1)), MIB(1), MIB(1));
}

static void a_smaller_limit_closes_it(void)
{
    struct window w = {0};
    window_advance(&w, 0, MIB(100), MIB(64));
    window_advance(&w, MIB(2), MIB(100), MIB(64));
    CHECK_EQ(w.bytes, MIB(4));
    window_advance(&w, MIB(6), MIB(100), MIB(2));
    CHECK_EQ(w.bytes, MIB(2));
}

static void shrinks_to_the_first_size(void)
{
    static const struct {
        uint64_t before, after;
    } cases[] = {{MIB(64), MIB(32)}, {MIB(4), MIB(2)}, {MIB(3), MIB(3)}, {MIB(2), MIB(2)}, {0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct window w = {.bytes = cases[i].before};
        window_shrink(&w, 0);
        CHECK_EQ(w.bytes, cases[i].after);
    }
}

static void what_was_not_granted_is_asked_again(void)
{
    struct window w = {0};
    window_advance(&w, 0, MIB(100), MIB(64));
    window_shrink(&w, MIB(1));
    CHECK_EQ(w.ahead_end, MIB(1));
    check_range(window_advance(&w, MIB(1), MIB(100), MIB(64)), MIB(1), MIB(4));
    window_shrink(&w, MIB(90));
    CHECK_EQ(w.ahead_end, MIB(5));
}

int main(void)
{
    TEST("a window opens at its first size", opens_at_the_first_size);
    TEST("it asks again when half of it is used up", asks_again_when_half_is_used);
    TEST("it doubles up to the limit", doubles_up_to_the_limit);
    TEST("a reader has each byte asked for once", asks_for_each_byte_once);
    TEST("nothing behind the blob's end is asked for", asks_for_nothing_behind_the_end);
    TEST("a jump ahead starts there", a_jump_ahead_starts_there);
    TEST("no room is no window", no_room_is_no_window);
    TEST("a smaller limit closes it", a_smaller_limit_closes_it);
    TEST("it shrinks to its first size and not below", shrinks_to_the_first_size);
    TEST("what was not granted is asked for again", what_was_not_granted_is_asked_again);
    return check_done();
}
