/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/env_private.h"
#include "cache/folder.h"
#include "cache/page.h"

enum { MAX_READERS = 1022 };

/* Broken environments are kept: freeing their memory under threads that may be inside is not safe.
 */
static struct env *lost;
static pthread_mutex_t lost_mutex = PTHREAD_MUTEX_INITIALIZER;

static void on_assert(MDB_env *lmdb, const char *text)
{
    (void)lmdb;
    (void)text;
    guard_fail();
}

static void env_free(struct env *env)
{
    if (!env)
        return;
    mark_free(env->mark);
    pages_close(env->pages);
    if (env->use >= 0)
        close(env->use);
    pthread_rwlock_destroy(&env->in_use);
    pthread_mutex_destroy(&env->mutex);
    free(env->dir);
    free(env);
}

static struct env *env_alloc(const struct env_options *options, const char *boot_id)
{
    struct env *env = calloc(1, sizeof(*env));
    if (!env)
        return NULL;
    pthread_rwlock_init(&env->in_use, NULL);
    pthread_mutex_init(&env->mutex, NULL);
    env->safety = options->safety;
    env->use = -1;
    env->dir = strdup(options->dir);
    if (env->dir && options->safety == ENV_DISPOSABLE)
        env->mark = mark_new(options->dir, boot_id);
    if (env->dir && (env->mark || options->safety == ENV_DURABLE))
        return env;
    env_free(env);
    return NULL;
}

/* LMDB's code. */
static int configure(MDB_env *lmdb, const struct env_options *options)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int rc = mdb_env_set_mapsize(lmdb, options->map_bytes / page * page);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(lmdb, options->n_tables);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(lmdb, MAX_READERS);
    return rc;
}

/* LMDB believes what stands in the header, and does not survive all of it. LMDB's code. */
static int check_header(const struct env_options *options)
{
    int fd = folder_open_data(options->dir);
    if (fd < 0)
        return fd == -ENOENT ? 0 : -fd;
    bool sound = page_header_is_sound(fd);
    close(fd);
    return sound ? 0 : MDB_CORRUPTED;
}

static int start_lmdb(MDB_env *lmdb, const struct env_options *options)
{
    int rc = check_header(options);
    if (rc == 0)
        rc = configure(lmdb, options);
    if (rc != 0)
        return rc;
    unsigned flags =
        MDB_NOTLS | (options->safety == ENV_DISPOSABLE ? MDB_NOSYNC | MDB_NORDAHEAD : 0);
    rc = mdb_env_open(lmdb, options->dir, flags, 0600);
    if (rc == 0)
        rc = mdb_env_set_assert(lmdb, on_assert);
    return rc == 0 ? mdb_reader_check(lmdb, NULL) : rc;
}

/* Opens LMDB's own environment. LMDB's code. */
static int open_lmdb(const struct env_options *options, MDB_env **out)
{
    MDB_env *lmdb;
    int rc = mdb_env_create(&lmdb);
    if (rc != 0)
        return rc;
    rc = GUARDED(start_lmdb(lmdb, options));
    if (rc == 0)
        *out = lmdb;
    else if (rc != GUARD_FAULT)
        mdb_env_close(lmdb);
    return rc;
}

/* Opens it, and when it is damaged and may be thrown away, once more after that. */
static int open_or_renew(struct env *env, const struct env_options *options, bool *dropped)
{
    int rc = open_lmdb(options, &env->lmdb);
    if (env_is_damage(rc) && options->safety == ENV_DISPOSABLE) {
        int r = folder_empty(options->dir);
        if (r < 0)
            return r;
        *dropped = true;
        rc = open_lmdb(options, &env->lmdb);
    }
    return env_errno(rc);
}

/* A file never gets smaller. One that is larger than its limit is made anew, unless somebody with a
 * larger limit is using it. */
static bool is_too_large(const struct env_options *options, bool alone)
{
    return alone && folder_data_bytes(options->dir) > options->map_bytes;
}

/* Throws away what cannot be believed: writes of another boot that were never synced, and what
 * somebody found damaged; and what is too large. */
