/* SPDX-License-Identifier: Apache-2.0 */
/* From left to right: the y axis's numbers, the axis, the dots. The two last rows are the x axis
 * and its numbers. */
#include "cmd/chart_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cmd/braille.h"
#include "cmd/screen.h"

enum { ROWS_PER_TICK = 4, COLUMNS_PER_TICK = 14, AXIS_ROWS = 2 };

/* Box drawing, or what ASCII has for it. */
struct lines {
    const char *side, *side_tick, *corner, *floor, *floor_tick;
};
static const struct lines drawn = {"│", "┤", "└", "─", "┬"};
static const struct lines plain = {"|", "+", "+", "-", "+"};

struct drawing {
    const struct chart *chart;
    const struct lines *lines;
    bool utf8;
    struct scale x, y;
    struct ticks x_ticks, y_ticks;
    size_t label_columns; /* of the y axis's numbers */
    struct braille canvas;
};

static void drawing_deinit(struct drawing *d)
{
    braille_deinit(&d->canvas);
}

static int dot_x(const struct drawing *d, int64_t step)
{
    double last = d->canvas.columns * BRAILLE_DOTS_X - 1;
    return (int)lround(scale_place(&d->x, (double)step) * last);
}

static int dot_y(const struct drawing *d, double value)
{
    double last = d->canvas.rows * BRAILLE_DOTS_Y - 1;
    return (int)lround((1 - scale_place(&d->y, value)) * last);
}

/* Neighbours are joined; what cannot be shown leaves a gap. */
static void draw_series(struct drawing *d, size_t index)
{
    const struct chart_series *series = &d->chart->series[index];
    int x = -1, y = -1;
    for (size_t i = 0; i < series->curve.n; i++) {
        const struct point *point = &series->curve.points[i];
        int before_x = x, before_y = y;
        x = -1;
        if (!scale_can_show(d->chart->is_log, point->value))
            continue;
        x = dot_x(d, point->step);
        y = dot_y(d, point->value);
        if (before_x >= 0)
            braille_line(&d->canvas, before_x, before_y, x, y, (unsigned)index);
        else
            braille_dot(&d->canvas, x, y, (unsigned)index);
    }
}

static void mark_best(struct drawing *d, size_t index)
{
    const struct point *best = d->chart->series[index].best;
    if (best && scale_can_show(d->chart->is_log, best->value))
        braille_mark(&d->canvas, dot_x(d, best->step), dot_y(d, best->value), (unsigned)index);
}

static size_t widest_label(const struct ticks *ticks)
{
    size_t widest = 0;
    for (size_t i = 0; i < ticks->n; i++) {
        char text[HUMAN_BYTES];
        scale_label(ticks, i, text);
        size_t len = strlen(text);
        widest = len > widest ? len : widest;
    }
    return widest;
}

/* The tick of a row: one whose middle dot it is nearest to; SIZE_MAX where there is none. */
static size_t tick_at_row(const struct drawing *d, unsigned row)
{
    for (size_t i = 0; i < d->y_ticks.n; i++)
        if ((unsigned)dot_y(d, d->y_ticks.at[i]) / BRAILLE_DOTS_Y == row)
            return i;
    return SIZE_MAX;
}

static int append_row(const struct drawing *d, unsigned row, struct buf *out)
{
    char text[HUMAN_BYTES] = "";
    size_t tick = tick_at_row(d, row);
    if (tick != SIZE_MAX)
        scale_label(&d->y_ticks, tick, text);
    int r = buf_printf(out, "%*s %s", (int)d->label_columns, text,
                       tick != SIZE_MAX ? d->lines->side_tick : d->lines->side);
    if (r == 0)
        r = braille_format_row(&d->canvas, row, d->utf8, out);
    return r < 0 ? r : buf_putc(out, '\n');
}

static unsigned tick_column(const struct drawing *d, size_t tick)
{
    double last = d->canvas.columns - 1;
    return (unsigned)lround(scale_place(&d->x, d->x_ticks.at[tick]) * last);
}

static int append_floor(const struct drawing *d, struct buf *out)
{
    int r = buf_printf(out, "%*s %s", (int)d->label_columns, "", d->lines->corner);
    size_t tick = 0;
    for (unsigned i = 0; r == 0 && i < d->canvas.columns; i++) {
        bool is_tick = tick < d->x_ticks.n && tick_column(d, tick) == i;
        r = buf_puts(out, is_tick ? d->lines->floor_tick : d->lines->floor);
        tick += is_tick;
    }
    return r < 0 ? r : buf_putc(out, '\n');
}

/* Each number with its middle below its tick, as far as the one before and the edge leave room. */
static int append_floor_labels(const struct drawing *d, struct buf *out)
{
    size_t left = d->label_columns + 2, used = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && i < d->x_ticks.n; i++) {
        char text[HUMAN_BYTES];
        scale_label(&d->x_ticks, i, text);
        size_t len = strlen(text), at = left + tick_column(d, i);
        at -= len / 2 < at ? len / 2 : at;
        if (at + len > left + d->canvas.columns)
            at = left + d->canvas.columns - len;
        if (used && at < used + 1)
            continue;
        r = buf_printf(out, "%*s%s", (int)(at - used), "", text);
        used = at + len;
    }
    return r < 0 ? r : buf_putc(out, '\n');
}

static int append_best(const struct chart_series *series, struct buf *out)
{
    char value[HUMAN_BYTES];
    if (!series->best)
        return 0;
    human_number(series->best->value, value);
    return buf_printf(out, "  best %s at step %" PRId64, value, series->best->step);
}

static int append_legend(const struct drawing *d, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < d->chart->n; i++) {
        const struct chart_series *series = &d->chart->series[i];
        r = braille_format_mark((unsigned)i, d->utf8, out);
        if (r == 0)
            r = buf_putc(out, ' ');
        if (r == 0)
            r = screen_append_clean(series->label, out);
        if (r == 0)
            r = append_best(series, out);
        if (r == 0)
            r = buf_putc(out, '\n');
    }
    return r;
}

static int draw(struct drawing *d, struct chart_size size)
{
    unsigned rows = size.rows - AXIS_ROWS;
    scale_ticks(&d->y, rows / ROWS_PER_TICK + 2, &d->y_ticks);
    d->label_columns = widest_label(&d->y_ticks);
    size_t beside = d->label_columns + 2;
    unsigned columns = size.columns > beside + 1 ? size.columns - (unsigned)beside : 1;
    scale_ticks(&d->x, columns / COLUMNS_PER_TICK + 2, &d->x_ticks);
    int r = braille_init(&d->canvas, columns, rows);
    for (size_t i = 0; r == 0 && i < d->chart->n; i++)
        draw_series(d, i);
    for (size_t i = 0; r == 0 && i < d->chart->n; i++)
        mark_best(d, i);
    return r;
}

int chart_text_format(const struct chart *chart, struct chart_size size, bool utf8, struct buf *out)
{
    CLEANUP(drawing_deinit)
    struct drawing d = {.chart = chart, .lines = utf8 ? &drawn : &plain, .utf8 = utf8};
    chart_scales(chart, &d.x, &d.y);
    int r = draw(&d, size);
    for (unsigned row = 0; r == 0 && row < d.canvas.rows; row++)
        r = append_row(&d, row, out);
    if (r == 0)
        r = append_floor(&d, out);
    if (r == 0)
        r = append_floor_labels(&d, out);
    return r < 0 ? r : append_legend(&d, out);
}
