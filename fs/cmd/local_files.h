/* SPDX-License-Identifier: Apache-2.0 */
/* The regular files of a directory tree, or the one file: what push sends and get copies from a
 * mount. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/cleanup.h"

struct local_file {
    const char *path; /* below the root; of a single file its name */
    uint64_t size_bytes;
    int64_t mtime_ns;
};

struct local_files {
    struct local_file *items; /* owned; sorted by path, as bytes */
    size_t n;
    uint64_t size_bytes; /* of all */
    int root_fd;         /* owned: of the directory that the paths start from */
    bool is_link;        /* the single file was named by a link, which keeps its own name */
    struct arena *texts;
};

/* Is told of what is passed over: its path below the root, and why. */
typedef void local_skipped_fn(void *ctx, const char *path, const char *why);

/* Looks through @path; where it is a link itself, that is followed, those below are not. What is no
 * regular file is passed over, as are .git, .idea and .pytest_cache at the top, as Gradient's own
 * client does. @skipped may be NULL. 0 or -errno: then *out_where, in fresh memory or NULL, is what
 * could not be read. */
int local_files_scan(const char *path, local_skipped_fn *skipped, void *ctx,
                     struct local_files *out, char **out_where);
void local_files_deinit(struct local_files *files);
#define LOCAL_FILES_CLEANUP CLEANUP(local_files_deinit)

/* Opens one of them for reading. A file descriptor, or -errno; -ESTALE when it is no regular file
 * any more. */
int local_files_open(const struct local_files *files, const struct local_file *file);
