/* SPDX-License-Identifier: Apache-2.0 */
/* A study: the files of an inquiry are read by ranges, all that a round wants at once, so that many
 * files take as many round trips as the deepest of them. Nothing waits: rounds run on the pool, and
 * bytes come as they come for any reader. */
#pragma once

#include "model/inquiry.h"
#include "read/fetch.h"
#include "registry/listing.h"
#include "registry/registry.h"

struct pool;

/* What reads, and whose files. Borrowed until the study is done. */
struct study_target {
    struct fetch *fetch;
    struct pool *pool;
    const char *origin; /* the registry's URL */
    struct registry_place place;
    const struct listing *listing; /* of the model */
    const uint32_t *entries;       /* [the inquiry's number of a file]: the listing's */
};

/* Is told, once, maybe before study_begin() returns: 0 when each file of the inquiry has its
 * result, or -ENOMEM. */
typedef void study_done_fn(void *ctx, int err);

/* Reads for @inquiry until each of its files has a result; what cannot be read has the reader's
 * -errno. @inquiry is borrowed until then. Not for FUSE workers: parsing takes time. */
void study_begin(const struct study_target *target, struct inquiry *inquiry, study_done_fn *done,
                 void *ctx);
