/* SPDX-License-Identifier: Apache-2.0 */
/* LMDB is safe against processes that die, not against a file that is damaged: it follows whatever
 * page numbers it finds. So every call runs under a guard (cache/guard.h); a fault or a failed
 * assertion in there breaks the environment for good: its locks and memory are then in no known
 * state, so it is never touched again, not even to close it, and the next one to open the folder
 * starts anew.
 *
 * Read transactions are kept when they end and renewed for the next reader: that costs no lock. A
 * process whose map has become too small, because another with a larger limit made the file grow,
 * must map it again, and for that moment have no transaction alive: `in_use` is held shared by
 * every transaction and alone by the one that maps. */
#include "cache/env.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/folder.h"
#include "cache/guard.h"
#include "cache/mark.h"
#include "cache/page.h"
#include "cache/pages.h"

enum { MAIN_TABLE = 1, FIRST_TABLE }; /* LMDB's numbers; 0 is the list of free pages */

enum { N_RESTING = 64, MAX_READERS = 1022, MAX_TABLES = 64 };

/* What tables may take beyond their file: pages of a transaction that is not committed. */
#define SIZE_SLACK_BYTES (UINT64_C(64) << 20)

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

/* Broken environments are kept: freeing their memory under threads that may be inside is not safe.
 */
static struct env *lost;
static pthread_mutex_t lost_mutex = PTHREAD_MUTEX_INITIALIZER;

int env_set_broken(struct env *env)
{
    bool before = atomic_exchange(&env->broken, true);
    if (!before && env->safety == ENV_DISPOSABLE && folder_data_id(env->dir) == env->data_id)
        folder_set_broken(env->dir);
    return -EIO;
}

static bool is_damage(int rc)
{
    switch (rc) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE: /* a table's flags are not ours */
    case MDB_BAD_DBI:
    case GUARD_FAULT:
    case EIO:
        return true;
    default:
        return false;
    }
}

static int errno_of(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return -ENOENT;
    case MDB_KEYEXIST:
        return -EEXIST;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return -ENOSPC;
    case MDB_READERS_FULL:
    case MDB_DBS_FULL:
        return -EAGAIN;
    case MDB_BAD_VALSIZE:
        return -EINVAL;
    case MDB_BAD_TXN:
        return -ECANCELED;
    default:
        return rc > 0 ? -rc : -EIO;
    }
}

static int settle(struct env *env, int rc)
{
    if (!is_damage(rc))
        return errno_of(rc);
    return env_set_broken(env);
}

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
    unsigned flags = MDB_NOTLS | (options->safety == ENV_DISPOSABLE ? MDB_NOSYNC : 0);
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
    if (is_damage(rc) && options->safety == ENV_DISPOSABLE) {
        int r = folder_empty(options->dir);
        if (r < 0)
            return r;
        *dropped = true;
        rc = open_lmdb(options, &env->lmdb);
    }
    return errno_of(rc);
}

/* A file never gets smaller. One that is larger than its limit is made anew, unless somebody with a
 * larger limit is using it. */
static bool is_too_large(const struct env_options *options, bool alone)
{
    return alone && folder_data_bytes(options->dir) > options->map_bytes;
}

/* Throws away what cannot be believed: writes of another boot that were never synced, and what
 * somebody found damaged; and what is too large. */
static int discard_doubtful(const struct env_options *options, const char *boot_id, bool alone,
                            enum mark_found *found, bool *dropped)
{
    *found = MARK_NONE;
    if (options->safety == ENV_DURABLE)
        return 0;
    int r = mark_find(options->dir, boot_id, found);
    if (r < 0)
        return r;
    if (*found != MARK_LOST && !folder_is_broken(options->dir) && !is_too_large(options, alone))
        return 0;
    *dropped = true;
    return folder_empty(options->dir);
}

/* Maps the pages anew, as far as LMDB maps them now. */
static int look_at_pages(struct env *env)
{
    MDB_envinfo info;
    mdb_filehandle_t fd;
    pages_close(env->pages);
    env->pages = NULL;
    int rc = mdb_env_info(env->lmdb, &info);
    if (rc == 0)
        rc = mdb_env_get_fd(env->lmdb, &fd);
    return rc == 0 ? pages_open(fd, info.me_mapsize, &env->pages) : errno_of(rc);
}

