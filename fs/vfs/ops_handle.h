/* SPDX-License-Identifier: Apache-2.0 */
/* What an open file or directory is to the kernel: fi->fh. When a signal ends the mount, the kernel
 * releases none of those that are still open, so that all are in a list. */
#pragma once

#include "vfs/ops_common.h"

/* The first member of what is open. */
struct open_handle {
    void (*free)(struct open_handle *handle); /* frees the whole of it */
    struct open_handle *next, **at;           /* in ops->handles */
};

/* Answers OPEN or OPENDIR with @handle, which it takes, for op_release() to free; any thread. */
void ops_reply_open(fuse_req_t req, struct fuse_file_info *fi, struct open_handle *handle);
/* Frees what was never released: at the end, when no handler runs any more. */
void ops_free_handles(struct ops *ops);
