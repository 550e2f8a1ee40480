/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_ROWS = 24, DEFAULT_COLUMNS = 80 };

/* The other screen, and back to the one that was there; the cursor. */
static const char take[] = "\033[?1049h\033[?25l\033[2J", give_back[] = "\033[?25h\033[?1049l";

bool terminal_is_screen(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

bool terminal_has_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return terminal_is_screen() && !(no && *no);
}

bool terminal_has_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool has = locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    if (locale)
        freelocale(locale);
    return has;
}

int terminal_print(const char *text)
{
    struct buf out BUF_CLEANUP = {0};
    int r = screen_format(text, (struct screen_size){0}, terminal_has_colour(), false, &out);
    if (r < 0)
        return r;
    bool written = fwrite(out.data ? out.data : "", 1, out.len, stdout) == out.len;
    return written && fflush(stdout) == 0 ? 0 : -EIO;
}

struct screen_size terminal_size(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
        return (struct screen_size){DEFAULT_ROWS, DEFAULT_COLUMNS};
    return (struct screen_size){size.ws_row, size.ws_col};
}

void terminal_take(struct terminal *terminal)
{
    terminal->has_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &terminal->before) == 0;
    if (terminal->has_keys) {
        struct termios keys = terminal->before;
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        keys.c_cc[VMIN] = 1;
        keys.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys);
    }
    fputs(take, stdout);
    fflush(stdout);
    terminal->is_taken = true;
}

void terminal_give_back(struct terminal *terminal)
{
    if (!terminal->is_taken)
        return;
    fputs(give_back, stdout);
    fflush(stdout);
    if (terminal->has_keys)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal->before);
    terminal->is_taken = false;
}
