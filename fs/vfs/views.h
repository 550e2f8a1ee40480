/* SPDX-License-Identifier: Apache-2.0 */
/* What a listing looks like as directories: checkpoints, `files`, `latest`, `best-<metric>`,
 * `.modelfs`. Pure. */
#pragma once

#include <stdbool.h>

#include "util/buf.h"
#include "vfs/layout.h"

#define VIEWS_XATTR_PREFIX "user.modelfs."

/* Files that are made anew at each open: of the mount root's `.modelfs` (the trace is a stream),
 * and what a large model and all checkpoints tell of themselves. */
enum view_live {
    VIEW_STATS,
    VIEW_STATS_PROM,
    VIEW_CONFIG,
    VIEW_TRACE,
    VIEW_INFO,
    VIEW_METRICS,
    VIEW_METRICS_CSV,
    VIEW_SUMMARY,
    VIEW_DETAIL,
    VIEW_HISTORY, /* of the outline's first metric; those behind it follow */
};

struct views_options {
    bool is_root;                     /* the mount's root, which has stats and config */
    const struct outline_flaw *flaws; /* of a model's checkpoints; borrowed for the call */
    size_t n_flaws;
};
/* Builds the layout of @listing, of any kind. @options may be NULL. 0 or -ENOMEM. */
int views_build(struct listing *listing, const struct layout_place *place,
                const struct views_options *options, struct layout **out);

/* Whether the files of a checkpoint are looked into for what they hold. */
bool views_has_contents(const struct layout *layout, uint32_t checkpoint);
/* Builds the layout of what they hold: a file `<name>.npy` a tensor. @contents are taken over. 0 or
 * -ENOMEM. */
int views_build_contents(const struct layout *model, uint32_t checkpoint,
                         struct study_contents *contents, const struct layout_place *place,
                         struct layout **out);

/* Whether a NODE_LIVE's text is of its layout alone; then appends it to @out, with what the
 * checkpoint's files hold (@contents, a layout of that, or NULL where it is not known). 0 or
 * -ENOMEM. */
bool views_is_own_live(const struct layout *layout, uint32_t node);
int views_live_text(const struct layout *layout, uint32_t node, const struct layout *contents,
                    struct buf *out);
/* Whether it tells what a checkpoint's files hold. */
bool views_tells_contents(const struct layout *layout, uint32_t node);

/* The names of a node's extended attributes, each with its NUL, appended to @out. 0 or -ENOMEM. */
int views_list_xattrs(const struct layout *layout, uint32_t node, struct buf *out);
/* One attribute's value, appended. -ENODATA where the node has none of that name. */
int views_get_xattr(const struct layout *layout, uint32_t node, const char *name, struct buf *out);
