/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/statvfs.h>

#include "cache/blocks.h"
#include "util/cleanup.h"
#include "vfs/ops_handlers.h"

static void resume_lookup(struct parked *p)
{
    struct ops *ops = ops_of(p->req);
    struct tree_attr attr;
    int r = tree_lookup(ops->options.tree, p->ino, p->name, &attr);
    if (r < 0) {
        ops_reply_error(p->req, r);
        return;
    }
    struct fuse_entry_param entry = ops_entry(ops, &attr);
    if (fuse_reply_entry(p->req, &entry) < 0)
        tree_forget(ops->options.tree, attr.ino, 1);
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    ops_park(ops_new_parked(req, OPS_LOOKUP, parent, name, resume_lookup));
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
    tree_forget(ops_of(req)->options.tree, ino, n);
    fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < n; i++)
        tree_forget(ops_of(req)->options.tree, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

static void reply_attr(struct ops *ops, fuse_req_t req, fuse_ino_t ino)
{
    struct tree_attr attr;
    int r = tree_getattr(ops->options.tree, ino, &attr);
    if (r < 0) {
        ops_reply_error(req, r);
        return;
    }
    struct stat st = ops_stat(ops, &attr);
    fuse_reply_attr(req, &st, ops->options.attr_timeout_s);
}

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct ops *ops = ops_of(req);
    (void)fi;
    uint64_t began_ns = ops_meter_begin(&ops->meter, OPS_GETATTR);
    reply_attr(ops, req, ino);
    ops_meter_end(&ops->meter, OPS_GETATTR, began_ns);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
    struct ops *ops = ops_of(req);
    uint64_t began_ns = ops_meter_begin(&ops->meter, OPS_READLINK);
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    int r = tree_get(ops->options.tree, ino, &node);
    const struct layout_node *n = r == 0 ? &node.layout->nodes[node.index] : NULL;
    if (n && n->kind == NODE_LINK)
        fuse_reply_readlink(req, node.layout->texts[n->ref].data);
    else
        ops_reply_error(req, r < 0 ? r : -EINVAL);
    ops_meter_end(&ops->meter, OPS_READLINK, began_ns);
}

/* The mount's space is the cache's. */
void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct ops *ops = ops_of(req);
    struct blocks_stats stats = {0};
    (void)ino;
    if (ops->options.blocks)
        blocks_get_stats(ops->options.blocks, &stats);
    uint64_t free_bytes =
        stats.limit_bytes > stats.used_bytes ? stats.limit_bytes - stats.used_bytes : 0;
    struct statvfs st = {
        .f_bsize = OPS_BLOCK_SIZE,
        .f_frsize = 4096,
        .f_blocks = stats.limit_bytes / 4096,
        .f_bfree = free_bytes / 4096,
        .f_bavail = free_bytes / 4096,
        .f_namemax = 255,
        .f_flag = ST_RDONLY,
    };
    fuse_reply_statfs(req, &st);
}
