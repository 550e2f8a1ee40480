/* SPDX-License-Identifier: Apache-2.0 */
/* modelfs umount: by the kernel for root, else by fusermount3, which may do it for a user's own
 * mounts. A mount whose process died is taken away the same. */
#include "cmd/cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/mount_point.h"
#include "util/buf.h"

static const char help[] =
    "usage: modelfs umount [-l] DIR...\n"
    "\n"
    "Takes mounts away. Their caches stay for the next mount.\n"
    "\n"
    "  -l, --lazy   now, even while files are open: they stay readable until closed\n"
    "  -h, --help   prints this\n";

/* fusermount3 -u: 0, -EBUSY when it refuses, -errno when it cannot be run. */
static int run_fusermount(const char *path, bool lazy)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(127);
        execlp("fusermount3", "fusermount3", lazy ? "-uz" : "-u", path, (char *)NULL);
        _exit(127);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return -errno;
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 127)
        return -ENOENT;
    return WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

static int unmount(const char *path, bool lazy)
{
    if (umount2(path, (lazy ? MNT_DETACH : 0) | UMOUNT_NOFOLLOW) == 0)
        return 0;
    return errno == EPERM ? run_fusermount(path, lazy) : -errno;
}

/* The absolute path of a mount point whose own stat() may fail: that of its parent, and its name.
 */
static int absolute_path(const char *dir, struct buf *out)
{
    CLEANUP(cleanup_free) char *copy = strdup(dir);
    if (!copy)
        return -ENOMEM;
    size_t len = strlen(copy);
    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = '\0';
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0) {
        CLEANUP(cleanup_free) char *real = realpath(copy, NULL);
        return real ? buf_puts(out, real) : -errno;
    }
    if (slash)
        *slash = '\0';
    CLEANUP(cleanup_free) char *parent = realpath(slash ? (*copy ? copy : "/") : ".", NULL);
    if (!parent)
        return -errno;
    return buf_printf(out, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
}

static int umount_one(const char *dir, bool lazy)
{
    BUF_CLEANUP struct buf path = {0};
    int r = absolute_path(dir, &path);
    if (r == 0 && !mount_point_is_ours(path.data)) {
        fprintf(stderr, "modelfs umount: no modelfs is mounted on %s\n", dir);
        return EX_NOINPUT;
    }
    if (r == 0)
        r = unmount(path.data, lazy);
    if (r == 0)
        return EX_OK;
    if (r == -EBUSY)
        fprintf(
            stderr,
            "modelfs umount: %s is in use: close its files (`fuser -vm %s` shows who), or use -l\n",
            dir, dir);
    else
        fprintf(stderr, "modelfs umount: %s: %s\n", dir, strerror(-r));
    return r == -EBUSY ? EX_TEMPFAIL : EX_OSERR;
}

int cmd_umount(int argc, char **argv)
{
    static const struct option known[] = {
        {"lazy", no_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool lazy = false;
    optind = 0;
    for (int c; (c = getopt_long(argc, argv, "lh", known, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (c != 'l') {
            fputs("Try `modelfs umount --help`.\n", stderr);
            return EX_USAGE;
        }
        lazy = true;
    }
    if (optind == argc) {
        fputs("modelfs umount: name the directory to unmount\n", stderr);
        return EX_USAGE;
    }
    int code = EX_OK;
    for (int i = optind; i < argc; i++) {
        int one = umount_one(argv[i], lazy);
        code = code == EX_OK ? one : code;
    }
    return code;
}
