/* SPDX-License-Identifier: Apache-2.0 */
/* A blob in memory: what all open files with one content share. Its identity is constant; the rest
 * is guarded by its lock, which belongs to fs/read/ and is held over no call out of it. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache/key.h"
#include "read/reach.h"
#include "read/streams.h"
#include "registry/listing.h"
#include "registry/registry.h"
#include "util/map.h"

struct flight;
struct span;

enum { BLOB_CHAINS = 16 };

struct blob {
    struct map_node node; /* in the fetch engine's table, by the first bytes of id */
    struct fetch *fetch;
    int refs; /* guarded by the engine's lock */
    /* -errno for every further read: -ESTALE, -EBADMSG; 0: none. Who opens the file then gets
     * another blob, and the registry is asked again. */
    atomic_int broken;

    /* constant */
    struct blob_id id;
    uint64_t size_bytes;
    bool has_digest; /* then id is the content's SHA-256 */
    char *project_id, *model_id, *file_id;

    pthread_mutex_t lock;   /* guards what follows */
    struct locator locator; /* url NULL: to be found */
    uint64_t n_located;     /* how often the URL was found anew */
    bool locating;
    struct span *unlocated;              /* spans that wait for the locator */
    struct flight *flights[BLOB_CHAINS]; /* by block; few at a time */
    struct streams streams;
    struct reach reach;     /* from the host's pace, when the last span ended */
    uint64_t offered_bytes; /* given to the cache by this process */
    bool verifying, verified;
};

/* What names a blob: (origin, place, entry). All borrowed. */
struct blob_source {
    const char *origin;
    struct registry_place place;
    const struct listing_entry *entry;
};

/* The content's SHA-256 where the registry knows it, else a hash of origin, path, validator (or
 * time) and size. */
void blob_source_id(const struct blob_source *source, struct blob_id *out);

/* Bytes of block @block: BLOCK_BYTES, less in the last. */
static inline uint32_t blob_block_bytes(const struct blob *blob, uint32_t block)
{
    uint64_t left = blob->size_bytes - block * BLOCK_BYTES;
    return (uint32_t)(left < BLOCK_BYTES ? left : BLOCK_BYTES);
}

/* A fresh blob that nobody else knows, or NULL. */
struct blob *blob_new(const struct blob_source *source);
void blob_free(struct blob *blob);