static int open_in_folder(struct env *env, const struct env_options *options, const char *boot_id,
                          bool *dropped)
{
    enum mark_found found;
    bool alone;
    env->use = folder_use(options->dir, &alone);
    if (env->use < 0)
        return env->use;
    int r = discard_doubtful(options, boot_id, alone, &found, dropped);
    if (r == 0)
        r = open_or_renew(env, options, dropped);
    if (r < 0)
        return r;
    env->data_id = folder_data_id(options->dir);
    r = options->safety == ENV_DISPOSABLE ? look_at_pages(env) : 0;
    if (r < 0) {
        mdb_env_close(env->lmdb);
        return r;
    }
    if (found != MARK_NONE && GUARDED(mdb_env_sync(env->lmdb, 1)) == 0)
        mark_sweep(options->dir, boot_id);
    return 0;
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
    env_sync(env);
    if (env_is_broken(env) || GUARDED(close_lmdb(env)) != 0)
        keep_lost(env);
    else
        env_free(env);
}

bool env_is_broken(const struct env *env)
{
    return atomic_load(&((struct env *)env)->broken);
}

int env_sync(struct env *env)
{
    if (env_is_broken(env))
        return -EIO;
    if (env->mark && !mark_is_set(env->mark))
        return 0;
    int r = settle(env, GUARDED(mdb_env_sync(env->lmdb, 1)));
    if (r == 0 && env->mark)
        mark_clear(env->mark);
    return r;
}

