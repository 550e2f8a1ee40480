/* SPDX-License-Identifier: Apache-2.0 */
/* A layout: the part of the tree that one listing makes, as a constant tree of nodes. Of the
 * registry: its projects; of a project: its models; of a model: everything below it; of a
 * checkpoint's contents: its tensors. Counted; any thread may read it once it is built. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/outline.h"
#include "util/buf.h"

struct study_contents;

enum node_kind {
    NODE_DIR,   /* its children are in this layout */
    NODE_PLACE, /* a directory whose children are another listing: a project, a model */
    NODE_FILE,  /* a file of the registry: its bytes are a blob */
    NODE_TEXT,  /* a file made by us, with fixed content */
    NODE_LIVE,  /* a file made by us anew at each open */
    NODE_LINK,
    NODE_CONTENTS, /* a directory whose children are what a checkpoint's files hold, a layout of its
                      own */
    NODE_WINDOW,   /* a tensor: a part of a file behind a header made by us */
};

/* 24 bytes: a model of a million files has two million of them, and those whose name is an entry as
 * it is borrow it from the listing. */
struct layout_node {
    const char *name; /* the directory entry */
    uint64_t ino; /* of the path and, for what has content, its version: the same after a remount */
    uint32_t parent; /* index of the directory; of the root itself 0 */
    uint32_t kind : 3;
    uint32_t ref : 29; /* of NODE_DIR an index into dirs, of NODE_PLACE and NODE_FILE into the
                          listing's entries, of NODE_TEXT and NODE_LINK into texts, of NODE_LIVE its
                          number, of NODE_CONTENTS into outline.checkpoints, of NODE_WINDOW into
                          contents' tensors */
};

struct layout_dir {
    int64_t mtime_ns;
    uint32_t first; /* what is listed are the nodes [first .. first + n_children), sorted by name */
    uint32_t n_children;
    int32_t checkpoint; /* index into outline.checkpoints.items that all in it belongs to, or -1 */
    bool has_hidden;    /* `.modelfs` is the node behind those */
};

struct layout_text {
    char *data; /* owned, NUL behind it */
    size_t len;
    int64_t mtime_ns;
};

/* What a layout is of: where it stands in the registry. Texts are borrowed. */
struct layout_place {
    const char *origin;                /* the registry's URL */
    const char *project_id, *model_id; /* NULL above them */
    const char *project_name;          /* for people; NULL at the registry */
    const char *contents; /* of a checkpoint's contents: layout_contents_key(); else NULL */
    const struct metric_directions *directions; /* NULL: metrics are better as their names say */
};

struct layout {
    int refs;                  /* atomic */
    struct listing *listing;   /* a reference */
    struct layout_place place; /* its texts are the layout's; origin and directions are borrowed */
    struct layout_node *nodes; /* [0] is the root */
    uint32_t n_nodes;
    struct layout_dir *dirs;
    uint32_t n_dirs;
    struct layout_text *texts;
    uint32_t n_texts;
    struct outline outline;          /* of a model; else empty */
    struct study_contents *contents; /* of a checkpoint's contents, owned; else NULL */
    struct arena *names;
};

#define LAYOUT_NONE UINT32_MAX

struct layout *layout_ref(struct layout *layout);
void layout_unref(struct layout *layout); /* NULL is fine */

/* The child of directory @dir called @name, hidden ones too; LAYOUT_NONE when there is none. */
uint32_t layout_find(const struct layout *layout, uint32_t dir, const char *name);
/* What stands in a `.modelfs` and is not listed there: a stream, at which whatever reads all files
 * of a directory would wait. */
#define LAYOUT_STREAM_NAME "trace"
/* The child at @position, without those that are found by name only: `.modelfs`, and in it the
 * stream. LAYOUT_NONE behind the last. */
