/* SPDX-License-Identifier: Apache-2.0 */
/* An LMDB environment: one directory of tables, read and written in transactions, shared by all
 * processes of the host that open it. The only room that knows LMDB, and the one place where its
 * codes become -errno: MDB_NOTFOUND -ENOENT, MDB_KEYEXIST -EEXIST, MDB_MAP_FULL -ENOSPC,
 * MDB_MAP_RESIZED is settled inside, and all that speaks of damage (MDB_CORRUPTED,
 * MDB_PAGE_NOTFOUND, MDB_INVALID, a failed LMDB assertion, a fault inside the map) -EIO, after
 * which the environment stays broken until it is opened anew.
 *
 * An environment may be open once in a process. Any thread may call; a transaction belongs to the
 * thread that uses it. In a disposable one all that writes and syncs must come from one thread at a
 * time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct env_txn;

enum env_safety {
    ENV_DURABLE,    /* a commit is on the disk when it returns: the registry's metadata */
    ENV_DISPOSABLE, /* commits survive a crash of processes; after a crash of the machine the tables
                       are dropped. Large values want cache/resident.h before they are looked at */
};

struct env_options {
    const char *dir; /* made 0700 when missing; refused with -EPERM when owned by somebody else */
    uint64_t map_bytes; /* hard limit of the data file's size */
    unsigned n_tables;  /* most tables that env_table() may open */
    enum env_safety safety;
    const char *boot_id; /* for tests; NULL: the kernel's */
};

/* A key or a value. Out of a transaction the bytes are borrowed: from LMDB's map, valid until that
 * transaction ends. */
struct env_bytes {
    const void *data;
    size_t len;
};

/* Opens or makes the environment. Disposable ones that are damaged or were not synced before
 * another boot are emptied and made anew (*out_dropped says so, may be NULL); durable ones give
 * -EIO. -EACCES, -EROFS, -ENOSPC and the like as the file system says. */
int env_open(const struct env_options *options, struct env **out, bool *out_dropped);
/* Syncs what this process wrote; NULL is fine. */
void env_close(struct env *env);

/* Opens (makes) the table @name (borrowed as long as the environment is open), to be called once
 * before other threads work. Keys sort as bytes.
 * Returns 0 and its number. */
int env_table(struct env *env, const char *name, unsigned *out_table);

/* Begins a transaction. One that writes waits for the writer of this or another process, one that
 * reads waits for nobody. */
int env_begin(struct env *env, bool writes, struct env_txn **out);
/* Ends it. After a commit that failed nothing of it was written. */
int env_commit(struct env_txn *txn);
void env_abort(struct env_txn *txn); /* NULL is fine */

/* Lets go what readers hold that were killed: pages that would never be used again. */
int env_forget_dead_readers(struct env *env);

/* -ENOENT when there is no such key. */
int env_get(struct env_txn *txn, unsigned table, struct env_bytes key, struct env_bytes *out_value);
int env_put(struct env_txn *txn, unsigned table, struct env_bytes key, struct env_bytes value);
/* Makes room for a value of @len bytes under @key and returns where to write it before the next
 * call on this transaction. */
int env_reserve(struct env_txn *txn, unsigned table, struct env_bytes key, size_t len,
                void **out_data);
/* -ENOENT when there was none. */
int env_delete(struct env_txn *txn, unsigned table, struct env_bytes key);
/* Finds the first entry whose key is >= *key (all of a table: a key of length 0), and sets *key and
 * *out_value to it. -ENOENT at the end. */
int env_seek(struct env_txn *txn, unsigned table, struct env_bytes *key,
             struct env_bytes *out_value);
/* The same for the first key that is > *key. */
int env_next(struct env_txn *txn, unsigned table, struct env_bytes *key,
             struct env_bytes *out_value);

/* Has the disk set room aside for the file up to @bytes (at most its hard limit): what is written
 * there later costs a quarter less, and lies together. A wish: not all file systems can. */
void env_set_aside(struct env *env, uint64_t bytes);

struct env_usage {
    uint64_t used_bytes;  /* pages of all tables in use */
    uint64_t table_bytes; /* those of @table of env_usage() */
    uint64_t file_bytes;  /* size of the data file */
    uint64_t map_bytes;   /* its hard limit */
    uint64_t n_entries;   /* in @table of env_usage() */
};
int env_usage(struct env_txn *txn, unsigned table, struct env_usage *out);

/* Writes all to the disk, also what dead processes left there, and marks a disposable environment
 * clean. */
int env_sync(struct env *env);
/* True once damage was met; every later call gives -EIO. */
bool env_is_broken(const struct env *env);
/* Says that a value's bytes could not be read (a fault under a guard). Returns -EIO. */
int env_set_broken(struct env *env);
