/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes are added in any order with their parent's index. At the end children[] groups them by
 * parent and sorts each group by name, and they are numbered anew, breadth first, so that a
 * directory's children stand side by side: a node's number is its place in the directory, too. Two
 * nodes that would have one name in one directory (twins) both get `~<id>` before that, and the
 * group is sorted again. */
#include "vfs/layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read/study_contents.h"
#include "util/cleanup.h"
#include "vfs/names.h"

enum {
    PATH_MAX_DEPTH = 64,
    MAX_TWIN_ROUNDS = 8,
    MAX_NODES = 1 << 24, /* each of a hostile registry's files may stand below 64 directories of its
                            own; what is honest has two or three nodes a file */
};

struct layout_builder {
    struct layout *layout;
    bool failed;
    int32_t checkpoint;
    /* the directories of the last file's path, so that sorted paths find theirs at the top */
    uint32_t path_parent;
    int depth;
    struct {
        const char *name; /* borrowed from that path, `len` bytes */
        size_t len;
        uint32_t node;
    } stack[PATH_MAX_DEPTH];
};

struct layout *layout_ref(struct layout *layout)
{
    __atomic_add_fetch(&layout->refs, 1, __ATOMIC_RELAXED);
    return layout;
}

void layout_unref(struct layout *layout)
{
    if (!layout || __atomic_sub_fetch(&layout->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (uint32_t i = 0; i < layout->n_texts; i++)
        free(layout->texts[i].data);
    free(layout->texts);
    free(layout->nodes);
    free(layout->dirs);
    arena_free(&layout->names);
    outline_deinit(&layout->outline);
    study_contents_free(layout->contents);
    listing_unref(layout->listing);
    free(layout);
}

#define HIDDEN_NAME ".modelfs"

/* One in a directory at most. */
static bool is_hidden(const struct layout_node *node)
{
    return (node->kind == NODE_DIR && strcmp(node->name, HIDDEN_NAME) == 0) ||
           (node->kind == NODE_LIVE && strcmp(node->name, LAYOUT_STREAM_NAME) == 0);
}

uint32_t layout_find(const struct layout *layout, uint32_t dir, const char *name)
{
    const struct layout_dir *d = layout_dir(layout, dir);
    uint32_t low = d->first, high = d->first + d->n_children;
    if (d->has_hidden && strcmp(name, layout->nodes[high].name) == 0)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(layout->nodes[middle].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return LAYOUT_NONE;
}

uint32_t layout_listed(const struct layout *layout, uint32_t dir, uint64_t position)
{
    const struct layout_dir *d = layout_dir(layout, dir);
    return position < d->n_children ? d->first + (uint32_t)position : LAYOUT_NONE;
}

int64_t layout_mtime_ns(const struct layout *layout, uint32_t node)
{
    const struct layout_node *n = &layout->nodes[node];
    struct listing_entry entry;
    switch ((enum node_kind)n->kind) {
    case NODE_DIR:
        return layout->dirs[n->ref].mtime_ns;
    case NODE_PLACE:
    case NODE_FILE:
        listing_get(layout->listing, n->ref, &entry);
        return entry.mtime_ns;
    case NODE_TEXT:
    case NODE_LINK:
        return layout->texts[n->ref].mtime_ns;
    default:
        return layout_dir(layout, n->parent)->mtime_ns;
    }
}

int32_t layout_checkpoint(const struct layout *layout, uint32_t node)
{
    const struct layout_node *n = &layout->nodes[node];
    return layout_dir(layout, n->kind == NODE_DIR ? node : n->parent)->checkpoint;
}

bool layout_is_hidden(const struct layout *layout, uint32_t node)
{
    return is_hidden(&layout->nodes[node]);
}

uint32_t layout_find_same(const struct layout *layout, const struct layout *old, uint32_t node)
{
    if (node == 0)
        return 0;
    uint32_t parent = layout_find_same(layout, old, old->nodes[node].parent);
    return parent == LAYOUT_NONE ? LAYOUT_NONE : layout_find(layout, parent, old->nodes[node].name);
}

int layout_path(const struct layout *layout, uint32_t node, struct buf *out)
{
    if (node) {
        int r = layout_path(layout, layout->nodes[node].parent, out);
        return r < 0 ? r : buf_printf(out, "/%s", layout->nodes[node].name);
    }
    const char *project = layout->place.project_name, *model = layout->listing->self.name;
    return buf_printf(out, "%s/%s", project ? project : "-", model ? model : "-");
}

static uint32_t fail(struct layout_builder *b)
{
    b->failed = true;
    return LAYOUT_NONE;
}

/* Room for one more in an array that doubles at powers of two. */
static bool grow(void **items, uint32_t n, size_t item_bytes)
{
    if (n & (n - 1) || (n && n < 16))
        return true;
    void *grown = reallocarray(*items, n ? (size_t)n * 2 : 16, item_bytes);
    if (grown)
        *items = grown;
    return grown != NULL;
}

/* Adds a node whose name is @entry, which lives as long as the layout. */
static uint32_t add_node(struct layout_builder *b, uint32_t parent, const char *entry,
                         enum node_kind kind, uint32_t ref)
{
    struct layout *layout = b->layout;
    if (parent == LAYOUT_NONE && layout->n_nodes)
        return LAYOUT_NONE;
    if (!entry || layout->n_nodes >= MAX_NODES || ref >= MAX_NODES ||
        !grow((void **)&layout->nodes, layout->n_nodes, sizeof(*layout->nodes)))
        return fail(b);
    layout->nodes[layout->n_nodes] =
        (struct layout_node){.name = entry,
                             .parent = parent == LAYOUT_NONE ? 0 : parent,
                             .kind = (unsigned)kind & 7,
                             .ref = ref & (MAX_NODES - 1)};
    return layout->n_nodes++;
}

/* The entry of a registry name in the layout's own memory, or NULL. */
static const char *copy_entry(struct layout_builder *b, const char *name)
{
    BUF_CLEANUP struct buf entry = {0};
    if (name_to_entry(name, &entry) < 0)
        return NULL;
    return arena_copy(&b->layout->names, entry.data, entry.len);
}

/* Adds a node by its registry name, a text of the listing's. */
static uint32_t add_listed(struct layout_builder *b, uint32_t parent, const char *name,
                           enum node_kind kind, uint32_t entry)
{
    return add_node(b, parent, name_is_entry(name) ? name : copy_entry(b, name), kind, entry);
}

/* Adds a directory whose name is @entry, which lives as long as the layout. */
static uint32_t add_dir(struct layout_builder *b, uint32_t parent, const char *entry,
                        int64_t mtime_ns)
{
    struct layout *layout = b->layout;
    if (!grow((void **)&layout->dirs, layout->n_dirs, sizeof(*layout->dirs)))
        return fail(b);
    layout->dirs[layout->n_dirs] =
        (struct layout_dir){.mtime_ns = mtime_ns, .checkpoint = b->checkpoint};
    return add_node(b, parent, entry, NODE_DIR, layout->n_dirs++);
}

static bool own_text(struct layout *layout, const char **text)
{
    if (*text)
        *text = arena_copy(&layout->names, *text, strlen(*text));
    return *text != NULL;
}

/* Copies the texts of where it stands. */
static bool own_place(struct layout *layout)
{
    struct layout_place *place = &layout->place;
    const char **const texts[] = {&place->project_id, &place->model_id, &place->project_name,
                                  &place->contents};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (*texts[i] && !own_text(layout, texts[i]))
            return false;
    return true;
}

struct layout_builder *layout_begin(struct listing *listing, const struct layout_place *place)
{
    struct layout_builder *b = calloc(1, sizeof(*b));
    struct layout *layout = calloc(1, sizeof(*layout));
    if (!b || !layout) {
        free(b);
        free(layout);
        return NULL;
    }
    *layout = (struct layout){.refs = 1, .listing = listing_ref(listing), .place = *place};
    *b = (struct layout_builder){.layout = layout, .checkpoint = -1, .path_parent = LAYOUT_NONE};
    if (own_place(layout) && add_dir(b, LAYOUT_NONE, "", listing->self.mtime_ns) == 0)
        return b;
    layout_unref(layout);
    free(b);
    return NULL;
}

uint32_t layout_add_dir(struct layout_builder *b, uint32_t parent, const char *name,
                        int64_t mtime_ns)
{
    return add_dir(b, parent, copy_entry(b, name), mtime_ns);
}

uint32_t layout_add_place(struct layout_builder *b, uint32_t parent, uint32_t entry)
{
    struct listing_entry e;
    listing_get(b->layout->listing, entry, &e);
    return add_listed(b, parent, e.name, NODE_PLACE, entry);
}

uint32_t layout_add_live(struct layout_builder *b, uint32_t parent, const char *name,
                         uint32_t number)
{
    return add_node(b, parent, copy_entry(b, name), NODE_LIVE, number);
}

uint32_t layout_add_hidden(struct layout_builder *b, uint32_t parent)
{
    if (parent == LAYOUT_NONE)
        return parent;
    return add_dir(b, parent, HIDDEN_NAME, layout_mtime_ns(b->layout, parent));
}

/* Takes @text over as the content of a text or a link. */
static uint32_t add_content(struct layout_builder *b, uint32_t parent, const char *name,
                            enum node_kind kind, char *text, int64_t mtime_ns)
{
    struct layout *layout = b->layout;
    if (!text || !grow((void **)&layout->texts, layout->n_texts, sizeof(*layout->texts))) {
        free(text);
        return fail(b);
    }
    layout->texts[layout->n_texts] = (struct layout_text){text, strlen(text), mtime_ns};
    return add_node(b, parent, copy_entry(b, name), kind, layout->n_texts++);
}

uint32_t layout_add_text(struct layout_builder *b, uint32_t parent, const char *name, char *text,
                         int64_t mtime_ns)
{
    return add_content(b, parent, name, NODE_TEXT, text, mtime_ns);
}

uint32_t layout_add_link(struct layout_builder *b, uint32_t parent, const char *name,
                         const char *target)
{
    BUF_CLEANUP struct buf entry = {0};
    if (parent == LAYOUT_NONE || name_to_entry(target, &entry) < 0)
        return fail(b);
    return add_content(b, parent, name, NODE_LINK, buf_steal(&entry),
                       layout_mtime_ns(b->layout, parent));
}

/* The directory for one part of a path: the one at this depth of the last path when it is the same,
 * else a new one. */
static uint32_t enter_dir(struct layout_builder *b, uint32_t parent, int depth, const char *part,
                          size_t len)
{
    if (depth < b->depth && b->stack[depth].len == len &&
        memcmp(b->stack[depth].name, part, len) == 0)
        return b->stack[depth].node;
    CLEANUP(cleanup_free) char *name = strndup(part, len);
    if (!name)
        return fail(b);
    uint32_t node = layout_add_dir(b, parent, name, layout_mtime_ns(b->layout, parent));
    b->depth = depth + 1;
    b->stack[depth].name = part;
    b->stack[depth].len = len;
    b->stack[depth].node = node;
    return node;
}

/* A node by its path: directories on the way are made. A file's path is a text of the listing's. */
static uint32_t add_path(struct layout_builder *b, uint32_t parent, const char *path,
                         enum node_kind kind, uint32_t ref)
{
    int depth = 0;
    const char *slash;
    if (b->path_parent != parent) {
        b->path_parent = parent;
        b->depth = 0;
    }
    while (parent != LAYOUT_NONE && depth < PATH_MAX_DEPTH && (slash = strchr(path, '/'))) {
        parent = enter_dir(b, parent, depth++, path, (size_t)(slash - path));
        path = slash + 1;
    }
    if (depth < b->depth)
        b->depth = depth;
    if (kind == NODE_FILE)
        return add_listed(b, parent, path, kind, ref);
    return add_node(b, parent, copy_entry(b, path), kind, ref);
}

uint32_t layout_add_file(struct layout_builder *b, uint32_t parent, const char *path,
                         uint32_t entry)
{
    return add_path(b, parent, path, NODE_FILE, entry);
}

uint32_t layout_add_contents(struct layout_builder *b, uint32_t parent, const char *name,
                             uint32_t checkpoint)
{
    return add_node(b, parent, copy_entry(b, name), NODE_CONTENTS, checkpoint);
}

void layout_set_contents(struct layout_builder *b, struct study_contents *contents)
{
    b->layout->contents = contents;
}

void layout_set_mtime(struct layout_builder *b, int64_t mtime_ns)
{
    b->layout->dirs[0].mtime_ns = mtime_ns;
}

uint32_t layout_add_window(struct layout_builder *b, uint32_t parent, const char *path,
                           uint32_t tensor)
{
    return add_path(b, parent, path, NODE_WINDOW, tensor);
}

void layout_enter_checkpoint(struct layout_builder *b, int32_t checkpoint)
{
    b->checkpoint = checkpoint;
    b->path_parent = LAYOUT_NONE;
}

struct outline *layout_outline(struct layout_builder *b)
{
    return &b->layout->outline;
}

/* Whether a node keeps its plain name when others want it too: what is ours, and directories before
 * files. */
static bool keeps_name(const struct layout_node *node)
{
    return node->kind == NODE_DIR || node->kind == NODE_LINK || node->kind == NODE_TEXT ||
           node->kind == NODE_LIVE;
}

/* By name, and among twins who keeps theirs first; what is hidden comes last. */
static int compare_children(const void *a, const void *b, void *ctx)
{
    const struct layout_node *nodes = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = is_hidden(&nodes[x]) - is_hidden(&nodes[y]);
    if (!order)
        order = strcmp(nodes[x].name, nodes[y].name);
    if (!order)
        order = keeps_name(&nodes[y]) - keeps_name(&nodes[x]);
    return order ? order : (x > y) - (x < y);
}

static struct layout_dir *parent_of(struct layout *layout, uint32_t node)
{
    return &layout->dirs[layout->nodes[layout->nodes[node].parent].ref];
}

/* Fills @children group by group, not sorted yet; a directory's `first` is an index into it. */
static void group_children(struct layout *layout, uint32_t *children)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < layout->n_nodes; i++)
        parent_of(layout, i)->n_children++;
    for (uint32_t i = 0; i < layout->n_dirs; i++) {
        layout->dirs[i].first = first;
        first += layout->dirs[i].n_children;
        layout->dirs[i].n_children = 0;
    }
    for (uint32_t i = 1; i < layout->n_nodes; i++) {
        struct layout_dir *parent = parent_of(layout, i);
        children[parent->first + parent->n_children++] = i;
    }
}

/* Gives a twin its own name: behind the entry, the id of a project or model, else the kind and a
 * number. */
static int rename_twin(struct layout *layout, uint32_t index, unsigned number)
{
    BUF_CLEANUP struct buf id = {0}, name = {0};
    struct layout_node *node = &layout->nodes[index];
    int r = node->kind == NODE_PLACE ? buf_puts(&id, listing_id(layout->listing, node->ref))
                                     : buf_puts(&id, node->kind == NODE_DIR ? "dir" : "file");
    if (r == 0 && number)
        r = buf_printf(&id, "-%u", number);
    if (r == 0)
        r = name_twin(node->name, id.data, &name);
    const char *copy = r == 0 ? arena_copy(&layout->names, name.data, name.len) : NULL;
    if (!copy)
        return -ENOMEM;
    node->name = copy;
    return 0;
}

/* Renames the twins of one directory: positive when there were any. An id is told apart by a number
 * only when it did not do alone, so that it does not depend on who else is listed. */
static int rename_twins(struct layout *layout, const uint32_t *children, uint32_t n, int round)
{
    int renamed = 0;
    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n; end++)
            if (strcmp(layout->nodes[children[i]].name, layout->nodes[children[end]].name) != 0)
                break;
        for (uint32_t k = i; end - i > 1 && k < end; k++) {
            if (keeps_name(&layout->nodes[children[k]]) && k == i)
                continue;
            bool has_id = layout->nodes[children[k]].kind == NODE_PLACE && round == 0;
            int r = rename_twin(layout, children[k], has_id ? 0 : k - i);
            if (r < 0)
                return r;
            renamed = 1;
        }
    }
    return renamed;
}

