/* SPDX-License-Identifier: Apache-2.0 */
/* A listing: one directory's worth of metadata as a registry gave it, with the names as hostile as
 * they came. Counted and constant once built, so that any thread may read it. Its entries are kept
 * as records, a hundred bytes for a file, and the cache keeps the same bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/metrics.h"
#include "model/reference.h"
#include "registry/packed.h"
#include "util/arena.h"
#include "util/buf.h"

/* What a listing is of, and what its entries are. */
enum listing_kind {
    LISTING_PROJECTS, /* of a registry */
    LISTING_MODELS,   /* of a project */
    LISTING_FILES,    /* of a model */
};

struct listing {
    int refs; /* atomic */
    enum listing_kind kind;
    struct listing_entry self; /* of LISTING_FILES: the model; id and name may be NULL elsewhere */
    size_t n_entries;          /* see listing_get() */
    struct metric_row *rows;   /* of LISTING_FILES: the model's metrics, in no order */
    size_t n_rows;
    const char *latest; /* of LISTING_FILES: the prefix, a path, that TensorFlow's state file among
                            them calls the newest checkpoint; NULL: none. Not kept in the cache */
    struct reference
        *references; /* of LISTING_FILES: which files are told to be parts of others. Not
                                     kept in the cache either */
    size_t n_references;
    int64_t fetched_ns;  /* wall time of the registry's answer */
    struct arena *texts; /* the memory of self's and the rows' strings */
    struct buf records;  /* the entries, and where each begins */
    uint32_t *offsets;
    struct links *links; /* the form of the files' URLs; NULL while there is none */
};

/* A fresh empty listing with one reference, NULL when memory is short. Building: one thread, before
 * it is shared. */
struct listing *listing_new(enum listing_kind kind);
struct listing *listing_ref(struct listing *listing);
void listing_unref(struct listing *listing); /* NULL is fine */

/* Adds a copy of @entry (its texts too), which has an id. 0 or -ENOMEM, also when there is more
 * than a listing holds (4 GiB). */
int listing_add(struct listing *listing, const struct listing_entry *entry);
/* Adds a row, see struct metric_row; @name is copied. */
int listing_add_row(struct listing *listing, const char *name, int64_t step, double value,
                    int64_t wall_ns);
int listing_set_latest(struct listing *listing, const char *latest);
/* Adds a copy of @reference. */
int listing_add_reference(struct listing *listing, const struct reference *reference);
/* Sets what the listing is of; texts are copied. */
int listing_set_self(struct listing *listing, const struct listing_entry *self);

/* Entry @i, its texts borrowed. url stays NULL, and so does an etag that is the digest in quotes:
 * what has to do with fetching is had by listing_get_whole() only, in texts that @texts takes and
 * *out borrows. 0 or -ENOMEM. */
void listing_get(const struct listing *listing, size_t i, struct listing_entry *out);
int listing_get_whole(const struct listing *listing, size_t i, struct buf *texts,
                      struct listing_entry *out);
const char *listing_id(const struct listing *listing, size_t i);

/* The first entry with this id or, failing that, this name: its index, or LISTING_NONE. */
#define LISTING_NONE SIZE_MAX
size_t listing_find(const struct listing *listing, const char *id_or_name);

/* As bytes for the cache, and back. Formatting: 0 or -ENOMEM. Parsing: -EINVAL when the bytes are
 * not those of a listing. */
int listing_format(const struct listing *listing, struct buf *out);
int listing_parse(const char *data, size_t len, struct listing **out);

static inline void cleanup_listing(struct listing **listing)
{
    listing_unref(*listing);
}
#define LISTING_CLEANUP CLEANUP(cleanup_listing)
