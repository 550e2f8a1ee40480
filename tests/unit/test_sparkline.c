/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/sparkline.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "curves.h"

static void check_line(const double *values, size_t n, unsigned columns, bool utf8,
                       const char *want)
{
    CURVE_CLEANUP struct curve curve = {0};
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(fill_curve(&curve, 1, values, n), 0);
    CHECK_EQ(sparkline_format(&curve, columns, utf8, &out), 0);
    CHECK_STR(out.data ? out.data : "", want);
}

static void the_least_is_lowest_and_the_greatest_highest(void)
{
    static const double values[] = {0, 1, 2, 3, 4, 5, 6, 7};
    check_line(values, 8, 10, true, "▁▂▃▄▅▆▇█");
    check_line(values, 8, 10, false, "_.-:=+*#");
}

static void many_points_share_a_bar(void)
{
    static const double values[] = {0, 0, 0, 7, 7, 7};
    check_line(values, 6, 2, false, "_#");
    check_line(values, 6, 1, false, "=");
    check_line(values, 6, 0, false, "");
}

static void no_number_is_a_blank(void)
{
    static const double values[] = {0, NAN, INFINITY, 7}, none[] = {NAN, NAN};
    check_line(values, 4, 10, false, "_  #");
    check_line(values, 4, 2, false, "_#");
    check_line(none, 2, 10, false, "  ");
    check_line(NULL, 0, 10, false, "");
}

static void equal_values_are_in_the_middle(void)
{
    static const double values[] = {5, 5};
    check_line(values, 2, 10, false, "==");
}

static void the_greatest_numbers_there_are_fit(void)
{
    static const double values[] = {-DBL_MAX, 0, DBL_MAX}, high[] = {DBL_MAX, DBL_MAX, 0, 0};
    check_line(values, 3, 3, false, "_=#");
    check_line(high, 4, 2, false, "#_");
}

static void survives_each_allocation_failure(void)
{
    static const double values[] = {0, 7};
    CURVE_CLEANUP struct curve curve = {0};
    CHECK_EQ(fill_curve(&curve, 1, values, 2), 0);
    FOR_EACH_ALLOC_FAILURE
    {
        BUF_CLEANUP struct buf out = {0};
        int r = sparkline_format(&curve, 2, true, &out);
        CHECK(r == -ENOMEM || (r == 0 && strcmp(out.data, "▁█") == 0));
    }
}

int main(void)
{
    TEST("the least is lowest and the greatest highest",
         the_least_is_lowest_and_the_greatest_highest);
    TEST("many points share a bar", many_points_share_a_bar);
    TEST("no number is a blank", no_number_is_a_blank);
    TEST("equal values are in the middle", equal_values_are_in_the_middle);
    TEST("the greatest numbers there are fit", the_greatest_numbers_there_are_fit);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
