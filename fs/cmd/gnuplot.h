/* SPDX-License-Identifier: Apache-2.0 */
/* The program gnuplot, which draws a picture into a file. */
#pragma once

#include "util/buf.h"

/* Runs @script, whose picture goes to standard output, and puts that at @path: a whole one or none.
 * Prints what is wrong for @command. An exit code. */
int gnuplot_draw(const char *command, const struct buf *script, const char *path);
