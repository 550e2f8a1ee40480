/* SPDX-License-Identifier: Apache-2.0 */
#include "read/reach.h"

#include "check.h"
#include "net/pace.h"

#define KIB(n) (UINT64_C(n) << 10)
#define MIB(n) (UINT64_C(n) << 20)

static void it_follows_the_pace(void)
{
    static const struct {
        struct pace pace;
        struct reach reach;
    } cases[] = {
        /* nothing known, or half of it */
        {{0, 0, 0}, {UINT64_MAX, MIB(1), KIB(256)}},
        {{30000, 0, 0}, {UINT64_MAX, MIB(1), KIB(256)}},
        {{0, MIB(40), MIB(300)}, {UINT64_MAX, MIB(1), KIB(256)}},
        /* loopback: a small window; also while many share it */
        {{100, MIB(1024), MIB(1024)}, {KIB(20992), MIB(4), MIB(4)}},
        {{100, MIB(30), MIB(900)}, {KIB(20920), MIB(4), MIB(4)}},
        /* a slow host near by */
        {{1000, MIB(10), MIB(10)}, {MIB(16), MIB(1), MIB(4)}},
        /* a far link: what is waited for comes over several connections */
        {{30000, MIB(40), MIB(300)}, {KIB(84480), MIB(1), KIB(128)}},
        /* a slow one */
        {{30000, MIB(2), MIB(2)}, {MIB(16), MIB(1), KIB(128)}},
        /* across an ocean, at ten gigabits */
        {{100000, MIB(100), MIB(1200)}, {MIB(720), MIB(2), KIB(1280)}},
        /* out of all measure */
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX}, {UINT64_C(1) << 40, MIB(2), MIB(4)}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reach got = reach_of(&cases[i].pace), want = cases[i].reach;
        CHECK(got.window_bytes >= want.window_bytes / 100 * 99 &&
              got.window_bytes / 101 * 100 <= want.window_bytes);
        CHECK_EQ(got.ahead_bytes, want.ahead_bytes);
        CHECK_EQ(got.urgent_bytes, want.urgent_bytes);
    }
}

static void ranges_are_whole_pieces(void)
{
    for (uint64_t rate = KIB(100); rate < MIB(4000); rate = rate * 7 / 5)
        for (uint64_t rtt_us = 1; rtt_us < 1000000; rtt_us *= 3) {
            const struct pace pace = {rtt_us, rate, 4 * rate};
            struct reach reach = reach_of(&pace);
            CHECK(reach.ahead_bytes && reach.ahead_bytes % KIB(64) == 0);
            CHECK(reach.urgent_bytes && reach.urgent_bytes % KIB(64) == 0);
            CHECK(reach.window_bytes >= 4 * reach.ahead_bytes);
        }
}

int main(void)
{
    TEST("it follows the pace", it_follows_the_pace);
    TEST("ranges are whole pieces", ranges_are_whole_pieces);
    return check_done();
}
