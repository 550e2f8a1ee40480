/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "cache/env_private.h"

static int map_again(struct env *env)
{
    pthread_rwlock_wrlock(&env->in_use);
    int rc = GUARDED(mdb_env_set_mapsize(env->lmdb, 0));
    if (rc == 0 && env->pages)
        rc = -env_look_at_pages(env);
    pthread_rwlock_unlock(&env->in_use);
    return rc;
}

static int begin_new(struct env *env, bool writes, MDB_txn **out)
{
    return GUARDED(mdb_txn_begin(env->lmdb, NULL, writes ? 0 : MDB_RDONLY, out));
}

static struct env_txn *take_resting(struct env *env)
{
    pthread_mutex_lock(&env->mutex);
    struct env_txn *txn = env->n_resting > 0 ? env->resting[--env->n_resting] : NULL;
    pthread_mutex_unlock(&env->mutex);
    return txn;
}

/* Keeps @txn for the next reader. False when there are enough. */
static bool rest(struct env_txn *txn)
{
    struct env *env = txn->env;
    pthread_mutex_lock(&env->mutex);
    bool kept = env->n_resting < N_RESTING;
    if (kept)
        env->resting[env->n_resting++] = txn;
    pthread_mutex_unlock(&env->mutex);
    return kept;
}

/* Begins @txn once, `in_use` held. LMDB's code. */
static int begin_held(struct env_txn *txn)
{
    return txn->txn ? GUARDED(mdb_txn_renew(txn->txn))
                    : begin_new(txn->env, txn->writes, &txn->txn);
}

/* Begins @txn and keeps `in_use` when that worked. LMDB's code. */
static int begin(struct env_txn *txn)
{
    struct env *env = txn->env;
    for (;;) {
        pthread_rwlock_rdlock(&env->in_use);
        int rc = begin_held(txn);
        if (rc == 0)
            return 0;
        pthread_rwlock_unlock(&env->in_use);
        if (rc == MDB_MAP_RESIZED)
            rc = map_again(env);
        if (rc != 0)
            return rc;
    }
}

/* A transaction that did not begin. */
static void discard(struct env_txn *txn)
{
    if (txn->txn && !env_is_broken(txn->env))
        mdb_txn_abort(txn->txn);
    free(txn);
}

static struct env_txn *txn_alloc(struct env *env, bool writes)
{
    struct env_txn *txn = calloc(1, sizeof(*txn));
    if (!txn)
        return NULL;
    txn->env = env;
    txn->writes = writes;
    return txn;
}

GUARD_ALONE static bool is_sound_begin(struct env *env)
{
    return !env->pages || GUARDED(pages_begin(env->pages)) == 1;
}

/* Leaves a write transaction, begun in a file that turns out to be damaged, as it is. */
static int give_up(struct env_txn *txn)
{
    int r = env_set_broken(txn->env);
    env_abort(txn);
    return r;
}

GUARD_ALONE static void audit_guarded(struct env_txn *txn)
{
    struct pages *pages = txn->env->pages;
    if (pages)
        GUARDED(pages_audit(pages, mdb_txn_id(txn->txn)));
}

/* Before the first change, and before the write lock is taken for it: other processes need not wait
 * for that. What it says is settled by is_sound_begin(). */
static void audit_ahead(struct env *env)
{
    struct env_txn *txn;
    if (env->audited_ahead || env_begin(env, false, &txn) < 0)
        return;
    env->audited_ahead = true;
    audit_guarded(txn);
    env_abort(txn);
}

/* What comes before the first change of a disposable one. */
static int prepare_write(struct env *env)
{
    int r = env->mark ? mark_set(env->mark) : 0;
    if (r == 0)
        audit_ahead(env);
    return r;
}

int env_begin(struct env *env, bool writes, struct env_txn **out)
{
    if (env_is_broken(env))
        return -EIO;
    int r = writes ? prepare_write(env) : 0;
    if (r < 0)
        return r;
    struct env_txn *txn = writes ? NULL : take_resting(env);
    if (!txn && !(txn = txn_alloc(env, writes)))
        return -ENOMEM;
    r = env_settle(env, begin(txn));
    if (r < 0)
        discard(txn);
    else if (writes && !is_sound_begin(env))
        r = give_up(txn);
    else
        *out = txn;
    return r;
}

static int commit(struct env_txn *txn)
{
    struct env *env = txn->env;
    if (env_is_broken(env))
        return -EIO;
    return env_settle(env, GUARDED(mdb_txn_commit(txn->txn)));
}

/* Frees a transaction that LMDB has ended, or puts aside one that it did not. */
static void txn_free(struct env_txn *txn)
{
    struct env *env = txn->env;
    if (!env_is_broken(env)) {
        free(txn);
        return;
    }
    pthread_mutex_lock(&env->mutex);
    txn->next = env->abandoned;
    env->abandoned = txn;
    pthread_mutex_unlock(&env->mutex);
}

int env_commit(struct env_txn *txn)
{
    int r = commit(txn);
    pthread_rwlock_unlock(&txn->env->in_use);
    txn_free(txn);
    return r;
}

int env_forget_dead_readers(struct env *env)
{
    return env_is_broken(env) ? -EIO : env_settle(env, GUARDED(mdb_reader_check(env->lmdb, NULL)));
}

static int abort_held(struct env_txn *txn)
{
    if (txn->writes)
        mdb_txn_abort(txn->txn);
    else
        mdb_txn_reset(txn->txn);
    return 0;
}

/* On its own, so that the guard's jump comes back into a function with nothing to lose. */
GUARD_ALONE static int abort_guarded(struct env_txn *txn)
{
    return GUARDED(abort_held(txn));
}

void env_abort(struct env_txn *txn)
{
    if (!txn)
        return;
    struct env *env = txn->env;
    bool works = !env_is_broken(env) && abort_guarded(txn) == 0;
    pthread_rwlock_unlock(&env->in_use);
    if (works && !txn->writes && rest(txn))
        return;
    if (works && !txn->writes)
        mdb_txn_abort(txn->txn);
    txn_free(txn);
}
