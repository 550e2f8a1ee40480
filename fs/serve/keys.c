/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char key_prefix[] = "mfs_";

static int make_key(char out[KEYS_TEXT_BYTES])
{
    struct digest random; /* as many bytes as a digest, and printed like one */
    char hex[DIGEST_HEX_BYTES];
    if (getrandom(random.bytes, DIGEST_BYTES, 0) != DIGEST_BYTES)
        return -EIO;
    digest_format_hex(&random, hex);
    snprintf(out, KEYS_TEXT_BYTES, "%s%s", key_prefix, hex);
    return 0;
}

int keys_add(struct store *store, const char *name, char out[KEYS_TEXT_BYTES])
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    struct store_key key = store_key_of(name);
    struct digest hash;
    if (key.len == 0 || key.len > KEYS_NAME_BYTES)
        return -EINVAL;
    int r = make_key(out);
    if (r == 0)
        r = store_begin(store, true, &txn);
    if (r < 0)
        return r;
    if (store_has(txn, STORE_KEYS, key))
        return -EEXIST;
    digest_of(out, strlen(out), &hash);
    r = store_put_bytes(txn, STORE_KEYS, key, hash.bytes, DIGEST_BYTES);
    return r < 0 ? r : store_commit(steal_ptr(txn));
}

int keys_remove(struct store *store, const char *name)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    struct store_key key = store_key_of(name);
    if (key.len == 0 || key.len > KEYS_NAME_BYTES)
        return -ENOENT;
    int r = store_begin(store, true, &txn);
    if (r == 0)
        r = store_delete(txn, STORE_KEYS, key);
    return r < 0 ? r : store_commit(steal_ptr(txn));
}

static int stop_at_key(struct store_key name, struct store_key value, void *arg)
{
    (void)name;
    (void)value;
    (void)arg;
    return 1;
}

int keys_exist(struct store_txn *txn)
{
    return store_each(txn, STORE_KEYS, (struct store_key){"", 0}, stop_at_key, NULL);
}

struct trial {
    struct digest hash;
    bool accepted;
};

/* Goes on after a match: the time tells nothing. */
static int try_key(struct store_key name, struct store_key value, void *arg)
{
    struct trial *trial = arg;
    (void)name;
    if (value.len == DIGEST_BYTES)
        trial->accepted |= CRYPTO_memcmp(value.data, trial->hash.bytes, DIGEST_BYTES) == 0;
    return 0;
}

bool keys_accept(struct store_txn *txn, const char *text)
{
    struct trial trial = {0};
    if (!text)
        return false;
    digest_of(text, strlen(text), &trial.hash);
    int r = store_each(txn, STORE_KEYS, (struct store_key){"", 0}, try_key, &trial);
    return r == 0 && trial.accepted;
}
