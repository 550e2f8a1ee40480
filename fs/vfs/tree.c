/* SPDX-License-Identifier: Apache-2.0 */
/* An inode is known here while the kernel knows it (its count of lookups): a layout, held, and a
 * node in it. A directory is looked into by way of its place's newest layout, found by the same
 * path; a file stays what it was when it was looked up, old content included, until it is looked up
 * again. */
#include "vfs/tree.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/log.h"
#include "vfs/inodes.h"
#include "vfs/place.h"
#include "vfs/siblings.h"
#include "vfs/views.h"

struct place_node {
    struct map_node node; /* by layout_place_ino() */
    struct place *place;
};

enum { MAX_CONTENTS = 32 }; /* looked into lately, and not forgotten yet */

struct tree {
    struct place_options place_options;
    const char *origin;
    struct place *root;
    pthread_mutex_t lock; /* guards what follows */
    struct inodes inodes; /* each with a reference to its layout */
    struct map places;
    struct place_node *contents[MAX_CONTENTS]; /* those of checkpoints' contents, last used first */
    size_t n_contents;
};

void tree_node_deinit(struct tree_node *node)
{
    layout_unref(node->layout);
    *node = (struct tree_node){0};
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_place(const struct layout_place *a, const struct layout_place *b)
{
    return same_text(a->project_id, b->project_id) && same_text(a->model_id, b->model_id) &&
           same_text(a->contents, b->contents);
}

/* Moves a place of contents to the front: the one at @at, or a new one (n_contents). */
static void use_contents(struct tree *tree, struct place_node *n, size_t at)
{
    memmove(tree->contents + 1, tree->contents, at * sizeof(tree->contents[0]));
    tree->contents[0] = n;
}

/* Makes room for a place of contents by forgetting the one that was used longest ago; who uses it
 * holds it still. */
static void keep_contents(struct tree *tree, struct place_node *n)
{
    if (tree->n_contents == MAX_CONTENTS) {
        struct place_node *last = tree->contents[--tree->n_contents];
        map_remove(&tree->places, &last->node);
        place_unref(last->place);
        free(last);
    }
    use_contents(tree, n, tree->n_contents++);
}

static void touch_contents(struct tree *tree, struct place_node *n)
{
    for (size_t i = 0; i < tree->n_contents; i++)
        if (tree->contents[i] == n)
            use_contents(tree, n, i);
}

/* Under the lock. */
static struct place *find_place(struct tree *tree, const struct layout_place *where)
{
    uint64_t key = layout_place_ino(where);
    for (struct map_node *n = map_find(&tree->places, key); n; n = map_next(n)) {
        struct place_node *found = map_entry(n, struct place_node, node);
        if (!same_place(place_where(found->place), where))
            continue;
        if (where->contents)
            touch_contents(tree, found);
        return found->place;
    }
    return NULL;
}

/* Under the lock. NULL when memory is short. */
static struct place *add_place(struct tree *tree, const struct layout_place *where,
                               const struct place_source *source)
{
    struct place_node *n = calloc(1, sizeof(*n));
    struct place *place = n ? place_new(&tree->place_options, where, source) : NULL;
    if (!place) {
        free(n);
        return NULL;
    }
    *n = (struct place_node){.node.key = layout_place_ino(where), .place = place};
    if (map_insert(&tree->places, &n->node) < 0) {
        place_unref(place);
        free(n);
        return NULL;
    }
    if (where->contents)
        keep_contents(tree, n);
    return place;
}

int tree_new(const struct tree_options *options, struct tree **out)
{
    struct tree *tree = calloc(1, sizeof(*tree));
    if (!tree)
        return -ENOMEM;
    pthread_mutex_init(&tree->lock, NULL);
    tree->origin = registry_origin(catalog_registry(options->catalog));
    tree->place_options = (struct place_options){options->catalog, options->fetch, options->pool,
                                                 options->list_timeout_ms, options->deadline_ms};
    const struct layout_place where = {
        tree->origin, options->project_id, options->model_id, options->project_name,
        NULL,         options->directions};
    tree->root = add_place(tree, &where, &(struct place_source){.is_root = true});
    if (!tree->root) {
        tree_free(tree);
        return -ENOMEM;
    }
    *out = tree;
    return 0;
}

static void free_place(struct map_node *n, void *ctx)
{
    (void)ctx;
    struct place_node *place = map_entry(n, struct place_node, node);
    place_unref(place->place);
    free(place);
}

void tree_free(struct tree *tree)
{
    if (!tree)
        return;
    for (size_t i = 0; i < tree->inodes.n_slots; i++)
        layout_unref(tree->inodes.slots[i].layout);
    inodes_deinit(&tree->inodes);
    map_each(&tree->places, free_place, NULL);
    map_deinit(&tree->places);
    pthread_mutex_destroy(&tree->lock);
    free(tree);
}

/* The node as the kernel knows it: 0 or -ESTALE; the root has none of its own. */
static int held_node(struct tree *tree, uint64_t ino, struct tree_node *out)
{
    pthread_mutex_lock(&tree->lock);
    struct inode *inode = inodes_find(&tree->inodes, ino);
    if (inode)
        *out = (struct tree_node){layout_ref(inode->layout), inode->index};
    pthread_mutex_unlock(&tree->lock);
    return inode ? 0 : -ESTALE;
}

/* The place at @where, made when it is not there, with a reference. NULL when memory is short. */
static struct place *get_place(struct tree *tree, const struct layout_place *where,
                               const struct place_source *source)
{
    pthread_mutex_lock(&tree->lock);
    struct place *place = find_place(tree, where);
    if (!place)
        place = add_place(tree, where, source);
    if (place)
        place_ref(place);
    pthread_mutex_unlock(&tree->lock);
    return place;
}

/* The place that NODE_PLACE @node opens. */
static struct place *place_of(struct tree *tree, const struct tree_node *node)
{
    const struct layout_place *above = &node->layout->place;
    struct layout_place where = *above;
    struct listing_entry entry;
    listing_get(node->layout->listing, node->layout->nodes[node->index].ref, &entry);
    if (above->project_id) {
        where.model_id = entry.id;
    } else {
        where.project_id = entry.id;
        where.project_name = entry.name;
    }
    return get_place(tree, &where, &(struct place_source){0});
}

/* The place of what a checkpoint's files hold. */
static struct place *contents_of(struct tree *tree, struct layout *layout, uint32_t checkpoint)
{
    struct layout_place where = layout->place;
    BUF_CLEANUP struct buf key = {0};
    if (layout_contents_key(layout, checkpoint, &key) < 0)
        return NULL;
    pthread_mutex_lock(&tree->lock);
    struct place *model = find_place(tree, &where);
    pthread_mutex_unlock(&tree->lock);
    where.contents = key.data;
    return get_place(
        tree, &where,
        &(struct place_source){.of = layout, .checkpoint = checkpoint, .model = model});
}

static enum node_kind kind_of(const struct tree_node *node)
{
    return (enum node_kind)node->layout->nodes[node->index].kind;
}

/* The place whose listing makes the children of directory @ino, with a reference. *out_node (held)
 * stays empty for the root. -ENOTDIR, with *out_node, of what has no listing behind it: a directory
 * among a checkpoint's contents never changes. */
static int place_behind(struct tree *tree, uint64_t ino, struct place **out,
                        struct tree_node *out_node)
{
    if (ino == TREE_ROOT_INO) {
        *out = place_ref(tree->root);
        return 0;
    }
    int r = held_node(tree, ino, out_node);
    if (r < 0)
        return r;
    struct layout *layout = out_node->layout;
    if (kind_of(out_node) == NODE_PLACE)
        *out = place_of(tree, out_node);
    else if (kind_of(out_node) == NODE_CONTENTS)
        *out = contents_of(tree, layout, layout->nodes[out_node->index].ref);
    else if (kind_of(out_node) == NODE_DIR && !layout->place.contents)
        *out = get_place(tree, &layout->place, &(struct place_source){0});
    else
        return -ENOTDIR;
    if (*out)
        return 0;
    tree_node_deinit(out_node);
    return -ENOMEM;
}

void tree_need(struct tree *tree, uint64_t ino, tree_ready_fn *ready, void *ctx)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    struct place *place = NULL;
    int r = place_behind(tree, ino, &place, &node);
    if (r < 0)
        ready(ctx, r == -ENOTDIR ? 0 : r);
    else
        place_need(place, ready, ctx);
    place_unref(place);
}

