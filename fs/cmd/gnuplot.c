/* SPDX-License-Identifier: Apache-2.0 */
/* gnuplot runs as a child without a shell, reads its script from standard input, which is a file in
 * memory, and writes the picture to standard output, which is a file beside the wanted one: it is
 * told no names at all. `-d` keeps out what people have in ~/.gnuplot. What it has to say is kept,
 * and shown when it fails: of a good picture it grumbles, too. */
#include "cmd/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

extern char **environ;

enum { READABLE = 0666, SAID_BYTES = 4096 };

/* The file beside @path: a name with mkostemp()'s blanks, in fresh memory; NULL when memory is
 * short. */
static char *name_beside(const char *path)
{
    struct buf name BUF_CLEANUP = {0};
    const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
    int r = buf_append(&name, path, (size_t)(last - path));
    if (r == 0)
        r = buf_puts(&name, ".modelfs-plot.XXXXXX");
    return r == 0 ? buf_steal(&name) : NULL;
}

/* The script as a file, read from its start. A file descriptor or -errno. */
static int script_fd(const struct buf *script)
{
    CLEANUP(cleanup_close) int fd = memfd_create("gnuplot", MFD_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < script->len;) {
        ssize_t n = write(fd, script->data + done, script->len - done);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    return steal_fd(&fd);
}

/* The environment, but the texts in it are UTF-8 and numbers have points: in fresh memory, the
 * strings borrowed. NULL when memory is short. */
static char **make_environment(void)
{
    static char locale[] = "LC_ALL=C.UTF-8";
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    char **env = calloc(n + 2, sizeof(*env));
    if (!env)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "LC_ALL=", 7) != 0 && strncmp(environ[i], "GNU", 3) != 0)
            env[kept++] = environ[i];
    env[kept] = locale;
    return env;
}

static int spawn(const int fds[3], char **env, pid_t *out)
{
    char name[] = "gnuplot", no_defaults[] = "-d", standard_input[] = "-";
    char *const argv[] = {name, no_defaults, standard_input, NULL};
    posix_spawn_file_actions_t actions;
    int r = posix_spawn_file_actions_init(&actions);
    if (r != 0)
        return -r;
    for (int i = 0; r == 0 && i < 3; i++)
        r = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    if (r == 0)
        r = posix_spawnp(out, name, &actions, NULL, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

/* With these as its standard input, output and error. The exit status, or -errno; -ENOENT when
 * there is no gnuplot. */
static int run(const int fds[3])
{
    CLEANUP(cleanup_free) char **env = make_environment();
    pid_t pid;
    int status = 0, r = env ? spawn(fds, env, &pid) : -ENOMEM;
    if (r < 0)
        return r;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

static void show_said(int fd)
{
    char said[SAID_BYTES];
    ssize_t n = pread(fd, said, sizeof(said), 0);
    if (n > 0)
        fwrite(said, 1, (size_t)n, stderr);
}

/* As a new file gets it: what mkostemp() made is only its owner's. */
static int open_to_others(int fd)
{
    mode_t mask = umask(0);
    umask(mask);
    return fchmod(fd, READABLE & ~mask) < 0 ? -errno : 0;
}

static int complain(const char *command, const char *path, int r)
{
    if (r == -ENOENT) {
        fprintf(stderr,
                "modelfs %s: gnuplot draws pictures, and is not installed: install it (on Debian "
                "the package gnuplot-nox), or leave -o away\n",
                command);
        return EX_UNAVAILABLE;
    }
    if (r > 0)
        fprintf(stderr, "modelfs %s: %s: gnuplot failed\n", command, path);
    else
        fprintf(stderr, "modelfs %s: cannot write %s: %s\n", command, path, strerror(-r));
    return r > 0 ? EX_SOFTWARE : EX_CANTCREAT;
}

/* 0, -errno, or a status of gnuplot's; -ENOENT when there is no gnuplot. */
static int draw(const struct buf *script, int out_fd)
{
    struct stat st;
    CLEANUP(cleanup_close) int in_fd = script_fd(script);
    CLEANUP(cleanup_close) int said_fd = memfd_create("gnuplot", MFD_CLOEXEC);
    const int fds[3] = {in_fd, out_fd, said_fd};
    if (in_fd < 0 || said_fd < 0)
        return in_fd < 0 ? in_fd : -errno;
    int r = run(fds);
    if (r == 0 && fstat(out_fd, &st) == 0 && st.st_size == 0)
        r = EX_SOFTWARE;
    if (r > 0)
        show_said(said_fd);
    return r == 0 ? open_to_others(out_fd) : r;
}

int gnuplot_draw(const char *command, const struct buf *script, const char *path)
{
    CLEANUP(cleanup_free) char *beside = name_beside(path);
    CLEANUP(cleanup_close) int fd = beside ? mkostemp(beside, O_CLOEXEC) : -1;
    if (fd < 0) {
        fprintf(stderr, "modelfs %s: cannot write beside %s: %s\n", command, path, strerror(errno));
        return EX_CANTCREAT;
    }
    int r = draw(script, fd);
    if (r == 0 && (fsync(fd) < 0 || rename(beside, path) < 0))
        r = errno == ENOENT ? -EIO : -errno;
    if (r == 0)
        return EX_OK;
    unlink(beside);
    return complain(command, path, r);
}
