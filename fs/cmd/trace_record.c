/* SPDX-License-Identifier: Apache-2.0 */
/* The mount parks our read() while there is nothing to tell, so a timer interrupts it a few times a
 * second to look whether it is time to end. After each piece comes a nap, so that a busy mount is
 * asked for its reads by the hundred, not one by one. At the end the rest is taken without waiting.
 */
#include "cmd/trace_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cmd/human.h"
#include "cmd/interrupt.h"
#include "cmd/mount_point.h"
#include "cmd/trace_stream.h"
#include "cmd/trace_summary.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LIVE_NAME "/.modelfs/trace"

enum { CHUNK_BYTES = 64 << 10, TICK_MS = 250, NAP_MS = 20 };

struct recorder {
    const char *dir, *path;
    char *root; /* the mount's */
    int live_fd, out_fd;
    uint64_t began_ms, ends_ms; /* ends_ms 0: when somebody says so */
    bool is_tty, is_cut;
    struct trace_stream stream;
    struct trace_summary summary;
    char chunk[CHUNK_BYTES];
};

/* --- both ends --- */

static int find_mount(struct recorder *r)
{
    CLEANUP(cleanup_free) char *real = realpath(r->dir, NULL);
    int err = errno;
    r->root = real ? mount_point_around(real) : NULL;
    if (r->root)
        return EX_OK;
    if (real)
        fprintf(stderr, "modelfs trace: %s is in no mount of modelfs\n", r->dir);
    else if (err == ENOTCONN)
        fprintf(stderr, "modelfs trace: %s is a mount whose process is gone\n", r->dir);
    else
        fprintf(stderr, "modelfs trace: %s: %s\n", r->dir, strerror(err));
    return !real && err == EACCES ? EX_NOPERM : EX_NOINPUT;
}

static int complain_of_mount(const struct recorder *r, int err)
{
    switch (err) {
    case EBUSY:
        fprintf(stderr, "modelfs trace: somebody else records %s already\n", r->root);
        return EX_TEMPFAIL;
    case EACCES:
        fprintf(stderr, "modelfs trace: only root and who mounted %s may record it\n", r->root);
        return EX_NOPERM;
    case ENOENT:
        fprintf(stderr,
                "modelfs trace: %s has no .modelfs/trace: only a part is mounted there, or by an "
                "older modelfs\n",
                r->root);
        return EX_UNAVAILABLE;
    default:
        fprintf(stderr, "modelfs trace: %s%s: %s\n", r->root, LIVE_NAME, strerror(err));
        return EX_OSERR;
    }
}

static int open_live(struct recorder *r)
{
    CLEANUP(cleanup_free) char *name = NULL;
    int code = find_mount(r);
    if (code != EX_OK)
        return code;
    if (asprintf(&name, "%s%s", r->root, LIVE_NAME) < 0)
        return EX_OSERR;
    r->live_fd = open(name, O_RDONLY | O_CLOEXEC);
    return r->live_fd < 0 ? complain_of_mount(r, errno) : EX_OK;
}

/* Whether a file may be written over: an empty one, or a trace. */
static bool is_trace(int fd)
{
    char magic[TRACE_MAGIC_BYTES];
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    return st.st_size == 0 || (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
                               memcmp(magic, TRACE_MAGIC, sizeof(magic)) == 0);
}

static int open_output(struct recorder *r)
{
    r->out_fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (r->out_fd >= 0 && is_trace(r->out_fd) && ftruncate(r->out_fd, 0) == 0)
        return EX_OK;
    if (r->out_fd >= 0)
        fprintf(stderr,
                "modelfs trace: %s is there and is no trace: name another file with -o, or remove "
                "it\n",
                r->path);
    else
        fprintf(stderr, "modelfs trace: %s: %s\n", r->path, strerror(errno));
    return EX_CANTCREAT;
}

/* --- recording --- */

static void on_alarm(int number)
{
    (void)number;
}

static void start_ticking(void)
{
    const struct itimerval every = {{0, TICK_MS * 1000}, {0, TICK_MS * 1000}};
    const struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
}

/* Until the next tick at most: it is interrupted like all else. */
static void nap(void)
{
    const struct timespec time = {0, NAP_MS * 1000000};
    nanosleep(&time, NULL);
}