int tree_get(struct tree *tree, uint64_t ino, struct tree_node *out)
{
    CLEANUP(tree_node_deinit) struct tree_node held = {0};
    struct place *place = NULL;
    int r = place_behind(tree, ino, &place, &held);
    if (r == -ENOTDIR) {
        *out = held;
        held.layout = NULL;
        return 0;
    }
    if (r < 0)
        return r;
    struct layout *layout = place_layout(place);
    place_unref(place);
    if (!layout)
        return -ENOENT;
    bool is_top = ino == TREE_ROOT_INO || kind_of(&held) != NODE_DIR;
    uint32_t index = is_top ? 0 : layout_find_same(layout, held.layout, held.index);
    if (index == LAYOUT_NONE || layout->nodes[index].kind != NODE_DIR) {
        layout_unref(layout);
        return -ENOENT;
    }
    *out = (struct tree_node){layout, index};
    return 0;
}

/* The contents of the checkpoint that inode @ino stands in, as a place. -ENOENT where it stands in
 * none whose files are looked into. */
static int contents_behind(struct tree *tree, uint64_t ino, struct place **out)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    int r = held_node(tree, ino, &node);
    if (r < 0)
        return r;
    int32_t checkpoint = layout_checkpoint(node.layout, node.index);
    if (checkpoint < 0 || !views_has_contents(node.layout, (uint32_t)checkpoint))
        return -ENOENT;
    *out = contents_of(tree, node.layout, (uint32_t)checkpoint);
    return *out ? 0 : -ENOMEM;
}

