/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/ops_common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ops *ops_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

void ops_reply_error(fuse_req_t req, int err)
{
    switch (-err) {
    case EPROTO:
    case EBADMSG:
    case EAGAIN:
    case ECANCELED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case EFBIG:
    case EINVAL:
        err = -EIO;
        break;
    default:
        break;
    }
    fuse_reply_err(req, -err);
}

static mode_t mode_of(const struct ops *ops, enum node_kind kind)
{
    mode_t mask = ~ops->options.umask;
    switch (kind) {
    case NODE_DIR:
    case NODE_PLACE:
    case NODE_CONTENTS:
        return S_IFDIR | (0555 & mask);
    case NODE_LINK:
        return S_IFLNK | 0777;
    default:
        return S_IFREG | (0444 & mask);
    }
}

/* st_blocks tells the file's size, not what is cached: archivers take a file with fewer blocks than
 * bytes for one with holes. */
struct stat ops_stat(const struct ops *ops, const struct tree_attr *attr)
{
    bool is_dir = S_ISDIR(mode_of(ops, attr->kind));
    struct stat st = {
        .st_ino = attr->ino,
        .st_mode = mode_of(ops, attr->kind),
        .st_nlink = attr->n_links,
        .st_uid = ops->options.uid,
        .st_gid = ops->options.gid,
        .st_size = (off_t)attr->size_bytes,
        .st_blocks = (blkcnt_t)((attr->size_bytes + 511) / 512),
        .st_blksize = is_dir ? OPS_DIR_BLOCK_SIZE : OPS_BLOCK_SIZE,
    };
    st.st_mtim.tv_sec = attr->mtime_ns / 1000000000;
    st.st_mtim.tv_nsec = attr->mtime_ns % 1000000000;
    st.st_atim = st.st_ctim = st.st_mtim;
    return st;
}

struct fuse_entry_param ops_entry(const struct ops *ops, const struct tree_attr *attr)
{
    return (struct fuse_entry_param){
        .ino = attr->ino,
        .attr = ops_stat(ops, attr),
        .attr_timeout = ops->options.attr_timeout_s,
        .entry_timeout = ops->options.entry_timeout_s,
    };
}

int ops_source_init(struct ops_source *source, const struct tree_node *node, uint32_t entry)
{
    const struct layout_place *where = &node->layout->place;
    source->blob = (struct blob_source){
        .origin = where->origin,
        .place = {where->project_id, where->model_id},
        .entry = &source->entry,
    };
    return listing_get_whole(node->layout->listing, entry, &source->texts, &source->entry);
}

void ops_source_deinit(struct ops_source *source)
{
    buf_deinit(&source->texts);
}

static void on_ready(void *ctx, int err)
{
    struct parked *p = ctx;
    struct ops *ops = ops_of(p->req);
    if (err < 0)
        ops_reply_error(p->req, err);
    else
        p->resume(p);
    ops_meter_end(&ops->meter, p->kind, p->began_ns);
    free(p);
}

void ops_park(struct parked *p)
{
    if (p)
        tree_need(ops_of(p->req)->options.tree, p->ino, on_ready, p);
}

struct parked *ops_new_parked(fuse_req_t req, enum ops_kind kind, fuse_ino_t ino, const char *name,
                              void (*resume)(struct parked *p))
{
    uint64_t began_ns = ops_meter_begin(&ops_of(req)->meter, kind);
    struct parked *p = calloc(1, sizeof(*p) + strlen(name) + 1);
    if (!p) {
        fuse_reply_err(req, ENOMEM);
        return NULL;
    }
    p->req = req;
    p->ino = ino;
    p->resume = resume;
    p->kind = kind;
    p->began_ns = began_ns;
    strcpy(p->name, name);
    return p;
}