static int discard_doubtful(struct env *env, const struct env_options *options, const char *boot_id,
                            bool alone, bool *dropped)
{
    if (options->safety == ENV_DURABLE)
        return 0;
    int unsynced = mark_find_lost(options->dir, boot_id);
    if (unsynced < 0)
        return unsynced;
    if (!unsynced && !folder_is_broken(options->dir) && !is_too_large(options, alone))
        return 0;
    *dropped = true;
    int r = folder_empty(options->dir);
    if (r == 0 && unsynced)
        r = mark_renew_lost(options->dir, boot_id);
    if (r == 0 && unsynced)
        mark_adopt(env->mark); /* about what this process makes now */
    return r;
}

/* Maps the pages anew, as far as LMDB maps them now. */
int env_look_at_pages(struct env *env)
{
    MDB_envinfo info;
    mdb_filehandle_t fd;
    pages_close(env->pages);
    env->pages = NULL;
    int rc = mdb_env_info(env->lmdb, &info);
    if (rc == 0)
        rc = mdb_env_get_fd(env->lmdb, &fd);
    return rc == 0 ? pages_open(fd, info.me_mapsize, &env->pages) : env_errno(rc);
}

static int open_in_folder(struct env *env, const struct env_options *options, const char *boot_id,
                          bool *dropped)
{
    bool alone;
    env->use = folder_use(options->dir, &alone);
    if (env->use < 0)
        return env->use;
    int r = discard_doubtful(env, options, boot_id, alone, dropped);
    if (r == 0)
        r = open_or_renew(env, options, dropped);
    if (r < 0)
        return r;
    env->data_id = folder_data_id(options->dir);
    r = options->safety == ENV_DISPOSABLE ? env_look_at_pages(env) : 0;
    if (r < 0)
        mdb_env_close(env->lmdb);
    return r;
}

static int open_locked(const struct env_options *options, const char *boot_id, struct env **out,
                       bool *dropped)
{
    int lock = folder_lock(options->dir);
    if (lock < 0)
        return lock;
    struct env *env = env_alloc(options, boot_id);
    int r = env ? open_in_folder(env, options, boot_id, dropped) : -ENOMEM;
    close(lock);
    if (r < 0)
        env_free(env);
    else
        *out = env;
    return r;
}

int env_open(const struct env_options *options, struct env **out, bool *out_dropped)
{
    guard_install();
    bool dropped = false;
    char boot_id[37] = "";
    int r = options->boot_id ? 0 : mark_boot_id(boot_id);
    if (r == 0)
        r = folder_make(options->dir);
    if (r == 0)
        r = open_locked(options, options->boot_id ? options->boot_id : boot_id, out, &dropped);
    if (out_dropped)
        *out_dropped = r == 0 && dropped;
    return r;
}

static void free_resting(struct env *env)
{
    for (int i = 0; i < env->n_resting; i++) {
        mdb_txn_abort(env->resting[i]->txn);
        free(env->resting[i]);
    }
    env->n_resting = 0;
}

static int sync_held(struct env *env)
{
    if (env_is_broken(env))
        return -EIO;
    if (env->mark && !mark_is_held(env->mark))
        return 0;
    int r = env_settle(env, GUARDED(mdb_env_sync(env->lmdb, 1)));
    if (r == 0 && env->mark)
        mark_clear(env->mark);
    return r;
}

static void keep_lost(struct env *env)
{
    pthread_mutex_lock(&lost_mutex);
    env->next_lost = lost;
    lost = env;
    pthread_mutex_unlock(&lost_mutex);
}

static int close_lmdb(struct env *env)
{
    free_resting(env);
    mdb_env_close(env->lmdb);
    return 0;
}

void env_close(struct env *env)
{
    if (!env)
        return;
    sync_held(env);
    if (env_is_broken(env) || GUARDED(close_lmdb(env)) != 0)
        keep_lost(env);
    else
        env_free(env);
}

/* A mark of somebody who died waits for an idle moment of somebody who lives, and who has the same
 * file open: the folder may have begun anew since. */
int env_sync(struct env *env)
{
    if (env_is_broken(env))
        return -EIO;
    if (env->mark)
        mark_adopt(env->mark);
    if (env->mark && folder_data_id(env->dir) != env->data_id)
        mark_give_back(env->mark);
    return sync_held(env);
}
