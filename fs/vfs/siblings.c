/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs/siblings.h"

enum { MAX_LEFT_OUT = 3 }; /* names between two that follow each other */

struct gathering {
    const struct layout *layout;
    enum walk_order order;
    uint32_t *out;
    size_t n, max;
};

/* The entries of @dir behind its child @after (0: from the first on) by name: they stand so. */
static size_t entries_by_name(const struct layout *layout, uint32_t dir, uint32_t after, size_t max,
                              uint32_t out[])
{
    const struct layout_dir *d = layout_dir(layout, dir);
    uint32_t node = after ? after + 1 : d->first;
    size_t n = 0;
    while (n < max && node < d->first + d->n_children)
        out[n++] = node++;
    return n;
}

/* Puts @node into a list sorted by inode number, of which the first @max are kept. */
static size_t insert_by_ino(const struct layout *layout, uint32_t node, size_t n, size_t max,
                            uint32_t out[])
{
    const struct layout_node *nodes = layout->nodes;
    if (n == max && nodes[out[n - 1]].ino < nodes[node].ino)
        return n;
    size_t at = n < max ? n : n - 1;
    for (; at > 0 && nodes[out[at - 1]].ino > nodes[node].ino; at--)
        out[at] = out[at - 1];
    out[at] = node;
    return n < max ? n + 1 : n;
}

static size_t entries_by_ino(const struct layout *layout, uint32_t dir, uint32_t after, size_t max,
                             uint32_t out[])
{
    const struct layout_dir *d = layout_dir(layout, dir);
    uint64_t floor = after ? layout->nodes[after].ino : 0;
    size_t n = 0;
    for (uint32_t node = d->first; node < d->first + d->n_children; node++)
        if (layout->nodes[node].ino > floor)
            n = insert_by_ino(layout, node, n, max, out);
    return n;
}

/* What comes in @dir behind @after, and in the directories among it. Each of them leads to a file,
 * so that this ends when there are enough. */
static void gather(struct gathering *g, uint32_t dir, uint32_t after)
{
    uint32_t entries[WALK_MAX_FILES];
    size_t max = g->max - g->n;
    if (!max)
        return;
    size_t n = g->order == WALK_BY_NAME ? entries_by_name(g->layout, dir, after, max, entries)
                                        : entries_by_ino(g->layout, dir, after, max, entries);
    for (size_t i = 0; i < n && g->n < g->max; i++) {
        uint32_t kind = g->layout->nodes[entries[i]].kind;
        if (kind == NODE_FILE)
            g->out[g->n++] = entries[i];
        else if (kind == NODE_DIR)
            gather(g, entries[i], 0);
    }
}

size_t siblings_next(const struct layout *layout, uint32_t node, enum walk_order order, size_t n,
                     uint32_t out[])
{
    struct gathering g = {.layout = layout, .order = order, .out = out};
    g.max = n < WALK_MAX_FILES ? n : WALK_MAX_FILES;
    if (layout->nodes[node].kind == NODE_DIR)
        gather(&g, node, 0);
    while (node && !layout_is_hidden(layout, node)) {
        gather(&g, layout->nodes[node].parent, node);
        node = layout->nodes[node].parent;
    }
    return g.n;
}

static bool follows_by_name(uint32_t a, uint32_t b)
{
    return a < b && b - a <= MAX_LEFT_OUT + 1;
}

/* None is left out: in a small directory many would follow by chance. Of two that are no neighbours
 * another one between them is met soon, so that the look is short where it says no. */
static bool follows_by_ino(const struct layout *layout, uint32_t a, uint32_t b)
{
    const struct layout_dir *d = layout_dir(layout, layout->nodes[a].parent);
    uint64_t low = layout->nodes[a].ino, high = layout->nodes[b].ino;
    for (uint32_t node = d->first; node < d->first + d->n_children; node++) {
        uint64_t ino = layout->nodes[node].ino;
        if (ino > low && ino < high)
            return false;
    }
    return low < high;
}

bool siblings_follow(const struct layout *layout, uint32_t a, uint32_t b,
                     enum walk_order *out_order)
{
    if (layout->nodes[a].parent != layout->nodes[b].parent || a == b)
        return false;
    *out_order = follows_by_name(a, b) ? WALK_BY_NAME : WALK_BY_INO;
    return *out_order == WALK_BY_NAME || follows_by_ino(layout, a, b);
}
