/* SPDX-License-Identifier: Apache-2.0 */
#include "util/clock.h"

#include <errno.h>
#include <time.h>

#include "check.h"

static const int64_t s = 1000000000, ms = 1000000;

static void times_of_every_dialect_are_read(void)
{
    const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2019-04-02T17:02:47Z", 1554224567 * s},
        {"2019-04-02T17:02:47.157Z", 1554224567 * s + 157 * ms},
        {"2019-04-02 17:02:47", 1554224567 * s},
        {"2019-04-02T17:02:47", 1554224567 * s},
        {"2019-04-02T17:02:47.1+00:00", 1554224567 * s + 100 * ms},
        {"2019-04-02T17:02:47,5Z", 1554224567 * s + 500 * ms},
        {"2019-04-02T19:02:47+02:00", 1554224567 * s},
        {"2019-04-02T19:02:47+0200", 1554224567 * s},
        {"2019-04-02T11:32:47-05:30", 1554224567 * s},
        {"2019-04-02T17:02:47.123456789Z", 1554224567 * s + 123456789},
        {"2019-04-02T17:02:47.123456789999Z", 1554224567 * s + 123456789},
        {"2024-02-29T00:00:00Z", 1709164800 * s},
        {"1969-12-31T23:59:59.5Z", -s / 2},
        {"2038-01-19T03:14:08Z", 2147483648 * s},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = 1;
        CHECK_EQ(clock_parse_iso(cases[i].text, &ns), 0);
        if (ns != cases[i].ns)
            printf("# %s\n", cases[i].text);
        CHECK_EQ(ns, cases[i].ns);
    }
}

static void other_text_is_refused(void)
{
    static const char *const cases[] = {
        "",
        "yesterday",
        "2019-04-02",
        "2019-04-02T",
        "2019-04-02T17:02",
        "2019-13-02T17:02:47Z",
        "2019-04-02T25:02:47Z",
        "2019-04-02T17:02:47X",
        "2019-04-02T17:02:47Zulu",
        "2019-04-02T17:02:47+",
        "2019-04-02T17:02:47+02:00 and more",
        "2019-04-02T17:02:47+02",
        "2019-04-02T17:02:47*02:00",
        "2019-04-02T17:02:47+-2:00",
        "2019-04-02T17:02:47+02:99",
        "9999-04-02T17:02:47Z",
        "0001-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = 42;
        if (clock_parse_iso(cases[i], &ns) != -EINVAL)
            printf("# \"%s\"\n", cases[i]);
        CHECK_EQ(clock_parse_iso(cases[i], &ns), -EINVAL);
        CHECK_EQ(ns, 42);
    }
}

static void what_is_written_is_read_back(void)
{
    const int64_t cases[] = {
        0, 1554224567 * s + 157 * ms, -ms, -s, -s - ms, 999 * ms, 4102444800 * s};
    char text[CLOCK_ISO_BYTES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = 0;
        clock_format_iso(cases[i], text);
        CHECK_EQ(clock_parse_iso(text, &ns), 0);
        CHECK_EQ(ns, cases[i]);
    }
}

static void any_time_is_written(void)
{
    char text[CLOCK_ISO_BYTES];
    clock_format_iso(1554224567 * s + 157999999, text);
    CHECK_STR(text, "2019-04-02T17:02:47.157Z");
    clock_format_iso(-1, text);
    CHECK_STR(text, "1969-12-31T23:59:59.999Z");
    clock_format_iso(INT64_MAX, text);
    CHECK_STR(text, "2262-04-11T23:47:16.854Z");
    clock_format_iso(INT64_MIN, text);
    CHECK_STR(text, "1677-09-21T00:12:43.145Z");
}

static void clocks_go_forward(void)
{
    uint64_t before_ms = clock_now_ms();
    int64_t wall_ns = clock_wall_ns();
    nanosleep(&(struct timespec){.tv_nsec = 20 * ms}, NULL);
    CHECK(clock_now_ms() - before_ms >= 19);
    CHECK(clock_now_ms() - before_ms < 10000);
    CHECK(clock_wall_ns() > wall_ns);
    CHECK(wall_ns / s == time(NULL) || wall_ns / s + 1 == time(NULL));
}

int main(void)
{
    TEST("times of every dialect are read", times_of_every_dialect_are_read);
    TEST("other text is refused and changes nothing", other_text_is_refused);
    TEST("what is written is read back", what_is_written_is_read_back);
    TEST("any time is written, also one before 1970", any_time_is_written);
    TEST("both clocks go forward", clocks_go_forward);
    return check_done();
}
