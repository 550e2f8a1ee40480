/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "vfs/ops_handlers.h"

static void free_dir(struct tree_node *dir)
{
    tree_node_deinit(dir);
    free(dir);
}
DEFINE_CLEANUP(struct tree_node *, cleanup_dir, free_dir)

static void resume_opendir(struct parked *p)
{
    CLEANUP(cleanup_dir) struct tree_node *dir = calloc(1, sizeof(*dir));
    int r = dir ? tree_get(ops_of(p->req)->options.tree, p->ino, dir) : -ENOMEM;
    if (r < 0) {
        ops_reply_error(p->req, r);
        return;
    }
    p->fi.fh = (uintptr_t)dir;
    if (fuse_reply_open(p->req, &p->fi) == 0)
        (void)steal_ptr(dir);
}

void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct parked *p = ops_new_parked(req, ino, "", resume_opendir);
    if (p)
        p->fi = *fi;
    ops_park(p);
}

void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    free_dir((struct tree_node *)(uintptr_t)fi->fh);
    fuse_reply_err(req, 0);
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

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    (void)ino;
    ops_count(ops_of(req), OPS_READDIR);
    reply_dir(req, size, off, (const struct tree_node *)(uintptr_t)fi->fh, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    (void)ino;
    ops_count(ops_of(req), OPS_READDIR);
    reply_dir(req, size, off, (const struct tree_node *)(uintptr_t)fi->fh, true);
}