/* Files mostly come in the order of their names: then a look is enough. */
static void sort_children(struct layout *layout, uint32_t *children, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (compare_children(&children[i - 1], &children[i], layout->nodes) > 0) {
            qsort_r(children, n, sizeof(*children), compare_children, layout->nodes);
            return;
        }
}

static int sort_dir(struct layout *layout, uint32_t *children, uint32_t n)
{
    int r = 0;
    sort_children(layout, children, n);
    for (int round = 0; round < MAX_TWIN_ROUNDS; round++) {
        r = rename_twins(layout, children, n, round);
        if (r <= 0)
            break;
        sort_children(layout, children, n);
    }
    return r < 0 ? r : 0;
}

static int sort_dirs(struct layout *layout, uint32_t *children)
{
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < layout->n_dirs; i++)
        r = sort_dir(layout, children + layout->dirs[i].first, layout->dirs[i].n_children);
    return r;
}

/* Numbers the nodes in the order of @children, directory by directory: `first` becomes a node's
 * number. */
static int renumber(struct layout *layout, const uint32_t *children)
{
    struct layout_node *nodes = malloc(layout->n_nodes * sizeof(*nodes));
    uint32_t n = 1;
    if (!nodes)
        return -ENOMEM;
    nodes[0] = layout->nodes[0];
    for (uint32_t i = 0; i < n; i++) {
        if (nodes[i].kind != NODE_DIR)
            continue;
        struct layout_dir *dir = &layout->dirs[nodes[i].ref];
        for (uint32_t k = 0; k < dir->n_children; k++) {
            nodes[n + k] = layout->nodes[children[dir->first + k]];
            nodes[n + k].parent = i;
        }
        dir->first = n;
        n += dir->n_children;
        dir->has_hidden = dir->n_children && is_hidden(&nodes[n - 1]);
        dir->n_children -= dir->has_hidden;
    }
    assert(n == layout->n_nodes);
    free(layout->nodes);
    layout->nodes = nodes;
    return 0;
}

static int finish(struct layout *layout)
{
    CLEANUP(cleanup_free) uint32_t *children = calloc(layout->n_nodes + 1, sizeof(*children));
    if (!children)
        return -ENOMEM;
    group_children(layout, children);
    int r = sort_dirs(layout, children);
    if (r == 0)
        r = renumber(layout, children);
    if (r < 0)
        return r;
    layout_set_inos(layout);
    return 0;
}

int layout_end(struct layout_builder *b, struct layout **out)
{
    struct layout *layout = b->layout;
    int r = b->failed ? -ENOMEM : finish(layout);
    free(b);
    if (r < 0)
        layout_unref(layout);
    else
        *out = layout;
    return r;
}