void tree_need_contents(struct tree *tree, uint64_t ino, tree_ready_fn *ready, void *ctx)
{
    struct place *place = NULL;
    int r = contents_behind(tree, ino, &place);
    if (r < 0)
        ready(ctx, r);
    else
        place_need(place, ready, ctx);
    place_unref(place);
}

int tree_get_contents(struct tree *tree, uint64_t ino, struct layout **out)
{
    struct place *place;
    int r = contents_behind(tree, ino, &place);
    if (r < 0)
        return r;
    *out = place_layout(place);
    place_unref(place);
    return *out ? 0 : -ENOENT;
}

static void fill_attr(const struct tree_node *node, struct tree_attr *out)
{
    const struct layout *layout = node->layout;
    const struct layout_node *n = &layout->nodes[node->index];
    *out = (struct tree_attr){.ino = n->ino, .kind = (enum node_kind)n->kind, .n_links = 1};
    if (n->kind == NODE_FILE) {
        struct listing_entry entry;
        listing_get(layout->listing, n->ref, &entry);
        out->size_bytes = entry.size_bytes;
        out->mtime_ns = entry.mtime_ns;
        return;
    }
    out->mtime_ns = layout_mtime_ns(layout, node->index);
    if (n->kind == NODE_TEXT || n->kind == NODE_LINK)
        out->size_bytes = layout->texts[n->ref].len;
    else if (n->kind == NODE_WINDOW)
        out->size_bytes = layout_window_bytes(layout, node->index);
    else if (n->kind != NODE_LIVE)
        out->n_links = 2;
}

/* Whether two nodes with one number are one inode: the same file of the same place, or the same
 * path. */
static bool same_identity(const struct tree_node *a, const struct tree_node *b)
{
    const struct layout_node *x = &a->layout->nodes[a->index], *y = &b->layout->nodes[b->index];
    if (x->kind != y->kind || !same_place(&a->layout->place, &b->layout->place))
        return false;
    if (x->kind == NODE_FILE)
        return strcmp(listing_id(a->layout->listing, x->ref),
                      listing_id(b->layout->listing, y->ref)) == 0;
    return strcmp(x->name, y->name) == 0;
}

/* Makes an inode stand for @node from now on; its newer layout replaces an older one. Under the
 * lock. */
static int refer(struct inode *inode, const struct tree_node *node)
{
    struct tree_node held = {inode->layout, inode->index};
    if (!same_identity(&held, node)) {
        log_error("two files have the inode number %llu: one of them is not shown",
                  (unsigned long long)inode->ino);
        return -EIO;
    }
    if (inode->layout != node->layout) {
        layout_unref(inode->layout);
        inode->layout = layout_ref(node->layout);
    }
    inode->index = node->index;
    return 0;
}

static struct inode *add_inode(struct tree *tree, uint64_t ino, const struct tree_node *node)
{
    const struct inode fresh = {.ino = ino, .layout = node->layout, .index = node->index};
    struct inode *inode = inodes_add(&tree->inodes, &fresh);
    if (inode)
        layout_ref(node->layout);
    return inode;
}

/* Counts a lookup of @node. */
static int count_lookup(struct tree *tree, const struct tree_node *node)
{
    uint64_t ino = node->layout->nodes[node->index].ino;
    pthread_mutex_lock(&tree->lock);
    struct inode *inode = inodes_find(&tree->inodes, ino);
    int r = inode ? refer(inode, node) : 0;
    if (!inode && !(inode = add_inode(tree, ino, node)))
        r = -ENOMEM;
    if (r == 0 && inode->n_lookups < UINT32_MAX)
        inode->n_lookups++;
    pthread_mutex_unlock(&tree->lock);
    return r;
}

