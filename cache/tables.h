/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a block cache's environment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache/env.h"
#include "cache/key.h"

struct tables {
    struct env *env;
    unsigned blocks; /* block key -> record (cache/record.h) */
    unsigned uses;   /* block key -> when it was last used: nanoseconds since 1970, 8 bytes, big end
                        first */
    unsigned order;  /* the same moment, then block key -> nothing: oldest use first */
    unsigned pins;   /* blob id -> nothing */
    unsigned meta;   /* key of text -> moment, checksum, value (cache/meta.c) */
};

/* Opens the environment in @dir with its tables. As env_open(). */
int tables_open(const char *dir, uint64_t map_bytes, struct tables *out, bool *out_dropped);

/* To be called before a block's entry is replaced or removed: an entry that leads to another block
 * would take that one's pages away from under it. 0: it is its own, damaged, or there is none;
 * -EIO: another's, and the environment is broken. */
int tables_check_entry(struct env_txn *txn, const struct tables *tables,
                       const uint8_t key[BLOCK_KEY_BYTES]);
