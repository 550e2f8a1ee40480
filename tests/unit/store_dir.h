/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's data directory for unit tests: made in $TMPDIR, gone when they end. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/digest.h"

static char store_dir[256];
static unsigned store_dir_n_files, store_dir_n_broken;

/* A path in it; valid until the next call. */
static inline const char *store_dir_path(const char *name)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", store_dir, name);
    return path;
}

static inline int store_dir_unlink(const char *path, const struct stat *st, int kind,
                                   struct FTW *where)
{
    (void)st;
    (void)kind;
    return where->level ? remove(path) : 0;
}

/* Empties it: the next test starts anew. */
static inline void store_dir_clear(void)
{
    nftw(store_dir, store_dir_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void store_dir_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(store_dir, sizeof(store_dir), "%s/modelfs-store.XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(store_dir))
        abort();
}

static inline void store_dir_drop(void)
{
    store_dir_clear();
    rmdir(store_dir);
}

static inline void store_dir_read(const char *path, struct buf *out)
{
    char piece[4096];
    FILE *f CLEANUP(cleanup_fclose) = fopen(path, "r");
    for (size_t n; f && (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        buf_append(out, piece, n);
}

/* An object is named by its content: `objects/ab/cdef...` */
static inline bool store_dir_is_whole(const char *path)
{
    struct buf content BUF_CLEANUP = {0};
    struct digest want, got;
    char hex[DIGEST_HEX_BYTES];
    store_dir_read(path, &content);
    size_t len = strlen(path);
    snprintf(hex, sizeof(hex), "%.2s%s", path + len - 65, path + len - 62);
    digest_of(content.data ? content.data : "", content.len, &got);
    return digest_parse(hex, &want) == 0 && digest_equal(&want, &got);
}

static inline int store_dir_look(const char *path, const struct stat *st, int kind,
                                 struct FTW *where)
{
    (void)st;
    (void)where;
    if (kind != FTW_F)
        return 0;
    store_dir_n_files++;
    if (strstr(path, "/objects/"))
        store_dir_n_broken += !store_dir_is_whole(path);
    return 0;
}

/* How many files are below a folder of it. */
static inline unsigned store_dir_count(const char *folder)
{
    store_dir_n_files = store_dir_n_broken = 0;
    nftw(store_dir_path(folder), store_dir_look, 16, FTW_PHYS);
    return store_dir_n_files;
}

/* How many objects have another content than their name says. */
static inline unsigned store_dir_count_broken(void)
{
    store_dir_count("objects");
    return store_dir_n_broken;
}
