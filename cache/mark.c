/* SPDX-License-Identifier: Apache-2.0 */
/* A mark is an empty file `unsynced-<boot id>-<pid>-<random>`, locked by its owner for as long as
 * that lives: the lock tells a living owner from a dead one even when process numbers are used
 * again or seen from another container.
 *
 * A dead owner's mark is taken over by taking its lock, and goes when who took it over has synced;
 * should that die first, the mark has no owner once more. So nobody has to wait for a sync because
 * there is such a mark, and no mark goes without one. */
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

/* A mark that was taken over. */
struct adopted {
    struct adopted *next;
    int fd; /* its lock */
    char name[];
};

struct mark {
    char *dir, *boot_id;
    char name[128];
    int fd; /* -1: not set */
    struct adopted *adopted;
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

static bool is_lost(const char *name, const char *boot_id)
{
    return is_mark(name) && !is_of_boot(name, boot_id);
}

int mark_find_lost(const char *dir, const char *boot_id)
{
    DIR *entries = opendir(dir);
    if (!entries)
        return -errno;
    int found = 0;
    for (struct dirent *e; !found && (e = readdir(entries)) != NULL;)
        found = is_lost(e->d_name, boot_id);
    closedir(entries);
    return found;
}

static void make_name(char out[128], const char *boot_id)
{
    static _Atomic uint64_t n;
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (uintptr_t)out;
    snprintf(out, 128, "%s%s-%d-%016" PRIx64, prefix, boot_id, getpid(), random + n++);
}

/* Renamed and not removed: until the next sync it is not known that the disk has forgotten what was
 * dropped, and should the machine go down before that, the mark is of another boot again. */
static int renew_all(int dir_fd, DIR *entries, const char *boot_id)
{
    char name[128];
    for (struct dirent *e; (e = readdir(entries)) != NULL;) {
        if (!is_lost(e->d_name, boot_id))
            continue;
        make_name(name, boot_id);
        if (renameat(dir_fd, e->d_name, dir_fd, name) != 0)
            return -errno;
    }
    return 0;
}

int mark_renew_lost(const char *dir, const char *boot_id)
{
    DIR *entries = opendir(dir);
    if (!entries)
        return -errno;
    int r = renew_all(dirfd(entries), entries, boot_id);
    closedir(entries);
    return r;
}

struct mark *mark_new(const char *dir, const char *boot_id)
{
    struct mark *mark = calloc(1, sizeof(*mark));
    if (!mark)
        return NULL;
    mark->fd = -1;
    mark->dir = strdup(dir);
    mark->boot_id = strdup(boot_id);
    if (mark->dir && mark->boot_id)
        return mark;
    mark_free(mark);
    return NULL;
}

static void remove_file(const struct mark *mark, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", mark->dir, name);
    unlink(path);
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

/* A name that nobody had before. -EAGAIN: it was taken over between the open and the lock. */
static int open_locked(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    struct stat st;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
        return fd;
    close(fd);
    return -EAGAIN;
}

static int open_own(struct mark *mark)
{
    int fd;
    do {
        char path[PATH_MAX];
        make_name(mark->name, mark->boot_id);
        if (snprintf(path, sizeof(path), "%s/%s", mark->dir, mark->name) >= (int)sizeof(path))
            return -ENAMETOOLONG;
        fd = open_locked(path);
    } while (fd == -EAGAIN);
    return fd;
}

int mark_set(struct mark *mark)
{
    if (mark->fd >= 0)
        return 0;
    int fd = open_own(mark);
    if (fd < 0)
        return fd;
    mark->fd = fd;
    int r = sync_dir(mark->dir);
    if (r < 0) {
        remove_file(mark, mark->name);
        close(mark->fd);
        mark->fd = -1;
    }
    return r;
}

static void adopt_one(struct mark *mark, int dir_fd, const char *name)
{
    int fd = lock_orphan(dir_fd, name);
    if (fd < 0)
        return;
    struct adopted *adopted = malloc(sizeof(*adopted) + strlen(name) + 1);
    if (!adopted) {
        close(fd);
        return;
    }
    adopted->fd = fd;
    strcpy(adopted->name, name);
    adopted->next = mark->adopted;
    mark->adopted = adopted;
}

void mark_adopt(struct mark *mark)
{
    DIR *entries = opendir(mark->dir);
    if (!entries)
        return;
    for (struct dirent *e; (e = readdir(entries)) != NULL;)
        if (is_mark(e->d_name) && is_of_boot(e->d_name, mark->boot_id))
            adopt_one(mark, dirfd(entries), e->d_name);
    closedir(entries);
}

bool mark_is_held(const struct mark *mark)
{
    return mark->fd >= 0 || mark->adopted;
}

void mark_give_back(struct mark *mark)
{
    for (struct adopted *next; mark->adopted; mark->adopted = next) {
        next = mark->adopted->next;
        close(mark->adopted->fd);
        free(mark->adopted);
    }
}

static void let_go(struct mark *mark)
{
    mark_give_back(mark);
    if (mark->fd >= 0)
        close(mark->fd);
    mark->fd = -1;
}

/* Removed while the locks are held, so that who opened one meanwhile has nothing. */
void mark_clear(struct mark *mark)
{
    if (mark->fd >= 0)
        remove_file(mark, mark->name);
    for (const struct adopted *a = mark->adopted; a; a = a->next)
        remove_file(mark, a->name);
    let_go(mark);
}

void mark_free(struct mark *mark)
{
    if (!mark)
        return;
    let_go(mark);
    free(mark->dir);
    free(mark->boot_id);
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
