/* SPDX-License-Identifier: Apache-2.0 */
/* What a block cache is made of, for blocks.c and view.c. */
#pragma once

#include <stdatomic.h>

#include "cache/blocks.h"
#include "cache/pending.h"
#include "cache/tables.h"
#include "cache/tokens.h"
#include "cache/writer.h"

struct blocks {
    struct blocks_options options; /* dir: owned */
    struct tables tables;
    struct pending *pending;
    struct tokens *tokens;
    struct writer *writer;
    struct meta *meta;
    _Atomic uint64_t hits, misses, dropped_offers, damaged;
};
