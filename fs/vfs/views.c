/* SPDX-License-Identifier: Apache-2.0 */
/* A model's directory, made from one listing:
 *
 *   ckpt-<step>/, export-<version>/   a checkpoint's files, and a TensorFlow state file that names
 *                                     just this checkpoint
 *       .modelfs/                     metrics/<name>, metrics.json, info.json
 *   files/                            all that belongs to no checkpoint, at its own path
 *   latest, best-<metric>             links
 *   .modelfs/                         files/ (the registry's own layout), metrics/<name>,
 *                                     metrics.json, info.json
 *
 * Every byte is listed once: `.modelfs` is found by name and not listed. */
#include "vfs/views.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "registry/describe.h"
#include "util/cleanup.h"
#include "util/json.h"

enum {
    /* Files of a model whose info.json and metrics.json are made before somebody asks, so that they
     * have a size: they cost 4 us and 300 bytes a file, three times all the rest. */
    MANY_FILES = 1000,
};

/* JSON for people: indented, ending with a newline; NULL passes. Frees @json. */
static char *format_json(json_t *json)
{
    BUF_CLEANUP struct buf out = {0};
    CLEANUP(cleanup_free)
    char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(json);
    if (!text || buf_printf(&out, "%s\n", text) < 0)
        return NULL;
    return buf_steal(&out);
}

static bool has_many_files(const struct outline *o)
{
    return o->listing->n_entries > MANY_FILES;
}

/* metrics/<name> and metrics.json of a checkpoint, or of the model (SIZE_MAX). */
static void add_metrics(struct layout_builder *b, uint32_t hidden, size_t checkpoint,
                        int64_t mtime_ns)
{
    const struct outline *o = layout_outline(b);
    uint32_t dir = layout_add_dir(b, hidden, "metrics", mtime_ns);
    for (size_t m = 0; m < o->n_metrics; m++) {
        const struct metric_row *row =
            checkpoint == SIZE_MAX ? outline_model_value(o, m) : outline_value(o, checkpoint, m);
        char value[METRIC_TEXT_BYTES + 1];
        if (!row)
            continue;
        metric_format(row->value, value);
        layout_add_text(b, dir, row->name, strdup(strcat(value, "\n")), mtime_ns);
    }
    if (has_many_files(o))
        layout_add_live(b, hidden, "metrics.json", VIEW_METRICS);
    else
        layout_add_text(b, hidden, "metrics.json", format_json(describe_metrics(o, checkpoint)),
                        mtime_ns);
}

static int append_quoted(struct buf *out, const char *text)
{
    int r = 0;
    for (; r == 0 && *text; text++) {
        if (*text == '"' || *text == '\\')
            r = buf_putc(out, '\\');
        if (r == 0)
            r = buf_putc(out, *text);
    }
    return r;
}

/* TensorFlow's state file for a directory that holds one checkpoint; NULL when memory is short. */
static char *format_state(const char *prefix)
{
    static const char *const keys[] = {"model_checkpoint_path", "all_model_checkpoint_paths"};
    BUF_CLEANUP struct buf out = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < 2; i++) {
        r = buf_printf(&out, "%s: \"", keys[i]);
        if (r == 0)
            r = append_quoted(&out, prefix);
        if (r == 0)
            r = buf_puts(&out, "\"\n");
    }
    return r == 0 ? buf_steal(&out) : NULL;
}

struct sort_item {
    const char *path;
    uint32_t entry;
};

