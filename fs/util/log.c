/* SPDX-License-Identifier: Apache-2.0 */
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
    SYSLOG_FD = -1,
    LINE_BYTES = 4096
}; /* a longer line is cut: one write() keeps lines of several threads apart */

static atomic_int max_level = LOG_LEVEL_WARN;
static atomic_int log_fd = STDERR_FILENO;

static const int level_priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char *const level_colours[] = {"\033[31m", "\033[33m", "", "\033[2m"};

void log_set_level(enum log_level level)
{
    atomic_store(&max_level, (int)level);
}

int log_to_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    atomic_store(&log_fd, fd);
    return 0;
}

void log_to_syslog(void)
{
    openlog("modelfs", LOG_PID, LOG_DAEMON);
    atomic_store(&log_fd, SYSLOG_FD);
}

/* Writes the head of a line into @line and returns its length: a time in a file, a colour on a
 * terminal. */
static size_t format_head(char *line, size_t cap, enum log_level level, int fd)
{
    int n = 0;
    if (fd != STDERR_FILENO) {
        struct timespec now;
        struct tm tm;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        n = (int)strftime(line, cap, "%Y-%m-%dT%H:%M:%SZ ", &tm);
    }
    const char *colour = isatty(fd) ? level_colours[level] : "";
    n += snprintf(line + n, cap - (size_t)n, "modelfs: %s%s%s: ", colour, level_names[level],
                  *colour ? "\033[0m" : "");
    return (size_t)n;
}

static void __attribute__((format(printf, 2, 0)))
write_line(enum log_level level, const char *fmt, va_list args)
{
    if ((int)level > atomic_load(&max_level))
        return;
    int saved_errno = errno;
    int fd = atomic_load(&log_fd);
    char line[LINE_BYTES];
    if (fd == SYSLOG_FD) {
        vsyslog(level_priorities[level], fmt, args);
        errno = saved_errno;
        return;
    }
    size_t len = format_head(line, sizeof(line), level, fd);
    int n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, args);
    if (n > 0)
        len += (size_t)n < sizeof(line) - len - 1 ? (size_t)n : sizeof(line) - len - 2;
    line[len++] = '\n';
    ssize_t written =
        write(fd, line, len); /* nothing can be done about a log that cannot be written */
    (void)written;
    errno = saved_errno;
}

#define DEFINE_LOG(name, level)                                                                    \
    void name(const char *fmt, ...)                                                                \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, fmt);                                                                       \
        write_line(level, fmt, args);                                                              \
        va_end(args);                                                                              \
    }

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
