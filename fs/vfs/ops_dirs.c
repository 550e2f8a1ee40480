/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "vfs/ops_handle.h"
#include "vfs/ops_handlers.h"

struct open_dir {
    struct open_handle handle;
    struct tree_node node; /* its names stay as they were at the open */
};

static void free_dir(struct open_handle *handle)
{
    struct open_dir *dir = (struct open_dir *)handle;
    tree_node_deinit(&dir->node);
    free(dir);
}

static const struct tree_node *node_of(const struct fuse_file_info *fi)
{
    return &((const struct open_dir *)(uintptr_t)fi->fh)->node;
}

static void resume_opendir(struct parked *p)
{
    struct open_dir *dir = calloc(1, sizeof(*dir));
    if (!dir) {
        fuse_reply_err(p->req, ENOMEM);
        return;
    }
    dir->handle.free = free_dir;
    int r = tree_get(ops_of(p->req)->options.tree, p->ino, &dir->node);
    if (r == 0) {
        ops_reply_open(p->req, &p->fi, &dir->handle);
    } else {
        free_dir(&dir->handle);
        ops_reply_error(p->req, r);
    }
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct parked *p = ops_new_parked(req, OPS_OPENDIR, ino, "", resume_opendir);
    if (p)
        p->fi = *fi;
    ops_park(p);
}

/* Appends one entry to a reply of READDIR or READDIRPLUS; its bytes, or 0 when it does not fit any
 * more. */
static size_t append_entry(fuse_req_t req, char *at, size_t room, const char *name,
                           const struct tree_attr *attr, off_t next, bool plus)
{
    struct ops *ops = ops_of(req);
    size_t need;
    if (plus) {
        struct fuse_entry_param entry = ops_entry(ops, attr);
        if (next <= 2)
            entry.ino = 0; /* `.` and `..` are not looked up */
        need = fuse_add_direntry_plus(req, at, room, name, &entry, next);
    } else {
        struct stat st = ops_stat(ops, attr);
        need = fuse_add_direntry(req, at, room, name, &st, next);
    }
    return need <= room ? need : 0;
}

static void reply_dir(fuse_req_t req, size_t size, off_t off, const struct tree_node *dir,
                      bool plus)
{
    struct tree *tree = ops_of(req)->options.tree;
    CLEANUP(cleanup_free) char *out = malloc(size);
    size_t used = 0;
    struct tree_attr attr;
    const char *name;
    if (!out) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    while (tree_read_dir(tree, dir, (uint64_t)off, plus, &name, &attr) == 0) {
        size_t n = append_entry(req, out + used, size - used, name, &attr, off + 1, plus);
        if (!n) {
            if (plus && off >= 2)
                tree_forget(tree, attr.ino, 1);
            break;
        }
        used += n;
        off++;
    }
    fuse_reply_buf(req, out, used);
}

static void read_dir(fuse_req_t req, size_t size, off_t off, const struct fuse_file_info *fi,
                     bool plus)
{
    struct ops *ops = ops_of(req);
    uint64_t began_ns = ops_meter_begin(&ops->meter, OPS_READDIR);
    reply_dir(req, size, off, node_of(fi), plus);
    ops_meter_end(&ops->meter, OPS_READDIR, began_ns);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    (void)ino;
    read_dir(req, size, off, fi, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    (void)ino;
    read_dir(req, size, off, fi, true);
}
