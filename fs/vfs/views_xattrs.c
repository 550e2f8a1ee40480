/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes `user.modelfs.*` of a node. */
#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>

#include "read/study_contents.h"
#include "util/cleanup.h"
#include "vfs/views.h"

/* Calls emit for each attribute of a node, until it returns other than 0. */
typedef int emit_fn(void *ctx, const char *name, const char *value);

struct node_facts {
    const struct layout *layout;
    const struct layout_node *node;
    struct listing_entry entry; /* of a file, project or model; else empty */
    int32_t checkpoint;         /* it stands in, an index; or -1 */
    const char *project, *model, *type;
};

static struct node_facts facts_of(const struct layout *layout, uint32_t index)
{
    const struct layout_node *node = &layout->nodes[index];
    const struct listing *listing = layout->listing;
    struct node_facts f = {.layout = layout,
                           .node = node,
                           .checkpoint = layout_checkpoint(layout, index),
                           .project = layout->place.project_name};
    if (node->kind == NODE_PLACE || node->kind == NODE_FILE)
        listing_get(listing, node->ref, &f.entry);
    if (listing->kind == LISTING_FILES) {
        f.model = listing->self.name;
        f.type = listing->self.type;
    } else if (node->kind == NODE_PLACE && listing->kind == LISTING_MODELS) {
        f.model = f.entry.name;
        f.type = f.entry.type;
    } else if (node->kind == NODE_PLACE) {
        f.project = f.entry.name;
    }
    return f;
}

static int emit_text(emit_fn *emit, void *ctx, const char *name, const char *value)
{
    return value ? emit(ctx, name, value) : 0;
}

static int emit_digest(const struct node_facts *f, emit_fn *emit, void *ctx)
{
    char text[DIGEST_HEX_BYTES + 7] = "sha256:";
    if (f->node->kind != NODE_FILE || !f->entry.has_digest)
        return 0;
    digest_format_hex(&f->entry.digest, text + 7);
    return emit(ctx, "digest", text);
}

/* Whether a node is the directory of its model or checkpoint, which has metrics; *out_checkpoint is
 * SIZE_MAX for the model. */
static bool has_metrics(const struct node_facts *f, size_t *out_checkpoint)
{
    bool is_root = f->node == f->layout->nodes;
    *out_checkpoint = f->checkpoint >= 0 ? (size_t)f->checkpoint : SIZE_MAX;
    if (f->layout->listing->kind != LISTING_FILES || f->node->kind != NODE_DIR)
        return false;
    return is_root || (f->checkpoint >= 0 && f->node->parent == 0);
}

static int emit_metrics(const struct node_facts *f, emit_fn *emit, void *ctx)
{
    const struct outline *o = &f->layout->outline;
    size_t checkpoint;
    int r = 0;
    for (size_t m = 0; has_metrics(f, &checkpoint) && r == 0 && m < o->n_metrics; m++) {
        const struct metric_row *row =
            checkpoint == SIZE_MAX ? outline_model_value(o, m) : outline_value(o, checkpoint, m);
        BUF_CLEANUP struct buf name = {0};
        char value[METRIC_TEXT_BYTES];
        if (!row)
            continue;
        metric_format(row->value, value);
        r = buf_printf(&name, "metric.%s", row->name);
        /* the kernel takes names of at most 255 bytes */
        if (r == 0 && name.len + strlen(VIEWS_XATTR_PREFIX) <= 255)
            r = emit(ctx, name.data, value);
    }
    return r;
}

static int emit_checkpoint(const struct node_facts *f, emit_fn *emit, void *ctx)
{
    char step[24];
    if (f->checkpoint < 0)
        return 0;
    const struct checkpoint *c = &f->layout->outline.checkpoints.items[f->checkpoint];
    snprintf(step, sizeof(step), "%lld", (long long)c->step);
    int r = emit(ctx, "checkpoint", c->name);
    if (r == 0)
        r = emit(ctx, "framework", c->framework);
    if (r == 0)
        r = emit(ctx, "format", c->format);
    if (r == 0 && c->step >= 0)
        r = emit(ctx, "step", step);
    if (r == 0)
        r = emit(ctx, "complete", c->missing ? "no" : "yes");
    return r;
}

/* `4x128`; `scalar` for none. */
static int format_shape(const struct tensor *tensor, struct buf *out)
{
    int r = tensor->n_dims ? 0 : buf_puts(out, "scalar");
    for (uint32_t i = 0; r == 0 && i < tensor->n_dims; i++)
        r = buf_printf(out, "%s%llu", i ? "x" : "", (unsigned long long)tensor->shape[i]);
    return r;
}

static int emit_tensor(const struct node_facts *f, emit_fn *emit, void *ctx)
{
    BUF_CLEANUP struct buf shape = {0};
    if (f->node->kind != NODE_WINDOW)
        return 0;
    const struct tensor *tensor = &f->layout->contents->contents.tensors[f->node->ref];
    int r = format_shape(tensor, &shape);
    if (r == 0)
        r = emit(ctx, "tensor", tensor->name);
    if (r == 0 && tensor->dtype)
        r = emit(ctx, "dtype", tensor->dtype->name);
    return r == 0 ? emit(ctx, "shape", shape.data) : r;
}

static int emit_all(const struct layout *layout, uint32_t node, emit_fn *emit, void *ctx)
{
    struct node_facts f = facts_of(layout, node);
    int r = emit(ctx, "registry", layout->place.origin);
    if (r == 0)
        r = emit_text(emit, ctx, "project", f.project);
    if (r == 0)
        r = emit_text(emit, ctx, "model", f.model);
    if (r == 0)
        r = emit_text(emit, ctx, "type", f.type);
    if (r == 0)
        r = emit_checkpoint(&f, emit, ctx);
    if (r == 0)
        r = emit_digest(&f, emit, ctx);
    if (r == 0)
        r = emit_tensor(&f, emit, ctx);
    return r == 0 ? emit_metrics(&f, emit, ctx) : r;
}

static int append_name(void *ctx, const char *name, const char *value)
{
    (void)value;
    struct buf *out = ctx;
    /* The kernel takes a list of at most 64 KiB; the attributes of many metrics that do not fit are
     * still had by their names. */
    if (out->len + strlen(VIEWS_XATTR_PREFIX) + strlen(name) + 1 > XATTR_LIST_MAX)
        return 0;
    int r = buf_printf(out, VIEWS_XATTR_PREFIX "%s", name);
    return r < 0 ? r : buf_putc(out, '\0');
}

int views_list_xattrs(const struct layout *layout, uint32_t node, struct buf *out)
{
    return emit_all(layout, node, append_name, out);
}

struct xattr_query {
    const char *name;
    struct buf *out;
};

enum { XATTR_FOUND = 1 };

static int match_name(void *ctx, const char *name, const char *value)
{
    struct xattr_query *query = ctx;
    if (strcmp(name, query->name) != 0)
        return 0;
    int r = buf_puts(query->out, value);
    return r < 0 ? r : XATTR_FOUND;
}

int views_get_xattr(const struct layout *layout, uint32_t node, const char *name, struct buf *out)
{
    size_t prefix = strlen(VIEWS_XATTR_PREFIX);
    if (strncmp(name, VIEWS_XATTR_PREFIX, prefix) != 0)
        return -ENODATA;
    struct xattr_query query = {name + prefix, out};
    int r = emit_all(layout, node, match_name, &query);
    return r == XATTR_FOUND ? 0 : r < 0 ? r : -ENODATA;
}
