/* SPDX-License-Identifier: Apache-2.0 */
/* What a block cache is made of, for blocks.c and view.c. */
#pragma once

#include <stdatomic.h>

#include "cache/pending.h"
#include "cache/report.h"
#include "cache/tables.h"
#include "cache/tokens.h"
#include "cache/writer.h"

struct blocks {
    char *dir; /* of this version's environment; owned */
    uint64_t limit_bytes, min_free_bytes;
    report_fn *report; /* may be NULL */
    void *report_ctx;
    struct tables tables;
    struct pending *pending;
    struct tokens *tokens;
    struct writer *writer;
    struct meta *meta;
    _Atomic uint64_t hits, misses, dropped_offers, damaged;
};
