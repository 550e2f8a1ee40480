/* SPDX-License-Identifier: Apache-2.0 */
/* A directory as a registry: its folders are projects, theirs are models, and all regular files
 * below a model are its files. Links are not followed below the root, so that nothing outside it
 * shows. Names that start with a dot at the two upper levels are not projects or models. Bytes go
 * by file:// URLs with the file's own times as validator.
 *
 * Metrics have no place in a directory's names; they are read from the files by those who know
 * files. */
#include "registry/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "net/file.h"
#include "net/url.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/log.h"

struct dir {
    char *root; /* absolute, without a last `/` unless it is the root */
};

enum { MAX_DEPTH = 64 };

static const char *const schemes[] = {"dir", NULL};

static void cleanup_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static void dir_close(void *self)
{
    struct dir *dir = self;
    free(dir->root);
    free(dir);
}

static int dir_open(const char *origin, struct http *http, void **out)
{
    (void)http;
    const char *path = origin + strlen("dir://");
    struct dir *dir = calloc(1, sizeof(*dir));
    if (!dir)
        return -ENOMEM;
    if (*path != '/' || !(dir->root = url_decode(path, strlen(path), 0))) {
        dir_close(dir);
        return -EINVAL;
    }
    size_t len = strlen(dir->root);
    while (len > 1 && dir->root[len - 1] == '/')
        dir->root[--len] = '\0';
    *out = dir;
    return 0;
}

/* An id that could leave the root never came from our own listing. */
static bool is_safe_part(const char *part)
{
    return *part && !strchr(part, '/') && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

static int append_place(struct buf *out, const struct dir *dir, const struct registry_place *place)
{
    const char *parts[] = {place->project_id, place->model_id};
    int r = buf_puts(out, dir->root);
    for (size_t i = 0; r == 0 && i < 2 && parts[i]; i++)
        r = is_safe_part(parts[i]) ? buf_printf(out, "/%s", parts[i]) : -ENOENT;
    return r;
}

/* Adds one folder of the two upper levels. */
static int add_folder(struct listing *listing, int parent, const char *name)
{
    struct stat st;
    if (name[0] == '.' || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISDIR(st.st_mode))
        return 0;
    struct listing_entry entry = {.id = name, .name = name, .mtime_ns = mtime_of(&st)};
    return listing_add(listing, &entry);
}

static int list_folders(struct listing *listing, int fd)
{
    CLEANUP(cleanup_dir) DIR *d = fdopendir(fd);
    struct dirent *item;
    int r = 0;
    if (!d) {
        close(fd);
        return -errno;
    }
    while (r == 0 && (item = readdir(d)))
        r = add_folder(listing, dirfd(d), item->d_name);
    return r;
}

static int file_url(struct buf *url, const char *path)
{
    int r = buf_puts(url, "file://");
    return r < 0 ? r : url_append_encoded(url, path, 1);
}

static int add_file(struct listing *listing, const char *root, const char *inner,
                    const struct stat *st)
{
    struct buf path BUF_CLEANUP = {0}, url BUF_CLEANUP = {0};
    char etag[FILE_ETAG_BYTES];
    int r = buf_printf(&path, "%s/%s", root, inner);
    if (r == 0)
        r = file_url(&url, path.data);
    if (r < 0)
        return r;
    file_format_etag(st, etag);
    struct listing_entry entry = {.id = inner,
                                  .name = inner,
                                  .url = url.data,
                                  .etag = etag,
                                  .size_bytes = (uint64_t)st->st_size,
                                  .mtime_ns = mtime_of(st)};
    return listing_add(listing, &entry);
}

static int walk(struct listing *listing, const char *root, int fd, const char *inner, int depth);

/* One name found in a model: a file to add, a folder to walk, or something that is neither. */
static int add_item(struct listing *listing, const char *root, int parent, const char *inner,
                    const char *name, int depth)
{
    struct buf path BUF_CLEANUP = {0};
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    int r = buf_printf(&path, "%s%s%s", inner, *inner ? "/" : "", name);
    if (r < 0 || S_ISREG(st.st_mode))
        return r < 0 ? r : add_file(listing, root, path.data, &st);
    if (!S_ISDIR(st.st_mode) || depth >= MAX_DEPTH)
        return 0;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? 0 : walk(listing, root, fd, path.data, depth + 1);
}

/* Adds all files below @fd, which it closes. */
static int walk(struct listing *listing, const char *root, int fd, const char *inner, int depth)
{
    CLEANUP(cleanup_dir) DIR *d = fdopendir(fd);
    struct dirent *item;
    int r = 0;
    if (!d) {
        close(fd);
        return -errno;
    }
    while (r == 0 && (item = readdir(d)))
        r = add_item(listing, root, dirfd(d), inner, item->d_name, depth);
    return r;
}

static int fill(struct listing *listing, const struct registry_place *place, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (place->project_id ? O_NOFOLLOW : 0));
    if (fd < 0 || fstat(fd, &st) < 0) {
        int err = errno == ENOTDIR || errno == ELOOP ? ENOENT : errno;
        if (err != ENOENT || !place->project_id)
            log_warn("cannot list the directory %s: %s", path, strerror(err));
        return -err;
    }
    if (!place->model_id)
        return list_folders(listing, fd);
    int r = walk(listing, path, fd, "", 0);
    struct listing_entry self = {
        .id = place->model_id, .name = place->model_id, .mtime_ns = mtime_of(&st)};
    return r < 0 ? r : listing_set_self(listing, &self);
}

static int dir_list(void *self, const struct registry_place *place, struct listing **out,
                    int64_t *out_retry_after_ms)
{
    struct buf path BUF_CLEANUP = {0};
    enum listing_kind kind = place->model_id     ? LISTING_FILES
                             : place->project_id ? LISTING_MODELS
                                                 : LISTING_PROJECTS;
    LISTING_CLEANUP struct listing *listing = listing_new(kind);
    (void)out_retry_after_ms;
    int r = listing ? append_place(&path, self, place) : -ENOMEM;
    if (r == 0)
        r = fill(listing, place, path.data);
    if (r < 0)
        return r;
    listing->fetched_ns = clock_wall_ns();
    *out = steal_ptr(listing);
    return 0;
}

static int dir_locate(void *self, const struct registry_place *place, const char *file_id,
                      struct locator *out)
{
    struct buf path BUF_CLEANUP = {0}, url BUF_CLEANUP = {0};
    char etag[FILE_ETAG_BYTES];
    struct stat st;
    int r = append_place(&path, self, place);
    if (r == 0)
        r = buf_printf(&path, "/%s", file_id);
    if (r == 0)
        r = file_url(&url, path.data);
    if (r < 0)
        return r;
    if (lstat(path.data, &st) < 0)
        return -errno;
    file_format_etag(&st, etag);
    *out = (struct locator){.url = buf_steal(&url), .etag = strdup(etag)};
    if (out->url && out->etag)
        return 0;
    locator_deinit(out);
    return -ENOMEM;
}

const struct registry_driver registry_dir = {
    .schemes = schemes,
    .open = dir_open,
    .close = dir_close,
    .list = dir_list,
    .locate = dir_locate,
};
