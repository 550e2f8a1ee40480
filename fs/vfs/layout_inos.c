/* SPDX-License-Identifier: Apache-2.0 */
/* Inode numbers are hashes. A directory's is of its path; a file's of its place, its path in the
 * registry and its content's version, so that new content is a new inode and `.modelfs/files/`
 * shows the same inodes; a text's and a link's of path and content; a tensor's of its path, which
 * begins with the version of its checkpoint's files. */
#define XXH_STATIC_LINKING_ONLY /* a hash state as a local */
#include "vfs/layout.h"

#include <string.h>
#include <xxhash.h>

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

uint64_t layout_place_ino(const struct layout_place *place)
{
    XXH3_state_t h;
    XXH3_64bits_reset(&h);
    hash_text(&h, place->origin);
    hash_text(&h, place->project_id);
    hash_text(&h, place->model_id);
    if (place->contents)
        hash_text(&h, place->contents);
    return usable_ino(XXH3_64bits_digest(&h));
}

/* A file by its path and what names its blob (not by the blob's id itself, which takes ten times as
 * long to make where no digest is known). */
static void hash_file(XXH3_state_t *h, const struct layout *layout, uint32_t file)
{
    struct listing_entry entry;
    listing_get(layout->listing, file, &entry);
    int64_t mtime_ns = entry.etag ? 0 : entry.mtime_ns;
    hash_text(h, layout->place.project_id);
    hash_text(h, layout->place.model_id);
    hash_text(h, entry.id);
    if (entry.has_digest) {
        XXH3_64bits_update(h, entry.digest.bytes, sizeof(entry.digest.bytes));
        return;
    }
    hash_text(h, entry.etag);
    XXH3_64bits_update(h, &mtime_ns, sizeof(mtime_ns));
    XXH3_64bits_update(h, &entry.size_bytes, sizeof(entry.size_bytes));
}

int layout_contents_key(const struct layout *layout, uint32_t checkpoint, struct buf *out)
{
    const struct checkpoint *c = &layout->outline.checkpoints.items[checkpoint];
    return buf_printf(out, "%s@%016llx", c->name,
                      (unsigned long long)outline_files_hash(&layout->outline, c));
}

/* The number of the place that a node opens. */
static uint64_t compute_place_ino(const struct layout *layout, const struct layout_node *node)
{
    struct layout_place place = layout->place;
    BUF_CLEANUP struct buf key = {0};
    if (node->kind == NODE_CONTENTS) {
        layout_contents_key(layout, node->ref, &key);
        place.contents = key.data;
    } else if (place.project_id) {
        place.model_id = listing_id(layout->listing, node->ref);
    } else {
        place.project_id = listing_id(layout->listing, node->ref);
    }
    return layout_place_ino(&place);
}

static uint64_t compute_ino(const struct layout *layout, const struct layout_node *node)
{
    XXH3_state_t h;
    if (node->kind == NODE_PLACE || node->kind == NODE_CONTENTS)
        return compute_place_ino(layout, node);
    XXH3_64bits_reset(&h);
    uint8_t kind = (uint8_t)node->kind;
    XXH3_64bits_update(&h, &kind, sizeof(kind));
    if (node->kind == NODE_FILE) {
        hash_file(&h, layout, node->ref);
    } else {
        uint64_t parent = layout->nodes[node->parent].ino;
        XXH3_64bits_update(&h, &parent, sizeof(parent));
        hash_text(&h, node->name);
    }
    if (node->kind == NODE_TEXT || node->kind == NODE_LINK)
        hash_text(&h, layout->texts[node->ref].data);
    return usable_ino(XXH3_64bits_digest(&h));
}

void layout_set_inos(struct layout *layout)
{
    layout->nodes[0].ino = layout_place_ino(&layout->place);
    for (uint32_t i = 1; i < layout->n_nodes; i++)
        layout->nodes[i].ino = compute_ino(layout, &layout->nodes[i]);
}
