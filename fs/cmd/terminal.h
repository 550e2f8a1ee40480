/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal as something to draw on: taken for a while, and given back as it was. */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "cmd/screen.h"

/* Whether standard output is a terminal that can be drawn on; and whether it should have colours:
 * not where NO_COLOR is set. */
bool terminal_is_screen(void);
bool terminal_has_colour(void);

/* Whether text may hold characters of UTF-8, by the locale of the environment. */
bool terminal_has_utf8(void);

/* Writes @text with marks of cmd/screen.h to standard output, and flushes it. 0 or -errno. */
int terminal_print(const char *text);

/* Of the terminal on standard output; 80 by 24 where it does not say. */
struct screen_size terminal_size(void);

/* Starts from {0}. */
struct terminal {
    bool is_taken;
    bool has_keys; /* standard input is a terminal: keys come one by one, unseen */
    struct termios before;
};

/* A fresh screen without a cursor. Ctrl-C and Ctrl-Z stay signals. */
void terminal_take(struct terminal *terminal);
void terminal_give_back(struct terminal *terminal);
