/* SPDX-License-Identifier: Apache-2.0 */
/* LevelDB's table files (google/leveldb, doc/table_format.md), the form that TensorFlow's indexes
 * of checkpoints have: sorted pairs of key and value, in blocks with checksums. Pure; not
 * thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/glimpse.h"

enum {
    SSTABLE_MAX_KEY_BYTES = 64 << 10,
    /* A file of at most that is asked for whole at once: a round trip costs more than the bytes. Of
     * a larger one its end is asked for first, which tells whether it is a table. */
    SSTABLE_WHOLE_BYTES = 4 << 20,
};

struct sstable_pair {
    const uint8_t *key, *value; /* borrowed until the callback returns */
    size_t key_len, value_len;
};

/* Stops the iteration when it returns other than 0. */
typedef int sstable_fn(void *ctx, const struct sstable_pair *pair);

/* Calls @fn with each pair, by ascending keys, none twice; not before all of the file is here.
 * -EAGAIN while it is not; -EBADMSG for what is no table, or fails its checksums (then some pairs
 * were given); -EFBIG; -ENOMEM; what @fn returned. */
int sstable_each(struct glimpse *glimpse, sstable_fn *fn, void *ctx);
