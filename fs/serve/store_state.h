/* SPDX-License-Identifier: Apache-2.0 */
/* What a store is made of: for store.c and store_open.c only. */
#pragma once

#include "cache/env.h"
#include "serve/sign.h"
#include "util/buf.h"

enum { STORE_TABLES_MAX = 8 };

struct store {
    struct env *env;
    struct objects *objects;
    int lock_fd;                       /* flock: one server */
    unsigned tables[STORE_TABLES_MAX]; /* the environment's numbers of enum store_table */
    struct sign_secret secret;
};

struct store_txn {
    struct store *store;
    struct env_txn *env;
    struct buf dropped;   /* digests whose count came down to 0 */
    struct buf installed; /* digests that have a name and, until the commit, no record */
};
