/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/curve.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/metrics.h"

enum { FIRST_CAP = 64, CELL_BYTES = 64 };

static const char heading[] = "step,wall_time,value";

void curve_deinit(struct curve *curve)
{
    free(curve->points);
    *curve = (struct curve){0};
}

static int grow(struct curve *curve)
{
    size_t cap = curve->cap ? curve->cap * 2 : FIRST_CAP, bytes;
    if (__builtin_mul_overflow(cap, sizeof(*curve->points), &bytes))
        return -ENOMEM;
    void *points = realloc(curve->points, bytes);
    if (!points)
        return -ENOMEM;
    curve->points = points;
    curve->cap = cap;
    return 0;
}

int curve_add(struct curve *curve, int64_t step, double value)
{
    int r = curve->n < curve->cap ? 0 : grow(curve);
    if (r == 0)
        curve->points[curve->n] = (struct point){step, value, curve->n};
    curve->n += r == 0;
    return r;
}

static int compare_points(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

void curve_settle(struct curve *curve)
{
    size_t kept = 0;
    if (curve->n)
        qsort(curve->points, curve->n, sizeof(*curve->points), compare_points);
    for (size_t i = 0; i < curve->n; i++)
        if (i + 1 == curve->n || curve->points[i].step != curve->points[i + 1].step)
            curve->points[kept++] = curve->points[i];
    curve->n = kept;
}

const struct point *curve_best(const struct curve *curve, const char *metric)
{
    const struct point *best = NULL;
    double value = NAN;
    for (size_t i = 0; i < curve->n; i++)
        if (metric_beats(NULL, metric, curve->points[i].value, value)) {
            best = &curve->points[i];
            value = best->value;
        }
    return best;
}

/* --- CSV --- */

/* Copies a cell, which is not the caller's to end, so that it can be read as a number. */
static bool copy_cell(const char *text, size_t len, char out[CELL_BYTES])
{
    if (len >= CELL_BYTES)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool read_step(const char *text, size_t len, int64_t *out)
{
    char cell[CELL_BYTES], *end;
    if (!len || !copy_cell(text, len, cell))
        return false;
    errno = 0;
    *out = strtoll(cell, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool read_value(const char *text, size_t len, double *out)
{
    char cell[CELL_BYTES], *end;
    if (!copy_cell(text, len, cell))
        return false;
    *out = strtod(cell, &end);
    return *end == '\0';
}

/* A row of three cells. 0, -EINVAL or -ENOMEM. */
static int take_row(struct curve *curve, const char *row, size_t len)
{
    const char *end = row + len, *first = memchr(row, ',', len);
    const char *second = first ? memchr(first + 1, ',', (size_t)(end - first - 1)) : NULL;
    int64_t step;
    double value;
    if (!second || !read_step(row, (size_t)(first - row), &step) ||
        !read_value(second + 1, (size_t)(end - second - 1), &value))
        return -EINVAL;
    return second + 1 == end ? 0 : curve_add(curve, step, value);
}

static int refuse(struct buf *why, size_t line, const char *what)
{
    int r = buf_printf(why, "line %zu %s", line, what);
    return r < 0 ? r : -EINVAL;
}

static int take_line(struct curve *curve, size_t number, const char *line, size_t len,
                     struct buf *why)
{
    if (len && line[len - 1] == '\r')
        len--;
    if (number == 1)
        return len == strlen(heading) && memcmp(line, heading, len) == 0
                   ? 0
                   : refuse(why, number, "is not `step,wall_time,value`");
    int r = len ? take_row(curve, line, len) : 0;
    return r == -EINVAL ? refuse(why, number, "is no step, time and value") : r;
}

int curve_parse_csv(const char *text, size_t len, struct curve *out, struct buf *why)
{
    const char *end = text + len;
    size_t number = 0;
    int r = len ? 0 : refuse(why, 1, "is missing");
    while (r == 0 && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        r = take_line(out, ++number, text, n, why);
        text += newline ? n + 1 : n;
    }
    if (r == 0)
        curve_settle(out);
    return r;
}
