/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store. Two processes may make a new one at the same moment: each step takes what is
 * there. The one that will serve holds a lock as long as it lives, and first clears away what a
 * crash has left. */
#include "serve/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/store_state.h"

enum {
    /* Records are small: this is address space, not memory or disk. */
    MAP_GIB = 16,
};

static_assert((int)STORE_N_TABLES <= (int)STORE_TABLES_MAX, "store_state.h has no room for all");

static const char *const table_names[STORE_N_TABLES] = {
    [STORE_PROJECTS] = "projects", [STORE_MODELS] = "models", [STORE_BY_PROJECT] = "by-project",
    [STORE_FILES] = "files",       [STORE_REFS] = "refs",     [STORE_KEYS] = "keys",
    [STORE_SECRETS] = "secrets",
};

/* Makes what was written to the folder's list of names last. */
static int sync_dir(const char *dir)
{
    int fd CLEANUP(cleanup_close) = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int make_dir(const char *dir, const char *parent)
{
    if (mkdir(dir, 0700) < 0)
        return errno == EEXIST ? 0 : -errno;
    int r = sync_dir(parent);
    return r == -EACCES ? 0 : r; /* who may add to a folder need not be one who may read it */
}

/* mkdir -p */
static int make_dirs(const char *dir)
{
    struct buf parent BUF_CLEANUP = {0}, path BUF_CLEANUP = {0};
    int r = buf_puts(&parent, dir[0] == '/' ? "/" : ".");
    for (const char *at = dir; r == 0 && *at;) {
        size_t len = strspn(at, "/");
        len += strcspn(at + len, "/");
        r = buf_append(&path, at, len);
        if (r == 0)
            r = make_dir(path.data, parent.data);
        parent.len = 0;
        if (r == 0)
            r = buf_puts(&parent, path.data);
        at += len;
    }
    return r;
}

static int lock_dir(const char *dir, int *out_fd)
{
    struct buf path BUF_CLEANUP = {0};
    int r = buf_printf(&path, "%s/lock", dir);
    if (r < 0)
        return r;
    int fd CLEANUP(cleanup_close) = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    *out_fd = steal_fd(&fd);
    return 0;
}

static int open_records(struct store *store, const char *dir)
{
    struct buf path BUF_CLEANUP = {0};
    int r = buf_printf(&path, "%s/records", dir);
    if (r < 0)
        return r;
    struct env_options options = {
        .dir = path.data,
        .map_bytes = (uint64_t)MAP_GIB << 30,
        .n_tables = STORE_N_TABLES,
        .safety = ENV_DURABLE,
    };
    r = env_open(&options, &store->env, NULL);
    for (int i = 0; r == 0 && i < STORE_N_TABLES; i++)
        r = env_table(store->env, table_names[i], &store->tables[i]);
    return r == 0 ? sync_dir(path.data) : r;
}

/* Reads the secret, or makes it: two processes that open a new store agree on one. */
static int load_secret(struct store *store)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    struct store_key key = store_key_of("sign");
    struct sign_secret *secret = &store->secret;
    int r = store_begin(store, true, &txn);
    if (r < 0)
        return r;
    r = store_get_bytes(txn, STORE_SECRETS, key, secret->bytes, SIGN_SECRET_BYTES);
    if (r != -ENOENT)
        return r;
    if (getrandom(secret->bytes, SIGN_SECRET_BYTES, 0) != SIGN_SECRET_BYTES)
        return -EIO;
    r = store_put_bytes(txn, STORE_SECRETS, key, secret->bytes, SIGN_SECRET_BYTES);
    return r < 0 ? r : store_commit(steal_ptr(txn));
}

/* Only what surely has no record is swept: one that cannot be read is no reason to delete. */
static bool digest_may_be_referred_to(const struct digest *digest, void *arg)
{
    const struct store_key key = {digest->bytes, DIGEST_BYTES};
    uint64_t count;
    return store_get_bytes(arg, STORE_REFS, key, &count, sizeof(count)) != -ENOENT;
}

static int sweep(struct store *store)
{
    struct store_txn *txn STORE_TXN_CLEANUP = NULL;
    int r = objects_clear_temps(store->objects);
    if (r == 0)
        r = store_begin(store, false, &txn);
    if (r == 0)
        r = objects_sweep(store->objects, digest_may_be_referred_to, txn);
    return r;
}

static int open_parts(struct store *store, const char *dir, enum store_use use)
{
    int r = make_dirs(dir);
    if (r == 0 && use == STORE_SERVE)
        r = lock_dir(dir, &store->lock_fd);
    if (r == 0)
        r = open_records(store, dir);
    if (r == 0)
        r = objects_open(dir, &store->objects);
    if (r == 0)
        r = load_secret(store);
    if (r == 0 && use == STORE_SERVE)
        r = sweep(store);
    return r;
}

int store_open(const char *dir, enum store_use use, struct store **out)
{
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return -ENOMEM;
    store->lock_fd = -1;
    int r = open_parts(store, dir, use);
    if (r < 0) {
        store_close(store);
        return r;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    env_close(store->env);
    objects_close(store->objects);
    cleanup_close(&store->lock_fd);
    free(store);
}
