/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of FUSE requests share. */
#pragma once

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "read/blob.h"
#include "vfs/ops_meter.h"
#include "vfs/ops_options.h"
#include "vfs/tree.h"
#include "vfs/walk.h"

enum {
    OPS_BLOCK_SIZE = 1 << 20, /* what stat() advises to read at a time */
    /* The same of a directory: the C library, the kernel and op_readdirplus() each take as much
     * memory for every piece of every directory, however little is in it. With 1 MiB, walking
     * through 5,000 checkpoints takes 2.1 s of processors, with this 1.0; a directory of 20,000
     * files takes the same. */
    OPS_DIR_BLOCK_SIZE = 64 << 10,
};

struct open_handle;
struct ops_trace;

struct ops {
    struct ops_options options;
    struct fuse_session *session;
    char *mountpoint;
    bool mounted;
    atomic_flag read_ahead_raised;
    pthread_mutex_t lock;        /* guards handles */
    struct open_handle *handles; /* all that are open: see ops_handle.h */
    pthread_mutex_t walk_lock;
    struct walks walks; /* walk_lock */
    struct ops_meter meter;
    struct ops_trace *trace;
};

/* A request that waits for a directory's listing. */
struct parked {
    fuse_req_t req;
    fuse_ino_t ino;
    void (*resume)(struct parked *p);
    enum ops_kind kind;
    uint64_t began_ns;
    size_t size; /* of the answer, for attributes */
    struct fuse_file_info fi;
    char name[]; /* of LOOKUP and GETXATTR */
};

struct ops *ops_of(fuse_req_t req);

/* Replies with our -errno as what a POSIX caller expects. */
void ops_reply_error(fuse_req_t req, int err);

struct stat ops_stat(const struct ops *ops, const struct tree_attr *attr);
struct fuse_entry_param ops_entry(const struct ops *ops, const struct tree_attr *attr);

/* What names the bytes of a file. */
struct ops_source {
    struct blob_source blob;
    struct listing_entry entry; /* blob.entry */
    struct buf texts;           /* the entry's */
};
/* Of @entry of the listing behind @node. Starts from {0}; borrows from @node, and @source must not
 * move. 0 or -ENOMEM. */
int ops_source_init(struct ops_source *source, const struct tree_node *node, uint32_t entry);
void ops_source_deinit(struct ops_source *source);

/* A request that will go on with @resume when directory @ino can be looked into; @name is copied.
 * It is counted. NULL when memory is short, and the request was answered so. */
struct parked *ops_new_parked(fuse_req_t req, enum ops_kind kind, fuse_ino_t ino, const char *name,
                              void (*resume)(struct parked *p));
/* Parks it, and takes it over. NULL passes. */
void ops_park(struct parked *p);
