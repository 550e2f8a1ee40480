/* SPDX-License-Identifier: Apache-2.0 */
/* A place of the registry (itself, a project, a model) and its listing's life: absent, fetched,
 * fresh, old, gone. What a checkpoint's files hold is a place as well, which is looked into once
 * and stays so: other files make another one. Counted; its own job holds it, too. Any thread may
 * call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "registry/catalog.h"
#include "util/map.h"
#include "vfs/layout.h"

struct fetch;
struct place;
struct pool;

struct place_options {
    struct catalog *catalog; /* borrowed, as the next two */
    struct fetch *fetch;     /* NULL: files are not looked into */
    struct pool *pool;
    int list_timeout_ms, deadline_ms;
};

/* What a place shows, beside where it is. */
struct place_source {
    bool is_root;        /* the mount's root */
    struct layout *of;   /* of a checkpoint's contents: the model's, referred to until they are
                            known; else NULL */
    uint32_t checkpoint; /* and the checkpoint's index in that */
    struct place *model; /* and its place, which is told what lacks; borrowed */
};

/* With one reference. All texts are copied; @options is borrowed. NULL when memory is short. */
struct place *place_new(const struct place_options *options, const struct layout_place *where,
                        const struct place_source *source);
struct place *place_ref(struct place *place);
void place_unref(struct place *place); /* NULL is fine */

/* Is told, maybe before place_need() returns: 0, or -errno. */
typedef void place_ready_fn(void *ctx, int err);
void place_need(struct place *place, place_ready_fn *ready, void *ctx);

/* The newest layout, with a reference; NULL when there is none. */
struct layout *place_layout(struct place *place);
/* It was found out that something lacks of the checkpoint with these files
 * (outline_files_hash()): from now on it is shown as incomplete. @missing is copied. */
void place_note_flaw(struct place *place, uint64_t files, const char *missing);
/* Its listing counts as old from now on. */
void place_expire(struct place *place);
const struct layout_place *place_where(const struct place *place);

/* Counted for all places of a process. */
struct place_counters {
    uint64_t fetched, failed, stale_served;
};
void place_get_counters(struct place_counters *out);