static void draw(const struct recorder *r)
{
    char size[HUMAN_BYTES], time[HUMAN_BYTES];
    if (!r->is_tty)
        return;
    human_size(r->summary.all.n_bytes, size);
    human_duration((clock_now_ms() - r->began_ms) / 1000, time);
    fprintf(stderr, "\r\033[K%s  %" PRIu64 " reads  %s  %zu files", time, r->summary.all.n_reads,
            size, r->summary.n_files_read);
}

static bool is_time(const struct recorder *r)
{
    return interrupt_seen() || (r->ends_ms && clock_now_ms() >= r->ends_ms);
}

/* Whether the mount was taken away while we had it open. */
static bool is_gone(const struct recorder *r)
{
    return mount_point_is_ours(r->root) != 1;
}

static int keep(struct recorder *r, const char *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(r->out_fd, data + done, len - done);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* One piece: positive when there was one, 0 at the end, -EINTR and -EAGAIN when there is none now.
 */
static int take_piece(struct recorder *r)
{
    ssize_t n = read(r->live_fd, r->chunk, CHUNK_BYTES);
    r->is_cut = n < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
    if (n <= 0)
        return n == 0 || r->is_cut ? 0 : -errno;
    int err = keep(r, r->chunk, (size_t)n);
    if (err == 0)
        err = trace_stream_add(&r->stream, r->chunk, (size_t)n, trace_summary_add, &r->summary);
    return err < 0 ? err : 1;
}

/* 0 when it is over, by whatever was agreed. */
static int take_all(struct recorder *r)
{
    int err = 1;
    while (err > 0 || err == -EINTR) {
        draw(r);
        if (is_time(r) || (err == -EINTR && is_gone(r)))
            break;
        err = take_piece(r);
        if (err > 0)
            nap();
    }
    if (err > 0 || err == -EINTR) { /* what is left there */
        fcntl(r->live_fd, F_SETFL, O_NONBLOCK);
        do
            err = take_piece(r);
        while (err > 0 || err == -EINTR);
    }
    return err == -EAGAIN ? 0 : err;
}

/* Not where something may be missing. */
static int keep_end(struct recorder *r)
{
    BUF_CLEANUP struct buf end = {0};
    if (r->is_cut || r->stream.rest.len || !r->stream.coder.has_started)
        return 0;
    int err = trace_put_end(&r->stream.coder, &end);
    return err == 0 ? keep(r, end.data, end.len) : err;
}

static int record(struct recorder *r, int seconds)
{
    r->began_ms = clock_now_ms();
    r->ends_ms = seconds ? r->began_ms + (uint64_t)seconds * 1000 : 0;
    r->is_tty = isatty(STDERR_FILENO);
    interrupt_catch();
    start_ticking();
    fprintf(stderr, "modelfs trace: recording %s to %s; Ctrl-C ends it\n", r->root, r->path);
    int err = take_all(r);
    if (err == 0)
        err = keep_end(r);
    if (r->is_tty)
        fputs("\r\033[K", stderr);
    if (r->is_cut)
        fputs("modelfs trace: the mount went away: its last reads may be missing\n", stderr);
    if (err < 0)
        fprintf(stderr, "modelfs trace: %s: %s; it can be read up to there\n", r->path,
                strerror(-err));
    if (trace_summary_print(&r->summary, r->path, stdout) < 0 || fflush(stdout) != 0)
        err = err < 0 ? err : -EIO;
    return err < 0 ? EX_IOERR : EX_OK;
}

int trace_record(const char *dir, const char *path, int seconds)
{
    struct recorder *r = calloc(1, sizeof(*r));
    if (!r)
        return EX_OSERR;
    r->dir = dir;
    r->path = path;
    r->live_fd = r->out_fd = -1;
    int code = open_live(r);
    if (code == EX_OK)
        code = open_output(r);
    if (code == EX_OK)
        code = record(r, seconds);
    cleanup_close(&r->live_fd);
    cleanup_close(&r->out_fd);
    trace_stream_deinit(&r->stream);
    trace_summary_deinit(&r->summary);
    free(r->root);
    free(r);
    return code;
}
