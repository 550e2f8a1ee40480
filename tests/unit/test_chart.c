/* SPDX-License-Identifier: Apache-2.0 */
/* chart, chart_text, chart_gnuplot. */
#include "cmd/chart.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "cmd/chart_gnuplot.h"
#include "cmd/chart_text.h"
#include "cmd/screen.h"
#include "curves.h"

static int add(struct chart *chart, const char *label, const char *metric, const double *values,
               size_t n)
{
    struct curve curve = {0};
    int r = fill_curve(&curve, 100, values, n);
    if (r < 0)
        curve_deinit(&curve);
    return r < 0 ? r : chart_add(chart, label, metric, &curve);
}

/* The text of a chart without colours. */
static int draw(const struct chart *chart, struct chart_size size, bool utf8, struct buf *out)
{
    BUF_CLEANUP struct buf marked = {0};
    int r = chart_text_format(chart, size, utf8, &marked);
    return r < 0 ? r : screen_format(marked.data, (struct screen_size){0}, false, false, out);
}

static const double falling[] = {4, 3, 2, 1, 0}, gap[] = {0, NAN, 2};
static const char falling_text[] = "4 +ooo\n"
                                   "  |  ooo\n"
                                   "  |     ooo\n"
                                   "  |       ooo\n"
                                   "2 +         ooo\n"
                                   "  |            ooo\n"
                                   "  |              ooo\n"
                                   "  |                 ooo\n"
                                   "0 +                   oo*\n"
                                   "  ++----------+---------+\n"
                                   "   0         200      400\n"
                                   "o m loss  best 0.0000 at step 400\n";

