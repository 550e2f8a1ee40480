/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/local_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"

enum { MAX_DEPTH = 64 };

struct scan {
    struct local_files *files;
    struct buf items; /* struct local_file */
    local_skipped_fn *skipped;
    void *ctx;
    char **out_where;
};

static void cleanup_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

void local_files_deinit(struct local_files *files)
{
    free(files->items);
    arena_free(&files->texts);
    if (files->root_fd >= 0)
        close(files->root_fd);
    *files = (struct local_files){.root_fd = -1};
}

static void skip(struct scan *scan, const char *path, const char *why)
{
    if (scan->skipped)
        scan->skipped(scan->ctx, path, why);
}

static int fail(struct scan *scan, const char *path, int err)
{
    if (!*scan->out_where)
        *scan->out_where = strdup(path);
    return -err;
}

static int add_file(struct scan *scan, const char *path, const struct stat *st)
{
    struct local_files *files = scan->files;
    struct local_file file = {
        .path = arena_copy(&files->texts, path, strlen(path)),
        .size_bytes = (uint64_t)st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    };
    if (!file.path ||
        __builtin_add_overflow(files->size_bytes, file.size_bytes, &files->size_bytes))
        return -ENOMEM;
    return buf_append(&scan->items, &file, sizeof(file));
}

static bool is_tool_folder(const char *path)
{
    return strcmp(path, ".git") == 0 || strcmp(path, ".idea") == 0 ||
           strcmp(path, ".pytest_cache") == 0;
}

static int walk(struct scan *scan, int parent, const char *name, const char *path, int depth);

/* One name that was found in directory @parent. */
static int take(struct scan *scan, int parent, const char *name, const char *inner, int depth)
{
    struct buf path BUF_CLEANUP = {0};
    struct stat st;
    int r = buf_printf(&path, "%s%s%s", inner, *inner ? "/" : "", name);
    if (r < 0)
        return r;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(scan, path.data, errno);
    if (S_ISREG(st.st_mode))
        return add_file(scan, path.data, &st);
    if (S_ISDIR(st.st_mode) && !is_tool_folder(path.data))
        return walk(scan, parent, name, path.data, depth + 1);
    skip(scan, path.data,
         S_ISLNK(st.st_mode)   ? "a symbolic link"
         : S_ISDIR(st.st_mode) ? "a tool's own folder"
                               : "no regular file");
    return 0;
}

/* Takes all of directory @name in @parent; its path below the root is @path. */
static int walk(struct scan *scan, int parent, const char *name, const char *path, int depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP(cleanup_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir || depth > MAX_DEPTH) {
        int err = dir ? ELOOP : errno;
        if (!dir && fd >= 0)
            close(fd);
        return fail(scan, path, err);
    }
    for (;;) {
        errno = 0;
        struct dirent *item = readdir(dir);
        if (!item)
            return errno ? fail(scan, path, errno) : 0;
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        int r = take(scan, fd, item->d_name, path, depth);
        if (r < 0)
            return r;
    }
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct local_file *)a)->path, ((const struct local_file *)b)->path);
}

/* A single file: the directory it is named in is the root. */
static int scan_file(struct scan *scan, const char *path, const struct stat *st)
{
    CLEANUP(cleanup_free) char *for_dir = strdup(path), *for_name = strdup(path);
    struct stat named;
    if (!for_dir || !for_name)
        return -ENOMEM;
    scan->files->root_fd = open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (scan->files->root_fd < 0)
        return -errno;
    scan->files->is_link = lstat(path, &named) == 0 && S_ISLNK(named.st_mode);
    return add_file(scan, basename(for_name), st);
}

static int scan_path(struct scan *scan, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    if (S_ISREG(st.st_mode))
        return scan_file(scan, path, &st);
    if (!S_ISDIR(st.st_mode))
        return -EINVAL;
    scan->files->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return scan->files->root_fd < 0 ? -errno : walk(scan, scan->files->root_fd, ".", "", 0);
}

int local_files_scan(const char *path, local_skipped_fn *skipped, void *ctx,
                     struct local_files *out, char **out_where)
{
    *out = (struct local_files){.root_fd = -1};
    *out_where = NULL;
    struct scan scan = {.files = out, .skipped = skipped, .ctx = ctx, .out_where = out_where};
    int r = scan_path(&scan, path);
    out->n = scan.items.len / sizeof(struct local_file);
    out->items = (void *)scan.items.data;
    if (r < 0)
        local_files_deinit(out);
    else if (out->n)
        qsort(out->items, out->n, sizeof(*out->items), compare_files);
    return r;
}

int local_files_open(const struct local_files *files, const struct local_file *file)
{
    struct stat st;
    /* NONBLOCK: should it have become a pipe, open() is not to wait for a writer. */
    int fd = openat(files->root_fd, file->path,
                    O_RDONLY | O_NONBLOCK | O_CLOEXEC | (files->is_link ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    close(fd);
    return -ESTALE;
}
