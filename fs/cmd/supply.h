/* SPDX-License-Identifier: Apache-2.0 */
/* The files that get copies, wherever they come from: a table of items, and their bytes from first
 * to last. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/arena.h"
#include "util/digest.h"

struct subject;

struct supply_item {
    const char *path; /* where it belongs: parts that are directory entries, with `/` between */
    uint64_t size_bytes;
    int64_t mtime_ns; /* 0: not known */
    bool has_digest;
    struct digest digest;
    uint32_t ref; /* the supply's own */
};

/* One file's bytes, in order. */
struct supply_stream;

struct supply_ops {
    /* From byte @off on. 0 or -errno. */
    int (*open)(void *self, const struct supply_item *item, uint64_t off,
                struct supply_stream **out);
    /* The next bytes, borrowed until the next call on the stream: how many, 0 at the end, -EINTR
     * when an interrupt was seen, or -errno: -ESTALE when the file is another one by now. */
    ssize_t (*next)(struct supply_stream *stream, const void **out_data);
    void (*close)(struct supply_stream *stream);
    void (*free)(void *self);
};

struct supply {
    const struct supply_ops *ops;
    void *self;
    struct supply_item *items; /* owned; sorted by path, as bytes */
    size_t n;
    uint64_t size_bytes; /* of all */
    struct arena *texts;
};

/* What to copy of a model, in the registry's own layout, or of a checkpoint. Each prints what is
 * wrong and gives an exit code. @subject is borrowed and must outlive the supply. */
int supply_open_url(struct subject *subject, struct supply *out);
/* The same in a mount; of any other directory or file just that. */
int supply_open_path(struct subject *subject, struct supply *out);
void supply_close(struct supply *supply);

/* Adds an item; @item->path is copied. 0, -ENOMEM or -EOVERFLOW. Sorts no more before
 * supply_sort(). */
int supply_add(struct supply *supply, const struct supply_item *item);
void supply_sort(struct supply *supply);

/* Whether there is an item at @path. */
bool supply_has(const struct supply *supply, const char *path);
