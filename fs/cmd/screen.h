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

struct screen_size {
    unsigned rows, columns; /* 0: without end */
};

/* Appends @text as far as @size holds it, marks turned into colours or left out. The last line is
 * left open when it stands in the last row, so that the terminal does not scroll. With @live each
 * line's rest is cleared, for drawing over what was there. 0 or -ENOMEM. */
int screen_format(const char *text, struct screen_size size, bool colour, bool live,
                  struct buf *out);
