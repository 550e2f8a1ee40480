/* SPDX-License-Identifier: Apache-2.0 */
/* Over a far link, a walk through small files costs a round trip a file, unless the next ones are
 * on their way already; and of a large one at least the head can be. How far ahead to be is said in
 * files by vfs/walk, and in bytes here. */
#include "vfs/ops_walk.h"

#include "read/fetch.h"
#include "util/cleanup.h"

/* Of a large file: what its reader needs until its own read-ahead is under way. */
#define HEAD_BYTES      (UINT64_C(4) << 20)
#define MAX_AHEAD_BYTES (UINT64_C(32) << 20)

/* What to fetch now that @ino was read. */
static struct walk_ask note_file(struct ops *ops, uint64_t ino)
{
    struct walk_ask ask = {0};
    uint64_t last[WALKS_MAX];
    enum walk_order order;
    pthread_mutex_lock(&ops->walk_lock);
    bool known = walks_advance(&ops->walks, ino, &ask);
    size_t n = known ? 0 : walks_last(&ops->walks, last);
    pthread_mutex_unlock(&ops->walk_lock);
    if (known)
        return ask;
    size_t i = 0;
    while (i < n && !tree_follows(ops->options.tree, last[i], ino, &order))
        i++;
    pthread_mutex_lock(&ops->walk_lock);
    if (i < n)
        walks_begin(&ops->walks, last[i], ino, order, &ask);
    else
        walks_restart(&ops->walks, ino);
    pthread_mutex_unlock(&ops->walk_lock);
    return ask;
}

/* How much of a file to fetch. */
static uint64_t head_bytes(const struct tree_node *node)
{
    struct listing_entry entry;
    listing_get(node->layout->listing, node->layout->nodes[node->index].ref, &entry);
    return entry.size_bytes < HEAD_BYTES ? entry.size_bytes : HEAD_BYTES;
}

static void fetch_head(struct ops *ops, const struct tree_node *node)
{
    CLEANUP(ops_source_deinit) struct ops_source source = {0};
    if (ops_source_init(&source, node, node->layout->nodes[node->index].ref) == 0)
        fetch_expect(ops->options.fetch, &source.blob, head_bytes(node));
}

/* Fetches what was asked for, as far as the bytes allow, and says what is expected now. */
static void fetch_ahead_files(struct ops *ops, const struct walk_ask *ask)
{
    struct tree_node nodes[WALK_MAX_FILES];
    uint64_t inos[WALK_MAX_FILES], bytes = 0;
    size_t n, n_expected = 0;
    if (tree_siblings(ops->options.tree, ask->ino, ask->order, ask->n, nodes, &n) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        bytes += head_bytes(&nodes[i]);
        if (bytes <= MAX_AHEAD_BYTES) {
            inos[n_expected++] = nodes[i].layout->nodes[nodes[i].index].ino;
            if (i >= ask->n_known)
                fetch_head(ops, &nodes[i]);
        }
        tree_node_deinit(&nodes[i]);
    }
    pthread_mutex_lock(&ops->walk_lock);
    walks_expect(&ops->walks, ask, inos, n_expected);
    pthread_mutex_unlock(&ops->walk_lock);
}

void ops_walk_on(struct ops *ops, fuse_ino_t ino)
{
    const struct walk_ask ask = note_file(ops, ino);
    if (ask.n)
        fetch_ahead_files(ops, &ask);
}
