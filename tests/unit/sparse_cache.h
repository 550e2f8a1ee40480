/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the folder of a cache of many GiB in little room: keys, uses, order and headers are real,
 * and the blocks' bytes are zeros that were never written, with the checksums of zeros. The tables'
 * pages and one page a block take room on the disk: 4 MiB for a GiB. */
#pragma once

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "cache/key.h"
#include "cache/record.h"

enum { SPARSE_BLOB_BLOCKS = 2048, SPARSE_BLOCKS_A_TXN = 1024 };

/* The limit to open it with: nothing has to go before a block is put. */
static inline uint64_t sparse_limit_bytes(uint64_t n_blocks)
{
    return n_blocks * (BLOCK_BYTES + 8192) / 15 * 16 + (UINT64_C(16) << 20);
}

/* Blob @n holds blocks [n * SPARSE_BLOB_BLOCKS, ...) of all. */
static inline struct blob_id sparse_blob(uint64_t n)
{
    struct blob_id id;
    for (uint64_t i = 0; i < sizeof(id) / 8; i++) {
        uint64_t in[2] = {n, i}, word = XXH3_64bits(in, sizeof(in));
        memcpy(id.bytes + 8 * i, &word, 8);
    }
    return id;
}

struct sparse_tables {
    MDB_dbi blocks, uses, order;
    struct record_header header; /* of a block of zeros */
};

static inline int sparse_open_tables(MDB_txn *txn, struct sparse_tables *out)
{
    static const char *const names[] = {"blocks", "uses", "order", "pins", "meta"};
    MDB_dbi all[5];
    for (int i = 0; i < 5; i++) {
        int rc = mdb_dbi_open(txn, names[i], MDB_CREATE, &all[i]);
        if (rc != 0)
            return rc;
    }
    *out = (struct sparse_tables){all[0], all[1], all[2], {0}};
    return 0;
}

/* The header of a block of zeros, as the cache itself writes it. */
static inline int sparse_make_header(struct record_header *out)
{
    struct record_draft draft = {
        .len = BLOCK_BYTES, .present = 0xffff, .data = calloc(1, BLOCK_BYTES)};
    void *record = draft.data ? malloc(record_bytes(&draft)) : NULL;
    if (record) {
        record_write(&draft, record);
        memcpy(out, record, sizeof(*out));
    }
    free((void *)draft.data);
    free(record);
    return record ? 0 : ENOMEM;
}

static inline int sparse_put_use(MDB_txn *txn, const struct sparse_tables *tables, uint64_t n,
                                 uint8_t key[BLOCK_KEY_BYTES])
{
    uint8_t entry[8 + BLOCK_KEY_BYTES];
    uint64_t run = n / 16; /* read in runs, and the runs in any order */
    uint64_t moment = (UINT64_C(1) << 60) + (XXH3_64bits(&run, sizeof(run)) >> 16) + n;
    for (int i = 0; i < 8; i++)
        entry[i] = (uint8_t)(moment >> (56 - 8 * i));
    memcpy(entry + 8, key, BLOCK_KEY_BYTES);
    MDB_val k = {sizeof(entry), entry}, none = {0, entry};
    int rc = mdb_put(txn, tables->order, &k, &none, 0);
    MDB_val block = {BLOCK_KEY_BYTES, key}, when = {8, entry};
    return rc == 0 ? mdb_put(txn, tables->uses, &block, &when, 0) : rc;
}

static inline int sparse_put_block(MDB_txn *txn, struct sparse_tables *tables, uint64_t n)
{
    struct record_header *header = &tables->header;
    header->blob = sparse_blob(n / SPARSE_BLOB_BLOCKS);
    header->block = (uint32_t)(n % SPARSE_BLOB_BLOCKS);
    header->header_sum = XXH3_64bits(header, offsetof(struct record_header, header_sum));
    uint8_t key[BLOCK_KEY_BYTES];
    block_key_format(&header->blob, header->block, key);
    MDB_val k = {sizeof(key), key}, v = {sizeof(*header) + BLOCK_BYTES, NULL};
    int rc = mdb_put(txn, tables->blocks, &k, &v, MDB_RESERVE);
    if (rc != 0)
        return rc;
    memcpy(v.mv_data, header, sizeof(*header));
    return sparse_put_use(txn, tables, n, key);
}

static inline int sparse_fill(MDB_env *env, uint64_t n_blocks)
{
    struct sparse_tables tables;
    MDB_txn *txn;
    int rc = 0;
    for (uint64_t n = 0; n < n_blocks && rc == 0;) {
        rc = mdb_txn_begin(env, NULL, 0, &txn);
        if (rc == 0 && n == 0 && (rc = sparse_open_tables(txn, &tables)) == 0)
            rc = sparse_make_header(&tables.header);
        for (unsigned i = 0; i < SPARSE_BLOCKS_A_TXN && n < n_blocks && rc == 0; i++)
            rc = sparse_put_block(txn, &tables, n++);
        if (rc == 0)
            rc = mdb_txn_commit(txn);
    }
    return rc;
}

/* Cuts the file, which WRITEMAP made as large as the map, behind its last page. */
static inline int sparse_cut(const char *dir, const MDB_envinfo *info)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/data.mdb", dir);
    off_t end = (off_t)((info->me_last_pgno + 1) * (uint64_t)sysconf(_SC_PAGESIZE));
    return truncate(path, end) == 0 ? 0 : errno;
}

/* Makes @dir, which must not be there, a cache directory of @n_blocks whole blocks; it is not
 * synced. 0, or what
 * LMDB or the system says. */
static inline int sparse_make(const char *dir, uint64_t n_blocks)
{
    char v1[PATH_MAX];
    if (snprintf(v1, sizeof(v1), "%s/v1", dir) >= (int)sizeof(v1))
        return ENAMETOOLONG;
    if (mkdir(dir, 0700) != 0 || mkdir(v1, 0700) != 0)
        return errno;
    MDB_env *env;
    MDB_envinfo info;
    int rc = mdb_env_create(&env);
    if (rc != 0)
        return rc;
    mdb_env_set_maxdbs(env, 5);
    mdb_env_set_mapsize(env, sparse_limit_bytes(n_blocks) / 4096 * 4096);
    rc = mdb_env_open(env, v1, MDB_WRITEMAP | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
    if (rc == 0)
        rc = sparse_fill(env, n_blocks);
    if (rc == 0)
        rc = mdb_env_info(env, &info);
    mdb_env_close(env);
    return rc == 0 ? sparse_cut(v1, &info) : rc;
}