int tree_lookup(struct tree *tree, uint64_t parent, const char *name, struct tree_attr *out)
{
    CLEANUP(tree_node_deinit) struct tree_node dir = {0};
    int r = tree_get(tree, parent, &dir);
    if (r < 0)
        return r;
    struct tree_node child = {dir.layout, layout_find(dir.layout, dir.index, name)};
    if (child.index == LAYOUT_NONE)
        return -ENOENT;
    fill_attr(&child, out);
    return count_lookup(tree, &child);
}

void tree_forget(struct tree *tree, uint64_t ino, uint64_t n)
{
    struct layout *gone = NULL;
    pthread_mutex_lock(&tree->lock);
    struct inode *inode = inodes_find(&tree->inodes, ino);
    if (inode && inode->n_lookups < UINT32_MAX) {
        inode->n_lookups -= n < inode->n_lookups ? (uint32_t)n : inode->n_lookups;
        if (!inode->n_lookups) {
            gone = inode->layout;
            inodes_remove(&tree->inodes, inode);
        }
    }
    pthread_mutex_unlock(&tree->lock);
    layout_unref(gone);
}

int tree_getattr(struct tree *tree, uint64_t ino, struct tree_attr *out)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    if (ino == TREE_ROOT_INO) {
        *out = (struct tree_attr){.kind = NODE_DIR, .n_links = 2};
        struct layout *layout = place_layout(tree->root);
        out->mtime_ns = layout ? layout_mtime_ns(layout, 0) : 0;
        layout_unref(layout);
    } else {
        int r = held_node(tree, ino, &node);
        if (r < 0)
            return r;
        fill_attr(&node, out);
    }
    out->ino = ino;
    return 0;
}

int tree_read_dir(struct tree *tree, const struct tree_node *dir, uint64_t position, bool count,
                  const char **out_name, struct tree_attr *out)
{
    if (position < 2) {
        *out_name = position ? ".." : ".";
        *out = (struct tree_attr){
            .ino = dir->layout->nodes[dir->index].ino, .kind = NODE_DIR, .n_links = 2};
        return 0;
    }
    struct tree_node child = {dir->layout, layout_listed(dir->layout, dir->index, position - 2)};
    if (child.index == LAYOUT_NONE)
        return -ENOENT;
    *out_name = child.layout->nodes[child.index].name;
    fill_attr(&child, out);
    return count ? count_lookup(tree, &child) : 0;
}

int tree_siblings(struct tree *tree, uint64_t ino, enum walk_order order, size_t n,
                  struct tree_node *out, size_t *out_n)
{
    CLEANUP(tree_node_deinit) struct tree_node node = {0};
    uint32_t found[WALK_MAX_FILES];
    *out_n = 0;
    int r = ino == TREE_ROOT_INO ? 0 : held_node(tree, ino, &node);
    if (r < 0 || !node.layout)
        return r;
    *out_n = siblings_next(node.layout, node.index, order, n, found);
    for (size_t i = 0; i < *out_n; i++)
        out[i] = (struct tree_node){layout_ref(node.layout), found[i]};
    return 0;
}

bool tree_follows(struct tree *tree, uint64_t last, uint64_t ino, enum walk_order *out_order)
{
    CLEANUP(tree_node_deinit) struct tree_node a = {0}, b = {0};
    if (held_node(tree, last, &a) < 0 || held_node(tree, ino, &b) < 0 || a.layout != b.layout)
        return false;
    return siblings_follow(a.layout, a.index, b.index, out_order);
}

void tree_expire(struct tree *tree, const char *project_id, const char *model_id)
{
    const struct layout_place where = {
        .origin = tree->origin, .project_id = project_id, .model_id = model_id};
    pthread_mutex_lock(&tree->lock);
    struct place *place = find_place(tree, &where);
    pthread_mutex_unlock(&tree->lock);
    if (place)
        place_expire(place);
}

void tree_get_stats(struct tree *tree, struct tree_stats *out)
{
    struct place_counters counters;
    place_get_counters(&counters);
    pthread_mutex_lock(&tree->lock);
    *out = (struct tree_stats){tree->inodes.n, tree->places.n, counters.fetched, counters.failed,
                               counters.stale_served};
    pthread_mutex_unlock(&tree->lock);
}
