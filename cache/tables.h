/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a block cache's environment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache/env.h"

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
