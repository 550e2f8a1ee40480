/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache's tests share: a directory that goes away again, and work in a process of its own,
 * which may die or hang without taking the test along. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* Runs of a sanitizer are slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROBE_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PROBE_SLOW 1
#endif
#endif
#ifndef PROBE_SLOW
#define PROBE_SLOW 0
#endif

/* Makes a new directory: its path is at @out, PATH_MAX bytes. */
static inline void probe_dir_make(char *out)
{
    const char *base = getenv("TMPDIR");
    snprintf(out, PATH_MAX, "%s/modelfs-cache-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(out))
        abort();
}

/* Removes it with all that is in it. */
static inline void probe_dir_remove(const char *dir)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", dir, (char *)NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
}

/* Path of @name in @dir: in a static buffer, until the next call. */
static inline const char *probe_path(const char *dir, const char *name)
{
    static char path[3 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

/* Size of a file; -1: there is none. */
static inline int64_t probe_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : -1;
}

/* Starts fn(ctx) in a process of its own, which a hang ends by SIGALRM after @most_s seconds. */
static inline pid_t probe_start(int (*fn)(void *ctx), void *ctx, unsigned most_s)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        check_failed = false; /* what failed here is not its fault */
        alarm(most_s);
        int r = fn(ctx);
        fflush(stdout);
        _exit(r < 0 || check_failed ? 1 : r);
    }
    return pid;
}

/* The process's exit status, or -signal when one ended it. */
static inline int probe_wait(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) != pid)
        return INT_MIN;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int probe_run(int (*fn)(void *ctx), void *ctx, unsigned most_s)
{
    return probe_wait(probe_start(fn, ctx, most_s));
}

static inline void probe_sleep_us(long us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

/* splitmix64: the same numbers from the same seed. */
static inline uint64_t probe_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
