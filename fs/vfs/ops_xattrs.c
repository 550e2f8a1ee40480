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
    const struct layout_place *where = &node->layout->place;
    struct listing_entry entry;
    struct blob_id id;
    if (n->kind != NODE_FILE || !ops->options.blocks)
        return -ENODATA;
    const struct blob_source source = {where->origin, {where->project_id, where->model_id}, &entry};
    listing_get(node->layout->listing, n->ref, &entry);
    blob_source_id(&source, &id);
    uint64_t present = blocks_present_bytes(ops->options.blocks, &id, entry.size_bytes);
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

/* Whether an attribute is of a kind that we have at all. `ls -l` asks each file for its access list
 * and its label, and asks no other one of the device once the answer is ENOTSUP: 20,000 files then
 * take 0.2 s instead of 1.3. */
static bool is_supported(const char *name)
{
    return strncmp(name, "user.", 5) == 0;
}

/* Only our own names need a directory's listing. */
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    struct ops *ops = ops_of(req);
    if (strncmp(name, VIEWS_XATTR_PREFIX, strlen(VIEWS_XATTR_PREFIX)) != 0) {
        uint64_t began_ns = ops_meter_begin(&ops->meter, OPS_XATTR);
        fuse_reply_err(req, is_supported(name) ? ENODATA : ENOTSUP);
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
