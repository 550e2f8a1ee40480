/* SPDX-License-Identifier: Apache-2.0 */
#include "model/glimpse.h"

#include <errno.h>

#include "check.h"
#include "util/cleanup.h"

#define GLIMPSE_CLEANUP CLEANUP(glimpse_deinit)
enum { KIB = 1 << 10, MIB = 1 << 20 };

/* The byte at @offset of the file. */
static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 131 + (offset >> 8));
}

static int add(struct glimpse *glimpse, uint64_t offset, size_t len)
{
    uint8_t *data = malloc(len ? len : 1);
    if (!data)
        return -ENOMEM;
    for (size_t i = 0; i < len; i++)
        data[i] = byte_at(offset + i);
    return glimpse_add(glimpse, offset, data, len);
}

/* Whether [offset, offset + n) is here, and is what it should be. */
static bool is_here(struct glimpse *glimpse, uint64_t offset, uint64_t n)
{
    const uint8_t *data = glimpse_at(glimpse, offset, n);
    for (uint64_t i = 0; data && i < n; i++)
        CHECK_EQ(data[i], byte_at(offset + i));
    return data;
}

static void what_is_asked_for_is_wanted(void)
{
    static const struct {
        uint64_t offset, n, guess, want_offset, want_len;
    } cases[] = {
        {0, 8, 0, 0, 64 * KIB},                          /* at least so much */
        {100, 100 * KIB, 0, 100, 100 * KIB},             /* what is needed */
        {0, 8, 100 * KIB, 0, 100 * KIB},                 /* what is guessed */
        {0, 100 * KIB, 8, 0, 100 * KIB},                 /* a guess that is less */
        {8 * MIB - 10, 1, 0, 8 * MIB - 10, 10},          /* as far as the file goes */
        {8 * MIB - 10, 1, UINT64_MAX, 8 * MIB - 10, 10}, /* so does a guess */
        {8 * MIB - 100 * KIB, 100 * KIB, 0, 8 * MIB - 100 * KIB, 100 * KIB},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        GLIMPSE_CLEANUP struct glimpse g;
        glimpse_init(&g, 8 * MIB);
        CHECK(!glimpse_ask(&g, cases[i].offset, cases[i].n, cases[i].guess));
        CHECK_EQ(glimpse_error(&g), -EAGAIN);
        CHECK_EQ(g.want_offset, cases[i].want_offset);
        CHECK_EQ(g.want_len, cases[i].want_len);
        CHECK_EQ(add(&g, g.want_offset, g.want_len), 0);
        CHECK_EQ(g.want_len, 0);
        CHECK(is_here(&g, cases[i].offset, cases[i].n));
    }
}

static void behind_the_end_is_nothing(void)
{
    static const uint64_t cases[][2] = {{1000, 1},
                                        {0, 1001},
                                        {1001, 0},
                                        {500, 501},
                                        {1, UINT64_MAX},
                                        {UINT64_MAX, 1},
                                        {UINT64_MAX, UINT64_MAX}};
    GLIMPSE_CLEANUP struct glimpse g;
    glimpse_init(&g, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(!glimpse_at(&g, 1, 1) && g.want_len);
        CHECK(!glimpse_ask(&g, cases[i][0], cases[i][1], 1));
        CHECK_EQ(glimpse_error(&g), -EBADMSG);
        CHECK_EQ(g.want_len, 0);
    }
    CHECK(glimpse_at(&g, 1000, 0));
    CHECK(glimpse_at(&g, 0, 0));
}

static void what_is_here_is_not_asked_for_again(void)
{
    GLIMPSE_CLEANUP struct glimpse g;
    glimpse_init(&g, 8 * MIB);
    CHECK_EQ(add(&g, 100, 50), 0);
    CHECK(is_here(&g, 100, 50));
    CHECK(is_here(&g, 149, 1));
    CHECK(!is_here(&g, 99, 1));
    CHECK(!is_here(&g, 150, 1));
    CHECK(!glimpse_ask(&g, 120, 100 * KIB, 0));
    CHECK_EQ(g.want_offset, 150);
    CHECK_EQ(g.want_len, 100 * KIB - 30);
    CHECK(!glimpse_ask(&g, 120, 31, 200 * KIB));
    CHECK_EQ(g.want_offset, 150);
    CHECK_EQ(g.want_len, 200 * KIB - 30);
}

/* Parts as `offset+len`. */
static void check_parts(const struct glimpse *g, const char *want)
{
    char got[256] = "";
    uint64_t held = 0;
    for (size_t i = 0; i < g->n_parts; i++) {
        held += g->parts[i].len;
        sprintf(got + strlen(got), i ? " %d+%d" : "%d+%d", (int)g->parts[i].offset,
                (int)g->parts[i].len);
    }
    CHECK_STR(got, want);
    CHECK_EQ(g->held_bytes, held);
}

