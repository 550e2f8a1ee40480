/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes are added in any order with their parent's index and sorted at the end: children[] groups
 * them by parent, each group by name. Two nodes that would have one name in one directory (twins)
 * then both get `~<id>`, and the group is sorted again.
 *
 * Inode numbers are hashes. A directory's is of its path; a file's of its place, its path in the
 * registry and its blob id, so that new content is a new inode and `.modelfs/files/` shows the same
 * inodes; a text's and a link's of path and content. */
#define XXH_STATIC_LINKING_ONLY /* a hash state as a local */
#include "vfs/layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "read/blob.h"
#include "util/cleanup.h"
#include "vfs/names.h"

enum { PATH_MAX_DEPTH = 64, MAX_TWIN_ROUNDS = 8 };

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
    free(layout->children);
    arena_free(&layout->names);
    outline_deinit(&layout->outline);
    listing_unref(layout->listing);
    free(layout);
}

#define HIDDEN_NAME ".modelfs"

/* Where @name stands among a directory's children; LAYOUT_NONE when it does not. */
static uint32_t find_position(const struct layout *layout, uint32_t dir, const char *name)
{
    const uint32_t *children = layout->children + layout->nodes[dir].first;
    uint32_t low = 0, high = layout->nodes[dir].n_children;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(layout->nodes[children[middle]].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return LAYOUT_NONE;
}

uint32_t layout_find(const struct layout *layout, uint32_t dir, const char *name)
{
    uint32_t position = find_position(layout, dir, name);
    return position == LAYOUT_NONE ? LAYOUT_NONE
                                   : layout->children[layout->nodes[dir].first + position];
}

uint32_t layout_listed(const struct layout *layout, uint32_t dir, uint64_t position)
{
    bool is_ours = strcmp(layout->nodes[dir].name, HIDDEN_NAME) == 0;
    position += position >= find_position(layout, dir, is_ours ? LAYOUT_STREAM_NAME : HIDDEN_NAME);
    return position < layout->nodes[dir].n_children
               ? layout->children[layout->nodes[dir].first + position]
               : LAYOUT_NONE;
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
    const char *project = layout->place->project_name, *model = layout->listing->self.name;
    return buf_printf(out, "%s/%s", project ? project : "-", model ? model : "-");
}

static void hash_text(XXH3_state_t *h, const char *text)
{
    if (text)
        XXH3_64bits_update(h, text, strlen(text));
    XXH3_64bits_update(h, "", 1);
}

/* 0 and 1 are FUSE's own. */
static uint64_t usable_ino(uint64_t hash)
{
    return hash > 1 ? hash : hash + 2;
}

uint64_t layout_place_ino(const char *origin, const char *project_id, const char *model_id)
{
    XXH3_state_t h;
    XXH3_64bits_reset(&h);
    hash_text(&h, origin);
    hash_text(&h, project_id);
    hash_text(&h, model_id);
    return usable_ino(XXH3_64bits_digest(&h));
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
    *layout = (struct layout){.refs = 1, .listing = listing_ref(listing), .place = place};
    *b = (struct layout_builder){.layout = layout, .checkpoint = -1, .path_parent = LAYOUT_NONE};
    layout_add_dir(b, LAYOUT_NONE, "", listing->self.mtime_ns);
    return b;
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

/* Adds a node whose entry is @entry already. */
static uint32_t add_node(struct layout_builder *b, uint32_t parent, const char *entry,
                         enum node_kind kind, uint32_t ref)
{
    struct layout *layout = b->layout;
    if (parent == LAYOUT_NONE && layout->n_nodes)
        return LAYOUT_NONE;
    const char *name = arena_copy(&layout->names, entry, strlen(entry));
    if (!name || layout->n_nodes >= INT32_MAX ||
        !grow((void **)&layout->nodes, layout->n_nodes, sizeof(*layout->nodes)))
        return fail(b);
    layout->nodes[layout->n_nodes] =
        (struct layout_node){.name = name,
                             .parent = parent == LAYOUT_NONE ? 0 : parent,
                             .kind = (uint8_t)kind,
                             .ref = ref,
                             .checkpoint = b->checkpoint};
    return layout->n_nodes++;
}

/* Adds a node by its registry name. */
static uint32_t add_named(struct layout_builder *b, uint32_t parent, const char *name,
                          enum node_kind kind, uint32_t ref)
{
    BUF_CLEANUP struct buf entry = {0};
    if (name_to_entry(name, &entry) < 0)
        return fail(b);
    return add_node(b, parent, entry.data, kind, ref);
}

static uint32_t with_time(struct layout_builder *b, uint32_t node, int64_t mtime_ns)
{
    if (node != LAYOUT_NONE)
        b->layout->nodes[node].mtime_ns = mtime_ns;
    return node;
}

uint32_t layout_add_dir(struct layout_builder *b, uint32_t parent, const char *name,
                        int64_t mtime_ns)
{
    return with_time(b, add_named(b, parent, name, NODE_DIR, 0), mtime_ns);
}

uint32_t layout_add_place(struct layout_builder *b, uint32_t parent, uint32_t entry)
{
    const struct listing_entry *e = &b->layout->listing->entries[entry];
    return with_time(b, add_named(b, parent, e->name, NODE_PLACE, entry), e->mtime_ns);
}

uint32_t layout_add_live(struct layout_builder *b, uint32_t parent, const char *name,
                         uint32_t number)
{
    return add_named(b, parent, name, NODE_LIVE, number);
}

uint32_t layout_add_hidden(struct layout_builder *b, uint32_t parent)
{
    uint32_t node = add_node(b, parent, HIDDEN_NAME, NODE_DIR, 0);
    if (node == LAYOUT_NONE)
        return node;
    return with_time(b, node, b->layout->nodes[parent].mtime_ns);
}

/* Takes @text over as the content of a text or a link. */
static uint32_t add_content(struct layout_builder *b, uint32_t parent, const char *name,
                            enum node_kind kind, char *text)
{
    struct layout *layout = b->layout;
    if (!text || !grow((void **)&layout->texts, layout->n_texts, sizeof(*layout->texts))) {
        free(text);
        return fail(b);
    }
    layout->texts[layout->n_texts] = (struct layout_text){text, strlen(text)};
    return add_named(b, parent, name, kind, layout->n_texts++);
}

uint32_t layout_add_text(struct layout_builder *b, uint32_t parent, const char *name, char *text,
                         int64_t mtime_ns)
{
    return with_time(b, add_content(b, parent, name, NODE_TEXT, text), mtime_ns);
}

uint32_t layout_add_link(struct layout_builder *b, uint32_t parent, const char *name,
                         const char *target)
{
    BUF_CLEANUP struct buf entry = {0};
    if (parent == LAYOUT_NONE || name_to_entry(target, &entry) < 0)
        return fail(b);
    uint32_t node = add_content(b, parent, name, NODE_LINK, buf_steal(&entry));
    return with_time(b, node, b->layout->nodes[parent].mtime_ns);
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
    uint32_t node = layout_add_dir(b, parent, name, b->layout->nodes[parent].mtime_ns);
    b->depth = depth + 1;
    b->stack[depth].name = part;
    b->stack[depth].len = len;
    b->stack[depth].node = node;
    return node;
}

uint32_t layout_add_file(struct layout_builder *b, uint32_t parent, const char *path,
                         uint32_t entry)
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
    return with_time(b, add_named(b, parent, path, NODE_FILE, entry),
                     b->layout->listing->entries[entry].mtime_ns);
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

/* By name, and among twins who keeps theirs first. */
static int compare_children(const void *a, const void *b, void *ctx)
{
    const struct layout_node *nodes = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(nodes[x].name, nodes[y].name);
    if (!order)
        order = keeps_name(&nodes[y]) - keeps_name(&nodes[x]);
    return order ? order : (x > y) - (x < y);
}

/* Fills children[] group by group, not sorted yet. */
static int group_children(struct layout *layout)
{
    layout->children = calloc(layout->n_nodes + 1, sizeof(*layout->children));
    if (!layout->children)
        return -ENOMEM;
    for (uint32_t i = 1; i < layout->n_nodes; i++)
        layout->nodes[layout->nodes[i].parent].n_children++;
    uint32_t first = 0;
    for (uint32_t i = 0; i < layout->n_nodes; i++) {
        layout->nodes[i].first = first;
        first += layout->nodes[i].n_children;
        layout->nodes[i].n_children = 0;
    }
    for (uint32_t i = 1; i < layout->n_nodes; i++) {
        struct layout_node *parent = &layout->nodes[layout->nodes[i].parent];
        layout->children[parent->first + parent->n_children++] = i;
    }
    return 0;
}

/* Gives a twin its own name: behind the entry, the id of a project or model, else the kind and a
 * number. */
static int rename_twin(struct layout *layout, uint32_t index, unsigned number)
{
    BUF_CLEANUP struct buf id = {0}, name = {0};
    struct layout_node *node = &layout->nodes[index];
    int r = node->kind == NODE_PLACE ? buf_puts(&id, layout->listing->entries[node->ref].id)
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
static int rename_twins(struct layout *layout, const struct layout_node *dir, int round)
{
    uint32_t *children = layout->children + dir->first;
    int renamed = 0;
    for (uint32_t i = 0, end; i < dir->n_children; i = end) {
        for (end = i + 1; end < dir->n_children; end++)
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

static void sort_children(struct layout *layout, const struct layout_node *dir)
{
    qsort_r(layout->children + dir->first, dir->n_children, sizeof(*layout->children),
            compare_children, layout->nodes);
}

static int sort_dir(struct layout *layout, const struct layout_node *dir)
{
    int r = 0;
    sort_children(layout, dir);
    for (int round = 0; round < MAX_TWIN_ROUNDS; round++) {
        r = rename_twins(layout, dir, round);
        if (r <= 0)
            break;
        sort_children(layout, dir);
    }
    return r < 0 ? r : 0;
}

static void hash_file(XXH3_state_t *h, const struct layout *layout, const struct layout_node *node)
{
    const struct listing_entry *entry = &layout->listing->entries[node->ref];
    const struct blob_source source = {
        layout->place->origin, {layout->place->project_id, layout->place->model_id}, entry};
    struct blob_id id;
    blob_source_id(&source, &id);
    hash_text(h, layout->place->project_id);
    hash_text(h, layout->place->model_id);
    hash_text(h, entry->id);
    XXH3_64bits_update(h, id.bytes, sizeof(id.bytes));
}

static uint64_t compute_ino(const struct layout *layout, const struct layout_node *node)
{
    XXH3_state_t h;
    if (node->kind == NODE_PLACE) {
        const char *id = layout->listing->entries[node->ref].id,
                   *project = layout->place->project_id;
        return layout_place_ino(layout->place->origin, project ? project : id, project ? id : NULL);
    }
    XXH3_64bits_reset(&h);
    XXH3_64bits_update(&h, &node->kind, sizeof(node->kind));
    if (node->kind == NODE_FILE) {
        hash_file(&h, layout, node);
    } else {
        uint64_t parent = layout->nodes[node->parent].ino;
        XXH3_64bits_update(&h, &parent, sizeof(parent));
        hash_text(&h, node->name);
    }
    if (node->kind == NODE_TEXT || node->kind == NODE_LINK)
        hash_text(&h, layout->texts[node->ref].data);
    return usable_ino(XXH3_64bits_digest(&h));
}

static int finish(struct layout *layout)
{
    int r = group_children(layout);
    for (uint32_t i = 0; r == 0 && i < layout->n_nodes; i++)
        if (layout->nodes[i].n_children)
            r = sort_dir(layout, &layout->nodes[i]);
    if (r < 0)
        return r;
    const struct layout_place *place = layout->place;
    layout->nodes[0].ino = layout_place_ino(place->origin, place->project_id, place->model_id);
    for (uint32_t i = 1; i < layout->n_nodes; i++)
        layout->nodes[i].ino = compute_ino(layout, &layout->nodes[i]);
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
