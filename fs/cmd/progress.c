/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/human.h"
#include "util/clock.h"

enum {
    DRAW_EVERY_MS = 100,
    DEFAULT_COLUMNS = 80,
    BAR_COLUMNS = 24,
    NAME_COLUMNS_MIN = 8,
    SPEED_AFTER_MS = 1000, /* before that a speed is a guess */
};

void progress_start(struct progress *progress, uint64_t total_bytes)
{
    const char *term = getenv("TERM");
    *progress = (struct progress){
        .is_shown = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0),
        .total_bytes = total_bytes,
        .started_ms = clock_now_ms(),
    };
}

void progress_name(struct progress *progress, const char *what)
{
    progress->what = what;
}

/* Moved bytes a second, 0 while that is not known. */
static uint64_t speed(const struct progress *p, uint64_t now_ms)
{
    uint64_t elapsed_ms = now_ms - p->started_ms;
    if (elapsed_ms < SPEED_AFTER_MS || p->done_bytes < p->skipped_bytes)
        return 0;
    return (uint64_t)((double)(p->done_bytes - p->skipped_bytes) * 1000 / (double)elapsed_ms);
}

static int append_bar(double fraction, struct buf *out)
{
    int full = (int)(fraction * BAR_COLUMNS), r = buf_putc(out, '[');
    for (int i = 0; r == 0 && i < BAR_COLUMNS; i++)
        r = buf_putc(out, i < full ? '=' : i == full ? '>' : ' ');
    return r < 0 ? r : buf_putc(out, ']');
}

static int append_figures(const struct progress *p, double fraction, uint64_t now_ms,
                          struct buf *out)
{
    char done[HUMAN_BYTES], total[HUMAN_BYTES], rate[HUMAN_BYTES], left[HUMAN_BYTES];
    uint64_t per_s = speed(p, now_ms);
    human_size(p->done_bytes, done);
    human_size(p->total_bytes, total);
    int r = buf_printf(out, " %3d%% %s of %s", (int)(fraction * 100), done, total);
    if (r < 0 || !per_s)
        return r;
    human_size(per_s, rate);
    human_duration((p->total_bytes - p->done_bytes) / per_s, left);
    return buf_printf(out, " %s/s %s", rate, left);
}

/* The name's end, which tells files apart, cut to what is left of the line; not within a UTF-8
 * character. Anything but plain text is left out. */
static int append_name(const char *name, size_t room, struct buf *out)
{
    size_t len = strlen(name);
    if (len > room)
        name += len - room;
    while (((unsigned char)*name & 0xc0) == 0x80)
        name++;
    int r = buf_putc(out, ' ');
    for (; r == 0 && *name; name++)
        r = buf_putc(out, (unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name);
    return r;
}

int progress_format(const struct progress *p, uint64_t now_ms, unsigned columns, struct buf *out)
{
    struct buf figures BUF_CLEANUP = {0};
    double fraction = p->total_bytes ? (double)p->done_bytes / (double)p->total_bytes : 1;
    int r = append_figures(p, fraction, now_ms, &figures);
    /* The last column stays free: some terminals go to the next line behind it. */
    size_t used = figures.len + 1, bar = BAR_COLUMNS + 2;
    if (r == 0 && used + bar <= columns) {
        r = append_bar(fraction, out);
        used += bar;
    }
    if (r == 0)
        r = buf_append(out, figures.data, used <= columns ? figures.len : 0);
    if (r == 0 && p->what && used + 1 + NAME_COLUMNS_MIN <= columns)
        r = append_name(p->what, columns - used - 1, out);
    return r;
}

static unsigned terminal_columns(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col;
    return known ? size.ws_col : DEFAULT_COLUMNS;
}

void progress_set(struct progress *progress, uint64_t done_bytes)
{
    uint64_t now_ms = clock_now_ms();
    struct buf line BUF_CLEANUP = {0};
    progress->done_bytes = done_bytes < progress->total_bytes ? done_bytes : progress->total_bytes;
    if (!progress->is_shown || now_ms - progress->drawn_ms < DRAW_EVERY_MS)
        return;
    progress->drawn_ms = now_ms;
    if (progress_format(progress, now_ms, terminal_columns(), &line) == 0)
        fprintf(stderr, "\r\033[K%s", line.data);
}

void progress_skip(struct progress *progress, uint64_t bytes)
{
    progress->skipped_bytes += bytes;
    progress_set(progress, progress->done_bytes + bytes);
}

void progress_clear(struct progress *progress)
{
    if (progress->is_shown && progress->drawn_ms)
        fputs("\r\033[K", stderr);
    progress->drawn_ms = 0;
}