uint32_t layout_listed(const struct layout *layout, uint32_t dir, uint64_t position);
/* The directory behind a NODE_DIR. */
static inline const struct layout_dir *layout_dir(const struct layout *layout, uint32_t node)
{
    return &layout->dirs[layout->nodes[node].ref];
}
int64_t layout_mtime_ns(const struct layout *layout, uint32_t node);
/* Index of the checkpoint that a node stands in or is, or -1. */
int32_t layout_checkpoint(const struct layout *layout, uint32_t node);
/* Whether it is a `.modelfs`. */
bool layout_is_hidden(const struct layout *layout, uint32_t node);
/* The node with the same path in another layout of the same place; LAYOUT_NONE when it is gone. */
uint32_t layout_find_same(const struct layout *layout, const struct layout *old, uint32_t node);
/* Appends where a node is, for people: project, model, and the way below. 0 or -ENOMEM. */
int layout_path(const struct layout *layout, uint32_t node, struct buf *out);
/* The inode number of a place's own directory. */
uint64_t layout_place_ino(const struct layout_place *place);
/* Appends what tells the contents of a checkpoint from those of every other of the model, and of
 * its own other versions. 0 or -ENOMEM. */
int layout_contents_key(const struct layout *layout, uint32_t checkpoint, struct buf *out);

/* What a NODE_WINDOW shows: a NumPy header, then bytes of a file. */
struct layout_window {
    uint32_t entry;              /* the file, of the listing's */
    uint64_t offset, size_bytes; /* in the file; nothing of the header */
    struct buf head;             /* owned; may be empty */
};
/* The size of all that it shows. */
uint64_t layout_window_bytes(const struct layout *layout, uint32_t node);
/* Starts from {0}; free head by buf_deinit(). 0 or -ENOMEM. */
int layout_window(const struct layout *layout, uint32_t node, struct layout_window *out);

/* Building, by one thread. Each add returns the new node's index, or LAYOUT_NONE when memory was
 * short or the nodes are too many (16 million): then layout_end() fails, and adding below
 * LAYOUT_NONE does nothing, so that adds need no check one by one. Names are registry names and
 * become entries here. */
struct layout_builder;
struct layout_builder *layout_begin(struct listing *listing, const struct layout_place *place);
uint32_t layout_add_dir(struct layout_builder *b, uint32_t parent, const char *name,
                        int64_t mtime_ns);
uint32_t layout_add_place(struct layout_builder *b, uint32_t parent, uint32_t entry);
/* A file by its path below @parent, the end of a text of the listing's own. Directories on the way
 * are made; paths below one parent must come sorted as bytes. */
uint32_t layout_add_file(struct layout_builder *b, uint32_t parent, const char *path,
                         uint32_t entry);
/* Takes @text over; a NULL one fails the build. */
uint32_t layout_add_text(struct layout_builder *b, uint32_t parent, const char *name, char *text,
                         int64_t mtime_ns);
uint32_t layout_add_live(struct layout_builder *b, uint32_t parent, const char *name,
                         uint32_t number);
/* What @checkpoint's files hold. */
uint32_t layout_add_contents(struct layout_builder *b, uint32_t parent, const char *name,
                             uint32_t checkpoint);
/* Makes it the layout of such contents: takes them over. */
void layout_set_contents(struct layout_builder *b, struct study_contents *contents);
/* When its own directory changed, and all that is added from now on. */
void layout_set_mtime(struct layout_builder *b, int64_t mtime_ns);
/* A tensor of them by its path below @parent, as layout_add_file(). */
uint32_t layout_add_window(struct layout_builder *b, uint32_t parent, const char *path,
                           uint32_t tensor);
/* A link to the entry that registry name @target gets in the same directory. */
uint32_t layout_add_link(struct layout_builder *b, uint32_t parent, const char *name,
                         const char *target);
/* `.modelfs` of @parent: a directory that is not listed. */
uint32_t layout_add_hidden(struct layout_builder *b, uint32_t parent);
/* What is added from now on stands in this checkpoint (-1: in none). */
void layout_enter_checkpoint(struct layout_builder *b, int32_t checkpoint);
/* The outline, to be filled once by the caller while building; freed with the layout. */
struct outline *layout_outline(struct layout_builder *b);
/* Gives each node its inode number, once all have their names: a part of layout_end(). */
void layout_set_inos(struct layout *layout);
/* Sorts, tells twins apart, numbers. Frees the builder. 0 or -ENOMEM. */
int layout_end(struct layout_builder *b, struct layout **out);
