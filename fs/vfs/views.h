/* SPDX-License-Identifier: Apache-2.0 */
/* What a listing looks like as directories: checkpoints, `files`, `latest`, `best-<metric>`,
 * `.modelfs`. Pure. */
#pragma once

#include <stdbool.h>

#include "util/buf.h"
#include "vfs/layout.h"

#define VIEWS_XATTR_PREFIX "user.modelfs."

/* Files that are made anew at each open: of the mount root's `.modelfs` (the trace is a stream),
 * and, in a model of many files, what it and its checkpoints tell of themselves. */
enum view_live { VIEW_STATS, VIEW_STATS_PROM, VIEW_CONFIG, VIEW_TRACE, VIEW_INFO, VIEW_METRICS };

/* Builds the layout of @listing, of any kind. @is_root: it is the mount's root, and has stats and
 * config. 0 or -ENOMEM. */
int views_build(struct listing *listing, const struct layout_place *place, bool is_root,
                struct layout **out);

/* Whether a NODE_LIVE's text is of its layout alone; then appends it to @out. 0 or -ENOMEM. */
bool views_is_own_live(const struct layout *layout, uint32_t node);
int views_live_text(const struct layout *layout, uint32_t node, struct buf *out);

/* The names of a node's extended attributes, each with its NUL, appended to @out. 0 or -ENOMEM. */
int views_list_xattrs(const struct layout *layout, uint32_t node, struct buf *out);
/* One attribute's value, appended. -ENODATA where the node has none of that name. */
int views_get_xattr(const struct layout *layout, uint32_t node, const char *name, struct buf *out);
