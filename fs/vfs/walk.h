/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads the files of a directory one after another, in which order, and how far ahead of them
 * to be: `cp -r`, `rsync`, a loader with its shards. Files are known by their inode numbers. Pure;
 * the caller guards it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WALKS_MAX = 8,
    WALK_FIRST_FILES = 4, /* ahead, by name */
    WALK_MAX_FILES = 128, /* ahead: enough for a file a millisecond over a round trip of 100 ms */
};

/* `rsync` and `tar` go by name, GNU `cp` and `rm` by inode number. */
enum walk_order { WALK_BY_NAME, WALK_BY_INO };

struct walk {
    uint64_t last;    /* the file that was read last; 0: the walk is free */
    uint64_t used_at; /* walks.clock then */
    enum walk_order order;
    unsigned n_files; /* how many to be ahead; 0: one file is no walk yet */
    unsigned n_ahead;
    uint64_t ahead[WALK_MAX_FILES]; /* expected next, in their order */
};

struct walks {
    struct walk items[WALKS_MAX];
    uint64_t clock;
};

/* What to fetch: of the @n files that come after @ino (0: none) all but the first @n_known. */
struct walk_ask {
    uint64_t ino;
    enum walk_order order;
    unsigned n, n_known;
};

/* Notes that @ino is read, when a walk expected that: true, and *out says what to fetch. The walk
 * is twice as far ahead each time half of what it expected was read. */
bool walks_advance(struct walks *w, uint64_t ino, struct walk_ask *out);

/* Files that were read last, latest first: whoever @ino may follow. Returns how many. */
size_t walks_last(const struct walks *w, uint64_t out[WALKS_MAX]);

/* Notes that @ino, which no walk expected, was read and comes after @last in @order. */
void walks_begin(struct walks *w, uint64_t last, uint64_t ino, enum walk_order order,
                 struct walk_ask *out);

/* Notes that @ino was read, which follows nobody. */
void walks_restart(struct walks *w, uint64_t ino);

/* @inos, in their order, are what came of @ask: here, on their way or just expected. */
void walks_expect(struct walks *w, const struct walk_ask *ask, const uint64_t *inos, size_t n);
