/* SPDX-License-Identifier: Apache-2.0 */
/* Records and contents must agree after a crash at any moment and with uploads and deletions at the
 * same time.
 *
 * The rule: a reference is added or taken only in a write transaction, and so is an object's
 * lasting name. There is one write transaction at a time. So whoever adds a reference to an object
 * that is there knows that nobody is removing it, and whoever removes an object first looks, in a
 * write transaction of its own, whether it got a new reference since its last one went.
 *
 *     upload:  write, hash, fsync  |txn: install unless there, count + 1, record, commit|
 *     delete:  |txn: record away, count - 1, commit|  |txn: unlink if the count is still 0|
 *
 * A crash between an object's installing and the commit, or between the two transactions of a
 * deletion, leaves an object without references. It costs disk space until the server's next start
 * sweeps it. The other way round, a record without its object, cannot happen.
 *
 * The write transaction is held for the fsync of one folder and of the commit, some milliseconds;
 * the content's own fsync, which may take long, comes before. */
#include "serve/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "serve/store_state.h"
#include "util/log.h"

struct objects *store_objects(struct store *store)
{
    return store->objects;
}

const struct sign_secret *store_sign_secret(const struct store *store)
{
    return &store->secret;
}

int store_begin(struct store *store, bool writes, struct store_txn **out)
{
    struct store_txn *txn = calloc(1, sizeof(*txn));
    if (!txn)
        return -ENOMEM;
    txn->store = store;
    int r = env_begin(store->env, writes, &txn->env);
    if (r < 0) {
        free(txn);
        return r;
    }
    *out = txn;
    return 0;
}

/* Removes those of @digests that have no reference now. */
static void remove_unwanted(struct store *store, const struct buf *digests)
{
    struct env_txn *env = NULL;
    if (digests->len == 0)
        return;
    int r = env_begin(store->env, true, &env);
    for (size_t at = 0; r == 0 && at < digests->len; at += DIGEST_BYTES) {
        struct digest digest;
        struct env_bytes value;
        memcpy(digest.bytes, digests->data + at, DIGEST_BYTES);
        r = env_get(env, store->tables[STORE_REFS], (struct env_bytes){digest.bytes, DIGEST_BYTES},
                    &value);
        r = r == -ENOENT ? objects_remove(store->objects, &digest) : r;
    }
    env_abort(env);
    if (r < 0)
        log_warn("serve: cannot remove contents that nothing refers to: %s", strerror(-r));
}

static void free_txn(struct store_txn *txn)
{
    buf_deinit(&txn->dropped);
    buf_deinit(&txn->installed);
    free(txn);
}

int store_commit(struct store_txn *txn)
{
    int r = env_commit(txn->env);
    remove_unwanted(txn->store, r == 0 ? &txn->dropped : &txn->installed);
    free_txn(txn);
    return r;
}

void store_abort(struct store_txn *txn)
{
    if (!txn)
        return;
    env_abort(txn->env);
    remove_unwanted(txn->store, &txn->installed);
    free_txn(txn);
}

struct store_key store_key_of(const char *text)
{
    return (struct store_key){text, strlen(text)};
}

static struct env_bytes as_bytes(struct store_key key)
{
    return (struct env_bytes){key.data, key.len};
}

static struct store_key as_key(struct env_bytes bytes)
{
    return (struct store_key){bytes.data, bytes.len};
}

json_t *store_value_json(struct store_key value)
{
    /* Not json_parse(): what was let in must come out, whatever its depth limit is by then. */
    return json_loadb(value.data, value.len, JSON_DECODE_ANY, NULL);
}

int store_get_json(struct store_txn *txn, enum store_table table, struct store_key key,
                   json_t **out)
{
    struct env_bytes value;
    int r = env_get(txn->env, txn->store->tables[table], as_bytes(key), &value);
    if (r < 0)
        return r;
    *out = store_value_json(as_key(value));
    return *out ? 0 : -EIO;
}

int store_put_json(struct store_txn *txn, enum store_table table, struct store_key key,
                   const json_t *value)
{
    char *text CLEANUP(cleanup_free) = json_dumps(value, JSON_COMPACT);
    if (!text)
        return -ENOMEM;
    return store_put_bytes(txn, table, key, text, strlen(text));
}

int store_get_bytes(struct store_txn *txn, enum store_table table, struct store_key key, void *out,
                    size_t len)
{
    struct env_bytes value;
    int r = env_get(txn->env, txn->store->tables[table], as_bytes(key), &value);
    if (r < 0)
        return r;
    if (value.len != len)
        return -EIO;
    memcpy(out, value.data, len);
    return 0;
}

int store_put_bytes(struct store_txn *txn, enum store_table table, struct store_key key,
                    const void *value, size_t len)
{
    return env_put(txn->env, txn->store->tables[table], as_bytes(key),
                   (struct env_bytes){value, len});
}

int store_delete(struct store_txn *txn, enum store_table table, struct store_key key)
{
    return env_delete(txn->env, txn->store->tables[table], as_bytes(key));
}

bool store_has(struct store_txn *txn, enum store_table table, struct store_key key)
{
    struct env_bytes value;
    return env_get(txn->env, txn->store->tables[table], as_bytes(key), &value) == 0;
}

static bool has_prefix(struct env_bytes key, struct store_key prefix)
{
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

int store_each(struct store_txn *txn, enum store_table table, struct store_key prefix,
               store_record_fn fn, void *arg)
{
    unsigned number = txn->store->tables[table];
    struct env_bytes key = as_bytes(prefix), value;
    int r = env_seek(txn->env, number, &key, &value);
    while (r == 0 && has_prefix(key, prefix)) {
        r = fn(as_key(key), as_key(value), arg);
        if (r != 0)
            return r;
        r = env_next(txn->env, number, &key, &value);
    }
    return r == -ENOENT ? 0 : r;
}

uint64_t store_count(struct store_txn *txn, enum store_table table)
{
    struct env_usage usage;
    return env_usage(txn->env, txn->store->tables[table], &usage) == 0 ? usage.n_entries : 0;
}

/* Adds @change to a digest's count; a count of 0 is no record. */
static int change_count(struct store_txn *txn, const struct digest *digest, int change,
                        uint64_t *out)
{
    struct store_key key = {digest->bytes, DIGEST_BYTES};
    uint64_t count = 0;
    int r = store_get_bytes(txn, STORE_REFS, key, &count, sizeof(count));
    if (r < 0 && (r != -ENOENT || change < 0))
        return r == -ENOENT ? -EIO : r;
    count += (uint64_t)(int64_t)change;
    *out = count;
    return count ? store_put_bytes(txn, STORE_REFS, key, &count, sizeof(count))
                 : store_delete(txn, STORE_REFS, key);
}

int store_ref_new(struct store_txn *txn, struct objects_temp *temp, const struct digest *digest,
                  uint64_t size_bytes)
{
    uint64_t count;
    /* An object that somebody damaged or took away is made whole by the next upload of it. */
    if (!objects_has(txn->store->objects, digest, size_bytes)) {
        int r = buf_append(&txn->installed, digest->bytes, DIGEST_BYTES);
        if (r == 0)
            r = objects_install(temp, digest);
        if (r < 0)
            return r;
    }
    return change_count(txn, digest, 1, &count);
}

int store_unref(struct store_txn *txn, const struct digest *digest)
{
    uint64_t count;
    int r = change_count(txn, digest, -1, &count);
    if (r < 0 || count > 0)
        return r;
    return buf_append(&txn->dropped, digest->bytes, DIGEST_BYTES);
}
