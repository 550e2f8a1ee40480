/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metric_axis.h"

#include <math.h>

#include "check.h"

static void names_say_what_they_are(void)
{
    CHECK(metric_axis_step_rank("step") == 1 && metric_axis_step_rank("Step") == 1);
    CHECK(metric_axis_step_rank("global_step") > 1);
    CHECK(metric_axis_step_rank("_step") > metric_axis_step_rank("trainer/global_step"));
    CHECK(!metric_axis_step_rank("steps") && !metric_axis_step_rank(""));
    CHECK(metric_axis_is_wall("timestamp") && !metric_axis_is_wall("time"));
    CHECK(metric_axis_is("epoch") && metric_axis_is("_runtime") && metric_axis_is("wall_time"));
    CHECK(!metric_axis_is("loss") && !metric_axis_is("eval_runtime"));
}

static const struct {
    const char *text;
    int64_t step; /* -1: none */
} steps[] = {
    {"0", 0},  {"600", 600}, {"600.0", 600}, {"1e3", 1000}, {"9007199254740991", 9007199254740991},
    {"", -1},  {"-1", -1},   {"1.5", -1},    {"1x", -1},    {"9007199254740992", -1},
    {"x", -1}, {"nan", -1},  {"inf", -1},
};

static void steps_are_whole(void)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int64_t step = -1;
        CHECK_EQ(metric_axis_parse_step(steps[i].text, &step), steps[i].step >= 0);
        CHECK_EQ(step, steps[i].step);
    }
}

static void times_are_seconds_or_milliseconds(void)
{
    CHECK_EQ(metric_axis_wall_ns(1.5), 1500000000);
    CHECK_EQ(metric_axis_wall_ns(1557442800.5), 1557442800500000000);
    CHECK_EQ(metric_axis_wall_ns(1557442800500.0), 1557442800500000000);
    CHECK_EQ(metric_axis_wall_ns(0), 0);
    CHECK_EQ(metric_axis_wall_ns(-1), 0);
    CHECK_EQ(metric_axis_wall_ns(9.3e9), 0);
    CHECK_EQ(metric_axis_wall_ns(1e300), 0);
    CHECK_EQ(metric_axis_wall_ns((double)NAN), 0);
}

int main(void)
{
    TEST("names say what they are", names_say_what_they_are);
    TEST("steps are whole", steps_are_whole);
    TEST("times are seconds or milliseconds", times_are_seconds_or_milliseconds);
    return check_done();
}
