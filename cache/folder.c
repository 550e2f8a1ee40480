/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int join(char out[PATH_MAX], const char *dir, const char *name)
{
    return snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int make_dirs(const char *dir)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return -errno;
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int folder_make(const char *dir)
{
    int r = make_dirs(dir);
    if (r < 0)
        return r;
    struct stat st;
    if (stat(dir, &st) != 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return -ENOTDIR;
    if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return -EPERM;
    return faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : -errno;
}

static int open_lock_file(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int r = join(path, dir, name);
    if (r < 0)
        return r;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

int folder_lock(const char *dir)
{
    int fd = open_lock_file(dir, "lock"), r;
    if (fd < 0)
        return fd;
    while ((r = flock(fd, LOCK_EX)) != 0 && errno == EINTR)
        ;
    if (r == 0)
        return fd;
    r = -errno;
    close(fd);
    return r;
}

int folder_use(const char *dir, bool *out_alone)
{
    int fd = open_lock_file(dir, "in-use");
    if (fd < 0)
        return fd;
    *out_alone = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

int folder_open_data(const char *dir)
{
    char path[PATH_MAX];
    int r = join(path, dir, "data.mdb");
    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

uint64_t folder_data_bytes(const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    return join(path, dir, "data.mdb") == 0 && stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int remove_one(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int r = join(path, dir, name);
    if (r < 0)
        return r;
    return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

int folder_empty(const char *dir)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "broken"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int r = remove_one(dir, names[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

void folder_set_broken(const char *dir)
{
    char path[PATH_MAX];
    if (join(path, dir, "broken") < 0)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
}

bool folder_is_broken(const char *dir)
{
    char path[PATH_MAX];
    return join(path, dir, "broken") == 0 && access(path, F_OK) == 0;
}

unsigned long folder_data_id(const char *dir)
{
    char path[PATH_MAX];
    struct stat st;
    if (join(path, dir, "data.mdb") < 0 || stat(path, &st) != 0)
        return 0;
    return st.st_ino;
}