static int map_again(struct env *env)
{
    pthread_rwlock_wrlock(&env->in_use);
    int rc = GUARDED(mdb_env_set_mapsize(env->lmdb, 0));
    if (rc == 0 && env->pages)
        rc = -look_at_pages(env);
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

int env_begin(struct env *env, bool writes, struct env_txn **out)
{
    if (env_is_broken(env))
        return -EIO;
    int r = writes && env->mark ? mark_set(env->mark) : 0;
    if (r < 0)
        return r;
    struct env_txn *txn = writes ? NULL : take_resting(env);
    if (!txn && !(txn = txn_alloc(env, writes)))
        return -ENOMEM;
    r = settle(env, begin(txn));
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
    return settle(env, GUARDED(mdb_txn_commit(txn->txn)));
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
    return env_is_broken(env) ? -EIO : settle(env, GUARDED(mdb_reader_check(env->lmdb, NULL)));
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

GUARD_ALONE static bool is_sound_table(struct env *env, const char *name)
{
    return !env->pages || GUARDED(pages_table_is_sound(env->pages, name)) == 1;
}

/* Tables are made in the order of their numbers: one that is missing while later ones are there has
 * lost its name to damage. */
static bool may_make_table(struct env_txn *txn, const char *name)
{
    struct env *env = txn->env;
    MDB_stat st = {0};
    if (env->safety == ENV_DURABLE)
        return true;
    return is_sound_table(env, name) && GUARDED(mdb_stat(txn->txn, MAIN_TABLE, &st)) == 0 &&
           st.ms_entries == env->n_tables;
}

static int open_table(struct env_txn *txn, const char *name, bool make, unsigned *out)
{
    MDB_dbi dbi = 0;
    if (make && !may_make_table(txn, name))
        return env_set_broken(txn->env);
    int r = settle(txn->env, GUARDED(mdb_dbi_open(txn->txn, name, make ? MDB_CREATE : 0, &dbi)));
    *out = dbi;
    return r;
}

static int try_table(struct env *env, const char *name, bool make, unsigned *out)
{
    struct env_txn *txn;
    int r = env_begin(env, make, &txn);
    if (r < 0)
        return r;
    r = open_table(txn, name, make, out);
    if (r == 0)
        return env_commit(txn);
    env_abort(txn);
    return r;
}

int env_table(struct env *env, const char *name, unsigned *out_table)
{
    int r = try_table(env, name, false, out_table);
    if (r == -ENOENT)
        r = try_table(env, name, true, out_table);
    if (r < 0)
        return r;
    env->n_tables++;
    if (*out_table < MAX_TABLES)
        env->table_names[*out_table] = name;
    return 0;
}

static MDB_val val_of(struct env_bytes bytes)
{
    return (MDB_val){.mv_size = bytes.len, .mv_data = (void *)bytes.data};
}

static struct env_bytes bytes_of(MDB_val val)
{
    return (struct env_bytes){.data = val.mv_data, .len = val.mv_size};
}

int env_get(struct env_txn *txn, unsigned table, struct env_bytes key, struct env_bytes *out_value)
{
    if (env_is_broken(txn->env))
        return -EIO;
    MDB_val k = val_of(key), v = {0};
    int r = settle(txn->env, GUARDED(mdb_get(txn->txn, table, &k, &v)));
    *out_value = bytes_of(v);
    return r;
}

/* Looks at the pages that a change of @key may touch. 0 or -EIO, and the environment is broken. */
static int look_before(struct env_txn *txn, unsigned table, struct env_bytes key)
{
    struct env *env = txn->env;
    if (env_is_broken(env))
        return -EIO;
    if (!env->pages || table >= MAX_TABLES || !env->table_names[table])
        return 0;
    bool sound =
        GUARDED(pages_are_sound(env->pages, env->table_names[table], key.data, key.len)) == 1;
    return sound ? 0 : env_set_broken(env);
}

static int put(struct env_txn *txn, unsigned table, struct env_bytes key, MDB_val *value,
               unsigned flags)
{
    if (look_before(txn, table, key) < 0)
        return -EIO;
    MDB_val k = val_of(key);
    return settle(txn->env, GUARDED(mdb_put(txn->txn, table, &k, value, flags)));
}

int env_put(struct env_txn *txn, unsigned table, struct env_bytes key, struct env_bytes value)
{
    MDB_val v = val_of(value);
    return put(txn, table, key, &v, 0);
}

int env_reserve(struct env_txn *txn, unsigned table, struct env_bytes key, size_t len,
                void **out_data)
{
    MDB_val v = {.mv_size = len};
    int r = put(txn, table, key, &v, MDB_RESERVE);
    *out_data = v.mv_data;
    return r;
}

int env_delete(struct env_txn *txn, unsigned table, struct env_bytes key)
{
    if (look_before(txn, table, key) < 0)
        return -EIO;
    MDB_val k = val_of(key);
    return settle(txn->env, GUARDED(mdb_del(txn->txn, table, &k, NULL)));
}

static int compare(const MDB_val *a, const MDB_val *b)
{
    int order = memcmp(a->mv_data, b->mv_data, a->mv_size < b->mv_size ? a->mv_size : b->mv_size);
    return order ? order : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

/* The first entry at or, with @after, behind *key. In tables that are out of order LMDB may find
 * one before it, and who goes on from there would never come to an end. LMDB's code. */
static int seek(struct env_txn *txn, unsigned table, bool after, MDB_val *key, MDB_val *value)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn->txn, table, &cursor);
    if (rc != 0)
        return rc;
    MDB_val wanted = *key;
    rc = mdb_cursor_get(cursor, key, value, wanted.mv_size ? MDB_SET_RANGE : MDB_FIRST);
    if (rc == 0 && after && compare(key, &wanted) == 0)
        rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
    mdb_cursor_close(cursor);
    if (rc == 0 && wanted.mv_size && compare(key, &wanted) < after)
        return MDB_CORRUPTED;
    return rc;
}

static int seek_guarded(struct env_txn *txn, unsigned table, bool after, struct env_bytes *key,
                        struct env_bytes *out_value)
{
    if (env_is_broken(txn->env))
        return -EIO;
    MDB_val k = val_of(*key), v = {0};
    int r = settle(txn->env, GUARDED(seek(txn, table, after, &k, &v)));
    if (r == 0) {
        *key = bytes_of(k);
        *out_value = bytes_of(v);
    }
    return r;
}

int env_seek(struct env_txn *txn, unsigned table, struct env_bytes *key,
             struct env_bytes *out_value)
{
    return seek_guarded(txn, table, false, key, out_value);
}

int env_next(struct env_txn *txn, unsigned table, struct env_bytes *key,
             struct env_bytes *out_value)
{
    return seek_guarded(txn, table, true, key, out_value);
}

/* Adds a table's pages to *bytes. LMDB's code. */
static int add_pages(struct env_txn *txn, MDB_dbi dbi, uint64_t *bytes)
{
    MDB_stat st;
    int rc = mdb_stat(txn->txn, dbi, &st);
    if (rc == 0)
        *bytes +=
            (uint64_t)(st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages) * st.ms_psize;
    return rc;
}

static int measure(struct env_txn *txn, unsigned table, struct env_usage *out)
{
    MDB_envinfo info;
    int rc = mdb_env_info(txn->env->lmdb, &info);
    MDB_stat st = {0};
    if (rc == 0)
        rc = mdb_stat(txn->txn, table, &st);
    if (rc == 0)
        rc = add_pages(txn, table, &out->table_bytes);
    for (MDB_dbi i = MAIN_TABLE; rc == 0 && i < FIRST_TABLE + txn->env->n_tables; i++)
        rc = add_pages(txn, i, &out->used_bytes);
    out->file_bytes = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
    out->map_bytes = info.me_mapsize;
    out->n_entries = st.ms_entries;
    return rc;
}

int env_usage(struct env_txn *txn, unsigned table, struct env_usage *out)
{
    *out = (struct env_usage){0};
    if (env_is_broken(txn->env))
        return -EIO;
    int r = settle(txn->env, GUARDED(measure(txn, table, out)));
    /* tables that are larger than their file are damaged, and nothing would ever make them small */
    bool sane = out->used_bytes <= out->file_bytes + SIZE_SLACK_BYTES;
    return r == 0 && !sane ? env_set_broken(txn->env) : r;
}
