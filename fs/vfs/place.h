/* SPDX-License-Identifier: Apache-2.0 */
/* A place of the registry (itself, a project, a model) and its listing's life: absent, fetched,
 * fresh, old, gone. A place is made when somebody looks at it and stays as long as the tree. Any
 * thread may call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "registry/catalog.h"
#include "util/map.h"
#include "vfs/layout.h"

struct place;
struct pool;

struct place_options {
    struct catalog *catalog; /* borrowed */
    struct pool *pool;
    int list_timeout_ms, deadline_ms;
};

/* All texts are copied; @options is borrowed. @is_root: the mount's root. NULL when memory is
 * short. */
struct place *place_new(const struct place_options *options, const struct layout_place *where,
                        bool is_root);
void place_free(struct place *place); /* nothing may be under way */

/* Is told, maybe before place_need() returns: 0, or -errno. */
typedef void place_ready_fn(void *ctx, int err);
void place_need(struct place *place, place_ready_fn *ready, void *ctx);

/* The newest layout, with a reference; NULL when there is none. */
struct layout *place_layout(struct place *place);
/* Its listing counts as old from now on. */
void place_expire(struct place *place);
const struct layout_place *place_where(const struct place *place);

/* Counted for all places of a process. */
struct place_counters {
    uint64_t fetched, failed, stale_served;
};
void place_get_counters(struct place_counters *out);
