/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "cache/guard.h"
#include "cache/meta_table.h"

enum { MAX_KEY_BYTES = 500 }; /* LMDB's limit is 511 */
#define MAX_VALUE_BYTES (UINT64_C(256) << 20)

struct meta_header {
    int64_t put_at_ns;
    uint64_t sum; /* XXH3 of the value, seeded with the moment and the key */
};

struct meta {
    const struct tables *tables;
    struct writer *writer;
};

/* What a call of the writer is to put. */
struct meta_put {
    struct env_bytes key, value;
    int64_t put_at_ns;
};

struct meta *meta_new(const struct tables *tables, struct writer *writer)
{
    struct meta *meta = malloc(sizeof(*meta));
    if (meta)
        *meta = (struct meta){.tables = tables, .writer = writer};
    return meta;
}

void meta_free(struct meta *meta)
{
    free(meta);
}

/* A long key is stored as its head and a hash of all. */
static struct env_bytes key_bytes(const char *key, char room[MAX_KEY_BYTES])
{
    size_t len = strlen(key);
    if (len <= MAX_KEY_BYTES)
        return (struct env_bytes){.data = key, .len = len};
    XXH128_hash_t hash = XXH3_128bits(key, len);
    memcpy(room, key, MAX_KEY_BYTES - sizeof(hash));
    memcpy(room + MAX_KEY_BYTES - sizeof(hash), &hash, sizeof(hash));
    return (struct env_bytes){.data = room, .len = MAX_KEY_BYTES};
}

static uint64_t sum_value(struct env_bytes key, const void *value, size_t len, int64_t put_at_ns)
{
    uint64_t seed = XXH3_64bits_withSeed(key.data, key.len, (uint64_t)put_at_ns);
    return XXH3_64bits_withSeed(value, len, seed);
}

/* Copies a stored value out, when it is sound. */
GUARD_ALONE static int copy_out(struct env_bytes key, struct env_bytes stored, void **out,
                                size_t *out_len, int64_t *out_put_at_ns)
{
    struct meta_header header;
    if (stored.len < sizeof(header))
        return -ENOENT;
    memcpy(&header, stored.data, sizeof(header));
    size_t len = stored.len - sizeof(header);
    void *copy = malloc(len + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, (const char *)stored.data + sizeof(header), len);
    ((char *)copy)[len] = '\0';
    if (sum_value(key, copy, len, header.put_at_ns) != header.sum) {
        free(copy);
        return -ENOENT;
    }
    *out = copy;
    *out_len = len;
    if (out_put_at_ns)
        *out_put_at_ns = header.put_at_ns;
    return 0;
}

/* On its own, so that the guard's jump comes back into a function with nothing to lose. */
GUARD_ALONE static int copy_out_guarded(struct env_bytes key, struct env_bytes stored, void **out,
                                        size_t *out_len, int64_t *out_put_at_ns)
{
    return GUARDED(copy_out(key, stored, out, out_len, out_put_at_ns));
}

int meta_get(struct meta *meta, const char *key, void **out, size_t *out_len,
             int64_t *out_put_at_ns)
{
    struct env_txn *txn;
    if (env_begin(meta->tables->env, false, &txn) < 0)
        return -ENOENT;
    char room[MAX_KEY_BYTES];
    struct env_bytes stored, at = key_bytes(key, room);
    int r = env_get(txn, meta->tables->meta, at, &stored);
    if (r == 0)
        r = copy_out_guarded(at, stored, out, out_len, out_put_at_ns);
    if (r == GUARD_FAULT)
        env_set_broken(meta->tables->env);
    r = r == 0 || r == -ENOMEM ? r : -ENOENT;
    env_abort(txn);
    return r;
}

static int put(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    const struct meta_put *job = ctx;
    struct meta_header header = {
        .put_at_ns = job->put_at_ns,
        .sum = sum_value(job->key, job->value.data, job->value.len, job->put_at_ns),
    };
    void *room;
    int r = env_reserve(txn, tables->meta, job->key, sizeof(header) + job->value.len, &room);
    if (r < 0)
        return r;
    memcpy(room, &header, sizeof(header));
    memcpy((char *)room + sizeof(header), job->value.data, job->value.len);
    return 0;
}

int meta_put(struct meta *meta, const char *key, const void *value, size_t len)
{
    if (len > MAX_VALUE_BYTES || key[0] == '\0')
        return -EINVAL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char room[MAX_KEY_BYTES];
    struct meta_put job = {
        .key = key_bytes(key, room),
        .value = {.data = value, .len = len},
        .put_at_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec,
    };
    return writer_call(meta->writer, put, &job, sizeof(struct meta_header) + len);
}

static int delete (struct env_txn *txn, const struct tables *tables, void *ctx)
{
    const struct env_bytes *key = ctx;
    int r = env_delete(txn, tables->meta, *key);
    return r == -ENOENT ? 0 : r;
}

int meta_delete(struct meta *meta, const char *key)
{
    char room[MAX_KEY_BYTES];
    struct env_bytes bytes = key_bytes(key, room);
    return writer_call(meta->writer, delete, &bytes, 0);
}
