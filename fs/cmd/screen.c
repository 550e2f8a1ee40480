/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/screen.h"

#include <limits.h>
#include <string.h>

/* Escape sequences of every terminal of the last forty years. */
static const char bold[] = "\033[1m", red[] = "\033[31m", normal[] = "\033[0m",
                  clear_rest[] = "\033[K";
/* Cyan, yellow, magenta, green, blue: seen on a light ground and on a dark one. */
static const char *const colours[SCREEN_N_COLOURS] = {"\033[36m", "\033[33m", "\033[35m",
                                                      "\033[32m", "\033[34m"};

/* C1 control characters are what UTF-8 writes as c2 80..9f. */
int screen_append_clean(const char *text, struct buf *out)
{
    int r = 0;
    for (const unsigned char *c = (const unsigned char *)text; r == 0 && *c; c++) {
        bool is_c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
        r = buf_putc(out, *c < ' ' || *c == 0x7f || is_c1 ? '?' : (char)*c);
        c += is_c1;
    }
    return r;
}

static const char *colour_of(char c)
{
    if (c == *SCREEN_BOLD)
        return bold;
    if (c == *SCREEN_RED)
        return red;
    if (c >= SCREEN_COLOUR_FIRST && c < SCREEN_COLOUR_FIRST + SCREEN_N_COLOURS)
        return colours[c - SCREEN_COLOUR_FIRST];
    return c == *SCREEN_NORMAL ? normal : NULL;
}

/* Appends a line of @len bytes, cut to @columns characters. */
static int append_line(const char *line, size_t len, unsigned columns, bool colour, struct buf *out)
{
    unsigned used = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && i < len; i++) {
        const char *mark = colour_of(line[i]);
        bool goes_on = ((unsigned char)line[i] & 0xc0) == 0x80; /* within a character of UTF-8 */
        used += !mark && !goes_on;
        if (mark)
            r = colour ? buf_puts(out, mark) : 0;
        else if (used <= columns)
            r = buf_putc(out, line[i]);
    }
    return r;
}

int screen_format(const char *text, struct screen_size size, bool colour, bool live,
                  struct buf *out)
{
    unsigned columns = size.columns ? size.columns : UINT_MAX;
    int r = 0;
    for (unsigned row = 1; r == 0 && *text && (!size.rows || row <= size.rows); row++) {
        size_t len = strcspn(text, "\n");
        r = append_line(text, len, columns, colour, out);
        if (r == 0 && live)
            r = buf_puts(out, clear_rest);
        text += len;
        if (*text == '\n' && row != size.rows && r == 0)
            r = buf_putc(out, '\n');
        text += *text == '\n';
    }
    return r;
}
