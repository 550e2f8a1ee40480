/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, signals and the clock are waited for in one place: signals come through a descriptor, so
 * that none can slip in between a look and the wait, and nothing but plain code runs when one
 * does. */
#include "cmd/stats_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/look_text.h"
#include "cmd/terminal.h"
#include "util/buf.h"
#include "util/clock.h"

enum { HEADING_EVERY = 20 }; /* lines */

struct watch {
    const struct stats_mount *mount;
    uint64_t interval_ms, next_ms;
    struct terminal terminal;
    bool is_screen, has_colour;
    int signals; /* a descriptor, or -1 */
    struct look *now, *then, *spare;
    bool has_then; /* then is the look before now */
    unsigned n_lines;
    bool ended;
    int signal; /* that ended it */
};

/* --- showing --- */

static int format_screen(const struct watch *w, const struct look_text *text, struct buf *out)
{
    BUF_CLEANUP struct buf all = {0};
    struct screen_size size = terminal_size();
    size.columns -= size.columns > 1; /* behind a full line the cursor is nowhere */
    int r = look_text_format(text, &all);
    if (r == 0)
        r = buf_puts(out, "\033[H");
    if (r == 0)
        r = screen_format(all.data, size, w->has_colour, true, out);
    return r < 0 ? r : buf_puts(out, "\033[J");
}

static int format_line(struct watch *w, const struct look_text *text, struct buf *out)
{
    int r = 0;
    if (!text->before)
        return 0;
    if (w->n_lines++ % HEADING_EVERY == 0)
        r = buf_puts(out, look_line_heading);
    return r < 0 ? r : look_line_format(text, out);
}

/* 0 or -errno. */
static int show(struct watch *w)
{
    const struct look_text text = {w->mount->dir, w->mount->source, w->now,
                                   w->has_then ? w->then : NULL};
    BUF_CLEANUP struct buf out = {0};
    int r = w->is_screen ? format_screen(w, &text, &out) : format_line(w, &text, &out);
    if (r < 0 || !out.len)
        return r;
    return fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : -EIO;
}

/* A fresh look; the last one becomes the one before, unless the mount was made anew since. */
static int look_again(struct watch *w)
{
    struct look *oldest = w->then;
    int r = stats_mount_look(w->mount, w->spare);
    if (r < 0)
        return r;
    w->then = w->now;
    w->now = w->spare;
    w->spare = oldest;
    w->has_then = look_get(w->then, "uptime_ms") <= look_get(w->now, "uptime_ms");
    return 0;
}

/* --- waiting --- */

static void suspend(struct watch *w)
{
    terminal_give_back(&w->terminal);
    raise(SIGSTOP);
    if (w->is_screen)
        terminal_take(&w->terminal);
}

static int obey_signal(struct watch *w)
{
    struct signalfd_siginfo info;
    if (read(w->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    if (info.ssi_signo == SIGTSTP)
        suspend(w);
    if (info.ssi_signo == SIGTSTP || info.ssi_signo == SIGWINCH)
        return w->is_screen ? show(w) : 0;
    w->ended = true;
    w->signal = info.ssi_signo == SIGINT ? 0 : (int)info.ssi_signo;
    return 0;
}

static void obey_key(struct watch *w)
{
    char key;
    ssize_t n = read(STDIN_FILENO, &key, 1);
    w->ended |= n <= 0 || key == 'q' || key == 'Q';
}

static int wait_for_something(struct watch *w)
{
    uint64_t now_ms = clock_now_ms();
    struct pollfd fds[] = {{w->signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    nfds_t n = w->terminal.is_taken && w->terminal.has_keys ? 2 : 1;
    if (poll(fds, n, now_ms < w->next_ms ? (int)(w->next_ms - now_ms) : 0) < 0)
        return errno == EINTR ? 0 : -errno;
    if (n == 2 && fds[1].revents)
        obey_key(w);
    return fds[0].revents ? obey_signal(w) : 0;
}

/* --- from start to end --- */

static int run(struct watch *w)
{
    int r = stats_mount_look(w->mount, w->now);
    if (r == 0)
        r = show(w);
    w->next_ms = clock_now_ms() + w->interval_ms;
    while (r == 0 && !w->ended) {
        r = wait_for_something(w);
        if (r < 0 || w->ended || clock_now_ms() < w->next_ms)
            continue;
        w->next_ms = clock_now_ms() + w->interval_ms;
        r = look_again(w);
        if (r == 0)
            r = show(w);
    }
    return r;
}

static int open_signals(sigset_t *out_before)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, out_before);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static int end(struct watch *w, const char *command, int err, const sigset_t *before)
{
    terminal_give_back(&w->terminal);
    sigprocmask(SIG_SETMASK, before, NULL);
    if (w->signal)
        raise(w->signal);
    return err < 0 ? stats_mount_complain(w->mount, command, err) : EX_OK;
}

int stats_watch(const struct stats_mount *mount, const char *command, uint64_t interval_ms)
{
    CLEANUP(cleanup_free) struct look *looks = calloc(3, sizeof(*looks));
    sigset_t before;
    if (!looks)
        return EX_OSERR;
    struct watch w = {
        .mount = mount,
        .interval_ms = interval_ms,
        .is_screen = terminal_is_screen(),
        .has_colour = terminal_has_colour(),
        .signals = open_signals(&before),
        .now = &looks[0],
        .then = &looks[1],
        .spare = &looks[2],
    };
    int r = w.signals < 0 ? -errno : 0;
    if (r == 0 && w.is_screen)
        terminal_take(&w.terminal);
    if (r == 0)
        r = run(&w);
    if (w.signals >= 0)
        close(w.signals);
    return end(&w, command, r, &before);
}
