/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/dest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

enum { DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

int dest_open(const char *path)
{
    CLEANUP(cleanup_free) char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    for (char *slash = copy; *copy && (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    if (mkdir(copy, 0777) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(copy, DIRECTORY_FLAGS);
    return fd < 0 ? -errno : fd;
}

/* Copies the next part of @path. Its length, or -EINVAL for one that is no name. */
static int next_part(const char *path, char out[NAME_MAX + 1])
{
    size_t len = strcspn(path, "/");
    if (len > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(out, path, len);
    out[len] = '\0';
    return !len || strcmp(out, ".") == 0 || strcmp(out, "..") == 0 ? -EINVAL : (int)len;
}

static int enter(int parent, const char *name)
{
    if (mkdirat(parent, name, 0777) < 0 && errno != EEXIST)
        return -errno;
    int fd = openat(parent, name, DIRECTORY_FLAGS | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

int dest_open_parent(int dest_fd, const char *path, const char **out_name)
{
    char part[NAME_MAX + 1];
    CLEANUP(cleanup_close) int fd = openat(dest_fd, ".", DIRECTORY_FLAGS);
    if (fd < 0)
        return -errno;
    for (;;) {
        int len = next_part(path, part);
        if (len < 0)
            return len;
        if (path[len] == '\0') {
            *out_name = path;
            return steal_fd(&fd);
        }
        int inner = enter(fd, part);
        if (inner < 0)
            return inner;
        close(fd);
        fd = inner;
        path += len + 1;
    }
}
