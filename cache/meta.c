/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/meta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "cache/guard.h"
#include "cache/meta_table.h"
#include "cache/resident.h"

enum { MAX_KEY_BYTES = 500 }; /* LMDB's limit is 511 */

/* What all records together may take: an eighth of the environment, and no more than can be swept
 * in one transaction. One value may be half of it. */
#define MAX_TABLE_BYTES (UINT64_C(128) << 20)

struct meta_header {
    int64_t put_at_ns;
    uint64_t len; /* of the value: what LMDB says may be damaged */
    uint64_t sum; /* XXH3 of the value, seeded with the moment and the key, all of it */
};

struct meta {
    const struct tables *tables;
    struct writer *writer;
    uint64_t most_bytes; /* of all records together */
};

/* What a call of the writer is to put. */
struct meta_put {
    struct env_bytes key, value;
    struct meta_header header;
    uint64_t most_bytes;
};

struct meta *meta_new(const struct tables *tables, struct writer *writer, uint64_t limit_bytes)
{
    struct meta *meta = malloc(sizeof(*meta));
    if (!meta)
        return NULL;
    *meta = (struct meta){
        .tables = tables,
        .writer = writer,
        .most_bytes = limit_bytes / 8 < MAX_TABLE_BYTES ? limit_bytes / 8 : MAX_TABLE_BYTES,
    };
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

static uint64_t sum_value(const char *key, const void *value, size_t len, int64_t put_at_ns)
{
    uint64_t seed = XXH3_64bits_withSeed(key, strlen(key), (uint64_t)put_at_ns);
    return XXH3_64bits_withSeed(value, len, seed);
}

/* Copies a stored value out, when it is sound. */
GUARD_ALONE static int copy_out(const char *key, struct env_bytes stored, void **out,
                                size_t *out_len, int64_t *out_put_at_ns)
{
    struct meta_header header;
    if (stored.len < sizeof(header) || stored.len > MAX_TABLE_BYTES)
        return -ENOENT;
    memcpy(&header, stored.data, sizeof(header));
    size_t len = stored.len - sizeof(header);
    if (header.len != len)
        return -ENOENT;
    resident_bring(stored.data, stored.len);
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
GUARD_ALONE static int copy_out_guarded(const char *key, struct env_bytes stored, void **out,
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
        r = copy_out_guarded(key, stored, out, out_len, out_put_at_ns);
    if (r == GUARD_FAULT)
        env_set_broken(meta->tables->env);
    r = r == 0 || r == -ENOMEM ? r : -ENOENT;
    env_abort(txn);
    return r;
}

/* --- what is too old --- */

static int64_t moment_of(struct env_bytes stored)
{
    struct meta_header header = {0};
    if (stored.len >= sizeof(header))
        memcpy(&header, stored.data, sizeof(header));
    return header.put_at_ns > 0 ? header.put_at_ns : 0;
}

typedef int record_fn(struct env_txn *txn, const struct tables *tables, struct env_bytes key,
                      int64_t put_at_ns, void *ctx);

static int each_record(struct env_txn *txn, const struct tables *tables, record_fn *fn, void *ctx)
{
    uint8_t at[MAX_KEY_BYTES];
    struct env_bytes stored, key = {.data = at, .len = 0};
    int r = env_seek(txn, tables->meta, &key, &stored);
    while (r == 0) {
        if (key.len > sizeof(at))
            return env_set_broken(tables->env);
        memcpy(at, key.data, key.len);
        key.data = at;
        r = fn(txn, tables, key, moment_of(stored), ctx);
        if (r == 0)
            r = env_next(txn, tables->meta, &key, &stored);
    }
    return r == -ENOENT ? 0 : r;
}

struct mean {
    int64_t n, put_at_ns;
};

static int add_to_mean(struct env_txn *txn, const struct tables *tables, struct env_bytes key,
                       int64_t put_at_ns, void *ctx)
{
    (void)txn;
    (void)tables;
    (void)key;
    struct mean *mean = ctx;
    mean->put_at_ns += (put_at_ns - mean->put_at_ns) / ++mean->n;
    return 0;
}

static int delete_older(struct env_txn *txn, const struct tables *tables, struct env_bytes key,
                        int64_t put_at_ns, void *ctx)
{
    const struct mean *mean = ctx;
    int r = put_at_ns <= mean->put_at_ns ? env_delete(txn, tables->meta, key) : 0;
    return r == -ENOENT ? 0 : r;
}

/* Forgets about half of the records, the older ones, when there is no room for @len bytes more: a
 * walk over all of them, but one in very many puts. */
static int make_room(struct env_txn *txn, const struct tables *tables, size_t len,
                     uint64_t most_bytes)
{
    struct env_usage usage;
    struct mean mean = {0};
    int r = env_usage(txn, tables->meta, &usage);
    if (r < 0 || usage.table_bytes + len <= most_bytes)
        return r;
    r = each_record(txn, tables, add_to_mean, &mean);
    return r == 0 ? each_record(txn, tables, delete_older, &mean) : r;
}

/* --- changes --- */

static int put(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    const struct meta_put *job = ctx;
    size_t len = sizeof(job->header) + job->value.len;
    int r = make_room(txn, tables, len, job->most_bytes);
    void *room;
    if (r == 0)
        r = env_reserve(txn, tables->meta, job->key, len, &room);
    if (r < 0)
        return r;
    memcpy(room, &job->header, sizeof(job->header));
    memcpy((char *)room + sizeof(job->header), job->value.data, job->value.len);
    return 0;
}

int meta_put(struct meta *meta, const char *key, const void *value, size_t len)
{
    if (key[0] == '\0')
        return -EINVAL;
    if (len > meta->most_bytes / 2)
        return -ENOSPC;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    char room[MAX_KEY_BYTES];
    struct meta_put job = {
        .key = key_bytes(key, room),
        .value = {.data = value, .len = len},
        .header = {.put_at_ns = now_ns, .len = len, .sum = sum_value(key, value, len, now_ns)},
        .most_bytes = meta->most_bytes,
    };
    return writer_call(meta->writer, put, &job, sizeof(struct meta_header) + len);
}

static int delete_one(struct env_txn *txn, const struct tables *tables, void *ctx)
{
    const struct env_bytes *key = ctx;
    int r = env_delete(txn, tables->meta, *key);
    return r == -ENOENT ? 0 : r;
}

int meta_delete(struct meta *meta, const char *key)
{
    char room[MAX_KEY_BYTES];
    struct env_bytes bytes = key_bytes(key, room);
    return writer_call(meta->writer, delete_one, &bytes, 0);
}
