/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/human.h"

#include "check.h"

#define SECOND INT64_C(1000000000)

static void sizes_have_four_figures_at_most(void)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1, "1 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {102348, "99.9 KiB"},
        {102349, "100 KiB"},
        {1048063, "1023 KiB"},
        {1048064, "1.0 MiB"},
        {UINT64_C(39321600), "37.5 MiB"},
        {UINT64_C(549755813888), "512 GiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HUMAN_BYTES];
        human_size(cases[i].bytes, text);
        CHECK_STR(text, cases[i].text);
    }
}

static void ages_are_in_the_largest_unit_that_fits(void)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "now"},
        {59, "now"},
        {60, "1 min"},
        {3599, "59 min"},
        {3600, "1 h"},
        {86399, "23 h"},
        {86400, "1 d"},
        {30 * 86400 - 1, "29 d"},
        {30 * 86400, "1 mon"},
        {365 * 86400 - 1, "12 mon"},
        {365 * 86400, "1 y"},
        {-5, "now"},
    };
    int64_t now = 1700000000 * SECOND;
    char text[HUMAN_BYTES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        human_age(now - cases[i].seconds * SECOND, now, text);
        CHECK_STR(text, cases[i].text);
    }
    human_age(0, now, text);
    CHECK_STR(text, "-");
}

static void numbers_keep_four_figures(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0.0000"},      {0.98055555, "0.9806"},  {-0.5, "-0.5000"}, {0.001, "0.0010"},
        {0.0005, "0.0005"}, {3.1e-5, "3.1e-05"},     {12.5, "12.5000"}, {99999, "99999.0000"},
        {100000, "1e+05"},  {-123456, "-1.235e+05"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HUMAN_BYTES];
        human_number(cases[i].value, text);
        CHECK_STR(text, cases[i].text);
    }
}

static void durations_have_colons(void)
{
    static const struct {
        uint64_t seconds;
        const char *text;
    } cases[] = {
        {0, "0:00"},       {5, "0:05"},        {760, "12:40"},
        {3600, "1:00:00"}, {10921, "3:02:01"}, {UINT64_MAX, "-"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HUMAN_BYTES];
        human_duration(cases[i].seconds, text);
        CHECK_STR(text, cases[i].text);
    }
}

static void latencies_have_three_figures_at_most(void)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0 ns"},
        {999, "999 ns"},
        {1000, "1.0 us"},
        {9949, "9.9 us"},
        {9950, "10 us"},
        {999499, "999 us"},
        {999500, "1.0 ms"},
        {340000000, "340 ms"},
        {UINT64_C(4100000000), "4.1 s"},
        {UINT64_C(70000000000), "70 s"},
        {UINT64_C(2000000000000), "2000 s"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HUMAN_BYTES];
        human_latency(cases[i].ns, text);
        CHECK_STR(text, cases[i].text);
    }
}

static void rates_have_a_fraction_while_they_are_small(void)
{
    static const struct {
        double per_s;
        const char *text;
    } cases[] = {{0, "0"}, {0.5, "0.5"}, {9.94, "9.9"}, {9.96, "10"}, {120.4, "120"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HUMAN_BYTES];
        human_rate(cases[i].per_s, text);
        CHECK_STR(text, cases[i].text);
    }
}

static void counts_have_three_figures(void)
{
    static const struct {
        uint64_t n;
        const char *text;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1.00 K"},
        {12345, "12.3 K"},
        {999499, "999 K"},
        {999500, "1.00 M"},
        {124439808, "124 M"},
        {7241732096, "7.24 B"},
        {UINT64_C(1800000000000), "1.80 T"},
        {UINT64_MAX, "18.4 Qi"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HUMAN_BYTES];
        human_count(cases[i].n, text);
        CHECK_STR(text, cases[i].text);
    }
}

static void a_share_is_never_rounded_to_nothing_or_all(void)
{
    static const struct {
        uint64_t part, whole;
        const char *text;
    } cases[] = {
        {0, 0, "0 %"},
        {0, 9, "0 %"},
        {9, 9, "100 %"},
        {1, 10000, "< 0.1 %"},
        {9999, 10000, "> 99.9 %"},
        {998, 1000, "99.8 %"},
        {2, 1000, "0.2 %"},
        {UINT64_MAX - 1, UINT64_MAX, "> 99.9 %"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[HUMAN_BYTES];
        human_share(cases[i].part, cases[i].whole, text);
        CHECK_STR(text, cases[i].text);
    }
}

int main(void)
{
    TEST("counts have three figures", counts_have_three_figures);
    TEST("a share is never rounded to nothing or all", a_share_is_never_rounded_to_nothing_or_all);
    TEST("sizes have four figures at most", sizes_have_four_figures_at_most);
    TEST("ages are in the largest unit that fits", ages_are_in_the_largest_unit_that_fits);
    TEST("numbers keep four figures", numbers_keep_four_figures);
    TEST("durations have colons", durations_have_colons);
    TEST("latencies have three figures at most", latencies_have_three_figures_at_most);
    TEST("rates have a fraction while they are small", rates_have_a_fraction_while_they_are_small);
    return check_done();
}
