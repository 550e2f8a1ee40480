/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/scale.h"

#include <float.h>
#include <math.h>

#include "check.h"

/* The labels of a scale's ticks, with blanks between. */
static void check_ticks(double low, double high, bool is_log, size_t most, const char *want)
{
    struct scale scale = scale_over(low, high, is_log);
    struct ticks ticks;
    char all[SCALE_MAX_TICKS * HUMAN_BYTES] = "", text[HUMAN_BYTES];
    scale_ticks(&scale, most, &ticks);
    CHECK(ticks.n <= most);
    for (size_t i = 0; i < ticks.n; i++) {
        double place = scale_place(&scale, ticks.at[i]);
        CHECK(place > -1e-6 && place < 1 + 1e-6);
        scale_label(&ticks, i, text);
        strcat(strcat(all, i ? " " : ""), text);
    }
    CHECK_STR(all, want);
}

static void ticks_are_round_numbers(void)
{
    check_ticks(0, 1200, false, 7, "0 200 400 600 800 1000 1200");
    check_ticks(0, 1200, false, 4, "0 500 1000");
    check_ticks(0.07, 2.3, false, 6, "0.5 1.0 1.5 2.0");
    check_ticks(-1, 1, false, 5, "-1.0 -0.5 0.0 0.5 1.0");
    check_ticks(0.9917, 0.9924, false, 5, "0.9918 0.9920 0.9922 0.9924");
    check_ticks(0, 1e-9, false, 4, "0 5e-10 1e-09");
    check_ticks(1.5e9, 1.6e9, false, 4, "1.5e+09 1.55e+09 1.6e+09");
    check_ticks(0, 1, false, 0, "");
}

static void logarithmic_ticks_are_powers_of_ten(void)
{
    check_ticks(0.001, 1000, true, 7, "0.001 0.01 0.1 1 10 100 1000");
    check_ticks(0.001, 1000, true, 4, "0.001 0.1 10 1000");
    check_ticks(2, 3, true, 4, "2 3");
    check_ticks(2, 60, true, 4, "2 10 60");
}

static void a_value_lies_where_it_belongs(void)
{
    struct scale linear = scale_over(-1, 3, false), log = scale_over(1, 100, true);
    CHECK(scale_place(&linear, -1) == 0 && scale_place(&linear, 3) == 1);
    CHECK(scale_place(&linear, 1) == 0.5);
    CHECK(fabs(scale_place(&log, 10) - 0.5) < 1e-12);
}

static void one_value_has_room_around_it(void)
{
    static const double values[] = {0, 5, -5, 1e-310, DBL_MAX, -DBL_MAX, DBL_MIN, 1e-300};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        for (int log = 0; log < 2; log++) {
            if (!scale_can_show(log, values[i]))
                continue;
            struct scale scale = scale_over(values[i], values[i], log);
            double place = scale_place(&scale, values[i]);
            CHECK(scale.low < scale.high && isfinite(scale.low) && isfinite(scale.high));
            CHECK(place > -1e-6 && place < 1 + 1e-6);
        }
}

static void the_greatest_numbers_there_are_have_places(void)
{
    struct scale scale = scale_over(-DBL_MAX, DBL_MAX, false);
    struct ticks ticks;
    CHECK(scale_place(&scale, 0) == 0.5 && scale_place(&scale, DBL_MAX) == 1);
    scale_ticks(&scale, 4, &ticks);
    for (size_t i = 0; i < ticks.n; i++)
        CHECK(isfinite(ticks.at[i]));
    scale = scale_over(DBL_MIN, DBL_MAX, true);
    scale_ticks(&scale, 4, &ticks);
    CHECK(ticks.n == 4);
}

static void neighbours_have_few_ticks_and_no_endless_search(void)
{
    struct scale scale = scale_over(1, nextafter(1, 2), false);
    struct ticks ticks;
    scale_ticks(&scale, 100, &ticks);
    CHECK(ticks.n <= SCALE_MAX_TICKS);
}

static void not_all_can_be_shown(void)
{
    CHECK(scale_can_show(false, -1) && scale_can_show(true, 1));
    CHECK(!scale_can_show(true, 0) && !scale_can_show(true, -1));
    CHECK(!scale_can_show(false, NAN) && !scale_can_show(false, INFINITY));
}

int main(void)
{
    TEST("ticks are round numbers", ticks_are_round_numbers);
    TEST("logarithmic ticks are powers of ten", logarithmic_ticks_are_powers_of_ten);
    TEST("a value lies where it belongs", a_value_lies_where_it_belongs);
    TEST("one value has room around it", one_value_has_room_around_it);
    TEST("the greatest numbers there are have places", the_greatest_numbers_there_are_have_places);
    TEST("neighbours have few ticks and no endless search",
         neighbours_have_few_ticks_and_no_endless_search);
    TEST("not all can be shown", not_all_can_be_shown);
    return check_done();
}
