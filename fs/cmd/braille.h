/* SPDX-License-Identifier: Apache-2.0 */
/* A drawing of dots in a terminal, two by four to a character (Unicode's braille patterns, U+2800
 * to U+28FF), with marks on top (pure). Where the terminal has ASCII only, a cell with a dot in it
 * shows the letter of what it belongs to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

enum {
    BRAILLE_DOTS_X = 2,
    BRAILLE_DOTS_Y = 4,
    BRAILLE_MAX_CELLS = 1 << 20,
    BRAILLE_N_PENS = 6, /* told apart by mark, and by colour where there is one */
};

struct braille_cell {
    uint8_t dots; /* bits as in U+28xx */
    uint8_t pen;  /* of the dots: who drew last */
    uint8_t mark; /* pen + 1 of the mark on top, or 0 */
};

/* Starts from {0}. */
struct braille {
    unsigned columns, rows;
    struct braille_cell *cells; /* owned */
};

/* 0, -ENOMEM, or -EINVAL for no cell or too many. */
int braille_init(struct braille *b, unsigned columns, unsigned rows);
void braille_deinit(struct braille *b);
#define BRAILLE_CLEANUP CLEANUP(braille_deinit)

/* Dots count from the upper left; what lies outside is left out. Pens are taken modulo
 * BRAILLE_N_PENS. */
void braille_dot(struct braille *b, int x, int y, unsigned pen);
/* A line between two dots that lie inside. */
void braille_line(struct braille *b, int x0, int y0, int x1, int y1, unsigned pen);
/* The pen's mark over the cell in which that dot is. */
void braille_mark(struct braille *b, int x, int y, unsigned pen);

/* Appends one row, without blanks at its end and without a line break; pens in colours (marks of
 * cmd/screen.h). 0 or -ENOMEM. */
int braille_format_row(const struct braille *b, unsigned row, bool utf8, struct buf *out);

/* Appends a pen's mark in its colour, for a legend. 0 or -ENOMEM. */
int braille_format_mark(unsigned pen, bool utf8, struct buf *out);
