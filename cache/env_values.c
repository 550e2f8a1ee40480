/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cache/env_private.h"

enum { MAIN_TABLE = 1, FIRST_TABLE }; /* LMDB's numbers; 0 is the list of free pages */

/* What tables may take beyond their file: pages of a transaction that is not committed. */
#define SIZE_SLACK_BYTES (UINT64_C(64) << 20)

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

static int open_dbi(struct env_txn *txn, const char *name, unsigned flags, unsigned *out)
{
    MDB_dbi dbi = 0;
    int r = env_settle(txn->env, GUARDED(mdb_dbi_open(txn->txn, name, flags, &dbi)));
    *out = dbi;
    return r;
}

/* Another process may have made it since we looked: then it is there, and so may be later ones. */
static int make_in(struct env_txn *txn, const char *name, unsigned *out)
{
    int r = open_dbi(txn, name, 0, out);
    if (r != -ENOENT)
        return r;
    return may_make_table(txn, name) ? open_dbi(txn, name, MDB_CREATE, out)
                                     : env_set_broken(txn->env);
}

static int try_table(struct env *env, const char *name, bool make, unsigned *out)
{
    struct env_txn *txn;
    int r = env_begin(env, make, &txn);
    if (r < 0)
        return r;
    r = make ? make_in(txn, name, out) : open_dbi(txn, name, 0, out);
    if (r == 0)
        return env_commit(txn);
    env_abort(txn);
    return r;
}

struct making {
    struct env *env;
    const char *name;
    unsigned *out;
    int result;
};

static void *make_table(void *arg)
{
    struct making *making = arg;
    making->result = try_table(making->env, making->name, true, making->out);
    return NULL;
}

/* On a thread of its own: should the environment break while it holds LMDB's write lock, that goes
 * back to other processes with the thread. */
static int make_table_apart(struct env *env, const char *name, unsigned *out)
{
    struct making making = {.env = env, .name = name, .out = out};
    pthread_t thread;
    int r = -pthread_create(&thread, NULL, make_table, &making);
    if (r < 0)
        return r;
    pthread_join(thread, NULL);
    return making.result;
}

int env_table(struct env *env, const char *name, unsigned *out_table)
{
    int r = try_table(env, name, false, out_table);
    if (r == -ENOENT)
        r = make_table_apart(env, name, out_table);
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
    int r = env_settle(txn->env, GUARDED(mdb_get(txn->txn, table, &k, &v)));
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

/* For a value that may need more free pages than any transaction. 0 or -EIO. */
static int look_before_large(struct env *env, size_t len)
{
    if (!env->pages || len <= PAGES_ENOUGH_BYTES)
        return 0;
    return GUARDED(pages_all_free_are_sound(env->pages)) == 1 ? 0 : env_set_broken(env);
}

static int put(struct env_txn *txn, unsigned table, struct env_bytes key, MDB_val *value,
               unsigned flags)
{
    if (look_before(txn, table, key) < 0 || look_before_large(txn->env, value->mv_size) < 0)
        return -EIO;
    MDB_val k = val_of(key);
    return env_settle(txn->env, GUARDED(mdb_put(txn->txn, table, &k, value, flags)));
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
    return env_settle(txn->env, GUARDED(mdb_del(txn->txn, table, &k, NULL)));
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
    int r = env_settle(txn->env, GUARDED(seek(txn, table, after, &k, &v)));
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

void env_set_aside(struct env *env, uint64_t bytes)
{
    mdb_filehandle_t fd;
    struct stat st;
    if (env_is_broken(env) || mdb_env_get_fd(env->lmdb, &fd) != 0 || fstat(fd, &st) != 0)
        return;
    if (bytes > (uint64_t)st.st_size && bytes <= INT64_MAX)
        fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)bytes - st.st_size);
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
    int r = env_settle(txn->env, GUARDED(measure(txn, table, out)));
    /* tables that are larger than their file are damaged, and nothing would ever make them small */
    bool sane = out->used_bytes <= out->file_bytes + SIZE_SLACK_BYTES;
    return r == 0 && !sane ? env_set_broken(txn->env) : r;
}
