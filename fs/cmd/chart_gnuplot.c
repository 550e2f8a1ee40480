/* SPDX-License-Identifier: Apache-2.0 */
/* Names come from a registry and may be anything. In a script they are only ever in single quotes,
 * in which gnuplot replaces neither backquotes (which would run a command) nor backslashes nor
 * macros (gnuplot 5.4, `help quotes`, `help substitution`). A quote within becomes a typographic
 * one: gnuplot 5.4 takes a doubled one that stands first for the end. What would end the line is a
 * blank, and text is never `enhanced`. */
#include "cmd/chart_gnuplot.h"

#include <inttypes.h>

#include "model/metrics.h"

/* So many labels stand below each other; more side by side, or no room were left. */
enum { LABELS_BELOW = 6, LABEL_COLUMNS = 3 };

static const char head_png[] = "set terminal pngcairo noenhanced size 1200,700 fontscale 1.1\n";
static const char head_svg[] =
    "set terminal svg noenhanced size 900,525 dynamic background rgb 'white'\n";
static const char settings[] = "set encoding utf8\n"
                               "set grid\n"
                               "set xlabel 'step'\n"
                               "set format '%g'\n";

/* Bytes of a character of UTF-8 at @c; 0 when it is none that can be shown. */
static size_t character(const unsigned char *c)
{
    size_t n = c[0] < 0x80 ? 1 : c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    bool is_c1 = c[0] == 0xc2 && c[1] < 0xa0;
    if (c[0] < ' ' || c[0] == 0x7f || (c[0] >= 0x80 && c[0] < 0xc2) || c[0] > 0xf4 || is_c1)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    /* longer than need be, halves of UTF-16 pairs, beyond U+10FFFF */
    bool is_wrong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0) ||
                    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90);
    return is_wrong ? 0 : n;
}

static int append_quoted(const char *text, struct buf *out)
{
    const unsigned char *c = (const unsigned char *)text;
    int r = buf_putc(out, '\'');
    while (r == 0 && *c) {
        size_t n = character(c);
        if (*c == '\'')
            r = buf_puts(out, "’");
        else
            r = n ? buf_append(out, c, n) : buf_putc(out, ' ');
        c += n ? n : 1;
    }
    return r < 0 ? r : buf_putc(out, '\'');
}

/* One blank line is a gap; two would end the data. */
static int append_points(const struct chart *chart, const struct curve *curve, struct buf *out)
{
    bool is_open = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < curve->n; i++) {
        char value[METRIC_TEXT_BYTES];
        bool is_shown = scale_can_show(chart->is_log, curve->points[i].value);
        metric_format(curve->points[i].value, value);
        if (is_shown)
            r = buf_printf(out, "%" PRId64 " %s\n", curve->points[i].step, value);
        else if (is_open)
            r = buf_putc(out, '\n');
        is_open = is_shown;
    }
    return r;
}

static bool has_best(const struct chart *chart, size_t i)
{
    const struct point *best = chart->series[i].best;
    return best && scale_can_show(chart->is_log, best->value);
}

static bool has_points(const struct chart *chart, size_t i)
{
    const struct curve *curve = &chart->series[i].curve;
    for (size_t k = 0; k < curve->n; k++)
        if (scale_can_show(chart->is_log, curve->points[k].value))
            return true;
    return false;
}

/* $d0, $d1, ...: the points; $b0, ...: the best one. */
static int append_data(const struct chart *chart, size_t i, struct buf *out)
{
    const struct chart_series *series = &chart->series[i];
    int r = buf_printf(out, "$d%zu << END\n", i);
    if (r == 0)
        r = append_points(chart, &series->curve, out);
    if (r == 0)
        r = buf_puts(out, "END\n");
    if (r < 0 || !has_best(chart, i))
        return r;
    char value[METRIC_TEXT_BYTES];
    metric_format(series->best->value, value);
    return buf_printf(out, "$b%zu << END\n%" PRId64 " %s\nEND\n", i, series->best->step, value);
}

static int append_title(const struct chart_series *series, struct buf *out)
{
    BUF_CLEANUP struct buf title = {0};
    int r = buf_puts(&title, series->label);
    if (r == 0 && series->best) {
        char value[HUMAN_BYTES];
        human_number(series->best->value, value);
        r = buf_printf(&title, "  (best %s at step %" PRId64 ")", value, series->best->step);
    }
    return r < 0 ? r : append_quoted(title.data, out);
}

static int append_plot(const struct chart *chart, size_t i, bool *is_first, struct buf *out)
{
    if (!has_points(chart, i))
        return 0;
    int r = buf_printf(out,
                       "%s$d%zu using 1:2 with linespoints linetype %zu pointtype %zu "
                       "pointsize 0.4 linewidth 2 title ",
                       *is_first ? "plot " : ", ", i, i + 1, i + 1);
    *is_first = false;
    if (r == 0)
        r = append_title(&chart->series[i], out);
    if (r < 0 || !has_best(chart, i))
        return r;
    return buf_printf(
        out, ", $b%zu using 1:2 with points linetype %zu pointtype 7 pointsize 1.5 notitle", i,
        i + 1);
}

/* A hundredth of the range beside the ends, where a mark would be cut. */
static int append_axes(const struct chart *chart, struct buf *out)
{
    struct scale x, y;
    chart_scales(chart, &x, &y);
    double aside = (x.high - x.low) / 100;
    int r = buf_printf(out, "set key outside below Left reverse maxcols %d\n",
                       chart->n > LABELS_BELOW ? LABEL_COLUMNS : 1);
    if (r == 0)
        r = buf_printf(out, "set xrange [%.17g:%.17g]\n", x.low - aside, x.high + aside);
    return r == 0 && chart->is_log ? buf_puts(out, "set logscale y\n") : r;
}

int chart_gnuplot_format(const struct chart *chart, enum chart_picture picture, struct buf *out)
{
    bool is_first = true;
    int r = buf_puts(out, picture == CHART_PNG ? head_png : head_svg);
    if (r == 0)
        r = buf_puts(out, settings);
    if (r == 0)
        r = append_axes(chart, out);
    for (size_t i = 0; r == 0 && i < chart->n; i++)
        r = append_data(chart, i, out);
    for (size_t i = 0; r == 0 && i < chart->n; i++)
        r = append_plot(chart, i, &is_first, out);
    return r < 0 ? r : buf_putc(out, '\n');
}
