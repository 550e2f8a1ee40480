/* SPDX-License-Identifier: Apache-2.0 */
/* How content comes to be there, safe against kill -9 and a power cut at any moment:
 *
 *     tmp/<random>  --write, fsync-->  whole  --rename, fsync of the folder-->  objects/ab/cdef...
 *
 * Only after that may a record refer to it. A crash before leaves a file in tmp/, a crash after
 * leaves an object nobody refers to; the next start removes both. Objects never change once they
 * have their name. */
#include "serve/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "serve/objects_state.h"

enum {
    OBJECT_NAME_BYTES = DIGEST_HEX_BYTES + 1, /* one slash more */
};

/* Opens the folder @name in @at, made when missing; the new name is on the disk on return. */
static int open_dir(int at, const char *name)
{
    bool made = mkdirat(at, name, 0700) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    if (made && at != AT_FDCWD && fsync(at) < 0)
        return -errno;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int objects_open(const char *dir, struct objects **out)
{
    struct objects *objects = malloc(sizeof(*objects));
    if (!objects)
        return -ENOMEM;
    *objects = (struct objects){.dir_fd = -1, .temp_fd = -1};
    int root CLEANUP(cleanup_close) = open_dir(AT_FDCWD, dir);
    int r = root < 0 ? root : (objects->dir_fd = open_dir(root, "objects"));
    if (r >= 0)
        r = objects->temp_fd = open_dir(root, "tmp");
    /* Folders that a process made that did not live to sync them. */
    if (r >= 0 && (fsync(objects->dir_fd) < 0 || fsync(root) < 0))
        r = -errno;
    if (r < 0) {
        objects_close(objects);
        return r;
    }
    *out = objects;
    return 0;
}

void objects_close(struct objects *objects)
{
    if (!objects)
        return;
    cleanup_close(&objects->dir_fd);
    cleanup_close(&objects->temp_fd);
    free(objects);
}

/* `ab/cdef...` */
static void format_name(const struct digest *digest, char out[OBJECT_NAME_BYTES])
{
    char hex[DIGEST_HEX_BYTES];
    digest_format_hex(digest, hex);
    snprintf(out, OBJECT_NAME_BYTES, "%.2s/%s", hex, hex + 2);
}

int objects_install(struct objects_temp *temp, const struct digest *digest)
{
    struct objects *objects = temp->objects;
    char name[OBJECT_NAME_BYTES];
    format_name(digest, name);
    name[2] = '\0';
    int folder CLEANUP(cleanup_close) = open_dir(objects->dir_fd, name);
    if (folder < 0)
        return folder;
    if (renameat(objects->temp_fd, temp->name, folder, name + 3) < 0)
        return -errno;
    temp->installed = true;
    return fsync(folder) < 0 ? -errno : 0;
}

static bool is_whole(const struct stat *st, uint64_t size_bytes)
{
    return S_ISREG(st->st_mode) && (uint64_t)st->st_size == size_bytes;
}

bool objects_has(struct objects *objects, const struct digest *digest, uint64_t size_bytes)
{
    char name[OBJECT_NAME_BYTES];
    struct stat st;
    format_name(digest, name);
    return fstatat(objects->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_whole(&st, size_bytes);
}

int objects_open_read(struct objects *objects, const struct digest *digest, uint64_t size_bytes)
{
    char name[OBJECT_NAME_BYTES];
    struct stat st;
    format_name(digest, name);
    int fd CLEANUP(cleanup_close) =
        openat(objects->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return is_whole(&st, size_bytes) ? steal_fd(&fd) : -EIO;
}

int objects_remove(struct objects *objects, const struct digest *digest)
{
    char name[OBJECT_NAME_BYTES];
    format_name(digest, name);
    return unlinkat(objects->dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* Called with each entry of a folder but `.` and `..`. */
typedef int (*entry_fn)(int folder, const char *name, void *arg);

static int each_entry(int at, const char *name, entry_fn fn, void *arg)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    int r = 0;
    for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = fn(fd, entry->d_name, arg);
    }
    closedir(dir);
    return r;
}

static int remove_entry(int folder, const char *name, void *arg)
{
    (void)arg;
    return unlinkat(folder, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int objects_clear_temps(struct objects *objects)
{
    return each_entry(objects->temp_fd, ".", remove_entry, NULL);
}

struct sweep {
    objects_wanted is_wanted;
    void *arg;
    const char *folder; /* two digits */
};

static int sweep_object(int folder, const char *name, void *arg)
{
    const struct sweep *sweep = arg;
    char hex[DIGEST_HEX_BYTES];
    struct digest digest;
    if (strlen(name) != DIGEST_HEX_BYTES - 3)
        return 0; /* not ours */
    snprintf(hex, sizeof(hex), "%.2s%.62s", sweep->folder, name);
    if (digest_parse(hex, &digest) < 0 || sweep->is_wanted(&digest, sweep->arg))
        return 0;
    return remove_entry(folder, name, NULL);
}

static int sweep_folder(int at, const char *name, void *arg)
{
    struct sweep *sweep = arg;
    if (strlen(name) != 2)
        return 0;
    sweep->folder = name;
    int r = each_entry(at, name, sweep_object, sweep);
    return r == -ENOTDIR ? 0 : r; /* not ours */
}

int objects_sweep(struct objects *objects, objects_wanted is_wanted, void *arg)
{
    struct sweep sweep = {.is_wanted = is_wanted, .arg = arg};
    return each_entry(objects->dir_fd, ".", sweep_folder, &sweep);
}