static void parts_join_and_overlap(void)
{
    static const struct {
        int adds[4][2]; /* offset, len */
        const char *parts;
    } cases[] = {
        {{{0, 10}, {20, 10}}, "0+10 20+10"},
        {{{20, 10}, {0, 10}}, "0+10 20+10"},
        {{{0, 10}, {10, 10}}, "0+20"},
        {{{10, 10}, {0, 10}}, "0+20"},
        {{{0, 10}, {20, 10}, {10, 10}}, "0+30"},
        {{{0, 10}, {20, 10}, {5, 20}}, "0+30"},
        {{{0, 10}, {5, 10}}, "0+15"},
        {{{5, 10}, {0, 10}}, "0+15"},
        {{{0, 10}, {2, 3}}, "0+10"},
        {{{0, 10}, {0, 10}}, "0+10"},
        {{{0, 10}, {20, 10}, {5, 30}}, "0+30"}, /* what is behind the hole is asked for anew */
        {{{5, 5}, {0, 20}}, "0+10"},
        {{{0, 10}, {40, 10}, {20, 10}}, "0+10 20+10 40+10"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        GLIMPSE_CLEANUP struct glimpse g;
        glimpse_init(&g, 1000);
        for (size_t k = 0; k < 4 && cases[i].adds[k][1]; k++)
            CHECK_EQ(add(&g, (uint64_t)cases[i].adds[k][0], (size_t)cases[i].adds[k][1]), 0);
        check_parts(&g, cases[i].parts);
        for (size_t k = 0; k < g.n_parts; k++)
            CHECK(is_here(&g, g.parts[k].offset, g.parts[k].len));
    }
}

static void what_is_dropped_is_gone(void)
{
    static const struct {
        uint64_t offset;
        const char *parts;
    } cases[] = {
        {0, "0+10 20+10 40+10"}, {5, "5+5 20+10 40+10"}, {10, "20+10 40+10"},
        {25, "25+5 40+10"},      {49, "49+1"},           {50, ""},
        {UINT64_MAX, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        GLIMPSE_CLEANUP struct glimpse g;
        glimpse_init(&g, 1000);
        for (uint64_t offset = 0; offset < 60; offset += 20)
            CHECK_EQ(add(&g, offset, 10), 0);
        glimpse_drop(&g, cases[i].offset);
        check_parts(&g, cases[i].parts);
        for (size_t k = 0; k < g.n_parts; k++)
            CHECK(is_here(&g, g.parts[k].offset, g.parts[k].len));
    }
}

static void no_file_holds_more_than_it_may(void)
{
    GLIMPSE_CLEANUP struct glimpse g;
    glimpse_init(&g, UINT64_C(1) << 40);
    CHECK(!glimpse_at(&g, 0, GLIMPSE_MAX_BYTES));
    CHECK_EQ(glimpse_error(&g), -EAGAIN);
    CHECK(!glimpse_at(&g, 0, GLIMPSE_MAX_BYTES + 1));
    CHECK_EQ(glimpse_error(&g), -EFBIG);
    CHECK_EQ(g.want_len, 0);
    CHECK(!glimpse_ask(&g, 0, 8, UINT64_MAX)); /* a guess is only a guess */
    CHECK_EQ(glimpse_error(&g), -EAGAIN);
    CHECK_EQ(g.want_len, GLIMPSE_MAX_BYTES);
    g.held_bytes = GLIMPSE_MAX_BYTES - 10; /* as if it were so */
    CHECK(!glimpse_at(&g, 0, 8));
    CHECK_EQ(glimpse_error(&g), -EAGAIN);
    CHECK_EQ(g.want_len, 10);
    CHECK(!glimpse_at(&g, 0, 11));
    CHECK_EQ(glimpse_error(&g), -EFBIG);
    g.held_bytes = GLIMPSE_MAX_BYTES + UINT64_C(10); /* somebody gave more than was wanted */
    CHECK(!glimpse_at(&g, 0, 1));
    CHECK_EQ(glimpse_error(&g), -EFBIG);
    g.held_bytes = 0;
}

/* Parts in any order, against a map of what should be here. */
static void any_order_comes_to_the_same(void)
{
    enum { SIZE = 400 };
    GLIMPSE_CLEANUP struct glimpse g;
    bool here[SIZE] = {0};
    unsigned random = 1;
    glimpse_init(&g, SIZE);
    for (int i = 0; i < 2000; i++) {
        random = random * 1103515245 + 12345;
        unsigned n = (random >> 16) % 20, at = (random >> 20) % SIZE;
        n = n < SIZE - at ? n : SIZE - at;
        bool is_all_here = true;
        for (unsigned k = 0; k < n; k++)
            is_all_here = is_all_here && here[at + k];
        CHECK_EQ(is_here(&g, at, n), is_all_here);
        if (i % 7 == 0) {
            CHECK_EQ(add(&g, at, n), 0);
            for (size_t p = 0; p < g.n_parts; p++)
                memset(here + g.parts[p].offset, true, g.parts[p].len);
            CHECK(n == 0 || is_here(&g, at, 1));
        }
        if (i % 400 == 399) {
            glimpse_drop(&g, at);
            memset(here, 0, at);
        }
        for (size_t p = 0; p + 1 < g.n_parts; p++)
            CHECK(g.parts[p].offset + g.parts[p].len < g.parts[p + 1].offset);
    }
}

static void no_memory_is_an_error(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        GLIMPSE_CLEANUP struct glimpse g;
        glimpse_init(&g, 1000);
        int r = add(&g, 0, 10);
        r = r == 0 ? add(&g, 20, 10) : r;
        r = r == 0 ? add(&g, 5, 25) : r;
        CHECK(r == 0 || r == -ENOMEM);
        uint64_t held = 0;
        for (size_t i = 0; i < g.n_parts; i++)
            held += g.parts[i].len;
        CHECK_EQ(g.held_bytes, held);
        CHECK(r < 0 || is_here(&g, 0, 30));
    }
}

int main(void)
{
    TEST("what is asked for is wanted", what_is_asked_for_is_wanted);
    TEST("behind the end is nothing", behind_the_end_is_nothing);
    TEST("what is here is not asked for again", what_is_here_is_not_asked_for_again);
    TEST("parts join and overlap", parts_join_and_overlap);
    TEST("what is dropped is gone", what_is_dropped_is_gone);
    TEST("no file holds more than it may", no_file_holds_more_than_it_may);
    TEST("any order comes to the same", any_order_comes_to_the_same);
    TEST("no memory is an error", no_memory_is_an_error);
    return check_done();
}
