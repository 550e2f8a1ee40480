/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/ops_handle.h"

#include "vfs/ops_handlers.h"

static void link_handle(struct ops *ops, struct open_handle *handle)
{
    pthread_mutex_lock(&ops->lock);
    handle->next = ops->handles;
    handle->at = &ops->handles;
    if (handle->next)
        handle->next->at = &handle->next;
    ops->handles = handle;
    pthread_mutex_unlock(&ops->lock);
}

static void unlink_and_free(struct ops *ops, struct open_handle *handle)
{
    pthread_mutex_lock(&ops->lock);
    *handle->at = handle->next;
    if (handle->next)
        handle->next->at = handle->at;
    pthread_mutex_unlock(&ops->lock);
    handle->free(handle);
}

void ops_reply_open(fuse_req_t req, struct fuse_file_info *fi, struct open_handle *handle)
{
    struct ops *ops = ops_of(req);
    fi->fh = (uintptr_t)handle;
    link_handle(ops, handle); /* before the answer: its release may come at once */
    if (fuse_reply_open(req, fi) < 0)
        unlink_and_free(ops, handle); /* the caller was interrupted: no release comes */
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    unlink_and_free(ops_of(req), (struct open_handle *)(uintptr_t)fi->fh);
    fuse_reply_err(req, 0);
}

void ops_free_handles(struct ops *ops)
{
    while (ops->handles)
        unlink_and_free(ops, ops->handles);
}
