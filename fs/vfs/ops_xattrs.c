/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cache/blocks.h"
#include "read/blob.h"
#include "util/cleanup.h"
#include "vfs/ops_handlers.h"
#include "vfs/views.h"

#define XATTR_CACHED VIEWS_XATTR_PREFIX "cached"

/* How much of a file's content the cache holds. */
static int append_cached(struct ops *ops, const struct tree_node *node, struct buf *out)
{
    const struct layout_node *n = &node->layout->nodes[node->index];
    const struct layout_place *where = node->layout->place;
    struct blob_id id;
    if (n->kind != NODE_FILE || !ops->options.blocks)
        return -ENODATA;
    const struct blob_source source = {where->origin,
                                       {where->project_id, where->model_id},
                                       &node->layout->listing->entries[n->ref]};
    blob_source_id(&source, &id);
    uint64_t present = blocks_present_bytes(ops->options.blocks, &id, source.entry->size_bytes);
    return buf_printf(out, "%llu", (unsigned long long)present);
}

static void reply_xattr(fuse_req_t req, const struct buf *value, size_t size)
{
    if (size == 0)
        fuse_reply_xattr(req, value->len);
    else if (value->len > size)
        fuse_reply_err(req, ERANGE);
    else
        fuse_reply_buf(req, value->data, value->len);
}

static int get_xattr(struct ops *ops, const struct tree_node *node, const char *name,
                     struct buf *out)
{
    if (strcmp(name, XATTR_CACHED) == 0)
        return append_cached(ops, node, out);
    return views_get_xattr(node->layout, node->index, name, out);
}

static void resume_getxattr(struct parked *p)
{
    struct ops *ops = ops_of(p->req);
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    BUF_CLEANUP struct buf value = {0};
    int r = tree_get(ops->options.tree, p->ino, &node);
    if (r == 0)
        r = get_xattr(ops, &node, p->name, &value);
    if (r < 0)
        ops_reply_error(p->req, r);
    else
        reply_xattr(p->req, &value, p->size);
}

/* `ls -l` asks every directory for its access list: that must not fetch what is in it, so only our
 * own names do. */
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    struct ops *ops = ops_of(req);
    if (strncmp(name, VIEWS_XATTR_PREFIX, strlen(VIEWS_XATTR_PREFIX)) != 0) {
        uint64_t began_ns = ops_meter_begin(&ops->meter, OPS_XATTR);
        fuse_reply_err(req, ENODATA);
        ops_meter_end(&ops->meter, OPS_XATTR, began_ns);
        return;
    }
    struct parked *p = ops_new_parked(req, OPS_XATTR, ino, name, resume_getxattr);
    if (p)
        p->size = size;
    ops_park(p);
}

static void resume_listxattr(struct parked *p)
{
    struct ops *ops = ops_of(p->req);
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    BUF_CLEANUP struct buf names = {0};
    int r = tree_get(ops->options.tree, p->ino, &node);
    if (r == 0)
        r = views_list_xattrs(node.layout, node.index, &names);
    if (r == 0 && node.layout->nodes[node.index].kind == NODE_FILE && ops->options.blocks)
        r = buf_append(&names, XATTR_CACHED, sizeof(XATTR_CACHED));
    if (r < 0)
        ops_reply_error(p->req, r);
    else
        reply_xattr(p->req, &names, p->size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct parked *p = ops_new_parked(req, OPS_XATTR, ino, "", resume_listxattr);
    if (p)
        p->size = size;
    ops_park(p);
}
