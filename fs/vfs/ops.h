/* SPDX-License-Identifier: Apache-2.0 */
/* The FUSE session: requests of the kernel, answered from the tree and the read engine. The only
 * room that knows FUSE. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"

struct blocks;
struct fetch;
struct ops;
struct tree;

struct ops_options {
    struct tree *tree; /* borrowed, as the next two; they outlive the session's loop */
    struct fetch *fetch;
    struct blocks *blocks; /* NULL: no cache */
    uid_t uid;
    gid_t gid;
    mode_t umask;
    double entry_timeout_s; /* how long the kernel may believe that a name is there, and its
                               attributes */
    double attr_timeout_s;
    int n_threads;
    int read_ahead_kib; /* the kernel's own read-ahead for this mount, set where we may; 0: leave it
                         */
    bool allow_other;
    bool debug;         /* libfuse prints every request */
    const char *source; /* shown as the mounted device */
    /* Text of `.modelfs/<file>` by its number (enum view_live), appended to @out. Any thread. */
    int (*live_text)(void *ctx, uint32_t number, struct buf *out);
    void *live_ctx;
};

/* Mounts on @mountpoint; requests wait until ops_loop(). 0 or -errno, then *out_why (static text)
 * says what to do. */
int ops_mount(const struct ops_options *options, const char *mountpoint, struct ops **out,
              const char **out_why);

/* Answers requests until the mount is gone or SIGINT, SIGTERM or SIGHUP comes. 0 or -errno. */
int ops_loop(struct ops *ops);

/* Takes the mount away; what is still parked may go on replying, into nothing. NULL is fine. */
void ops_unmount(struct ops *ops);
/* Closes what is open and frees. Everything parked must have been answered. NULL is fine. */
void ops_free(struct ops *ops);

/* Counts since the mount, for stats. */
enum ops_kind { OPS_LOOKUP, OPS_GETATTR, OPS_OPEN, OPS_READ, OPS_READDIR, OPS_XATTR, OPS_N_KINDS };
void ops_get_counts(const struct ops *ops, uint64_t out[OPS_N_KINDS]);
