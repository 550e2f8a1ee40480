/* SPDX-License-Identifier: Apache-2.0 */
/* Text for a terminal: cut to its size, and with colours where it has them (pure). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* Marks in a text, which take no room. */
#define SCREEN_BOLD   "\001"
#define SCREEN_RED    "\002"
#define SCREEN_NORMAL "\003"
/* For things that are told apart: SCREEN_COLOUR_FIRST up to the last. */
#define SCREEN_COLOUR_FIRST '\004'
enum { SCREEN_N_COLOURS = 5 }; /* and \011 begins what is text */

struct screen_size {
    unsigned rows, columns; /* 0: without end */
};

/* Appends @text with `?` for each control character, so that what a registry calls something can
 * neither break a line nor speak to the terminal. 0 or -ENOMEM. */
int screen_append_clean(const char *text, struct buf *out);

/* Appends @text as far as @size holds it, marks turned into colours or left out. The last line is
 * left open when it stands in the last row, so that the terminal does not scroll. With @live each
 * line's rest is cleared, for drawing over what was there. 0 or -ENOMEM. */
int screen_format(const char *text, struct screen_size size, bool colour, bool live,
                  struct buf *out);
