/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an environment share: env_codes.c (LMDB's codes), env_open.c (its life),
 * env_txn.c (its transactions) and env_values.c (tables and what is in them).
 *
 * LMDB is safe against processes that die, not against a file that is damaged: it follows whatever
 * page numbers it finds. So every call runs under a guard (cache/guard.h); a fault or a failed
 * assertion in there breaks the environment for good: its locks and memory are then in no known
 * state, so it is never touched again, not even to close it, and the next one to open the folder
 * starts anew.
 *
 * Read transactions are kept when they end and renewed for the next reader: that costs no lock. A
 * process whose map has become too small, because another with a larger limit made the file grow,
 * must map it again, and for that moment have no transaction alive: `in_use` is held shared by
 * every transaction and alone by the one that maps. */
#pragma once

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cache/env.h"
#include "cache/guard.h"
#include "cache/mark.h"
#include "cache/pages.h"

enum { N_RESTING = 64, MAX_TABLES = 64 };

struct env_txn {
    struct env_txn *next; /* among the abandoned */
    struct env *env;
    MDB_txn *txn;
    bool writes;
};

struct env {
    MDB_env *lmdb;
    char *dir;
    enum env_safety safety;
    struct pages *pages;                 /* of a disposable one: looked at before each change */
    bool audited_ahead;                  /* tried; of the thread that writes */
    const char *table_names[MAX_TABLES]; /* by number; borrowed */
    unsigned n_tables; /* opened; LMDB's handles are 2 and up, in the order of their opening */
    unsigned long data_id;
    struct mark *mark; /* NULL: durable */
    int use;           /* held open: says that the folder is in use */
    pthread_rwlock_t in_use;
    pthread_mutex_t mutex; /* guards the next two */
    struct env_txn *resting[N_RESTING];
    int n_resting;
    struct env_txn *abandoned; /* of a broken environment: LMDB may still be looking at them */
    atomic_bool broken;
    struct env *next_lost;
};

/* -errno of LMDB's code. */
int env_errno(int rc);
/* Whether LMDB's code, or the guard's, tells of damage. */
bool env_is_damage(int rc);
/* -errno of what a call on @env gave; damage breaks it. */
int env_settle(struct env *env, int rc);
/* Looks at the pages anew, as far as LMDB maps them now. 0 or -errno. */
int env_look_at_pages(struct env *env);
