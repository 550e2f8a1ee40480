/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's data: a directory with records (an LMDB environment in `records/`) and contents
 * (`objects/`). All reading and writing happens in transactions: a reader sees one moment, writers
 * go one after the other, and a commit is on the disk when it returns. Any thread may call; a
 * transaction belongs to one thread and should be short.
 *
 * Contents are counted: a record that refers to an object holds a reference, and the object goes
 * when the last one does. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/objects.h"
#include "serve/sign.h"
#include "util/digest.h"
#include "util/json.h"

struct store;
struct store_txn;

enum store_table {
    STORE_PROJECTS,   /* handle -> JSON */
    STORE_MODELS,     /* id -> JSON */
    STORE_BY_PROJECT, /* project's handle, NUL, model's id -> nothing: a project's models */
    STORE_FILES,   /* model id, NUL, SHA-256 of the path -> JSON: a path may be longer than a key */
    STORE_REFS,    /* digest -> how many files have that content */
    STORE_KEYS,    /* name -> SHA-256 of the key */
    STORE_SECRETS, /* what the server knows for itself */
    STORE_N_TABLES,
};

enum store_use {
    STORE_SERVE,  /* the one server: sweeps leftovers; -EBUSY while there is another */
    STORE_BESIDE, /* a short visit, a server may be running */
};

/* Opens or makes the store in @dir (parents too). -errno. */
int store_open(const char *dir, enum store_use use, struct store **out);
void store_close(struct store *store); /* NULL is fine */

struct objects *store_objects(struct store *store);
/* The secret of signed URLs: made with the store, the same ever after. */
const struct sign_secret *store_sign_secret(const struct store *store);

int store_begin(struct store *store, bool writes, struct store_txn **out);
/* Makes all of it visible and durable, then removes the objects that nobody refers to any more.
 * Ends the transaction in any case. */
int store_commit(struct store_txn *txn);
/* Ends it with nothing written. NULL is fine. */
void store_abort(struct store_txn *txn);
DEFINE_CLEANUP(struct store_txn *, cleanup_store_txn, store_abort)
#define STORE_TXN_CLEANUP CLEANUP(cleanup_store_txn)

struct store_key {
    const void *data;
    size_t len;
};
/* A text's bytes as a key. */
struct store_key store_key_of(const char *text);

/* -ENOENT when there is none, -EIO when it cannot be understood. */
int store_get_json(struct store_txn *txn, enum store_table table, struct store_key key,
                   json_t **out);
int store_put_json(struct store_txn *txn, enum store_table table, struct store_key key,
                   const json_t *value);
/* Copies a value of exactly @len bytes. -ENOENT, or -EIO when it has another length. */
int store_get_bytes(struct store_txn *txn, enum store_table table, struct store_key key, void *out,
                    size_t len);
int store_put_bytes(struct store_txn *txn, enum store_table table, struct store_key key,
                    const void *value, size_t len);
int store_delete(struct store_txn *txn, enum store_table table, struct store_key key);
bool store_has(struct store_txn *txn, enum store_table table, struct store_key key);

/* Calls @fn with each record whose key begins with @prefix, in key order, until it gives something
 * else than 0, which is returned. @fn must not write. Key and value are borrowed. */
typedef int (*store_record_fn)(struct store_key key, struct store_key value, void *arg);
int store_each(struct store_txn *txn, enum store_table table, struct store_key prefix,
               store_record_fn fn, void *arg);
/* A record's value as JSON; NULL when it is damaged or memory is short. */
json_t *store_value_json(struct store_key value);
uint64_t store_count(struct store_txn *txn, enum store_table table);

/* Adds a reference to content that was just uploaded: gives it its lasting name unless it is there
 * already. */
int store_ref_new(struct store_txn *txn, struct objects_temp *temp, const struct digest *digest,
                  uint64_t size_bytes);
/* Takes a reference away. */
int store_unref(struct store_txn *txn, const struct digest *digest);
