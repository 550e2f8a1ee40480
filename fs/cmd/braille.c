/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/braille.h"

#include <errno.h>
#include <stdlib.h>

#include "cmd/screen.h"

static const char *const marks[BRAILLE_N_PENS] = {"●", "▲", "■", "◆", "▼", "★"};
static const char letters[BRAILLE_N_PENS] = "ox+#%@";

/* Unicode 15, block Braille Patterns: dots 1, 2, 3, 7 in the left column, 4, 5, 6, 8 in the right.
 */
static const uint8_t bits[BRAILLE_DOTS_Y][BRAILLE_DOTS_X] = {
    {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

int braille_init(struct braille *b, unsigned columns, unsigned rows)
{
    size_t n;
    if (!columns || !rows || __builtin_mul_overflow(columns, rows, &n) || n > BRAILLE_MAX_CELLS)
        return -EINVAL;
    *b = (struct braille){columns, rows, calloc(n, sizeof(*b->cells))};
    return b->cells ? 0 : -ENOMEM;
}

void braille_deinit(struct braille *b)
{
    free(b->cells);
    *b = (struct braille){0};
}

/* The cell of a dot; NULL outside. */
static struct braille_cell *cell_of(struct braille *b, int x, int y)
{
    if (x < 0 || y < 0)
        return NULL;
    unsigned column = (unsigned)x / BRAILLE_DOTS_X, row = (unsigned)y / BRAILLE_DOTS_Y;
    bool is_inside = column < b->columns && row < b->rows;
    return is_inside ? &b->cells[(size_t)row * b->columns + column] : NULL;
}

void braille_dot(struct braille *b, int x, int y, unsigned pen)
{
    struct braille_cell *cell = cell_of(b, x, y);
    if (!cell)
        return;
    cell->dots |= bits[y % BRAILLE_DOTS_Y][x % BRAILLE_DOTS_X];
    cell->pen = (uint8_t)(pen % BRAILLE_N_PENS);
}

/* In as many steps as the longer way has dots. */
void braille_line(struct braille *b, int x0, int y0, int x1, int y1, unsigned pen)
{
    int wide = abs(x1 - x0), high = abs(y1 - y0), n = wide > high ? wide : high;
    for (int i = 0; i <= n; i++) {
        double part = n ? (double)i / n : 0;
        int x = (int)(x0 + (x1 - x0) * part + 0.5), y = (int)(y0 + (y1 - y0) * part + 0.5);
        braille_dot(b, x, y, pen);
    }
}

void braille_mark(struct braille *b, int x, int y, unsigned pen)
{
    struct braille_cell *cell = cell_of(b, x, y);
    if (cell)
        cell->mark = (uint8_t)(pen % BRAILLE_N_PENS + 1);
}

static int append_glyph(const struct braille_cell *cell, bool utf8, struct buf *out)
{
    /* U+2800 + dots: e2 a0..a3 80..bf */
    const char glyph[] = {(char)0xe2, (char)(0xa0 | cell->dots >> 6),
                          (char)(0x80 | (cell->dots & 0x3f)), '\0'};
    if (!cell->mark && !cell->dots)
        return buf_putc(out, ' ');
    if (!utf8)
        return buf_putc(out, cell->mark ? '*' : letters[cell->pen]);
    return buf_puts(out, cell->mark ? marks[cell->mark - 1] : glyph);
}

/* A colour is given where there is a glyph, and taken back behind it. */
static int append_coloured(unsigned pen, const struct braille_cell *cell, bool utf8,
                           struct buf *out)
{
    int r = 0;
    if (pen < SCREEN_N_COLOURS)
        r = buf_putc(out, (char)(SCREEN_COLOUR_FIRST + (int)pen));
    if (r == 0)
        r = append_glyph(cell, utf8, out);
    return r < 0 || pen >= SCREEN_N_COLOURS ? r : buf_puts(out, SCREEN_NORMAL);
}

static bool is_empty(const struct braille_cell *cell)
{
    return !cell->dots && !cell->mark;
}

int braille_format_row(const struct braille *b, unsigned row, bool utf8, struct buf *out)
{
    const struct braille_cell *cells = &b->cells[(size_t)row * b->columns];
    unsigned end = b->columns;
    int r = 0;
    while (end && is_empty(&cells[end - 1]))
        end--;
    for (unsigned i = 0; r == 0 && i < end; i++) {
        const struct braille_cell *cell = &cells[i];
        r = is_empty(cell)
                ? buf_putc(out, ' ')
                : append_coloured(cell->mark ? cell->mark - 1u : cell->pen, cell, utf8, out);
    }
    return r;
}

int braille_format_mark(unsigned pen, bool utf8, struct buf *out)
{
    pen %= BRAILLE_N_PENS;
    struct braille_cell cell = {.dots = 1, .pen = (uint8_t)pen};
    cell.mark = utf8 ? (uint8_t)(pen + 1) : 0;
    return append_coloured(pen, &cell, utf8, out);
}
