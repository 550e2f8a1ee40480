/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/braille.h"

#include <errno.h>

#include "check.h"
#include "cmd/screen.h"

#define PEN0  "\004"
#define PEN1  "\005"
#define PLAIN SCREEN_NORMAL

static void check_row(const struct braille *b, unsigned row, bool utf8, const char *want)
{
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(braille_format_row(b, row, utf8, &out), 0);
    CHECK_STR(out.data ? out.data : "", want);
}

static void each_dot_has_its_bit(void)
{
    static const char *const want[4][2] = {{"⠁", "⠈"}, {"⠂", "⠐"}, {"⠄", "⠠"}, {"⡀", "⢀"}};
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 2; x++) {
            BRAILLE_CLEANUP struct braille b = {0};
            BUF_CLEANUP struct buf row = {0};
            CHECK_EQ(braille_init(&b, 1, 1), 0);
            braille_dot(&b, x, y, 0);
            CHECK_EQ(buf_printf(&row, PEN0 "%s" PLAIN, want[y][x]), 0);
            check_row(&b, 0, true, row.data);
        }
}

static void a_line_goes_from_end_to_end(void)
{
    BRAILLE_CLEANUP struct braille b = {0};
    CHECK_EQ(braille_init(&b, 2, 2), 0);
    braille_line(&b, 0, 0, 3, 7, 0);
    check_row(&b, 0, true, PEN0 "⢣" PLAIN);
    check_row(&b, 1, true, " " PEN0 "⢣" PLAIN);
    braille_line(&b, 3, 0, 3, 0, 0);
    check_row(&b, 0, true, PEN0 "⢣" PLAIN PEN0 "⠈" PLAIN);
}

static void what_lies_outside_is_left_out(void)
{
    BRAILLE_CLEANUP struct braille b = {0};
    CHECK_EQ(braille_init(&b, 2, 1), 0);
    braille_dot(&b, -1, 0, 0);
    braille_dot(&b, 0, -1, 0);
    braille_dot(&b, 4, 0, 0);
    braille_dot(&b, 0, 4, 0);
    braille_mark(&b, 9, 9, 0);
    check_row(&b, 0, true, "");
}

static void ascii_tells_who_drew(void)
{
    BRAILLE_CLEANUP struct braille b = {0};
    CHECK_EQ(braille_init(&b, 4, 1), 0);
    braille_dot(&b, 0, 0, 0);
    braille_dot(&b, 4, 0, 1);
    braille_mark(&b, 4, 0, 1);
    check_row(&b, 0, false, PEN0 "o" PLAIN " " PEN1 "*" PLAIN);
    check_row(&b, 0, true, PEN0 "⠁" PLAIN " " PEN1 "▲" PLAIN);
}

static void pens_have_marks_for_a_legend(void)
{
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(braille_format_mark(1, true, &out), 0);
    CHECK_EQ(braille_format_mark(1 + BRAILLE_N_PENS, false, &out), 0);
    CHECK_STR(out.data, PEN1 "▲" PLAIN PEN1 "x" PLAIN);
}

static void a_size_has_bounds(void)
{
    struct braille b;
    CHECK_EQ(braille_init(&b, 0, 1), -EINVAL);
    CHECK_EQ(braille_init(&b, 1, 0), -EINVAL);
    CHECK_EQ(braille_init(&b, 1 << 16, 1 << 16), -EINVAL);
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        BRAILLE_CLEANUP struct braille b = {0};
        BUF_CLEANUP struct buf out = {0};
        int r = braille_init(&b, 1, 1);
        CHECK(r == 0 || r == -ENOMEM);
        if (r < 0)
            continue;
        braille_dot(&b, 0, 0, 0);
        r = braille_format_row(&b, 0, true, &out);
        CHECK(r == -ENOMEM || (r == 0 && strcmp(out.data, PEN0 "⠁" PLAIN) == 0));
    }
}

int main(void)
{
    TEST("each dot has its bit", each_dot_has_its_bit);
    TEST("a line goes from end to end", a_line_goes_from_end_to_end);
    TEST("what lies outside is left out", what_lies_outside_is_left_out);
    TEST("ASCII tells who drew", ascii_tells_who_drew);
    TEST("pens have marks for a legend", pens_have_marks_for_a_legend);
    TEST("a size has bounds", a_size_has_bounds);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