static int compare_items(const void *a, const void *b)
{
    const struct sort_item *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

/* A registry mostly lists its files in order: then a look is enough. */
static void sort_items(struct sort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (compare_items(&items[i - 1], &items[i]) > 0) {
            qsort(items, n, sizeof(*items), compare_items);
            return;
        }
}

/* Adds files below @dir in the order of their paths, each cut by @cut_bytes. @files NULL: all of
 * the listing. */
static int add_files(struct layout_builder *b, const struct listing *listing, uint32_t dir,
                     const uint32_t *files, size_t n, size_t cut_bytes)
{
    CLEANUP(cleanup_free) struct sort_item *items = calloc(n + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t entry = files ? files[i] : i;
        items[i] = (struct sort_item){listing_id(listing, entry) + cut_bytes, (uint32_t)entry};
    }
    sort_items(items, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(items[i].path, items[i - 1].path) != 0) /* listed twice: one file */
            layout_add_file(b, dir, items[i].path, items[i].entry);
    return 0;
}

static int add_checkpoint(struct layout_builder *b, const struct listing *listing, size_t index)
{
    const struct outline *o = layout_outline(b);
    const struct checkpoint *c = &o->checkpoints.items[index];
    int64_t mtime_ns = outline_mtime_ns(o, c);
    layout_enter_checkpoint(b, (int32_t)index);
    uint32_t dir = layout_add_dir(b, 0, c->name, mtime_ns);
    int r = add_files(b, listing, dir, c->files, c->n_files, strlen(c->directory));
    if (c->state_prefix)
        layout_add_text(b, dir, "checkpoint", format_state(c->state_prefix), mtime_ns);
    uint32_t hidden = layout_add_hidden(b, dir);
    add_metrics(b, hidden, index, mtime_ns);
    if (has_many_files(o))
        layout_add_live(b, hidden, "info.json", VIEW_INFO);
    else
        layout_add_text(b, hidden, "info.json", format_json(describe_checkpoint(o, index)),
                        mtime_ns);
    layout_enter_checkpoint(b, -1);
    return r;
}

static void add_links(struct layout_builder *b)
{
    const struct outline *o = layout_outline(b);
    if (o->latest)
        layout_add_link(b, 0, "latest", o->latest->name);
    for (size_t i = 0; i < o->n_best; i++) {
        BUF_CLEANUP struct buf name = {0};
        if (buf_printf(&name, "best-%s", o->best[i].metric) == 0)
            layout_add_link(b, 0, name.data, o->checkpoints.items[o->best[i].checkpoint].name);
    }
}

static int build_model(struct layout_builder *b, const struct listing *listing,
                       const struct layout_place *place, uint32_t hidden)
{
    struct outline *o = layout_outline(b);
    int64_t mtime_ns = listing->self.mtime_ns;
    int r = outline_init(o, listing, place->directions);
    for (size_t i = 0; r == 0 && i < o->checkpoints.n; i++)
        r = add_checkpoint(b, listing, i);
    if (r == 0 && (o->checkpoints.n_rest || !o->checkpoints.n)) {
        uint32_t files = layout_add_dir(b, 0, "files", mtime_ns);
        r = add_files(b, listing, files, o->checkpoints.rest, o->checkpoints.n_rest, 0);
    }
    if (r == 0)
        r = add_files(b, listing, layout_add_dir(b, hidden, "files", mtime_ns), NULL,
                      listing->n_entries, 0);
    if (r < 0)
        return r;
    add_links(b);
    add_metrics(b, hidden, SIZE_MAX, mtime_ns);
    if (has_many_files(o)) {
        layout_add_live(b, hidden, "info.json", VIEW_INFO);
    } else {
        json_t *info = describe_model(o, place->origin, place->project_name);
        layout_add_text(b, hidden, "info.json", format_json(info), mtime_ns);
    }
    return 0;
}

static void build_folders(struct layout_builder *b, const struct listing *listing,
                          const struct layout_place *place, uint32_t hidden)
{
    for (size_t i = 0; i < listing->n_entries; i++)
        layout_add_place(b, 0, (uint32_t)i);
    json_t *info = describe_listing(listing, place->origin, place->project_name);
    layout_add_text(b, hidden, "info.json", format_json(info), listing->self.mtime_ns);
}

int views_build(struct listing *listing, const struct layout_place *place, bool is_root,
                struct layout **out)
{
    struct layout_builder *b = layout_begin(listing, place);
    int r = 0;
    if (!b)
        return -ENOMEM;
    uint32_t hidden = layout_add_hidden(b, 0);
    if (listing->kind == LISTING_FILES)
        r = build_model(b, listing, place, hidden);
    else
        build_folders(b, listing, place, hidden);
    if (is_root) {
        layout_add_live(b, hidden, "stats", VIEW_STATS);
        layout_add_live(b, hidden, "stats.prom", VIEW_STATS_PROM);
        layout_add_live(b, hidden, "config", VIEW_CONFIG);
        layout_add_live(b, hidden, LAYOUT_STREAM_NAME, VIEW_TRACE);
    }
    struct layout *layout = NULL;
    int ended = layout_end(b, &layout);
    if (r == 0 && ended == 0)
        *out = layout;
    else
        layout_unref(layout);
    return r < 0 ? r : ended;
}

bool views_is_own_live(const struct layout *layout, uint32_t node)
{
    return layout->nodes[node].ref >= VIEW_INFO;
}

int views_live_text(const struct layout *layout, uint32_t node, struct buf *out)
{
    const struct outline *o = &layout->outline;
    int32_t of = layout_checkpoint(layout, node);
    size_t checkpoint = of < 0 ? SIZE_MAX : (size_t)of;
    json_t *json;
    if (layout->nodes[node].ref == VIEW_METRICS)
        json = describe_metrics(o, checkpoint);
    else if (of < 0)
        json = describe_model(o, layout->place->origin, layout->place->project_name);
    else
        json = describe_checkpoint(o, checkpoint);
    CLEANUP(cleanup_free) char *text = format_json(json);
    return text ? buf_puts(out, text) : -ENOMEM;
}

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
                           .project = layout->place->project_name};
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

static int emit_all(const struct layout *layout, uint32_t node, emit_fn *emit, void *ctx)
{
    struct node_facts f = facts_of(layout, node);
    int r = emit(ctx, "registry", layout->place->origin);
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
    return r == 0 ? emit_metrics(&f, emit, ctx) : r;
}

static int append_name(void *ctx, const char *name, const char *value)
{
    (void)value;
    struct buf *out = ctx;
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
