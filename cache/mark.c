/* SPDX-License-Identifier: Apache-2.0 */
/* A mark is an empty file `unsynced-<boot id>-<pid>-<random>`, locked by its owner for as long as
 * that lives: the lock tells a living owner from a dead one even when process numbers are used
 * again or seen from another container. */
#include "cache/mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "unsynced-";

struct mark {
    char *dir;
    char name[128];
    int fd; /* -1: not set */
};

static bool is_mark(const char *name)
{
    return strncmp(name, prefix, sizeof(prefix) - 1) == 0;
}

static bool is_of_boot(const char *name, const char *boot_id)
{
    const char *id = name + sizeof(prefix) - 1;
    size_t len = strlen(boot_id);
    return strncmp(id, boot_id, len) == 0 && id[len] == '-';
}

/* Opens a mark and locks it, which works when its owner is dead. Else -1. */
static int lock_orphan(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool owner_lives(int dir_fd, const char *name)
{
    int fd = lock_orphan(dir_fd, name);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static enum mark_found judge(int dir_fd, const char *name, const char *boot_id)
{
    if (!is_mark(name))
        return MARK_NONE;
    if (!is_of_boot(name, boot_id))
        return MARK_LOST;
    return owner_lives(dir_fd, name) ? MARK_NONE : MARK_ORPHANED;
}

int mark_find(const char *dir, const char *boot_id, enum mark_found *out)
{
    *out = MARK_NONE;
    DIR *entries = opendir(dir);
    if (!entries)
        return -errno;
    for (struct dirent *e; (e = readdir(entries)) != NULL;) {
        enum mark_found found = judge(dirfd(entries), e->d_name, boot_id);
        if (found > *out)
            *out = found;
    }
    closedir(entries);
    return 0;
}

/* Unlinks while the lock is held, so that an owner who is just setting it notices (open_locked()).
 */
static void sweep_one(int dir_fd, const char *name, const char *boot_id)
{
    if (!is_mark(name))
        return;
    int fd = lock_orphan(dir_fd, name);
    if (fd >= 0 || !is_of_boot(name, boot_id))
        unlinkat(dir_fd, name, 0);
    if (fd >= 0)
        close(fd);
}

void mark_sweep(const char *dir, const char *boot_id)
{
    DIR *entries = opendir(dir);
    if (!entries)
        return;
    for (struct dirent *e; (e = readdir(entries)) != NULL;)
        sweep_one(dirfd(entries), e->d_name, boot_id);
    closedir(entries);
}

struct mark *mark_new(const char *dir, const char *boot_id)
{
    struct mark *mark = calloc(1, sizeof(*mark));
    if (!mark || !(mark->dir = strdup(dir))) {
        free(mark);
        return NULL;
    }
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (uintptr_t)mark;
    snprintf(mark->name, sizeof(mark->name), "%s%s-%d-%016" PRIx64, prefix, boot_id, getpid(),
             random);
    mark->fd = -1;
    return mark;
}

static int sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return r;
}

static int open_locked(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    struct stat st;
    if (flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
        return fd;
    close(fd);
    return -EAGAIN; /* swept between the open and the lock */
}

int mark_set(struct mark *mark)
{
    if (mark->fd >= 0)
        return 0;
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", mark->dir, mark->name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd;
    do
        fd = open_locked(path);
    while (fd == -EAGAIN);
    if (fd < 0)
        return fd;
    mark->fd = fd;
    int r = sync_dir(mark->dir);
    if (r < 0)
        mark_clear(mark);
    return r;
}

bool mark_is_set(const struct mark *mark)
{
    return mark->fd >= 0;
}

void mark_clear(struct mark *mark)
{
    if (mark->fd < 0)
        return;
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", mark->dir, mark->name);
    unlink(path);
    close(mark->fd);
    mark->fd = -1;
}

void mark_free(struct mark *mark)
{
    if (!mark)
        return;
    if (mark->fd >= 0)
        close(mark->fd);
    free(mark->dir);
    free(mark);
}

int mark_boot_id(char out[37])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, out, 36);
    close(fd);
    if (n != 36)
        return -EIO;
    out[36] = '\0';
    return 0;
}
