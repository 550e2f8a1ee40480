/* SPDX-License-Identifier: Apache-2.0 */
/* The mounted tree: inodes, and the listings they come from, fetched when somebody looks. Knows
 * nothing of FUSE. Any thread may call; nothing here waits for a registry or the disk but
 * tree_need()'s callers' callbacks, which come later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/catalog.h"
#include "util/buf.h"
#include "vfs/layout.h"
#include "vfs/walk.h"

struct fetch;
struct pool;
struct tree;

struct tree_options {
    struct catalog *catalog; /* borrowed, as fetch and the pool; all outlive the tree */
    struct fetch *fetch;     /* looks into files; NULL: nothing does */
    struct pool *pool;
    int list_timeout_ms; /* a listing younger than this is not asked for again */
    int deadline_ms;     /* a first listing fails with -EIO when retrying took this long */
    const char *project_id,
        *project_name; /* what is mounted: NULL for the whole registry; copied */
    const char *model_id;
    const struct metric_directions *directions; /* borrowed, outlive the tree; or NULL */
};

int tree_new(const struct tree_options *options, struct tree **out);
/* Listings under way must have ended (pool_free() first). */
void tree_free(struct tree *tree);

#define TREE_ROOT_INO UINT64_C(1)

/* What stat() says of an inode. */
struct tree_attr {
    uint64_t ino;
    enum node_kind kind;
    uint64_t size_bytes;
    int64_t mtime_ns;
    uint32_t n_links;
};

/* An inode's node, held: the layout is a reference. */
struct tree_node {
    struct layout *layout;
    uint32_t index;
};
void tree_node_deinit(struct tree_node *node);

/* Is told, maybe before tree_need() returns, that directory @ino can be looked into (0), or why not
 * (-errno). */
typedef void tree_ready_fn(void *ctx, int err);

/* Makes sure the listing behind directory @ino is there and not older than list_timeout. One that
 * is being fetched is waited for by all who want it; an old one is used when the registry does not
 * answer within a second. -ESTALE: no such inode. What is no directory needs nothing. */
void tree_need(struct tree *tree, uint64_t ino, tree_ready_fn *ready, void *ctx);

/* Makes sure that it is known what the files of the checkpoint hold in which inode @ino stands.
 * -ENOENT: in none whose files are looked into; else as tree_need(). */
void tree_need_contents(struct tree *tree, uint64_t ino, tree_ready_fn *ready, void *ctx);
/* The layout of that, with a reference. 0, -ENOENT when it is not known, -ENOMEM. */
int tree_get_contents(struct tree *tree, uint64_t ino, struct layout **out);

/* Looks @name up in directory @parent, as it is known now, and counts a lookup on what it finds.
 * -ENOENT, -ESTALE, -ENOMEM. */
int tree_lookup(struct tree *tree, uint64_t parent, const char *name, struct tree_attr *out);
/* Takes @n lookups back. */
void tree_forget(struct tree *tree, uint64_t ino, uint64_t n);

/* 0 or -ESTALE. */
int tree_getattr(struct tree *tree, uint64_t ino, struct tree_attr *out);
/* The node of an inode; of a directory in its newest layout. 0, -ESTALE, or -ENOENT when the
 * directory is gone. */
int tree_get(struct tree *tree, uint64_t ino, struct tree_node *out);

/* Entry @position of an open directory (0 and 1 are `.` and `..`); -ENOENT behind the last.
 * *out_name is borrowed from the node. With
 * @count, a lookup is counted on it (never on `.` and `..`). */
int tree_read_dir(struct tree *tree, const struct tree_node *dir, uint64_t position, bool count,
                  const char **out_name, struct tree_attr *out);

/* The files that come behind inode @ino for somebody who goes through all of a model in @order, up
 * to @n of them, each held: tree_node_deinit(). Where a directory ends, those of the next one
 * follow; from `.modelfs` none leads out. What has changed since @ino was looked up is not seen.
 * *out_n is how many there are, fewer than @n is no error. 0 or -ESTALE. */
int tree_siblings(struct tree *tree, uint64_t ino, enum walk_order order, size_t n,
                  struct tree_node *out, size_t *out_n);
/* Whether file @ino comes right behind file @last in some order, see siblings_follow(). */
bool tree_follows(struct tree *tree, uint64_t last, uint64_t ino, enum walk_order *out_order);

/* The listing of a place is no longer right: it is asked for again at the next need. */
void tree_expire(struct tree *tree, const char *project_id, const char *model_id);

struct tree_stats {
    uint64_t n_inodes, n_places, n_listings_fetched, n_listings_failed, n_stale_served;
};
void tree_get_stats(struct tree *tree, struct tree_stats *out);
