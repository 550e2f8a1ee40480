/* SPDX-License-Identifier: Apache-2.0 */
/* What a FUSE session works with. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"

struct blocks;
struct fetch;
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
