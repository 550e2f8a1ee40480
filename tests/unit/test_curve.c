/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/curve.h"

#include <errno.h>
#include <math.h>

#include "check.h"

static int parse(const char *text, struct curve *out, struct buf *why)
{
    return curve_parse_csv(text, strlen(text), out, why);
}

static void check_parse(const char *text, int want, size_t n)
{
    CURVE_CLEANUP struct curve curve = {0};
    BUF_CLEANUP struct buf why = {0};
    CHECK_EQ(parse(text, &curve, &why), want);
    if (want == 0)
        CHECK_EQ(curve.n, n);
    CHECK((want == 0) == (why.len == 0));
}

static void points_come_in_the_order_of_steps(void)
{
    CURVE_CLEANUP struct curve curve = {0};
    static const int64_t steps[] = {30, 10, INT64_MAX, 20, INT64_MIN, 10};
    for (size_t i = 0; i < 6; i++)
        CHECK_EQ(curve_add(&curve, steps[i], (double)i), 0);
    curve_settle(&curve);
    CHECK_EQ(curve.n, 5);
    CHECK_EQ(curve.points[0].step, INT64_MIN);
    CHECK_EQ(curve.points[1].step, 10);
    CHECK_EQ(curve.points[1].value, 5);
    CHECK_EQ(curve.points[4].step, INT64_MAX);
}

static void of_many_points_at_a_step_the_last_stays(void)
{
    CURVE_CLEANUP struct curve curve = {0};
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(curve_add(&curve, i % 7, i), 0);
    curve_settle(&curve);
    CHECK_EQ(curve.n, 7);
    for (size_t i = 0; i < curve.n; i++)
        CHECK_EQ(curve.points[i].value, i <= 999 % 7 ? 994 + i : 987 + i);
}

static void a_history_is_read(void)
{
    CURVE_CLEANUP struct curve curve = {0};
    BUF_CLEANUP struct buf why = {0};
    static const char text[] = "step,wall_time,value\n"
                               "0,1700000000.5,2.5\r\n"
                               "10,,NaN\n"
                               "20,,\n"
                               "\n"
                               "30,,-Infinity\n"
                               "40,,1e-3";
    CHECK_EQ(parse(text, &curve, &why), 0);
    CHECK_EQ(curve.n, 4);
    CHECK(curve.n == 4 && curve.points[0].value == 2.5 && isnan(curve.points[1].value));
    CHECK(curve.n == 4 && isinf(curve.points[2].value) && curve.points[3].value == 1e-3);
    CHECK(curve.n == 4 && curve.points[3].step == 40);
}

static void what_is_no_history_is_refused(void)
{
    check_parse("step,wall_time,value\n", 0, 0);
    check_parse("", -EINVAL, 0);
    check_parse("step,value\n1,2\n", -EINVAL, 0);
    check_parse("step,wall_time,value\nx,,1\n", -EINVAL, 0);
    check_parse("step,wall_time,value\n1\n", -EINVAL, 0);
    check_parse("step,wall_time,value\n1,2\n", -EINVAL, 0);
    check_parse("step,wall_time,value\n1,,low\n", -EINVAL, 0);
    check_parse("step,wall_time,value\n1,,1,2\n", -EINVAL, 0);
    check_parse("step,wall_time,value\n,,1\n", -EINVAL, 0);
    check_parse("step,wall_time,value\n99999999999999999999,,1\n", -EINVAL, 0);
    check_parse("step,wall_time,value\n1,,"
                "11111111111111111111111111111111111111111111111111111111111111111111111\n",
                -EINVAL, 0);
}

static void nothing_behind_the_end_is_read(void)
{
    static const char text[] = "step,wall_time,value\n1,,25";
    CURVE_CLEANUP struct curve curve = {0};
    BUF_CLEANUP struct buf why = {0};
    CHECK_EQ(curve_parse_csv(text, sizeof(text) - 2, &curve, &why), 0);
    CHECK(curve.n == 1 && curve.points[0].value == 2);
}

static const struct point *best_of(const double *values, size_t n, const char *metric,
                                   struct curve *curve)
{
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(curve_add(curve, (int64_t)i, values[i]), 0);
    curve_settle(curve);
    return curve_best(curve, metric);
}

static void the_best_goes_by_the_metric(void)
{
    static const double values[] = {NAN, 1, 3, INFINITY, 1, 2};
    CURVE_CLEANUP struct curve low = {0}, high = {0}, none = {0};
    const struct point *best = best_of(values, 6, "loss", &low);
    CHECK(best && best->step == 4);
    best = best_of(values, 6, "accuracy", &high);
    CHECK(best && best->step == 2);
    CHECK(!best_of(values, 1, "loss", &none));
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        CURVE_CLEANUP struct curve curve = {0};
        BUF_CLEANUP struct buf why = {0};
        int r = parse("step,wall_time,value\n1,,1\n2,,2\n", &curve, &why);
        CHECK(r == -ENOMEM || (r == 0 && curve.n == 2));
        buf_deinit(&why);
        r = parse("nothing\n", &curve, &why);
        CHECK(r == -ENOMEM || r == -EINVAL);
    }
}

int main(void)
{
    TEST("points come in the order of steps", points_come_in_the_order_of_steps);
    TEST("of many points at a step the last stays", of_many_points_at_a_step_the_last_stays);
    TEST("a history is read", a_history_is_read);
    TEST("what is no history is refused", what_is_no_history_is_refused);
    TEST("nothing behind the end is read", nothing_behind_the_end_is_read);
    TEST("the best goes by the metric", the_best_goes_by_the_metric);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