static void a_chart_has_axes_and_a_legend(void)
{
    CHART_CLEANUP struct chart chart = {0};
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(add(&chart, "m loss", "loss", falling, 5), 0);
    CHECK_EQ(draw(&chart, (struct chart_size){25, 11}, false, &out), 0);
    CHECK_STR(out.data, falling_text);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

static void what_is_no_number_is_a_gap(void)
{
    CHART_CLEANUP struct chart chart = {0};
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(add(&chart, "m", "accuracy", gap, 3), 0);
    CHECK_EQ(draw(&chart, (struct chart_size){60, 20}, false, &out), 0);
    /* one at the left; the other is the best; the legend's */
    CHECK_EQ(count(out.data, "o"), 2);
    CHECK_EQ(count(out.data, "*"), 1);
}

static void no_line_is_wider_or_more_than_was_asked(void)
{
    static const double wild[] = {-DBL_MAX, DBL_MAX, 1e-300, NAN, INFINITY, 0};
    for (unsigned columns = CHART_MIN_COLUMNS; columns < 90; columns += 7)
        for (unsigned rows = CHART_MIN_ROWS; rows < 40; rows += 5) {
            CHART_CLEANUP struct chart chart = {0};
            BUF_CLEANUP struct buf out = {0};
            CHECK_EQ(add(&chart, "w", "w", wild, 6), 0);
            CHECK_EQ(draw(&chart, (struct chart_size){columns, rows}, false, &out), 0);
            CHECK_EQ(count(out.data, "\n"), rows + 1);
            const char *legend = strstr(out.data, "\no w");
            for (char *line = out.data; line && line < legend; line = strchr(line, '\n') + 1)
                CHECK(strcspn(line, "\n") <= columns);
        }
}

static void a_label_cannot_speak_to_the_terminal(void)
{
    CHART_CLEANUP struct chart chart = {0};
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(add(&chart, "a\x1b[2J\nb", "loss", falling, 5), 0);
    CHECK_EQ(draw(&chart, (struct chart_size){40, 10}, true, &out), 0);
    CHECK(strstr(out.data, "a?[2J?b") && !strchr(out.data, '\x1b'));
}

static void a_logarithmic_chart_leaves_out_what_is_not_above_zero(void)
{
    CHART_CLEANUP struct chart chart = {.is_log = true};
    static const double values[] = {0, -1, 10, 100};
    struct scale x, y;
    CHECK_EQ(add(&chart, "m", "accuracy", values, 4), 0);
    CHECK(chart_scales(&chart, &x, &y));
    CHECK(y.is_log && y.low == 10 && y.high == 100 && x.low == 200 && x.high == 300);
}

static void a_chart_of_no_numbers_has_no_scales(void)
{
    CHART_CLEANUP struct chart chart = {0};
    static const double none[] = {NAN, INFINITY};
    struct scale x, y;
    CHECK(!chart_scales(&chart, &x, &y));
    CHECK_EQ(add(&chart, "m", "loss", none, 2), 0);
    CHECK(!chart_scales(&chart, &x, &y) && !chart.series[0].best);
}

static void there_is_an_end_to_series(void)
{
    CHART_CLEANUP struct chart chart = {0};
    for (int i = 0; i < CHART_MAX_SERIES; i++)
        CHECK_EQ(add(&chart, "m", "loss", falling, 5), 0);
    CHECK_EQ(add(&chart, "m", "loss", falling, 5), -E2BIG);
}

/* --- gnuplot --- */

static void check_script(const char *label, const double *values, size_t n, const char *part)
{
    CHART_CLEANUP struct chart chart = {0};
    BUF_CLEANUP struct buf out = {0};
    CHECK_EQ(add(&chart, label, "loss", values, n), 0);
    CHECK_EQ(chart_gnuplot_format(&chart, CHART_SVG, &out), 0);
    if (!strstr(out.data, part))
        check_fail(__FILE__, __LINE__, out.data);
}

static void names_stay_within_their_quotes(void)
{
    check_script("it's `rm x` $HOME \\n @m", falling, 5,
                 " title 'it’s `rm x` $HOME \\n @m  (best 0.0000 at step 400)'");
    check_script("a\n!touch x\r\x1b", falling, 5, " title 'a !touch x    (best");
    check_script("''", falling, 5, " title '’’  (best");
}

static void what_is_no_character_is_a_blank(void)
{
    check_script("a\xff\xc0\x80", falling, 5, " title 'a     (best");
    check_script("\xed\xa0\x80", falling, 5, " title '     (best");
    check_script("\xe2\x82\xac\xc3\xa9\xf0\x9f\x98\x80\xe2\x82", falling, 5,
                 " title '\xe2\x82\xac\xc3\xa9\xf0\x9f\x98\x80    (best");
}

static void a_gap_is_one_blank_line(void)
{
    static const double values[] = {1, NAN, NAN, 2, INFINITY};
    check_script("m", values, 5, "$d0 << END\n0 1\n\n300 2\n\nEND\n");
    check_script("m", gap, 3, "$d0 << END\n0 0\n\n200 2\nEND\n$b0 << END\n0 0\nEND\n");
}

static void a_series_without_numbers_is_not_plotted(void)
{
    CHART_CLEANUP struct chart chart = {.is_log = true};
    BUF_CLEANUP struct buf out = {0};
    static const double none[] = {NAN, 0, -1}, some[] = {1, 2};
    CHECK_EQ(add(&chart, "none", "accuracy", none, 3), 0);
    CHECK_EQ(add(&chart, "some", "accuracy", some, 2), 0);
    CHECK_EQ(chart_gnuplot_format(&chart, CHART_PNG, &out), 0);
    CHECK(strstr(out.data, "\nset logscale y\n") && strstr(out.data, "\nplot $d1 "));
    CHECK(!strstr(out.data, "none") && !strstr(out.data, "$b0"));
}

static void survives_each_allocation_failure(void)
{
    FOR_EACH_ALLOC_FAILURE
    {
        CHART_CLEANUP struct chart chart = {0};
        BUF_CLEANUP struct buf script = {0}, text = {0};
        int r = add(&chart, "m", "loss", falling, 5);
        CHECK(r == 0 || r == -ENOMEM);
        if (r < 0)
            continue;
        r = chart_gnuplot_format(&chart, CHART_PNG, &script);
        CHECK(r == -ENOMEM || (r == 0 && strstr(script.data, "\nplot $d0 ")));
        r = chart_text_format(&chart, (struct chart_size){40, 10}, true, &text);
        CHECK(r == -ENOMEM || (r == 0 && strstr(text.data, "at step 400")));
    }
}

int main(void)
{
    TEST("a chart has axes and a legend", a_chart_has_axes_and_a_legend);
    TEST("what is no number is a gap", what_is_no_number_is_a_gap);
    TEST("no line is wider, or more, than was asked", no_line_is_wider_or_more_than_was_asked);
    TEST("a label cannot speak to the terminal", a_label_cannot_speak_to_the_terminal);
    TEST("a logarithmic chart leaves out what is not above zero",
         a_logarithmic_chart_leaves_out_what_is_not_above_zero);
    TEST("a chart of no numbers has no scales", a_chart_of_no_numbers_has_no_scales);
    TEST("there is an end to series", there_is_an_end_to_series);
    TEST("names stay within their quotes", names_stay_within_their_quotes);
    TEST("what is no character is a blank", what_is_no_character_is_a_blank);
    TEST("a gap is one blank line", a_gap_is_one_blank_line);
    TEST("a series without numbers is not plotted", a_series_without_numbers_is_not_plotted);
    TEST("survives each allocation failure", survives_each_allocation_failure);
    return check_done();
}
