/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mount_point.h"

#include <errno.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "util/cleanup.h"

static void cleanup_mounts(FILE **f)
{
    if (*f)
        endmntent(*f);
}

/* The type of the topmost mount on @path in fresh memory; NULL when nothing is mounted there. */
static char *mounted_type(const char *path)
{
    CLEANUP(cleanup_mounts) FILE *mounts = setmntent("/proc/self/mounts", "re");
    char *type = NULL;
    struct mntent *entry;
    while (mounts && (entry = getmntent(mounts)))
        if (strcmp(entry->mnt_dir, path) == 0) {
            free(type);
            type = strdup(entry->mnt_type);
        }
    return type;
}

int mount_point_is_ours(const char *path)
{
    CLEANUP(cleanup_free) char *type = mounted_type(path);
    return type && strcmp(type, "fuse.modelfs") == 0;
}

static bool lies_in(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    if (len == 1) /* the root */
        return true;
    return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

char *mount_point_around(const char *path)
{
    CLEANUP(cleanup_mounts) FILE *mounts = setmntent("/proc/self/mounts", "re");
    CLEANUP(cleanup_free) char *dir = NULL;
    bool is_ours = false;
    struct mntent *entry;
    /* the last one: what is mounted later on a directory hides what was mounted below it */
    while (mounts && (entry = getmntent(mounts))) {
        if (!lies_in(path, entry->mnt_dir))
            continue;
        free(dir);
        dir = strdup(entry->mnt_dir);
        is_ours = strcmp(entry->mnt_type, "fuse.modelfs") == 0;
    }
    return is_ours ? steal_ptr(dir) : NULL;
}

/* Prints what is wrong with @dir. */
static int complain(const char *command, const char *dir, int err)
{
    switch (err) {
    case ENOENT:
        fprintf(stderr, "modelfs %s: %s does not exist: make it with `mkdir %s`\n", command, dir,
                dir);
        return EX_NOINPUT;
    case ENOTDIR:
        fprintf(stderr, "modelfs %s: %s is no directory\n", command, dir);
        return EX_NOINPUT;
    case ENOTCONN:
        fprintf(stderr,
                "modelfs %s: %s is a mount whose process is gone: run `modelfs umount %s` first\n",
                command, dir, dir);
        return EX_OSERR;
    case EBUSY:
        fprintf(stderr,
                "modelfs %s: something is mounted on %s already: run `modelfs umount %s` first, or "
                "take another\n",
                command, dir, dir);
        return EX_OSERR;
    default:
        fprintf(stderr, "modelfs %s: cannot mount on %s: %s\n", command, dir, strerror(err));
        return err == EACCES ? EX_NOPERM : EX_OSERR;
    }
}

char *mount_point_check(const char *command, const char *dir, int *out_code)
{
    struct stat st;
    CLEANUP(cleanup_free) char *path = realpath(dir, NULL);
    CLEANUP(cleanup_free) char *type = path ? mounted_type(path) : NULL;
    int err = 0;
    if (!path || stat(path, &st) < 0)
        err = errno;
    else if (!S_ISDIR(st.st_mode))
        err = ENOTDIR;
    else if (type)
        err = EBUSY;
    if (err) {
        *out_code = complain(command, dir, err);
        return NULL;
    }
    return steal_ptr(path);
}
